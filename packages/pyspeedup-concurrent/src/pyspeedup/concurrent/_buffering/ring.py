"""Frames in memory that two processes share: one writes them, the other reads them, in order.

A *frame* is a header and a payload, at a multiple of 64 bytes. The writer keeps to low addresses: it
begins again at the start of the memory as soon as there is room, so that a few warm pages serve a
stream of any length, and memory is taken only for what is under way at the same time::

    words | frame | frame | frame | -> head      unwrapped: free behind the head and before the tail
            ^ tail, the oldest frame that the reader has not released

    words | frame | -> head    | frame | wrap    wrapped: free between head and tail

Nothing here waits. The two ends tell each other of frames by two counters, `WRITTEN` and `RELEASED`;
a frame counts only when it is whole, so a writer that is killed leaves no half one.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from pyspeedup.concurrent import _platform

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence

__all__ = [
    "ALONE",
    "ASKED",
    "END",
    "ERROR",
    "GONE",
    "HEADER",
    "HOLDS",
    "LINE",
    "NEVER",
    "PART",
    "RELEASED",
    "RING_AT_ASKED",
    "RING_AT_RELEASED",
    "RUN",
    "TOGETHER",
    "WAITS",
    "WORDS",
    "WRITTEN",
    "Accept",
    "Reader",
    "Writer",
    "fence",
    "prepare",
]

ASKED, RELEASED, WAITS, WRITTEN, RING_AT_ASKED, RING_AT_RELEASED, HOLDS = range(0, 56, 8)
"""The words, each on a cache line of its own, so that ends that write different ones don't disturb
each other. How many items were asked for; frames released; whether the reader waits for a frame;
frames written; where the two counters of the reader shall ring for the writer; whether the writer
may hold items back."""

NEVER: Final = (1 << 62) - 1
LINE: Final = 64
WORDS: Final = 4096
"""Bytes before the frames."""
SMALLEST: Final = 1 << 16
"""Bytes for frames that are there from the start."""
COMFORT: Final = 1 << 18
"""Bytes after which the writer goes back to the start if it can."""
WRAP, PART, TOGETHER, RUN, ALONE, END, ERROR, GONE = range(8)
"""The kinds: an empty one, after which the next is at the start; a piece of a frame that was too large
(`start` says where it belongs, `count` how large the whole is); items, see `items`; how a sequence ends,
and, never written, that the writer is dead."""

HEADER = struct.Struct("<4Q")

_lock = threading.Lock()


def fence() -> None:
    """Let no write to shared memory before be seen after, and no read after be made before.

    Python has no word for it. To take a lock implies it on x86; elsewhere giving it back and taking
    it again does. An interrupt cannot come between within ``with``.
    """
    with _lock:
        pass
    if _platform.REORDERS:
        with _lock:
            pass


class Shared(Protocol):
    """What the ring needs of shared memory, which begins as zeros."""

    size: int
    buffer: mmap.mmap

    def reserve(self, start: int, size: int, /) -> None:
        """Have memory for these bytes; `OSError` if there is none."""


Accept: TypeAlias = "Callable[[int, int, int, memoryview], None]"
"""Takes a frame's kind, start, count and payload, which is good until it returns."""


def prepare(shared: Shared) -> None:
    """Make new memory ready for both ends; `OSError` if there is not even the least."""
    shared.reserve(0, WORDS + SMALLEST)
    with memoryview(shared.buffer) as view, view[:WORDS].cast("Q") as words:
        words[RING_AT_ASKED] = words[RING_AT_RELEASED] = NEVER


def _extent(size: int) -> int:
    """Return the bytes that a frame of `size` bytes of payload takes."""
    return (size + 2 * LINE - 1) & -LINE


class Writer:
    """The end that writes. One thread at a time."""

    def __init__(self, shared: Shared) -> None:
        """Write into what was prepared, and nobody has written into before."""
        self._shared = shared
        self._bytes = shared.buffer
        self.words = memoryview(shared.buffer)[:WORDS].cast("Q")
        self._capacity = SMALLEST
        self.largest = (shared.size - WORDS) // 2 - LINE
        """Bytes of the largest payload that is sure to fit once the reader has released all."""
        self._head = 0
        self._starts: deque[int] = deque()
        """Where the frames begin that are not known to be released."""
        self.written = 0

    def write(
        self, kind: int, start: int, count: int, parts: Sequence[bytes | memoryview], size: int
    ) -> bool:
        """Write a frame of `parts`, `size` bytes in all; False if there is no room for now.

        Raises `OSError` if there is no memory for it though all frames are released.
        """
        extent = _extent(size)
        place = self._place(extent)
        if place is None:
            return False
        if (
            place < self._head
        ):  # a frame of its own, since its memory too is needed until it is read
            HEADER.pack_into(self._bytes, WORDS + self._head, WRAP, 0, 0, 0)
            self._starts.append(self._head)
            self.written += 1
        at = WORDS + place
        HEADER.pack_into(self._bytes, at, kind, start, count, size)
        at += LINE
        for part in parts:
            end = at + len(part)
            self._bytes[at:end] = part
            at = end
        self._starts.append(place)
        self._head = place + extent
        self.written += 1
        if _platform.REORDERS:
            fence()
        self.words[WRITTEN] = self.written
        return True

    @property
    def room_after(self) -> int:
        """When there was no room: how many frames released will make a difference."""
        return self.written - len(self._starts) + 1

    def _place(self, extent: int) -> int | None:
        released = self.words[RELEASED]
        starts = self._starts
        while self.written - len(starts) < released:
            starts.popleft()
        place = self._free(extent)
        wrapped = bool(starts) and self._head <= starts[0]
        if place is None and not wrapped and self._grow(extent):
            place = self._free(extent)
        return place

    def _free(self, extent: int) -> int | None:
        """Return where `extent` bytes are free, and behind them a line for the mark, if it may be needed."""
        head = self._head
        tail = self._starts[0] if self._starts else head
        if self._starts and head <= tail:
            return head if head + extent <= tail else None
        ahead = head if head + extent + LINE <= self._capacity else None
        if extent <= tail and (ahead is None or head > COMFORT):
            return 0  # the mark at the head must stay until it is read
        return ahead

    def _grow(self, extent: int) -> bool:
        """Take more memory if there may be more; False if not, for now."""
        most = self._shared.size - WORDS
        wanted = min(most, max(2 * self._capacity, self._head + extent + LINE))
        if wanted <= self._capacity:
            return False
        try:
            self._shared.reserve(WORDS + self._capacity, wanted - self._capacity)
        except OSError:
            if self._starts:  # then there will be room when the reader has got on
                return False
            raise
        self._capacity = wanted
        return True

    def close(self) -> None:
        """Let go of the memory."""
        self.words.release()


class Reader:
    """The end that reads. One thread at a time; an interrupt may strike anywhere."""

    def __init__(self, shared: Shared) -> None:
        """Read from the first frame on."""
        self._view = memoryview(shared.buffer)
        self.words = self._view[:WORDS].cast("Q")
        self._next = (0, 0)
        """How many frames were released, and where the next one is: one value, never half changed."""
        self._lent: memoryview | None = None
        self._whole: bytearray | None = None
        """A frame that comes in parts, as far as they have come."""

    @property
    def released(self) -> int:
        """How many frames were released."""
        return self._next[0]

    def read(self, accept: Accept, most: int) -> int:
        """Give frames to `accept` in order, up to `most` bytes or a little more, and release each.

        Returns 0 if there is none. A frame that `accept` was interrupted over is given to it again.
        """
        words, view = self.words, self._view
        size = 0
        while size < most:
            done, place = self._next
            if words[WRITTEN] == done:
                break
            if _platform.REORDERS:
                fence()
            kind, start, count, length = HEADER.unpack_from(view, WORDS + place)
            at = WORDS + place + LINE
            if kind == WRAP:
                self._next = (done + 1, 0)
                continue
            payload = self._lent = view[at : at + length]
            if kind == PART:
                self._put_together(start, count, payload, accept)
            else:
                accept(kind, start, count, payload)
            payload.release()
            self._next = (done + 1, place + ((length + 2 * LINE - 1) & -LINE))
            words[RELEASED] = done + 1
            size += length + 1
        return size

    def _put_together(self, start: int, size: int, part: memoryview, accept: Accept) -> None:
        if start == 0:
            self._whole = bytearray(size)
        if self._whole is None:  # the last part again, after an interrupt: it has been accepted
            return
        end = start + len(part)
        self._whole[start:end] = part
        if end == size:
            with memoryview(self._whole) as whole, whole[LINE:] as payload:
                kind, begin, count, length = HEADER.unpack_from(whole)
                with payload[:length] as exact:
                    accept(kind, begin, count, exact)
            self._whole = None

    def close(self) -> None:
        """Let go of the memory, of that of a frame too whose reading was interrupted."""
        if self._lent is not None:
            self._lent.release()
        self.words.release()
        self._view.release()
