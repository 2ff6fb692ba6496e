"""Which integers are prime, and which primes lie next to them."""

from __future__ import annotations

import math
import os
from typing import Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms._kernels.plain_primality import PROVEN

__all__ = ["is_prime", "next_prime", "prev_prime"]

WORD: Final = 1 << 64
RANDOM_BASES: Final = 3


def is_prime(n: int, prove: bool = False) -> bool:
    """Tell whether `n` is prime; numbers below 2 are not.

    Proven below 3,317,044,064,679,887,385,961,981. From there on a number that is said to be
    composite is, and one that is said to be prime has passed the Baillie-PSW test, which no
    composite is known to pass, and strong tests to three bases drawn at random, each of which a
    composite passes with a chance of at most 1/4, whoever has chosen it. With `prove` it is proven
    at any size: by FLINT (sums of Jacobi; a second for 150 digits, ten for 300), or without it by a
    `prime_certificate` (milliseconds at 40 digits; beyond 80 it may take long).

    Cost otherwise: a fraction of a microsecond for most composites, a microsecond for 64 bits, some
    seven modular powers above: O(digits³).

    >>> is_prime(97), is_prime(91), is_prime(-7)
    (True, False, False)
    >>> is_prime(561)  # a Carmichael number: a Fermat test takes it for a prime
    False
    >>> is_prime(2**127 - 1), is_prime(2**128 + 1)
    (True, False)
    >>> is_prime(2**127 - 1, prove=True)
    True
    """
    if type(n) is not int:
        n = to_int(n, "n")
    if n < WORD:
        if not n & 1 or not n % 3:  # two of three numbers, which need no call
            return n == 2 or n == 3  # noqa: PLR1714, PLR2004 -- a set costs a hash, half as much as the rest
        return n > 1 and _kernels.is_prime(n)
    return _kernels.is_prime(n) and (n < PROVEN or _is_surely_prime(n, prove))


def _is_surely_prime(n: int, prove: bool) -> bool:
    """Tell more of an `n` that has passed the Baillie-PSW test."""
    if prove:
        return _kernels.is_proven_prime(n)
    return all(_passes_a_random_base(n) for _ in range(RANDOM_BASES))


def _passes_a_random_base(n: int) -> bool:
    # From the system, so that nobody can prepare a composite for it, nor seeds of `random` be used up.
    drawn = int.from_bytes(os.urandom(n.bit_length() // 8 + 8), "little")
    base = 2 + drawn % (n - 3)
    return math.gcd(base, n) == 1 and _kernels.is_strong_prp(n, base)


def next_prime(n: int) -> int:
    """Return the least prime above `n`.

    Each odd number that follows is tested as by `is_prime`; about ``log(n) / 6`` of them have no
    small divisor and cost a modular power: O(digits⁴).

    >>> next_prime(13), next_prime(14), next_prime(-5)
    (17, 17, 2)
    """
    return _search(to_int(n, "n"), 1)


def prev_prime(n: int) -> int:
    """Return the greatest prime below `n`. Method and cost as for `next_prime`.

    Raises `ValueError` for 2 and whatever is below: no prime is less than 2.

    >>> prev_prime(13), prev_prime(100)
    (11, 97)
    """
    n = to_int(n, "n")
    if n <= 2:  # noqa: PLR2004 -- the least prime
        raise ValueError(f"n must be above 2, the least prime, not {shown(n)}")
    return _search(n, -1)


def _search(n: int, direction: int) -> int:
    """Return the first prime after `n` in a direction."""
    if n < 3 or (n == 3 and direction < 0):  # noqa: PLR2004 -- about the even prime
        return 3 if n == 2 else 2  # noqa: PLR2004 -- likewise
    step = 2 * direction
    n += direction if n % 2 == 0 else step
    while not is_prime(n):
        n += step
    return n
