"""Pollard's rho, as Brent improved it."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["find_divisor"]

STEPS_PER_GCD: Final = 128


def find_divisor(n: int, c: int, most_steps: int) -> int | None:
    """Find a divisor of `n` by the walk y -> y*y + c: `n` itself where that walk is of no use, None after `most_steps`."""
    y, length, steps = 2, 1, 0
    while steps < most_steps:
        y, divisor = _stretch(y, c, n, length)
        if divisor > 1:
            return divisor
        steps += length
        length *= 2
    return None


def _stretch(x: int, c: int, n: int, length: int) -> tuple[int, int]:
    """Take `length` steps from `x`; return where that leads, and a divisor that `x` has revealed."""
    y, divisor = x, 1
    for done in range(0, length, STEPS_PER_GCD):
        checkpoint = y
        y, product = _walk(x, y, c, n, min(STEPS_PER_GCD, length - done))
        divisor = math.gcd(product, n)
        if divisor > 1:
            # Several primes of n may have fallen together: one step at a time tells them apart.
            return y, divisor if divisor < n else _slow_walk(x, checkpoint, c, n)
    return y, divisor


def _walk(x: int, y: int, c: int, n: int, steps: int) -> tuple[int, int]:
    """Take `steps` from `y`; return where that leads and the product of all distances from `x`."""
    product = 1
    for _ in range(steps):
        y = (y * y + c) % n
        product = product * (x - y) % n
    return y, product


def _slow_walk(x: int, y: int, c: int, n: int) -> int:
    """Find the first divisor above 1 from `y` on: the same steps again, one gcd each."""
    divisor = 1
    while divisor == 1:
        y = (y * y + c) % n
        divisor = math.gcd(x - y, n)
    return divisor
