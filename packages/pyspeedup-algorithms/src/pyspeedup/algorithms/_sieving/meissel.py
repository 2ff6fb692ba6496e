"""The primes up to n, counted: Legendre's recurrence where Meissel's leaves need it, and a sieve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from pyspeedup.algorithms._sieving import wheel
from pyspeedup.algorithms.sieve import primes_between

if TYPE_CHECKING:
    from pyspeedup.algorithms._sieving.wheel import Integers

__all__ = ["count_primes"]

SIEVED_AT_ONCE: Final = 1 << 20
"""Bytes of bitmap."""
EXACT: Final = 1 << 52
"""Below this the floor of a quotient of floats is that of the quotient."""


def count_primes(n: int) -> int:
    """Return how many primes are at most `n`, for n >= 9."""
    primes = primes_between(3, math.isqrt(n) + 1)
    cut = int(primes.searchsorted(_cube_root(n), side="right"))
    unstruck = _Unstruck(n)
    for number, p in enumerate(primes[:cut].tolist(), 1):
        unstruck.strike(p, number)
    return unstruck.of_all - _products_of_two(n, primes[cut:], cut + 1)


class _Unstruck:
    """How many numbers up to v, from 2, are left by the primes so far, for all v = n // i that matter.

    These are the odd ones that are no multiple of a smaller prime, and 2: so it is the same for v
    and v + 1 if v is odd. `small[k]` is that for v = 2 * k + 1 up to the square root of n, and
    `large[k]` for v = n // i with i = 2 * k + 1. The answer needs those n // i where i is 1 or a
    product of primes that are still to come; `needed` are the k of these.
    """

    def __init__(self, n: int) -> None:
        """Count as the prime 2 leaves them."""
        root = math.isqrt(n)
        odd = np.arange(1, root + 1, 2, dtype=np.int64)
        self._n, self._root = n, root
        self._small = np.arange(1, len(odd) + 1, dtype=np.int64)
        self._large = (n // odd + 1) >> 1
        self._needed = odd
        self._small[0] = 0  # there is none up to 1

    @property
    def of_all(self) -> int:
        """How many are left up to n itself."""
        return int(self._large[0])

    def strike(self, p: int, smaller: int) -> None:
        """Take away the multiples of the prime `p`, of which `smaller` primes are smaller."""
        self._needed = self._needed[(self._needed % p != 0)]
        i = self._needed[: self._needed.searchsorted(self._n // (p * p), side="right")]
        self._large[i >> 1] -= self._left(i * p) - smaller
        self._strike_small(p, smaller)

    def _left(self, i: Integers) -> Integers:
        """Return how many are left up to n // i, for ascending i."""
        cut = int(i.searchsorted(self._root, side="right"))
        beyond = i[cut:]
        quick = self._n < EXACT
        v = (self._n / beyond).astype(np.int64) if quick else self._n // beyond
        return np.concatenate([self._large[i[:cut] >> 1], self._small[(v - 1) >> 1]])

    def _strike_small(self, p: int, smaller: int) -> None:
        # v // p is the same for p odd v in a row, and p * p is the first of such a row.
        struck = self._small[(p * p) >> 1 :]
        rows = -(-len(struck) // p)
        taken = self._small[p >> 1 : (p >> 1) + rows] - smaller
        whole = len(struck) // p
        struck[: whole * p].reshape(whole, p)[:] -= taken[:whole, None]
        if whole < rows:
            struck[whole * p :] -= taken[whole]


def _cube_root(n: int) -> int:
    root: int = round(n ** (1 / 3))
    while root**3 > n:
        root -= 1
    while (root + 1) ** 3 <= n:
        root += 1
    return root


def _products_of_two(n: int, primes: Integers, smaller: int) -> int:
    """Return how many products of two of the primes from `primes` on, equal or not, are at most `n`.

    `primes` go to the square root of n, and `smaller` primes are smaller.
    """
    if not len(primes):
        return 0
    # q from p on, with p * q <= n: all primes up to n // p but those before p.
    before = smaller * len(primes) + len(primes) * (len(primes) - 1) // 2
    return _sum_of_counts((n // primes)[::-1]) - before


def _sum_of_counts(bounds: Integers) -> int:
    """Return the sum of how many primes are at most each of the ascending `bounds`."""
    total = known = 0
    size = int(bounds[-1]) // wheel.MODULUS + 1
    for first in range(0, size, SIEVED_AT_ONCE):
        count = min(SIEVED_AT_ONCE, size - first)
        found = wheel.read(wheel.bitmap(first, count), first)
        end = (first + count) * wheel.MODULUS
        here, bounds = np.split(bounds, [bounds.searchsorted(end)])
        total += known * len(here) + int(found.searchsorted(here, side="right").sum())
        known += len(found)
    return total
