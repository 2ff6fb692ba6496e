"""Kernels by gmpy2, the Python face of GMP."""

from __future__ import annotations

import math
from itertools import count
from operator import index
from typing import Final

import gmpy2
from gmpy2 import invert, is_square, is_strong_prp, jacobi, kronecker
from gmpy2 import is_power as is_perfect_power
from gmpy2 import is_selfridge_prp as is_lucas_prp
from gmpy2 import is_strong_selfridge_prp as is_strong_lucas_prp
from gmpy2 import powmod as power

from pyspeedup.algorithms._kernels.plain_primality import PROVEN, SMALL_PRIMES

__all__ = [
    "fibonacci",
    "gcdext",
    "invert",
    "is_lucas_prp",
    "is_perfect_power",
    "is_prime",
    "is_square",
    "is_strong_lucas_prp",
    "is_strong_prp",
    "isqrt",
    "jacobi",
    "kronecker",
    "lucas",
    "power",
    "sqrt_by_mueller",
]

WORD: Final = 1 << 64
"""Below it GMP's test, Baillie-PSW and a strong test, is a proof."""
LONG_BITS: Final = 1_000
"""From there on taking a root costs more than the way to GMP and back."""


def is_prime(n: int) -> bool:
    """Tell whether `n`, at least 0, is prime: proven below `PROVEN`, else by Baillie-PSW."""
    if not gmpy2.is_prime(n):
        return False
    return not WORD <= n < PROVEN or all(is_strong_prp(n, p) for p in SMALL_PRIMES)


def isqrt(n: int) -> int:
    """Return the root of `n`, at least 0, rounded down."""
    return math.isqrt(n) if n.bit_length() < LONG_BITS else index(gmpy2.isqrt(n))


def gcdext(a: int, b: int) -> tuple[int, int, int]:
    """Return the greatest common divisor, and the factors that combine to it."""
    divisor, s, t = gmpy2.gcdext(a, b)
    return index(divisor), index(s), index(t)


def sqrt_by_mueller(a: int, p: int) -> int:
    """Return a square root of the residue `a`, not 0, modulo the prime `p`, as `plain_residues` does."""
    t = next(t for t in count(1) if jacobi(a * t * t - 4, p) == -1)
    v = gmpy2.lucasv_mod(a * t * t - 2, 1, (p - 1) >> 2, p)
    return index(v * invert(t, p) % p)


def fibonacci(n: int) -> int:
    """Return F(n) for `n` from 0."""
    return index(gmpy2.fib(n))


def lucas(n: int) -> int:
    """Return L(n) for `n` from 0."""
    return index(gmpy2.lucas(n))
