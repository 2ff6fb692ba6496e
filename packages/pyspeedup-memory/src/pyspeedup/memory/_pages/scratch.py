"""Pages that last as long as they are wanted: in RAM while small, then in a nameless temporary file."""

from __future__ import annotations

import weakref
from array import array

__all__ = ["ScratchPages"]

SPOOL_BYTES = 1 << 20
SMALLEST_EXTENT = 256


class ScratchPages:
    """Numbered pages of which nothing is committed and nothing survives; no store.

    RAM: 24 bytes a page, and a megabyte. A page that outgrows its room moves to the end of the file
    with room to double, so that at most twice the bytes are kept; old room is not used again.

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
        self._rooms = array("Q")
        self._end = 0

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`, in O(bytes)."""
        self._file.seek(self._offsets[page])
        return self._file.read(self._lengths[page])

    def write(self, page: int, data: bytes) -> None:
        """Replace the bytes of `page`, in O(bytes)."""
        if len(data) > self._rooms[page]:
            self._offsets[page] = self._end
            self._rooms[page] = max(SMALLEST_EXTENT, 2 * len(data))
            self._end += self._rooms[page]
        self._file.seek(self._offsets[page])
        self._file.write(data)
        self._lengths[page] = len(data)

    def append(self, data: bytes) -> int:
        """Keep `data` as a page with a new number, in O(bytes)."""
        for numbers in (self._offsets, self._lengths, self._rooms):
            numbers.append(0)
        self.write(len(self._offsets) - 1, data)
        return len(self._offsets) - 1

    def delete(self, page: int) -> None:
        """Drop the bytes of `page`; its number is not used again."""
        self._lengths[page] = 0

    def close(self) -> None:
        """Drop everything; again is harmless."""
        self._finalizer()
