"""Divisors and residues: gcd, lcm, inverses, the Jacobi symbol."""

from __future__ import annotations

import math

from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NotInvertible

__all__ = ["gcd", "jacobi_symbol", "lcm", "mod_inverse"]


def gcd(*integers: int) -> int:
    """Return the greatest common divisor of any number of integers; never negative, 0 for none.

    Lehmer's algorithm, in C (`math.gcd`): O(digits²) for each argument.

    >>> gcd(12, -18, 27), gcd(5, 0), gcd()
    (3, 5, 0)
    """
    return math.gcd(*(to_int(n, f"integers[{i}]") for i, n in enumerate(integers)))


def lcm(*integers: int) -> int:
    """Return the least common multiple of any number of integers; never negative, 1 for none.

    By `gcd` (`math.lcm`): O(digits²) for each argument.

    >>> lcm(4, -6, 10), lcm(5, 0), lcm()
    (60, 0, 1)
    """
    return math.lcm(*(to_int(n, f"integers[{i}]") for i, n in enumerate(integers)))


def mod_inverse(a: int, m: int) -> int:
    """Return the x in ``range(abs(m))`` with ``a * x`` equal to 1 modulo `m`.

    The extended Euclidean algorithm, in C (``pow(a, -1, m)``): O(digits²).

    Raises `NotInvertible`, a `ValueError` with the numbers, if `a` and `m` have a common divisor,
    and `ValueError` for ``m == 0``. The sign of `m` does not matter.

    >>> mod_inverse(3, 11), mod_inverse(-3, 11), mod_inverse(3, -11)
    (4, 7, 4)
    >>> mod_inverse(6, 9)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NotInvertible: 6 has no inverse modulo 9: both are divisible by 3
    """
    a, m = to_int(a, "a"), to_int(m, "m")
    if m == 0:
        raise ValueError("m must not be 0: there is no arithmetic modulo 0; pass a modulus")
    divisor = math.gcd(a, m)
    if divisor != 1:
        raise NotInvertible(a, m, divisor)
    return pow(a, -1, abs(m))


def jacobi_symbol(a: int, n: int) -> int:
    """Return the Jacobi symbol (a/n): 0 if `a` and `n` have a common divisor, else 1 or -1.

    For a prime `n` it is 1 exactly if `a` is a square modulo `n`. By quadratic reciprocity
    (Cohen, *A Course in Computational Algebraic Number Theory*, 1.4.10): O(digits²).

    Raises `ValueError` unless `n` is odd and positive: the symbol is defined for no other.

    >>> [jacobi_symbol(a, 7) for a in range(7)]
    [0, 1, 1, -1, 1, -1, -1]
    >>> jacobi_symbol(2, 15), jacobi_symbol(5, 15)
    (1, 0)
    """
    a, n = to_int(a, "a"), to_int(n, "n")
    if n < 1 or n % 2 == 0:
        raise ValueError(f"n must be odd and positive, not {shown(n)}")
    a %= n
    sign = 1
    while a:
        twos = (a & -a).bit_length() - 1
        a >>= twos
        if twos % 2 and n % 8 in {3, 5}:
            sign = -sign
        if a % 4 == 3 and n % 4 == 3:  # noqa: PLR2004 -- residues of the reciprocity law
            sign = -sign
        a, n = n % a, a
    return sign if n == 1 else 0
