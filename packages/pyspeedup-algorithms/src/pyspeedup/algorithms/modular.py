"""Divisors and residues: greatest common divisors, inverses, remainders joined, quadratic symbols."""

from __future__ import annotations

import math
from operator import index
from typing import TYPE_CHECKING

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NotInvertible, NotPrime
from pyspeedup.algorithms.primes import is_prime

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "crt",
    "gcd",
    "gcdext",
    "jacobi_symbol",
    "kronecker_symbol",
    "lcm",
    "legendre_symbol",
    "mod_divide",
    "mod_inverse",
]


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


def gcdext(a: int, b: int) -> tuple[int, int, int]:
    """Return ``(g, s, t)`` with ``g == gcd(a, b) == s * a + t * b``, and `s` and `t` small.

    Of all pairs the one with ``abs(s) <= abs(b) / 2g`` and ``abs(t) <= abs(a) / 2g``; where one number
    divides the other, 0 and 1 or -1. It is the same with GMP and without.

    The extended Euclidean algorithm (Knuth, TAOCP 2, 4.5.2), by GMP where it is installed: O(digits²).

    >>> gcdext(240, 46)
    (2, -9, 47)
    >>> gcdext(0, -5), gcdext(0, 0)
    ((5, 0, -1), (0, 0, 0))
    """
    return _kernels.gcdext(to_int(a, "a"), to_int(b, "b"))


def mod_inverse(a: int, m: int) -> int:
    """Return the x in ``range(abs(m))`` with ``a * x`` equal to 1 modulo `m`.

    The extended Euclidean algorithm, by GMP or by ``pow(a, -1, m)``: O(digits²).

    Raises `NotInvertible`, a `ValueError` with the numbers, if `a` and `m` have a common divisor,
    and `ValueError` for ``m == 0``. The sign of `m` does not matter.

    >>> mod_inverse(3, 11), mod_inverse(-3, 11), mod_inverse(3, -11)
    (4, 7, 4)
    >>> mod_inverse(6, 9)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NotInvertible: 6 has no inverse modulo 9: both are divisible by 3
    """
    try:
        return index(_kernels.invert(a, m))  # what int() does for GMP's, faster
    except (TypeError, ZeroDivisionError):  # not of the type int, or no answer: slower, and clearly
        return _inverse_or_reason(to_int(a, "a"), to_int(m, "m"))


def _inverse_or_reason(a: int, m: int) -> int:
    _refuse_zero_modulus(m, "m")
    divisor = math.gcd(a, m)
    if divisor != 1:
        raise NotInvertible(a, m, divisor)
    return int(_kernels.invert(a, m))


def mod_divide(a: int, b: int, m: int) -> int:
    """Return the least x from 0 on with ``b * x`` equal to `a` modulo `m`.

    There is one exactly if the common divisor g of `b` and `m` divides `a`, so `b` need not be
    invertible; x is then below ``abs(m) / g``, and adding that gives the other solutions. By
    `mod_inverse`: O(digits²).

    Raises `NotInvertible` if there is none, and `ValueError` for ``m == 0``.

    >>> mod_divide(1, 3, 7), mod_divide(4, 6, 8)
    (5, 2)
    >>> mod_divide(3, 6, 8)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NotInvertible: 6 has no inverse modulo 8: both are divisible by 2
    """
    a, b, m = to_int(a, "a"), to_int(b, "b"), to_int(m, "m")
    _refuse_zero_modulus(m, "m")
    divisor = math.gcd(b, m)
    if a % divisor:
        raise NotInvertible(b, m, divisor)
    reduced = abs(m) // divisor
    return a // divisor * int(_kernels.invert(b // divisor, reduced)) % reduced


def crt(residues: Iterable[int], moduli: Iterable[int]) -> tuple[int, int]:
    """Return ``(x, m)``: the x in ``range(m)`` with those residues, and `m`, the `lcm` of the moduli.

    All solutions are x plus multiples of `m`. The moduli may have common divisors, if the residues
    agree on them; their signs do not matter. No moduli at all give ``(0, 1)``.

    The Chinese remainder theorem, two and two (Knuth, TAOCP 2, 4.3.2): O(digits²) of `m`.

    Raises `ValueError` if two residues contradict each other, if a modulus is 0, and if there are
    not as many of the one as of the other.

    >>> crt([2, 3, 2], [3, 5, 7])  # Sunzi, 3rd century
    (23, 105)
    >>> crt([2, 6], [4, 8])
    (6, 8)
    >>> crt([1, 2], [4, 6])
    Traceback (most recent call last):
    ValueError: nothing is 1 modulo 4 and 2 modulo 6: they differ modulo 2
    """
    pairs = _pairs(list(residues), list(moduli))
    while len(pairs) > 1:
        joined = [_join(*one, *other) for one, other in zip(pairs[::2], pairs[1::2], strict=False)]
        pairs = joined + pairs[2 * len(joined) :]
    return pairs[0] if pairs else (0, 1)


def _pairs(residues: list[int], moduli: list[int]) -> list[tuple[int, int]]:
    if len(residues) != len(moduli):
        message = f"residues and moduli must be as many, not {len(residues)} and {len(moduli)}"
        raise ValueError(message)
    pairs = []
    for i, (residue, modulus) in enumerate(zip(residues, moduli, strict=True)):
        r, m = to_int(residue, f"residues[{i}]"), abs(to_int(modulus, f"moduli[{i}]"))
        _refuse_zero_modulus(m, f"moduli[{i}]")
        pairs.append((r % m, m))
    return pairs


def _join(r: int, m: int, s: int, n: int) -> tuple[int, int]:
    divisor = math.gcd(m, n)
    if (s - r) % divisor:
        raise ValueError(
            f"nothing is {shown(r)} modulo {shown(m)} and {shown(s)} modulo {shown(n)}: "
            f"they differ modulo {shown(divisor)}"
        )
    reduced = n // divisor
    steps = (s - r) // divisor * int(_kernels.invert(m // divisor, reduced)) % reduced
    return r + m * steps, m * reduced


def _refuse_zero_modulus(m: int, name: str) -> None:
    if m == 0:
        raise ValueError(f"{name} must not be 0: there is no arithmetic modulo 0; pass a modulus")


def jacobi_symbol(a: int, n: int) -> int:
    """Return the Jacobi symbol (a/n): 0 if `a` and `n` have a common divisor, else 1 or -1.

    For a prime `n` it is 1 exactly if `a` is a square modulo `n`. By quadratic reciprocity
    (Cohen, *A Course in Computational Algebraic Number Theory*, 1.4.10): O(digits²).

    Raises `ValueError` unless `n` is odd and positive: see `kronecker_symbol` for the others.

    >>> [jacobi_symbol(a, 7) for a in range(7)]
    [0, 1, 1, -1, 1, -1, -1]
    >>> jacobi_symbol(2, 15), jacobi_symbol(5, 15)
    (1, 0)
    """
    try:
        if n > 0:
            return _kernels.jacobi(a, n)
    except (TypeError, ValueError):  # not of the type int, or even: slower, and clearly
        pass
    a, n = to_int(a, "a"), to_int(n, "n")
    if n < 1 or n % 2 == 0:
        raise ValueError(f"n must be odd and positive, not {shown(n)}")
    return _kernels.jacobi(a, n)


def legendre_symbol(a: int, p: int) -> int:
    """Return the Legendre symbol (a/p): 1 for squares modulo the odd prime `p`, 0 for multiples, else -1.

    The Jacobi symbol, after a test of whether `p` is prime (`is_prime`), which costs the most.

    Raises `NotPrime`, a `ValueError`, if `p` is not, and `ValueError` for 2.

    >>> legendre_symbol(2, 7), legendre_symbol(3, 7), legendre_symbol(14, 7)
    (1, -1, 0)
    >>> legendre_symbol(2, 15)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NotPrime: 15 is not prime
    """
    a, p = to_int(a, "a"), to_int(p, "p")
    if p == 2:  # noqa: PLR2004 -- the even prime
        raise ValueError("p must be odd: modulo 2 everything is a square")
    if not is_prime(p):
        raise NotPrime(p)
    return _kernels.jacobi(a, p)


def kronecker_symbol(a: int, n: int) -> int:
    """Return the Kronecker symbol (a/n): the Jacobi symbol, continued to every `n`.

    It is multiplicative in both, with (a/2) = 0 for even `a`, 1 for ``a % 8`` of 1 and 7, -1 for 3
    and 5; (a/-1) = -1 for negative `a`, else 1; (a/0) = 1 for 1 and -1, else 0. (Cohen 1.4.10.)
    O(digits²).

    >>> [kronecker_symbol(a, 2) for a in range(8)]
    [0, 1, 0, -1, 0, -1, 0, 1]
    >>> kronecker_symbol(-1, -1), kronecker_symbol(3, 0)
    (-1, 0)
    """
    return _kernels.kronecker(to_int(a, "a"), to_int(n, "n"))
