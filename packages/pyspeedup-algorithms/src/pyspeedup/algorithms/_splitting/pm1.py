"""Pollard's p - 1 method, with the usual second stage."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["find_divisor"]

PRIMES_PER_GCD: Final = 256


def find_divisor(n: int, primes: Sequence[int], first: int) -> int | None:
    """Find a divisor of the odd `n` of which p - 1 has primes up to `first`, and one of `primes` beyond."""
    power = 3
    small = [p for p in primes if p <= first]
    for begin in range(0, len(small), PRIMES_PER_GCD):
        before = power
        for p in small[begin : begin + PRIMES_PER_GCD]:
            power = pow(power, p ** int(math.log(first, p)), n)
        divisor = math.gcd(power - 1, n)
        if divisor == n:
            return _one_by_one(n, small[begin : begin + PRIMES_PER_GCD], first, before)
        if divisor > 1:
            return divisor
    return _second_stage(n, [p for p in primes if p > first], power)


def _one_by_one(n: int, primes: Sequence[int], first: int, power: int) -> int | None:
    """Do a part again that all primes of `n` fell in, with a gcd after each step."""
    for p in primes:
        for _ in range(int(math.log(first, p))):
            power = pow(power, p, n)
            divisor = math.gcd(power - 1, n)
            if divisor > 1:
                return divisor if divisor < n else None
    return None


def _second_stage(n: int, primes: Sequence[int], power: int) -> int | None:
    """Find a prime of which p - 1 has one larger prime: that is met on the way through `primes`."""
    if not primes:
        return None
    steps: dict[int, int] = {}
    here = pow(power, primes[0], n)
    product = here - 1
    for count, (before, p) in enumerate(pairwise(primes)):
        gap = p - before
        if gap not in steps:
            steps[gap] = pow(power, gap, n)
        here = here * steps[gap] % n
        product = product * (here - 1) % n
        if count % PRIMES_PER_GCD == 0 and math.gcd(product, n) > 1:
            break
    divisor = math.gcd(product, n)
    return divisor if 1 < divisor < n else None
