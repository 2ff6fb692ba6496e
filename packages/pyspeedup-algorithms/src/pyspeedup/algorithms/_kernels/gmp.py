"""Kernels by gmpy2, the Python face of GMP."""

from __future__ import annotations

import gmpy2
from gmpy2 import invert, is_square, is_strong_prp, jacobi, kronecker
from gmpy2 import powmod as power

__all__ = [
    "fibonacci",
    "invert",
    "is_prime",
    "is_square",
    "is_strong_lucas_prp",
    "is_strong_prp",
    "jacobi",
    "kronecker",
    "lucas",
    "power",
]

is_strong_lucas_prp = gmpy2.is_strong_selfridge_prp


def is_prime(n: int) -> bool:
    """Tell whether `n`, at least 0, is prime: Baillie-PSW, which is proven below 2**64, and strong tests."""
    return bool(gmpy2.is_prime(n))


def fibonacci(n: int) -> int:
    """Return F(n) for `n` from 0."""
    return int(gmpy2.fib(n))


def lucas(n: int) -> int:
    """Return L(n) for `n` from 0."""
    return int(gmpy2.lucas(n))
