"""The least prime factor of each odd number, as an array, and what follows from it for whole arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyspeedup.algorithms.sieve import primes_between

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Entries = NDArray[np.uint16]
    Integers = NDArray[np.int64]

__all__ = ["ENTRY", "factored", "least_factors", "multiplicative"]

ENTRY: Final = np.dtype("<u2")
"""Entry k is for 2 * k + 1: its least prime factor, or 0 if that is the number itself. Right below 2**32."""

STRUCK_AT_ONCE: Final = 1 << 19
FACTORED_AT_ONCE: Final = 1 << 15
"""Few enough for all that is made of them on the way to stay in the cache."""
GUESSED: Final = 4
ROOM: Final = 64
"""So many factors are thought of for each number, and for all; a number below 10**7 has 2.9 on average."""


def least_factors(first: int, count: int) -> Entries:
    """Return the entries `first` to ``first + count``: 1 ns a number."""
    entries = np.zeros(count, ENTRY)
    for start in range(0, count, STRUCK_AT_ONCE):
        _strike(entries[start : start + STRUCK_AT_ONCE], first + start)
    return entries


def _strike(entries: Entries, first: int) -> None:
    """Write primes to where they divide, the smallest last."""
    root = math.isqrt(2 * (first + len(entries)))
    for p in primes_between(3, root + 1)[::-1].tolist():
        half = p >> 1
        square = (p * p) >> 1
        entries[(square if square >= first else first + (half - first) % p) - first :: p] = p


def least(entries: Entries, numbers: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the least prime factors of odd numbers, uint32; that of 1 is 1."""
    found = entries[numbers >> 1].astype(np.uint32)
    return np.where(found == 0, numbers, found)


def factored(entries: Entries, numbers: NDArray[Any]) -> tuple[Integers, Integers]:
    """Return the prime factors of all numbers, one number's behind the other's, and where each one's begin.

    The second array has one place more than there are numbers, for where the last one's end.
    """
    offsets = np.zeros(len(numbers) + 1, np.int64)
    primes = np.empty(GUESSED * len(numbers) + ROOM, np.int64)
    end = 0
    for i in range(0, len(numbers), FACTORED_AT_ONCE):
        piece = numbers[i : i + FACTORED_AT_ONCE].astype(np.uint32)
        twos, counts, steps = _steps(entries, piece)
        begin, ends = end, offsets[i + 1 : i + 1 + len(piece)]
        np.cumsum(counts, out=ends)
        ends += begin
        end = int(ends[-1])
        if end > len(primes):
            primes.resize(2 * end, refcheck=False)  # nobody else has it yet
        primes[begin:end] = 2  # which stays where a number's twos are
        starts = offsets[i : i + len(piece)] + twos
        for number, (places, p) in enumerate(steps):
            where = starts.take(places)
            where += number
            primes[where] = p
    primes.resize(end, refcheck=False)
    return primes, offsets


def _steps(
    entries: Entries, odd: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], Integers, list[tuple[Integers, NDArray[np.uint32]]]]:
    """Divide by the least factor again and again; the numbers are spoilt.

    Return how many twos each has, how many factors, and for each step which of them had another
    odd factor, and which.
    """
    twos = _trailing_zeros(odd)
    odd >>= twos
    places = np.flatnonzero(odd > 1)
    left = odd.take(places)
    counts = np.zeros(len(odd), np.int64)
    steps = []
    while len(places):
        p = entries.take(left >> np.uint32(1)).astype(np.uint32)
        composite = p != 0
        found = left * ~composite
        found += p
        steps.append((places, found))
        counts[places] = len(steps)
        more = np.flatnonzero(composite)
        places, left = places.take(more), left.take(more)
        left //= p.take(more)
    counts += twos
    return twos, counts, steps


def _trailing_zeros(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    lowest = numbers & (~numbers + np.uint32(1))
    # The exponent of a power of two as a float is exact.
    return (lowest.astype(np.float32).view(np.uint32) >> np.uint32(23)) - np.uint32(127)


def multiplicative(
    entries: Entries,
    limit: int,
    once: Callable[[Integers, Integers], Integers],
    again: Callable[[Integers, Integers, Integers], Integers],
) -> Integers:
    """Return f(0) to f(limit) for a multiplicative function f, with 0 for f(0).

    ``once(p, f(m))`` is f(p * m) where the prime p does not divide m, and
    ``again(p, f(m), f(m // p))`` is it where p does.
    """
    values = np.zeros(limit + 1, np.int64)
    values[1] = 1
    start = 2
    while start <= limit:
        # The quotient by a prime is at most a half, so it lies before `start`.
        stop = min(2 * start, limit + 1, start + STRUCK_AT_ONCE)
        numbers = np.arange(start, stop, dtype=np.int64)
        p = np.full(len(numbers), 2, np.int64)
        p[1 - start % 2 :: 2] = least(entries, numbers[1 - start % 2 :: 2].astype(np.uint32))
        quotient = numbers // p
        twice = quotient // p
        before = values[quotient]
        divides = twice * p == quotient
        values[start:stop] = np.where(divides, again(p, before, values[twice]), once(p, before))
        start = stop
    return values
