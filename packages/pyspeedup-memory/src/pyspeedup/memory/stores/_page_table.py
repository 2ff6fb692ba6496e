"""Where each page lies in a file: arrays sorted by page number, 36 bytes a page."""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Extent", "PageTable"]

COUNT = struct.Struct("<Q")
CODES = "QQQQI"


class Extent(NamedTuple):
    """Where the bytes of a page are, since which commit, and their checksum."""

    offset: int
    length: int
    born: int
    checksum: int


class PageTable:
    """A mapping from page number to `Extent` in O(log pages), small in RAM and on disk.

    >>> table = PageTable()
    >>> table[7] = Extent(4096, 100, 1, 0xDEADBEEF)
    >>> PageTable.from_bytes(table.to_bytes())[7].length
    100
    """

    def __init__(self, columns: list[array[int]] | None = None) -> None:
        self._columns = columns or [array(code) for code in CODES]

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> PageTable:
        """Return what `to_bytes` was given; `ValueError` where the length does not fit."""
        (count,) = COUNT.unpack_from(data)
        columns = []
        start = COUNT.size
        for code in CODES:
            column = array(code)
            stop = start + count * column.itemsize
            column.frombytes(bytes(data[start:stop]))
            columns.append(column)
            start = stop
        if start != len(data):
            raise ValueError(f"a page table has {len(data)} bytes instead of {start}")
        return cls(_little_endian(columns))

    def to_bytes(self) -> bytes:
        """Return the table in O(pages), the same on every machine."""
        columns = _little_endian(self._columns)
        return COUNT.pack(len(self)) + b"".join(column.tobytes() for column in columns)

    def copy(self) -> PageTable:
        """Return another table of the same content, in O(pages)."""
        return PageTable([column[:] for column in self._columns])

    def __len__(self) -> int:
        return len(self._columns[0])

    def __contains__(self, page: int) -> bool:
        position = bisect_left(self._columns[0], page)
        return position < len(self) and self._columns[0][position] == page

    def __getitem__(self, page: int) -> Extent:
        if page not in self:
            raise KeyError(page)
        position = bisect_left(self._columns[0], page)
        return Extent(*(column[position] for column in self._columns[1:]))

    def __setitem__(self, page: int, extent: Extent) -> None:
        position = bisect_left(self._columns[0], page)
        if page in self:
            for column, value in zip(self._columns[1:], extent, strict=True):
                column[position] = value
        else:
            for column, value in zip(self._columns, (page, *extent), strict=True):
                column.insert(position, value)

    def __delitem__(self, page: int) -> None:
        if page not in self:
            raise KeyError(page)
        position = bisect_left(self._columns[0], page)
        for column in self._columns:
            del column[position]

    def items(self) -> Iterator[tuple[int, Extent]]:
        """Iterate over page numbers, in order, with their extents."""
        for page, *extent in zip(*self._columns, strict=True):
            yield page, Extent(*extent)


def _little_endian(columns: list[array[int]]) -> list[array[int]]:
    if sys.byteorder == "little":
        return columns
    swapped = [column[:] for column in columns]
    for column in swapped:
        column.byteswap()
    return swapped
