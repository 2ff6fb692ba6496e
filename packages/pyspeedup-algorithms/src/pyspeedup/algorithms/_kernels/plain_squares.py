"""Squares and other powers, in plain Python."""

from __future__ import annotations

from itertools import count
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_perfect_power", "is_square", "isqrt", "root_of_power"]


def is_square(n: int) -> bool:
    """Tell whether `n` is a square; negative numbers are not."""
    if type(n) is not int:
        raise TypeError("n must be of the type int")
    return n >= 0 and isqrt(n) ** 2 == n


def is_perfect_power(n: int) -> bool:
    """Tell whether `n` is a power of an integer, with an exponent from 2 on."""
    if -2 < n < 2:  # noqa: PLR2004 -- -1, 0 and 1 are powers of themselves
        return True
    return any(n > 0 or k % 2 for k in _exponents(abs(n)))


def root_of_power(n: int) -> int | None:
    """Return the root of `n`, from 2 on, where it is a power, of the least exponent; else None.

    >>> root_of_power(3**20), root_of_power(72)
    (59049, None)
    """
    exponent = next(_exponents(n), None)
    return None if exponent is None else _root(n, exponent)


def _exponents(n: int) -> Iterator[int]:
    """Yield the primes k in ascending order for which `n`, from 2 on, is a `k`-th power."""
    twos = (n & -n).bit_length() - 1
    # An exponent divides the number of twos; so if there are any, few are left to try.
    for k in range(2, (twos or n.bit_length() - 1) + 1):
        if twos % k == 0 and _is_prime(k) and _is_power(n, k):
            yield k


def _is_prime(k: int) -> bool:
    return all(k % d for d in range(2, isqrt(k) + 1))


def _is_power(n: int, k: int) -> bool:
    """Tell whether `n` is a `k`-th power, for a prime `k`."""
    # Modulo a prime q with q % k == 1 only one in k numbers is: that spares most roots.
    q = next(q for q in count(2 * k + 1, 2 * k) if _is_prime(q))
    return pow(n, (q - 1) // k, q) < 2 and _root(n, k) ** k == n  # noqa: PLR2004 -- 0 or 1


def _root(n: int, k: int) -> int:
    """Return the `k`-th root of `n`, at least 1, rounded down: Newton's method from above."""
    root = 1 << -(-n.bit_length() // k)
    while True:
        closer = ((k - 1) * root + n // root ** (k - 1)) // k
        if closer >= root:
            return root
        root = closer
