"""Where each page lies in a file: arrays by page number, 28 bytes a page."""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Extent", "PageTable"]

COUNTS = struct.Struct("<QQ")  # page numbers in the arrays, pages beyond them
CODES = "QQQI"
FAR = struct.Struct("<QQQQI")
ROOM = 1024
"""Page numbers that an array may be lengthened by for a single page, beside its own length."""


class Extent(NamedTuple):
    """Where the bytes of a page are, since which commit, and their checksum."""

    offset: int
    length: int
    born: int
    checksum: int


class PageTable:
    """A mapping from page number to `Extent` in O(1), small in RAM and on disk.

    Numbers far beyond all others, which arrays could not hold, are kept in a dict. No page is at
    offset 0, so that stands for none. Reading and writing a table run no Python for each page.

    >>> table = PageTable()
    >>> table[7] = Extent(4096, 100, 1, 0xDEADBEEF)
    >>> table[1 << 60] = Extent(8192, 50, 1, 0xC0FFEE)
    >>> again = PageTable.from_bytes(table.to_bytes())
    >>> again[7].length, again[1 << 60].length, 6 in again, again.end
    (100, 50, False, 8242)
    """

    def __init__(
        self, columns: list[array[int]] | None = None, far: dict[int, Extent] | None = None
    ) -> None:
        self._columns = columns or [array(code) for code in CODES]
        self.offsets, self.lengths, *_ = self._columns
        self._far = far or {}

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> PageTable:
        """Return what `to_bytes` was given; `ValueError` where the length does not fit."""
        count, far = COUNTS.unpack_from(data)
        columns = [array(code) for code in CODES]
        start = COUNTS.size
        for column in columns:
            stop = start + count * column.itemsize
            column.frombytes(data[start:stop])
            start = stop
        expected = start + far * FAR.size
        if len(data) != expected:
            raise ValueError(f"a page table has {len(data)} bytes instead of {expected}")
        extents = FAR.iter_unpack(data[start:])
        return cls(_little_endian(columns), {page: Extent(*extent) for page, *extent in extents})

    def to_bytes(self) -> bytes:
        """Return the table in O(pages), the same on every machine."""
        return b"".join(
            [
                COUNTS.pack(len(self._columns[0]), len(self._far)),
                *_little_endian(self._columns),
                *(FAR.pack(page, *extent) for page, extent in self._far.items()),
            ]
        )

    def copy(self) -> PageTable:
        """Return another table of the same content, in O(pages)."""
        return PageTable([column[:] for column in self._columns], self._far.copy())

    def __contains__(self, page: int) -> bool:
        offsets = self._columns[0]
        return bool(0 <= page < len(offsets) and offsets[page]) or page in self._far

    def __getitem__(self, page: int) -> Extent:
        offsets, lengths, born, checksums = self._columns
        if 0 <= page < len(offsets) and offsets[page]:
            return Extent(offsets[page], lengths[page], born[page], checksums[page])
        return self._far[page]

    def __setitem__(self, page: int, extent: Extent) -> None:
        count = len(self._columns[0])
        if page in self._far or page >= 2 * count + ROOM:
            self._far[page] = extent
            return
        for column, value in zip(self._columns, extent, strict=True):
            if page >= count:
                column.frombytes(bytes((page + 1 - count) * column.itemsize))
            column[page] = value

    def __delitem__(self, page: int) -> None:
        if page not in self:
            raise KeyError(page)
        if page in self._far:
            del self._far[page]
            return
        for column in self._columns:
            column[page] = 0
        while self._columns[0] and not self._columns[0][-1]:
            for column in self._columns:
                column.pop()

    @property
    def end(self) -> int:
        """Where the last extent ends, 0 without any, in O(pages)."""
        offsets, lengths, *_ = self._columns
        last = max(offsets, default=0)
        near = last + lengths[offsets.index(last)] if last else 0
        return max(near, *(extent.offset + extent.length for extent in self._far.values()), 0)

    def places(self) -> Iterator[tuple[int, int]]:
        """Iterate over offset and length of every page."""
        offsets, lengths, *_ = self._columns
        yield from (place for place in zip(offsets, lengths, strict=True) if place[0])
        yield from ((extent.offset, extent.length) for extent in self._far.values())

    def places_not_in(self, later: PageTable) -> list[tuple[int, int]]:
        """Return offset and length of every page that is not where it is in `later`, in O(pages)."""
        offsets, lengths, *_ = self._columns
        elsewhere = chain(later._columns[0], repeat(0))
        places = zip(offsets, lengths, elsewhere, strict=False)
        found = [(offset, length) for offset, length, now in places if offset not in (0, now)]
        for page, extent in self._far.items():
            if page not in later or later[page].offset != extent.offset:
                found.append((extent.offset, extent.length))
        return found

    def items(self) -> Iterator[tuple[int, Extent]]:
        """Iterate over page numbers with their extents."""
        for page, extent in enumerate(zip(*self._columns, strict=True)):
            if extent[0]:
                yield page, Extent(*extent)
        yield from self._far.items()


def _little_endian(columns: list[array[int]]) -> list[array[int]]:
    if sys.byteorder == "little":
        return columns
    swapped = [column[:] for column in columns]
    for column in swapped:
        column.byteswap()
    return swapped
