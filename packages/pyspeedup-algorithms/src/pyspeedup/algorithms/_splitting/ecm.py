"""Lenstra's elliptic curves, in Montgomery's form, with Suyama's choice of curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

__all__ = ["find_divisor"]

Point: TypeAlias = tuple[int, int]
"""X and Z; y is never needed."""
LEAST_SIGMA: Final = 6
WIDTH: Final = 210
"""The second stage takes primes as multiples of it, and what is missing."""


def find_divisor(n: int, primes: Sequence[int], first: int, random: Random) -> int | None:
    """Try one curve: its order has primes up to `first`, and perhaps one of `primes` beyond. `n` is odd."""
    sigma = random.randrange(LEAST_SIGMA, n)
    u, v = (sigma * sigma - 5) % n, 4 * sigma % n
    point = (pow(u, 3, n), pow(v, 3, n))
    denominator = 4 * pow(u, 3, n) * v % n * 4 % n
    divisor = math.gcd(denominator, n)
    if divisor != 1:  # a curve that is none, but perhaps a find
        return divisor if divisor < n else None
    numerator = pow(v - u, 3, n) * (3 * u + v) % n
    curve = numerator * pow(denominator, -1, n) % n  # (A + 2) / 4
    for p in primes:
        if p > first:
            break
        point = _multiply(point, p ** int(math.log(first, p)), curve, n)
    divisor = math.gcd(point[1], n)
    if divisor == 1:
        divisor = math.gcd(_second_stage(point, primes, first, curve, n), n)
    return divisor if 1 < divisor < n else None


def _double(point: Point, curve: int, n: int) -> Point:
    x, z = point
    plus, minus = (x + z) * (x + z) % n, (x - z) * (x - z) % n
    four = plus - minus
    return plus * minus % n, four * (minus + curve * four) % n


def _add(one: Point, other: Point, difference: Point, n: int) -> Point:
    (x1, z1), (x2, z2), (x, z) = one, other, difference
    a, b = (x1 - z1) * (x2 + z2), (x1 + z1) * (x2 - z2)
    plus, minus = a + b, a - b
    return z * (plus * plus % n) % n, x * (minus * minus % n) % n


def _multiply(point: Point, k: int, curve: int, n: int) -> Point:
    """Return `k` times a point, by Montgomery's ladder."""
    if k == 1:
        return point
    low, high = point, _double(point, curve, n)
    for bit in f"{k:b}"[1:]:
        if bit == "1":
            low, high = _add(high, low, point, n), _double(high, curve, n)
        else:
            low, high = _double(low, curve, n), _add(high, low, point, n)
    return low


def _second_stage(point: Point, primes: Sequence[int], first: int, curve: int, n: int) -> int:
    """Return a product that a prime of `n` divides if one prime more than the first stage had does it."""
    near = {
        step: _multiply(point, step, curve, n)
        for step in range(1, WIDTH // 2 + 1)
        if math.gcd(step, WIDTH) == 1
    }
    giant = _multiply(point, WIDTH, curve, n)
    multiple = first // WIDTH
    before = _multiply(point, WIDTH * max(1, multiple - 1), curve, n)
    here = _multiply(point, WIDTH * max(2, multiple), curve, n)
    multiple = max(2, multiple)
    product = 1
    for p in primes:
        if p <= first:
            continue
        while p > WIDTH * multiple + WIDTH // 2:
            before, here = here, _add(here, giant, before, n)
            multiple += 1
        other = near.get(abs(p - WIDTH * multiple))
        if other is not None:
            product = product * (here[0] * other[1] - other[0] * here[1]) % n
    return product
