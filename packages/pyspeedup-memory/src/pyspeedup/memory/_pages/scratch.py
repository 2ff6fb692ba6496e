"""Pages that last as long as they are wanted: in RAM while small, then in a nameless temporary file."""

from __future__ import annotations

import weakref
from array import array

__all__ = ["ScratchPages"]

SPOOL_BYTES = 1 << 20
SMALLEST_ROOM = 8
"""A room has at least so many bits' worth of bytes: 256."""


class ScratchPages:
    """Numbered pages of which nothing is committed and nothing survives; no store.

    RAM: 17 bytes a page, and a megabyte. A page is in a room of the file that is a power of two long,
    so that at most half of it is empty; a room that is left is used for the next page of its size.

    >>> pages = ScratchPages()
    >>> pages.read(pages.append(b"spam"))
    b'spam'
    >>> pages.close()
    """

    def __init__(self) -> None:
        """Start empty; a file is made when a megabyte has been written."""
        import tempfile  # 5 ms, and few stores need pages that nobody keeps

        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 -- the finalizer closes it
        self._finalizer = weakref.finalize(self, self._file.close)
        self._offsets = array("Q")
        self._lengths = array("Q")
        self._rooms = array("B")  # its length is two to the power of this; 0: the page is not there
        self._free_numbers: list[int] = []
        self._free_rooms: dict[int, list[int]] = {}
        self._end = 0

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`, in O(bytes)."""
        return self.peek(page, 0, self._lengths[page])

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, as a slice does."""
        self._file.seek(self._offsets[page] + start)
        return self._file.read(max(0, min(stop, self._lengths[page]) - start))

    raw_peek = peek

    def write(self, page: int, data: bytes) -> None:
        """Replace the bytes of `page`, in O(bytes)."""
        room = max(SMALLEST_ROOM, (len(data) - 1).bit_length())
        if room != self._rooms[page]:
            self._leave(page)
            self._offsets[page] = self._take(room)
            self._rooms[page] = room
        self._file.seek(self._offsets[page])
        self._file.write(data)
        self._lengths[page] = len(data)

    def append(self, data: bytes) -> int:
        """Keep `data` as a page with a number that is not in use, in O(bytes)."""
        if not self._free_numbers:
            for numbers in (self._offsets, self._lengths, self._rooms):
                numbers.append(0)
            self._free_numbers.append(len(self._rooms) - 1)
        self.write(self._free_numbers[-1], data)
        return self._free_numbers.pop()

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        if page >= len(self._rooms) or not self._rooms[page]:
            raise KeyError(page)
        self._leave(page)
        self._free_numbers.append(page)

    def close(self) -> None:
        """Drop everything; again is harmless."""
        self._finalizer()

    def _take(self, room: int) -> int:
        if self._free_rooms.get(room):
            return self._free_rooms[room].pop()
        self._end += 1 << room
        return self._end - (1 << room)

    def _leave(self, page: int) -> None:
        if self._rooms[page]:
            self._free_rooms.setdefault(self._rooms[page], []).append(self._offsets[page])
        self._rooms[page] = self._lengths[page] = 0
