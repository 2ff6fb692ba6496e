"""Where each entry of a dict is: rows of a place and a check, by entry number, in pages of a volume.

A row is 12 bytes, little-endian: the *place* of a record (u64, see `heap`) and the check of what is
there (u32). Entries are numbered in the order of insertion, so that the rows of a page are
neighbours in the dict. A row that is changed waits in RAM, so that a page is written once for many.
"""

from __future__ import annotations

import struct
from array import array
from itertools import groupby
from typing import TYPE_CHECKING

from pyspeedup.memory._dict.arrays import pack_arrays, unpack_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.memory._storage.volume import Volume

__all__ = ["ROW", "Rows"]

ROW = struct.Struct("<QI")
SIZE = ROW.size
NOWHERE = 0xFFFF_FFFF_FFFF_FFFF
"""Stands for the number of a page that there is none of."""
WORTH_A_PIECE = 8
"""Reading one piece for so many rows of a page costs less than reading them one by one."""
MOST_A_PAGE = 4096
"""Rows a page has at most, as a page is written whole."""
HEADER = struct.Struct("<QQQ")  # rows a page, end, count


class Rows:
    """Rows by entry number, in pages of `volume`. RAM: 13 bytes a page, one page, and what waits.

    A page also has flags, which its user gives a meaning. Costs are O(1) unless said otherwise.
    """

    def __init__(self, volume: Volume, page_size: int, state: bytes | None = None) -> None:
        """Take up what `state` describes, as `write_back` returned it, or start empty."""
        self._volume = volume
        self.page_size = min(page_size, MOST_A_PAGE)
        self.end = 0  # the number that the next entry gets
        self.count = 0  # entries that were not killed
        self.waiting: dict[int, bytes] = {}  # rows that differ from those in full pages
        self._pages, self.alive = array("Q", [NOWHERE]), array("I", [0])
        self.flags = bytearray(1)
        self._last: tuple[int, bytearray | None] = 0, bytearray()  # None before it is read
        self._written = 0  # bytes of the last page that the volume has
        if state is not None:
            self._decode(state)

    @property
    def page_count(self) -> int:
        """How many pages there are, dropped ones included."""
        return len(self._pages)

    @property
    def room(self) -> int:
        """How many rows the last page can still take."""
        return self.page_size - self.end + self._last[0] * self.page_size

    def is_dropped(self, index: int) -> bool:
        """Return whether no entry of that page is left."""
        return not self.alive[index]

    def get(self, entry: int) -> tuple[int, int]:
        """Return place and check of an entry below `end`; the caller checks what they lead to."""
        if entry in self.waiting:
            return ROW.unpack(self.waiting[entry])
        index = entry // self.page_size
        start = (entry - index * self.page_size) * SIZE
        last, tail = self._last
        if index == last and tail is not None:
            return ROW.unpack_from(tail, start)
        row = self._volume.raw_peek(self._pages[index], start, start + SIZE)
        return ROW.unpack(row)

    def get_many(self, entries: Sequence[int]) -> list[tuple[int, int]]:
        """Return the rows of entries below `end`; of those that are neighbours that is cheaper."""
        rows: list[tuple[int, int]] = []
        page_size = self.page_size
        start = 0
        for index, group in groupby([entry // page_size for entry in entries]):
            stop = start + len(list(group))
            some = entries[start:stop]
            if stop - start < WORTH_A_PIECE or index == self._last[0]:
                rows += map(self.get, some)
            else:
                rows += self._get_together(index, some)
            start = stop
        return rows

    def _get_together(self, index: int, entries: Sequence[int]) -> list[tuple[int, int]]:
        """Return rows of one page of the volume."""
        low, high = min(entries), max(entries) + 1
        first = index * self.page_size
        start, stop = (low - first) * SIZE, (high - first) * SIZE
        piece = self._volume.raw_peek(self._pages[index], start, stop)
        rows = [ROW.unpack_from(piece, (entry - low) * SIZE) for entry in entries]
        if not self.waiting.keys().isdisjoint(entries):
            for at, entry in enumerate(entries):
                if entry in self.waiting:
                    rows[at] = ROW.unpack(self.waiting[entry])
        return rows

    def page(self, index: int) -> list[tuple[int, int]]:
        """Return the rows of a page, of which the volume's were checked as a whole, in O(rows)."""
        rows = list(ROW.iter_unpack(self._image(index)))
        if self.waiting:
            first = index * self.page_size
            for at in range(len(rows)):
                if first + at in self.waiting:
                    rows[at] = ROW.unpack(self.waiting[first + at])
        return rows

    def make_room(self) -> None:
        """Have room for a row at the end; `OSError` and nothing is changed."""
        if self.room:
            return
        last = self._last[0]
        if self.alive[last]:
            self._write_tail()
        else:
            self._drop(last)
        index = last + 1
        self._pages[index:] = array("Q", [NOWHERE])
        self.alive[index:] = array("I", [0])
        self.flags[index:] = b"\0"
        self._last, self._written = (index, bytearray()), 0

    def append(self, rows: bytes, count: int) -> None:
        """Add rows at the end, for which there is room."""
        tail = self._tail()
        last = self._last[0]
        tail += rows  # nothing is called from here on, so no interruption comes between
        self.alive[last] += count
        self.end += count
        self.count += count

    def put(self, entry: int, row: bytes) -> None:
        """Change the row of an entry."""
        index, at = divmod(entry, self.page_size)
        start, stop = at * SIZE, at * SIZE + SIZE
        if index == self._last[0]:
            tail = self._tail()
            if self._written > start:  # noqa: PLR1730 -- as in `kill`
                self._written = start
            tail[start:stop] = row
        else:
            self.waiting[entry] = row

    def put_many(self, entries: Sequence[int], rows: Sequence[bytes]) -> None:
        """Change the rows of entries."""
        first = self._last[0] * self.page_size
        if max(entries) < first:
            self.waiting.update(zip(entries, rows, strict=True))
            return
        for entry, row in zip(entries, rows, strict=True):
            self.put(entry, row)

    def kill(self, entry: int, row: bytes) -> None:
        """Change the row of an entry into `row`, one of the dead."""
        index, at = divmod(entry, self.page_size)
        start, stop = at * SIZE, at * SIZE + SIZE
        tail = self._tail() if index == self._last[0] else None
        if tail is None:  # nothing is called from here on, so no interruption comes between
            self.waiting[entry] = row
        else:
            tail[start:stop] = row
            if self._written > start:  # noqa: PLR1730 -- `min` would be a call
                self._written = start
        self.alive[index] -= 1
        self.count -= 1

    def apply(self, pages: int | None = None) -> None:
        """Write what waits to its pages, or to so many of them, in order; O(pages written).

        What fails goes on waiting. A page without a live entry is deleted.
        """
        waiting = sorted(self.waiting)
        for index, entries in groupby(waiting, key=lambda entry: entry // self.page_size):
            self._apply(index, list(entries))
            if pages is not None:
                pages -= 1
                if not pages:
                    return

    def write_back(self) -> bytes:
        """Write everything that waits, and return the state, in O(pages)."""
        self.apply()
        self._write_tail()
        header = HEADER.pack(self.page_size, self.end, self.count)
        return header + pack_arrays(self._pages, self.alive, array("B", self.flags))

    def numbers(self) -> list[int]:
        """Return the numbers of its pages in the volume."""
        return [page for page in self._pages if page != NOWHERE]

    def _apply(self, index: int, entries: list[int]) -> None:
        if self.alive[index]:
            rows = self._image(index)
            first = index * self.page_size
            for entry in entries:
                at = (entry - first) * SIZE
                rows[at : at + SIZE] = self.waiting[entry]
            self._volume.write(self._pages[index], bytes(rows))
        else:
            self._drop(index)
        for entry in entries:
            del self.waiting[entry]

    def _drop(self, index: int) -> None:
        number = self._pages[index]
        if number != NOWHERE:
            self._pages[index] = NOWHERE  # first: a page that is left over harms nobody
            try:
                self._volume.delete(number)
            except OSError:
                self._pages[index] = number
                raise
        self.flags[index] = 0

    def _image(self, index: int) -> bytearray:
        """Return the rows of a page as they are but for those that wait."""
        last, tail = self._last
        if index == last and tail is not None:
            return tail[:]
        return bytearray(self._volume.read(self._pages[index]))

    def _tail(self) -> bytearray:
        last, tail = self._last
        if tail is None:
            tail = bytearray(self._volume.read(self._pages[last]))
            self._last = last, tail
        return tail

    def _write_tail(self) -> None:
        last, tail = self._last
        if tail is None or len(tail) == self._written:
            return
        if self._pages[last] == NOWHERE:
            self._pages[last] = self._volume.append(bytes(tail))
        else:
            self._volume.write(self._pages[last], bytes(tail))
        self._written = len(tail)

    def _decode(self, state: bytes) -> None:
        self.page_size, self.end, self.count = HEADER.unpack_from(state)
        self._pages, self.alive, flags = unpack_arrays(state[HEADER.size :], "QIB")
        self.flags = bytearray(flags)
        last = len(self._pages) - 1
        rows = self.end - last * self.page_size
        self._last = last, bytearray() if self._pages[last] == NOWHERE else None
        self._written = rows * SIZE
