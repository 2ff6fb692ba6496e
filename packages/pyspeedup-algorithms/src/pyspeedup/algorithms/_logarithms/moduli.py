"""Logarithms modulo any number, from those modulo powers of primes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._logarithms import prime_powers

if TYPE_CHECKING:
    from pyspeedup.algorithms._logarithms.subgroups import Way

__all__ = ["least_log"]


def least_log(n: int, a: int, b: int, way: Way) -> int | None:
    """Return the least x from 0 with ``b**x % n == a``, both reduced; None if there is none.

    Let d be the largest divisor of `n` that divides a power of `b`, and t the least with
    ``b**t % d == 0``. Below t, at most log2(n), each exponent is tried. From t on the powers are 0
    modulo d, and modulo the rest of `n`, to which `b` is prime, they are periodic.
    """
    rest = _prime_to(n, b)
    tail, value = 0, 1 % n
    while value % (n // rest):
        if value == a:
            return tail
        tail, value = tail + 1, value * b % n
    if a % (n // rest) or math.gcd(a, rest) > 1:  # where a is 0, FLINT would end the process
        return None
    ratio = a * _kernels.invert(value % rest, rest) % rest if rest > 1 else 0
    periodic = _log_of_units(rest, int(ratio), b % rest, way)
    return None if periodic is None else tail + int(periodic)


def _prime_to(n: int, b: int) -> int:
    """Return the largest divisor of `n` that has no divisor in common with `b`."""
    while (common := math.gcd(n, b)) > 1:
        n //= common
    return n


def _log_of_units(n: int, a: int, b: int, way: Way) -> int | None:
    """Return the least x for units `a` and `b`, by the Chinese remainder theorem over the prime powers."""
    if _kernels.is_prime(n):
        return prime_powers.least_log(n, a, b, way)
    x, period = 0, 1
    for p, k in _kernels.factor(n):
        modulus = p**k
        found = prime_powers.log(p, k, a % modulus, b % modulus, way)
        joined = None if found is None else _join(x, period, *found)
        if joined is None:
            return None
        x, period = joined
    return x


def _join(x: int, m: int, y: int, n: int) -> tuple[int, int] | None:
    """Return what is x modulo `m` and y modulo `n`, with the modulus of that; None if nothing is."""
    common = math.gcd(m, n)
    if (y - x) % common:
        return None
    step = n // common
    factor = (y - x) // common * pow(m // common, -1, step) % step
    return x + m * factor, m * step
