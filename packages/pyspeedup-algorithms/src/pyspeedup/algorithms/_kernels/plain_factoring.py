"""Numbers taken apart, in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain, count

from pyspeedup.algorithms._kernels import plain_primality

__all__ = ["factor"]

TRIAL_LIMIT = 1_000
STEPS_PER_GCD = 128


def factor(n: int) -> list[tuple[int, int]]:
    """Return the primes that divide `n`, at least 1, in ascending order, with their powers."""
    powers: Counter[int] = Counter()
    _split(_divide_out_small(n, powers), powers)
    return sorted(powers.items())


def _divide_out_small(n: int, powers: Counter[int]) -> int:
    for p in chain((2,), range(3, TRIAL_LIMIT, 2)):
        # A composite p never divides: its primes are gone by then.
        while n % p == 0:
            powers[p] += 1
            n //= p
        if p * p > n:
            break
    return n


def _split(n: int, powers: Counter[int]) -> None:
    """Count the prime factors of `n`, all of them above the limit of trial division."""
    unsplit = [n] if n > 1 else []
    while unsplit:
        n = unsplit.pop()
        if plain_primality.is_prime(n):
            powers[n] += 1
        else:
            divisor = _proper_divisor(n)
            unsplit += [divisor, n // divisor]


def _proper_divisor(n: int) -> int:
    """Find a divisor of the composite `n` other than 1 and `n`."""
    return next(divisor for c in count(1) if (divisor := _rho(n, c)) < n)


def _rho(n: int, c: int) -> int:
    """Find a divisor above 1 by the walk y -> y*y + c: `n` itself where that walk is of no use."""
    y, length, divisor = 2, 1, 1
    while divisor == 1:
        y, divisor = _stretch(y, c, n, length)
        length *= 2
    return divisor


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
