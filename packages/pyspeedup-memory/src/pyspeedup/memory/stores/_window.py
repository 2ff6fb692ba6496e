"""The beginning of a file, mapped into memory: what a few bytes of a page are copied from."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pyspeedup.memory import _platform

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["Window"]

SMALLEST = 1 << 20
"""Bytes that are mapped at least, where the file may be made as long."""


class Window:
    """The first `limit` bytes of a file, mapped as far as they were asked for.

    What a process has touched of a map counts as its resident memory, so the length is bounded; what
    lies behind it has to be read. A map that is longer than the file would kill whoever
    touches it there: so the file may be shortened after `close` only.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     _ = file.write(b"spam and eggs")
    ...     file.flush()
    ...     window = Window(file.fileno(), limit=1 << 20)
    ...     window.covers(13), window.view[9:], window.covers(14)
    ...     window.close()
    (True, b'eggs', False)
    """

    __slots__ = ("_file", "_limit", "growing", "view")

    def __init__(self, file: int, *, limit: int) -> None:
        """Map nothing yet of the descriptor `file`."""
        self._file = file
        self._limit = limit
        self.growing = False
        """Whether the file may be lengthened, so that what is written next lies in the map too."""
        self.view: mmap | bytes = b""

    def covers(self, end: int) -> bool:
        """Tell whether `view` reaches to the byte `end` of the file, mapping more of it if it may."""
        if end > self._limit:
            return False
        if end > len(self.view):
            self._map(end)
        return end <= len(self.view)

    def _map(self, end: int) -> None:
        """Map the file anew, a quarter longer than before: so O(log bytes) times while it grows."""
        length = min(self._limit, max(SMALLEST, end + end // 4))
        if self.growing and os.fstat(self._file).st_size < length:
            with suppress(
                OSError
            ):  # where a file may not be so long it is mapped as far as it goes
                os.ftruncate(self._file, length)
        length = min(self._limit, os.fstat(self._file).st_size)
        view = _platform.map_file(self._file, length) if length >= end else None
        if view is not None:
            self._replace(view)

    def _replace(self, view: mmap | bytes) -> None:
        before, self.view = self.view, view
        if not isinstance(before, bytes):
            before.close()

    def close(self) -> None:
        """Let go of the map; again is harmless."""
        self._replace(b"")
