"""Proofs that a number is prime, in plain Python."""

from __future__ import annotations

import math
from itertools import count
from typing import Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._kernels.plain_primality import PROVEN

__all__ = ["is_proven_prime"]

TRIAL_LIMIT: Final = 1 << 16
FACTORED_BITS: Final = 90
"""Up to that size whatever there is takes a number apart in seconds."""


def is_proven_prime(n: int) -> bool:
    """Tell whether `n`, at least 0, is prime, by Pocklington's theorem; `RuntimeError` if that fails.

    With n - 1 = F R, F known in primes and not below the cube root of n: as Brillhart, Lehmer and
    Selfridge made it sharper (Crandall and Pomerance, *Prime Numbers*, 4.1.3 to 4.1.5).
    """
    if not _kernels.is_prime(n) or n < PROVEN:
        return _kernels.is_prime(n)
    primes, known = _known_part(n)
    if known**3 < n:
        raise RuntimeError(
            f"no proof was found that a number of {n.bit_length()} bits is prime, which passes all "
            "tests: n - 1 has too few small factors; python-flint proves it: "
            "pip install 'pyspeedup-algorithms[flint]'"
        )
    return all(_has_witness(n, q) for q in primes) and (known**2 > n or _is_unsplit(n, known))


def _known_part(n: int) -> tuple[list[int], int]:
    """Return primes that divide n - 1, and what they make up of it; as many as n needs, if found."""
    primes, known, rest = [], 1, n - 1
    for d in range(2, TRIAL_LIMIT):
        if rest % d == 0:
            primes.append(d)
        while rest % d == 0:
            known, rest = known * d, rest // d
    if known**3 < n and rest > 1:
        if rest.bit_length() <= FACTORED_BITS:
            primes += [p for p, _ in _kernels.factor(rest)]
            known *= rest
        elif _kernels.is_prime(rest) and is_proven_prime(rest):
            primes.append(rest)
            known *= rest
    return primes, known


def _has_witness(n: int, q: int) -> bool:
    """Tell whether every prime that divides `n` is 1 modulo the power of `q` in n - 1."""
    for a in count(2):
        power = pow(a, (n - 1) // q, n)
        if pow(power, q, n) != 1:
            return False
        if (divisor := math.gcd(power - 1, n)) != n:
            return divisor == 1
    raise AssertionError


def _is_unsplit(n: int, known: int) -> bool:
    """Tell whether n, between the square and the cube of what is known, is no product of two."""
    high, low = divmod((n - 1) // known, known)
    discriminant = low * low - 4 * high
    return discriminant < 0 or math.isqrt(discriminant) ** 2 != discriminant
