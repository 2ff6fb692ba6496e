"""Squares: which integers are some, their roots, and the roots modulo a number."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, overload

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms._roots.joining import all_joined, least_joined
from pyspeedup.algorithms._roots.prime_powers import root_mod_prime, roots_mod_prime_power
from pyspeedup.algorithms.errors import NoSquareRoot
from pyspeedup.algorithms.primes import is_prime

if TYPE_CHECKING:
    from typing import Literal

__all__ = ["is_perfect_power", "is_square", "isqrt", "sqrt_mod"]

_is_prime = lru_cache(maxsize=128)(is_prime)  # most programs take many roots modulo few numbers


def isqrt(n: int) -> int:
    """Return the square root of `n`, rounded down; exact at any size.

    By `math.isqrt`, for long numbers by GMP where it is installed (Zimmermann, *Karatsuba Square
    Root*, 1999): the cost of a few products.

    Raises `ValueError` if `n` is negative.

    >>> isqrt(24), isqrt(25), isqrt(10**40)
    (4, 5, 100000000000000000000)
    """
    n = to_int(n, "n")
    if n < 0:
        raise ValueError(f"n must not be negative: {shown(n)} has no real root")
    return _kernels.isqrt(n)


def is_square(n: int) -> bool:
    """Tell whether `n` is the square of an integer; negative numbers are not.

    Residues to small moduli first, then the root, by GMP; else by `isqrt`: the cost of a product.

    >>> is_square(25), is_square(24), is_square(0), is_square(-4)
    (True, False, True, False)
    >>> is_square((10**30 + 57) ** 2 + 1)
    False
    """
    try:
        return _kernels.is_square(n)
    except TypeError:
        return _kernels.is_square(to_int(n, "n"))


def is_perfect_power(n: int) -> bool:
    """Tell whether `n` is ``b**k`` for integers `b` and `k`, with `k` at least 2.

    0, 1 and -1 are; any other negative number only by an odd exponent. Roots to the exponents
    that are prime, by GMP where it is installed: O(digits³) and mostly much less.

    >>> [n for n in range(-10, 40) if is_perfect_power(n)]  # OEIS A001597 from 1 on
    [-8, -1, 0, 1, 4, 8, 9, 16, 25, 27, 32, 36]
    """
    return _kernels.is_perfect_power(to_int(n, "n"))


@overload
def sqrt_mod(a: int, n: int, all_roots: Literal[False] = False) -> int: ...


@overload
def sqrt_mod(a: int, n: int, all_roots: Literal[True]) -> list[int]: ...


@overload
def sqrt_mod(a: int, n: int, all_roots: bool) -> int | list[int]: ...


def sqrt_mod(a: int, n: int, all_roots: bool = False) -> int | list[int]:
    """Return the least x from 0 on with ``x * x`` equal to `a` modulo `n`, or all in ``range(n)``.

    With `all_roots` a list in ascending order. Modulo a prime there are two; modulo a product of
    k odd primes 2**k, and many more where a power of a prime divides both `a` and `n`, as 0 has
    7**5 roots modulo 7**10. Finding the least one of 2**k takes 2**(k/2) steps.

    Modulo primes by Tonelli and Shanks (Cohen 1.5.1), by FLINT where it is installed, and by Cipolla's
    method, as S. Mueller has it (2004), where p - 1 is divisible by 2**33: O(digits³). From there to
    prime powers by Hensel's lemma, and to any `n` by factoring it (`factorint`, which then costs
    the most) and the Chinese remainder theorem.

    Raises `NoSquareRoot`, a `ValueError` with both numbers, if there is none, and `ValueError` if
    ``n < 1``.

    >>> sqrt_mod(2, 7), sqrt_mod(2, 7, all_roots=True)
    (3, [3, 4])
    >>> sqrt_mod(1, 24, all_roots=True)
    [1, 5, 7, 11, 13, 17, 19, 23]
    >>> sqrt_mod(3, 7)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NoSquareRoot: 3 is not the square of anything modulo 7
    """
    if type(a) is not int or type(n) is not int:
        a, n = to_int(a, "a"), to_int(n, "n")
    if n < 1:
        raise ValueError(f"n must be positive, not {shown(n)}")
    if all_roots or not _is_prime(n):
        parts = _roots_to_each_prime(a, n)
        return all_joined(parts, n) if all_roots else least_joined(parts)
    root = root_mod_prime(a, n)
    if root is None:
        raise NoSquareRoot(a, n)
    other = n - root if root else 0
    return root if root < other else other  # noqa: FURB136 -- min() costs a tenth of the whole call


def _roots_to_each_prime(a: int, n: int) -> list[tuple[int, list[int]]]:
    # Late, since factoring may want to know what is a square.
    from pyspeedup.algorithms.factoring import factorint

    parts = []
    for p, exponent in factorint(n).items():
        part = roots_mod_prime_power(a, p, exponent)
        if part is None:
            raise NoSquareRoot(a, n)
        parts.append(part)
    return parts
