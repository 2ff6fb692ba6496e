"""Which numbers are prime, in plain Python."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import count

from pyspeedup.algorithms._kernels.plain_residues import jacobi

__all__ = ["is_lucas_prp", "is_prime", "is_strong_lucas_prp", "is_strong_prp"]

SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)

# The smallest composite that passes to all of the first k primes, with that k (OEIS A014233).
# By Pomerance, Selfridge and Wagstaff (1980), Jaeschke (1993), Jiang and Deng (2014), and Sorenson
# and Webster (2015).
FIRST_FAILURES = (
    (2_047, 1),
    (1_373_653, 2),
    (25_326_001, 3),
    (3_215_031_751, 4),
    (2_152_302_898_747, 5),
    (3_474_749_660_383, 6),
    (341_550_071_728_321, 7),
    (3_825_123_056_546_413_051, 9),
    (318_665_857_834_031_151_167_461, 12),
    (3_317_044_064_679_887_385_961_981, 13),
)
LIMITS = tuple(limit for limit, _ in FIRST_FAILURES)
PROVEN = LIMITS[-1]
"""Below it `is_prime` is a proof, from whatever source."""


def is_prime(n: int) -> bool:
    """Tell whether `n` is prime: proven below `PROVEN`, else by Baillie-PSW."""
    for p in SMALL_PRIMES:
        if n % p == 0:
            return n == p
    if n < SMALL_PRIMES[-1] ** 2:
        return n > 1
    if n >= PROVEN:
        return is_strong_prp(n, 2) and is_strong_lucas_prp(n)
    bases = FIRST_FAILURES[bisect_right(LIMITS, n)][1]
    return all(is_strong_prp(n, p) for p in SMALL_PRIMES[:bases])


def is_strong_prp(n: int, a: int) -> bool:
    """Tell whether the odd `n` from 3 passes to the base `a` from 2, which is less and prime to it."""
    s = _twos(n - 1)
    power = pow(a, (n - 1) >> s, n)
    if power in {1, n - 1}:
        return True
    for _ in range(s - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def is_lucas_prp(n: int) -> bool:
    """Tell whether `n` from 1 passes the Lucas test, with Selfridge's parameters."""
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    discriminant = _selfridge_discriminant(n)
    return discriminant is not None and _lucas(n, discriminant, n + 1)[0] == 0


def is_strong_lucas_prp(n: int) -> bool:
    """Tell whether `n` from 1 passes the strong Lucas test, with Selfridge's parameters."""
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    discriminant = _selfridge_discriminant(n)
    if discriminant is None:
        return False
    s = _twos(n + 1)
    u, v, q_power = _lucas(n, discriminant, (n + 1) >> s)
    if u == 0 or v == 0:
        return True
    for _ in range(s - 1):
        v = (v * v - 2 * q_power) % n
        if v == 0:
            return True
        q_power = q_power * q_power % n
    return False


def _twos(n: int) -> int:
    """Count how often 2 divides `n`."""
    return (n & -n).bit_length() - 1


def _selfridge_discriminant(n: int) -> int | None:
    """Find the first of 5, -7, 9, -11, ... with symbol -1; None if `n` turns out composite before."""
    # No discriminant would ever be found for a square.
    if math.isqrt(n) ** 2 == n:
        return None
    candidates = (size if size % 4 == 1 else -size for size in count(5, 2))
    symbols = ((d, jacobi(d, n)) for d in candidates if d % n)
    discriminant, symbol = next((d, symbol) for d, symbol in symbols if symbol != 1)
    return discriminant if symbol else None


def _lucas(n: int, discriminant: int, k: int) -> tuple[int, int, int]:
    """Compute U(k), V(k) and Q**k modulo the odd `n` for P = 1, by doubling along the bits of `k`."""
    q = (1 - discriminant) // 4
    u, v, q_power = 1, 1, q % n
    for bit in f"{k:b}"[1:]:
        u, v, q_power = u * v % n, (v * v - 2 * q_power) % n, q_power * q_power % n
        if bit == "1":
            u, v = _half(u + v, n), _half(discriminant * u + v, n)
            q_power = q_power * q % n
    return u, v, q_power


def _half(x: int, n: int) -> int:
    """Divide by 2 modulo the odd `n`."""
    return (x + n if x % 2 else x) // 2 % n
