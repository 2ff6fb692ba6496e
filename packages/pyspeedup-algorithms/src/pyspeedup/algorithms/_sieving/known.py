"""The primes that are known so far, found by place and by size, and how they become more."""

from __future__ import annotations

import math
import os
import threading
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyspeedup.algorithms._sieving import wheel
from pyspeedup.algorithms.sieve import BLOCK, NUMBERS_A_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.algorithms._sieving.kept import Kept
    from pyspeedup.algorithms._sieving.wheel import Integers

__all__ = ["Known"]

BLOCKS_READY: Final = 128
"""Blocks that stay as arrays of integers, at most 80 MB of them, and all of 10**8 numbers."""
SIEVED_HERE: Final = 4
"""So many blocks wanted one by one are sieved here; who wants more gets them from another process."""
AT_ONCE: Final = 1 << 12
"""Blocks sieved here at a time, or taken from one process: it remembers what it has sent."""


class Known:
    """What one process knows of the primes: blocks without a gap, from the first.

    `ahead` starts another process: it returns what gives block ``first + i`` for the index i, and
    has a method `close`.
    """

    def __init__(self, kept: Kept, ahead: Callable[[int], Any]) -> None:
        """Take what is kept already."""
        self.pid = os.getpid()
        self._kept = kept
        self._start_ahead = ahead
        self._ahead: Any = None
        self._ahead_from = self._ahead_next = 0
        self._in_turn = 0
        self._closed = False
        self._growing = threading.RLock()
        self._starts = [0]
        self._count_in(len(kept))
        self.block = lru_cache(BLOCKS_READY)(_reader(kept))

    @property
    def known(self) -> int:
        """How many primes are known."""
        return self._starts[-1]

    @property
    def limit(self) -> int:
        """What number all known ones are less than."""
        return (len(self._starts) - 1) * NUMBERS_A_BLOCK

    def at(self, position: int) -> int:
        """Return the prime at a place, counted from 0."""
        if position >= self._starts[-1]:
            self.reach_position(position)
        i = bisect_right(self._starts, position) - 1
        found: int = self.block(i).item(position - self._starts[i])
        return found

    def slice(self, start: int, stop: int) -> Integers:
        """Return the primes at the places from `start` to `stop`."""
        self.reach_position(stop - 1)
        first, last = (bisect_right(self._starts, i) - 1 for i in (start, stop - 1))
        offset = self._starts[first]
        return self._read(first, last + 1)[start - offset : stop - offset]

    def between(self, start: int, stop: int) -> Integers:
        """Return the primes p with start <= p < stop, in an array of the caller's own."""
        if stop <= start:
            return np.empty(0, np.int64)
        self.reach(stop)
        found = self._read(start // NUMBERS_A_BLOCK, (stop - 1) // NUMBERS_A_BLOCK + 1)
        begin, end = found.searchsorted([start, stop])
        return found[begin:end]

    def count_below(self, n: int) -> int:
        """Return how many primes are less than `n`."""
        if n <= 2:  # noqa: PLR2004 -- the first prime
            return 0
        self.reach(n)
        i = (n - 1) // NUMBERS_A_BLOCK
        return self._starts[i] + int(self.block(i).searchsorted(n))

    def numbers(self, i: int) -> list[int]:
        """Return the primes of a block as a list, for one who goes from block to block."""
        if i >= len(self._starts) - 1:
            self._grow(i + 1)
        found: list[int] = self._read(i, i + 1).tolist()
        return found

    def reach(self, n: int) -> None:
        """See to it that all primes less than `n` are known."""
        if n > self.limit:
            self._grow(-(-n // NUMBERS_A_BLOCK))

    def reach_position(self, position: int) -> None:
        """See to it that the prime at a place is known."""
        while position >= self._starts[-1]:
            least = _below_prime(position + 1) // NUMBERS_A_BLOCK
            self._grow(max(least, len(self._starts)))

    def close(self) -> None:
        """End the process, and bring in safety what is kept; again is harmless."""
        with self._growing:
            self._closed = True
            self._leave_process()
            self._kept.close()

    def _read(self, first: int, stop: int) -> Integers:
        bits = b"".join(map(self._kept.block, range(first, stop)))
        return wheel.read(np.frombuffer(bits, np.uint8), first * BLOCK)

    def _grow(self, blocks: int) -> None:
        """Make it so many blocks."""
        with self._growing:
            while (there := len(self._starts) - 1) < blocks:
                if self._closed:
                    raise ValueError(
                        "these primes are closed: begin again with the sequence itself"
                    )
                self._kept.add(self._more(there, blocks - there))
                self._count_in(len(self._kept))
                self._kept.save()

    def _more(self, first: int, count: int) -> list[bytes]:
        """Return at most so many blocks, from another process where they are wanted one by one."""
        self._in_turn = self._in_turn + 1 if count == 1 else 0
        if self._in_turn > SIEVED_HERE:
            return [self._from_process(first)]
        return _sieved(first, min(count, AT_ONCE))

    def _from_process(self, i: int) -> bytes:
        if i != self._ahead_next or i - self._ahead_from >= AT_ONCE:
            self._leave_process()
        if self._ahead is None:
            self._ahead, self._ahead_from = self._start_ahead(i), i
        try:
            block: bytes = self._ahead[i - self._ahead_from]
        except BaseException:
            self._leave_process()  # the next one who asks gets another
            raise
        self._ahead_next = i + 1
        return block

    def _leave_process(self) -> None:
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            ahead.close()

    def _count_in(self, blocks: int) -> None:
        for i in range(len(self._starts) - 1, blocks):
            without = len(wheel.WITHOUT_BITS) if i == 0 else 0
            self._starts.append(self._starts[-1] + self._kept.ones(i) + without)


def _reader(kept: Kept) -> Callable[[int], Integers]:
    """Return what reads a block, without a way back to who asks for it."""
    return lambda i: wheel.read(np.frombuffer(kept.block(i), np.uint8), i * BLOCK)


def _sieved(first: int, count: int) -> list[bytes]:
    bits = wheel.bitmap(first * BLOCK, count * BLOCK).tobytes()
    return [bits[i : i + BLOCK] for i in range(0, len(bits), BLOCK)]


def _below_prime(n: int) -> int:
    """Return a number below the n-th prime: n (ln n + ln ln n - 1), by Dusart (1999).

    It says how much to sieve at once; what is right does not hang on it.
    """
    return int(n * (math.log(n) + math.log(math.log(n)) - 1)) if n > 2 else 0  # noqa: PLR2004 -- there is no such logarithm
