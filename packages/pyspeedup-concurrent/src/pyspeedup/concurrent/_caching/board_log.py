"""The results that workers publish: a log for each place, which its worker alone writes, and all read.

A record is its sum, the sizes of key and value, the seconds that the call took, the key, the value. When
a log is full a new round of it begins, and nothing of the former rounds is found any more. A reader
takes a copy and looks afterwards whether the round is still the same.
"""

# Annotations are no strings here: NamedTuple compiles those, see `messages`.
import os
import struct
import zlib
from collections import deque
from typing import Final, NamedTuple

from pyspeedup.concurrent._caching import board_region as _region
from pyspeedup.concurrent._caching.board_memory import (
    ALLOCATED,
    DONE,
    EPOCHS,
    HEAD,
    MOST_PLACES,
    ROUND,
    BoardMemory,
    state_word,
)

__all__ = ["Done", "Log", "read"]

STEP: Final = 1 << 18
"""Bytes of memory that a log takes at a time."""
UNIT: Final = 8
"""Records begin at multiples of it."""
LARGEST_PART: Final = 4
"""A record takes at most one part in so many of a log."""

_SUM: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<IQd")
_START: Final = _SUM.size + _HEAD.size
_KEPT: Final = struct.Struct("<QQQQI")
_IS_KEPT: Final = 1 << 63


class Done(NamedTuple):
    """What a call came to: a value as bytes, and the seconds that it took."""

    data: bytes
    seconds: float


class Log:
    """The end of a log that is written: the one at `place`."""

    def __init__(self, memory: BoardMemory, place: int) -> None:
        """Go on where the former worker at this place was, and what it has published stays."""
        self._memory = memory
        self._place = place
        self._control = memory.place_at(place)
        self._start = memory.log_at(place)
        self._head = memory.words[self._control + HEAD]
        self._reserved = memory.words[self._control + ALLOCATED]
        self._is_cut_short = False
        self._kept: deque[tuple[int, int]] = deque()

    def append(self, key: bytes, data: bytes, seconds: float) -> int | None:
        """Write a record and return the state of its slot; None if there is no room for it.

        A value too large for the log goes to a file of its own, where processes can reach one of each
        other's; it lives until this worker ends, a new round begins, or there are too many of them.
        """
        size, sizes = _START + len(key) + len(data), len(data)
        if size > self._memory.log // LARGEST_PART:
            if _START + len(key) + _KEPT.size > self._memory.log // LARGEST_PART:
                return None
            kept = self._keep(data)
            if kept is None:
                return None
            data, sizes = kept, len(data) | _IS_KEPT
            size = _START + len(key) + len(data)
        position = self._take(size)
        if position is None:
            return None
        prefix = _HEAD.pack(len(key), sizes, seconds) + key
        start = self._start + position
        middle = start + _SUM.size + len(prefix)
        buffer = self._memory.buffer
        buffer[start:middle] = _SUM.pack(zlib.crc32(data, zlib.crc32(prefix))) + prefix
        buffer[middle : middle + len(data)] = data
        epoch = self._memory.words[self._control + ROUND]
        return state_word(DONE, self._place, epoch, position // UNIT)

    def _take(self, size: int) -> int | None:
        """Return where a record of `size` bytes goes."""
        size = -(-size // UNIT) * UNIT
        end = self._head + size
        if end > self._reserved:
            self._reserve(end)
            if size > self._reserved:
                return None
            if end > self._reserved:
                self._begin_round()
                end = size
        position = end - size
        # Told before it is written, so that a successor does not write where this one died writing.
        self._memory.words[self._control + HEAD] = self._head = end
        return position

    def _reserve(self, end: int) -> None:
        """Take memory up to `end`; where there is none left, the log remains as long as it is."""
        if self._is_cut_short or end > self._memory.log:
            return
        end = min(-(-end // STEP) * STEP, self._memory.log)
        try:
            self._memory.region.reserve(self._start + self._reserved, end - self._reserved)
        except OSError:
            self._is_cut_short = True
            return
        self._memory.words[self._control + ALLOCATED] = self._reserved = end

    def _begin_round(self) -> None:
        """Begin at the start; first of all nothing that stands there may be found any more."""
        words = self._memory.words
        words[self._control + ROUND] = (words[self._control + ROUND] + 1) % EPOCHS
        words[self._control + HEAD] = self._head = 0
        while self._kept:
            os.close(self._kept.popleft()[0])

    def _keep(self, data: bytes) -> bytes | None:
        """Put a value into a file of its own; the older ones have to leave room for it."""
        while self._kept and sum(size for _, size in self._kept) + len(data) > self._memory.log:
            os.close(self._kept.popleft()[0])
        kept = _region.keep_bytes(data)
        if kept is None:
            return None
        descriptor, number = kept
        self._kept.append((descriptor, len(data)))
        return _KEPT.pack(os.getpid(), descriptor, number, len(data), zlib.crc32(data))

    def close(self) -> None:
        """Close the files of large values."""
        while self._kept:
            os.close(self._kept.popleft()[0])


def read(memory: BoardMemory, state: int, key: bytes) -> Done | None:
    """Return what the record of `state` says of `key`; None if there is none of it any more."""
    place = (state >> 2) % MOST_PLACES
    epoch, position = (state >> 12) % EPOCHS, (state >> 32) * UNIT
    control = memory.place_at(place) + ROUND
    if memory.words[control] != epoch:
        return None
    buffer, start = memory.buffer, memory.log_at(place) + position
    key_size, sizes, seconds = _HEAD.unpack_from(buffer, start + _SUM.size)
    middle = start + _START + len(key)
    end = middle + (_KEPT.size if sizes & _IS_KEPT else sizes)
    if key_size != len(key) or end > memory.log_at(place + 1):
        return None
    prefix, data = buffer[start:middle], buffer[middle:end]
    if memory.words[control] != epoch or not prefix.endswith(key):
        return None
    if _SUM.unpack_from(prefix)[0] != zlib.crc32(data, zlib.crc32(prefix[_SUM.size :])):
        return None
    return _fetch(data, seconds) if sizes & _IS_KEPT else Done(data, seconds)


def _fetch(name: bytes, seconds: float) -> Done | None:
    pid, descriptor, number, size, checksum = _KEPT.unpack(name)
    data = _region.read_kept(pid, descriptor, number, size)
    if data is None or zlib.crc32(data) != checksum:
        return None
    return Done(data, seconds)
