"""What workers share about calls: how it is laid out, and what the process that made it does with it.

::

    a place     life | round | reserved | head | waits: (stack + 1, slot, claim) ...
    a bucket    4 tags | 4 states | 4 stacks | 4 sets of places that wait     a slot is one of each
    a log       records, one after the other; see `board_log`

    a state     0, or number (32 bits) | epoch (20) | place (10) | kind (2)
                RUNNING   number of the claim, life of the claimer
                DONE      position in the log of the place, its round

All are words of eight bytes, aligned, each of them written by one store of eight bytes; so a reader
sees a word as it was or as it is (x86-64 and ARM64 promise that of such stores, and CPython makes them so).
The order in which another processor sees two stores is relied on nowhere: a claim that is read is read
twice, and a record is checked by its sum and by its key.
"""

from __future__ import annotations

import mmap
import sys
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.board_region import Region

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALLOCATED",
    "DONE",
    "EPOCHS",
    "HEAD",
    "LIFE",
    "MOST_PLACES",
    "NUMBERS",
    "ROUND",
    "RUNNING",
    "SLOTS",
    "STACKS",
    "STATES",
    "WAITERS",
    "WAITS",
    "BoardMemory",
    "state_word",
]

WORD: Final = 8
LIFE, ROUND, ALLOCATED, HEAD, WAITS = 0, 1, 2, 3, 8
"""Where in a place's words these stand; waits take three words each."""
SLOTS: Final = 4
"""In a bucket."""
STATES, STACKS, WAITERS = SLOTS, 2 * SLOTS, 3 * SLOTS
"""So far behind a slot's tag is its state, its stack, its set of places that wait."""
BUCKET: Final = 4 * SLOTS

RUNNING, DONE = 1, 2
EPOCHS: Final = 1 << 20
NUMBERS: Final = 1 << 32
MOST_PLACES: Final = 1 << 10

ALL_LOGS: Final = 1 << 30 if sys.maxsize > NUMBERS else 1 << 26
LARGEST_LOG: Final = 1 << 28
SMALLEST_LOG: Final = 1 << 24
LONGEST_LOG: Final = 1 << 35
"""Bytes that a state's number, which counts words, can tell apart."""


def state_word(kind: int, place: int, epoch: int, number: int) -> int:
    """Return a slot's state as one word."""
    return number % NUMBERS << 32 | epoch % EPOCHS << 12 | place << 2 | kind


class BoardMemory:
    """The memory of a `Board` for `places` workers; made by the process that starts them.

    It travels to a worker as an argument of its process. `buckets` is a power of two; each holds
    four calls. `log` is how many bytes of results a place has: address space, which takes memory
    as it fills. `waits` is how many stacks of a place can wait. `OSError` or `ValueError` if the
    system does not grant the memory.
    """

    def __init__(
        self, places: int, *, buckets: int = 1 << 15, log: int | None = None, waits: int = 64
    ) -> None:
        """Take the memory of the table; costs about 1 ms."""
        if not 0 < places <= MOST_PLACES:
            raise ValueError(f"places must be 1 to {MOST_PLACES}, not {places!r}")
        if buckets < 1 or buckets & (buckets - 1):
            raise ValueError(f"buckets must be a power of two, not {buckets!r}")
        if log is None:
            log = min(LARGEST_LOG, max(SMALLEST_LOG, ALL_LOGS // places))
        if not 0 < log <= LONGEST_LOG:
            raise ValueError(f"log must be 1 to {LONGEST_LOG} bytes, not {log!r}")
        self._lay_out(places, buckets, log, waits)
        self.region = Region(self._size)
        try:
            self.region.reserve(0, self._logs)
        except BaseException:
            self.region.close()
            raise
        self._open()

    def _lay_out(self, places: int, buckets: int, log: int, waits: int) -> None:
        self.places, self.buckets, self.waits = places, buckets, waits
        self.log = _up(log, mmap.PAGESIZE)
        self._stride = _up(WAITS + 3 * waits, BUCKET)
        self._table = places * self._stride
        self._logs = _up((self._table + buckets * BUCKET) * WORD, mmap.PAGESIZE)
        self._size = self._logs + places * self.log

    def _open(self) -> None:
        self.buffer = self.region.buffer
        self.words = memoryview(self.buffer).cast("Q")

    def __reduce__(self) -> tuple[Callable[..., BoardMemory], tuple[Any, ...]]:
        """Travel to a process that is being started, and nowhere else."""
        return _reopen, (self.region, self.places, self.buckets, self.log, self.waits)

    def close(self) -> None:
        """Let go of it; each other process keeps it until it ends."""
        self.words.release()
        self.region.close()

    # Where things are ---------------------------------------------------------------------------

    def place_at(self, place: int) -> int:
        """Return the first word of a place."""
        return place * self._stride

    def bucket_at(self, number: int) -> int:
        """Return the first word of a bucket."""
        return self._table + (number & (self.buckets - 1)) * BUCKET

    def log_at(self, place: int) -> int:
        """Return the first byte of a place's log."""
        return self._logs + place * self.log

    # Lives --------------------------------------------------------------------------------------

    def settle(self, place: int, life: int) -> None:
        """Begin the life of a worker at a place that nobody has."""
        self._empty(place)
        self.words[self.place_at(place) + LIFE] = life % EPOCHS + 1

    def bury(self, life: int) -> None:
        """Free the claims of a worker that is dead; what it published stays. Unknown lives are no error.

        Those who waited for it have to be woken by the caller.
        """
        for place in range(self.places):
            if self.words[self.place_at(place) + LIFE] == life % EPOCHS + 1:
                self._empty(place)

    def is_alive(self, state: int) -> bool:
        """Tell whether who wrote this state of a running call is alive."""
        return self.words[(state >> 2) % MOST_PLACES * self._stride] == (state >> 12) % EPOCHS + 1

    def _empty(self, place: int) -> None:
        start = self.place_at(place)
        self.words[start + LIFE] = 0
        for wait in range(start + WAITS, start + WAITS + 3 * self.waits, 3):
            self.words[wait] = 0


def _reopen(region: Region, places: int, buckets: int, log: int, waits: int) -> BoardMemory:
    memory = BoardMemory.__new__(BoardMemory)
    memory._lay_out(places, buckets, log, waits)  # noqa: SLF001 -- a constructor
    memory.region = region
    memory._open()  # noqa: SLF001 -- likewise
    return memory


def _up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
