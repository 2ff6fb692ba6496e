"""The entries of a dict in insertion order: rows of key and value, in pages of equal size.

Entry *e* is row ``e % page_size`` of page ``e // page_size``. A removed entry leaves a dead row; a
page of dead rows is dropped, and dead rows at the end are taken off, so that the last entry is always
alive. `compacted` makes a log without dead rows.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pyspeedup.core import SerializationError
from pyspeedup.memory._pages.page import Rows
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspeedup.memory._pages.page import RecordPage
    from pyspeedup.memory._pages.pager import Pager

__all__ = ["KEY", "VALUE", "Columns", "EntryLog"]

KEY, VALUE = 0, 1
Columns: TypeAlias = Literal["keys", "values", "items"]

DROPPED = 0xFFFF_FFFF_FFFF_FFFF
"""Stands for the number of a page that was dropped."""
RUN_BYTES = 256 * 1024
"""A run of entries decoded in one go has about so many bytes at most."""
HEADER = struct.Struct("<QQQ")  # end, entries alive, pages; then numbers, alive in each, marks


class EntryLog:
    """Keys and values by entry number, in pages of `pager`.

    Each page can be marked (`mark`), to say that it may hold keys which only their own hash finds.
    RAM: 17 bytes a page. Costs are O(1) and at most a page's load, unless said otherwise.
    """

    def __init__(self, pager: Pager, page_size: int, state: bytes | None = None) -> None:
        """Take up what `state` describes, as `encode` returned it, or start empty."""
        self._pager = pager
        self._size = page_size
        self._numbers = array("Q")
        self._alive = array("Q")
        self._marks = bytearray()
        self.end = 0
        self.count = 0
        if state is not None:
            self._decode(state)

    @property
    def has_marks(self) -> bool:
        """Whether any page is marked, in O(pages) but fast."""
        return 1 in self._marks

    @property
    def dead(self) -> int:
        """How many entry numbers below `end` are without an entry."""
        return self.end - self.count

    def is_live(self, entry: int) -> bool:
        """Return whether there is such an entry."""
        index, row = divmod(entry, self._size)
        return (
            entry < self.end
            and self._numbers[index] != DROPPED
            and not self._pager.page(self._numbers[index]).is_dead(row)
        )

    def key(self, entry: int) -> Any:
        """Return the key of a live entry; `SerializationError` if it cannot be read any more."""
        index, row = divmod(entry, self._size)
        try:
            return self._pager.page(self._numbers[index]).value(row, KEY)
        except SerializationError as error:
            raise SerializationError(f"the key of entry {entry}: {error}") from error

    def value(self, entry: int) -> Any:
        """Return the value of a live entry; `SerializationError` naming its key."""
        index, row = divmod(entry, self._size)
        try:
            return self._pager.page(self._numbers[index]).value(row, VALUE)
        except SerializationError as error:
            name = named(self.key(entry))
            raise SerializationError(f"the value of key {name}: {error}") from error

    def append(self, key: Any, value: Any) -> None:
        """Add an entry at the end; `SerializationError` naming the key, and nothing is changed."""
        page = self._tail_page()
        try:
            page.append(key, value)
        except SerializationError as error:
            raise self._refusal(key, error) from error
        self._count_in(1)

    def replace(self, entry: int, value: Any) -> None:
        """Give a live entry another value; `SerializationError` naming the key."""
        index, row = divmod(entry, self._size)
        try:
            self._pager.page(self._numbers[index]).set(row, VALUE, value)
        except SerializationError as error:
            name = named(self.key(entry))
            raise SerializationError(f"the value of key {name}: {error}") from error

    def remove(self, entry: int) -> None:
        """Take an entry out; others keep their numbers, but those of dead ones may be used again.

        `OSError` for a disk too full to make room in RAM, and nothing is changed.
        """
        index, row = divmod(entry, self._size)
        is_last = entry == self.end - 1
        last_page = self._page_before(entry) if is_last else None
        self._pager.page(self._numbers[index]).kill(row)
        self.count -= 1
        self._alive[index] -= 1
        if is_last:
            self._trim(last_page)
        elif not self._alive[index]:
            self._drop(index)

    def mark(self, entry: int) -> None:
        """Mark the page of `entry`."""
        self._marks[entry // self._size] = 1

    def clear(self) -> None:
        """Remove all entries and their pages, in O(pages). Pages of a failing store may be left."""
        numbers = [number for number in self._numbers if number != DROPPED]
        self._numbers, self._alive, self._marks = array("Q"), array("Q"), bytearray()
        self.end = self.count = 0
        for number in numbers:
            self._pager.drop(number)

    # ---- runs ----------------------------------------------------------------------------------

    def run(self, start: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the first live entries from `start` on, and what they hold, decoded in one go.

        They are of one page and at most `limit`; none are returned only where there are none.
        """
        while start < self.end:
            index, row = divmod(start, self._size)
            if self._numbers[index] != DROPPED:
                page = self._pager.page(self._numbers[index])
                stop = min(len(page), row + limit, page.reach(row, RUN_BYTES))
                found = self._decoded(index, row, stop, columns)
                if found[0]:
                    return found
                start = index * self._size + stop
            else:
                start = (index + 1) * self._size
        return [], []

    def run_back(self, stop: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the last live entries below `stop`, as `run` does, the last one first."""
        stop = min(stop, self.end)
        while stop > 0:
            index, row = divmod(stop - 1, self._size)
            first = 0
            if self._numbers[index] != DROPPED:
                page = self._pager.page(self._numbers[index])
                first = max(0, row + 1 - limit)
                if page.reach(first, RUN_BYTES) <= row:
                    first = row
                entries, found = self._decoded(index, first, row + 1, columns)
                if entries:
                    return entries[::-1], found[::-1]
            stop = index * self._size + first
        return [], []

    def _decoded(
        self, index: int, start: int, stop: int, columns: Columns
    ) -> tuple[list[int], list[Any]]:
        """Return the live entries among some rows of a page, and what they hold."""
        page = self._pager.page(self._numbers[index])
        first = index * self._size
        entries = list(range(first + start, first + stop))
        if self._alive[index] < len(page):
            entries = [entry for entry in entries if not page.is_dead(entry - first)]
        try:
            if columns == "keys":
                return entries, page.values(KEY, start, stop)
            values = page.values(VALUE, start, stop)
            if columns == "values":
                return entries, values
            return entries, list(zip(page.values(KEY, start, stop), values, strict=True))
        except SerializationError:
            return self._decoded_singly(entries, columns)

    def _decoded_singly(self, entries: list[int], columns: Columns) -> tuple[list[int], list[Any]]:
        """Return what can be read before the first entry that cannot; raise if that is the first."""
        found: list[Any] = []
        for entry in entries:
            try:
                key = None if columns == "values" else self.key(entry)
                value = None if columns == "keys" else self.value(entry)
            except SerializationError:
                if not found:
                    raise
                break
            found.append({"keys": key, "values": value}.get(columns, (key, value)))
        return entries[: len(found)], found

    def each_key(self, *, marked_only: bool) -> Iterator[tuple[int, Any]]:
        """Yield every live entry with its key, or those of marked pages, in O(entries).

        A key that cannot be read (its class is gone) is left out: nothing that could be asked for
        equals it. Its page is marked, for a process in which it can be read.
        """
        for index, number in enumerate(self._numbers):
            if number != DROPPED and (self._marks[index] or not marked_only):
                yield from self._keys_of(index)

    def _keys_of(self, index: int) -> Iterator[tuple[int, Any]]:
        page = self._pager.page(self._numbers[index])
        start = 0
        while start < len(page):
            stop = page.reach(start, RUN_BYTES)
            entries = [
                index * self._size + row for row in range(start, stop) if not page.is_dead(row)
            ]
            try:
                keys = page.values(KEY, start, stop)
            except SerializationError:
                self._marks[index] = 1
                yield from self._readable(entries)
            else:
                yield from zip(entries, keys, strict=True)
            start = stop

    def _readable(self, entries: list[int]) -> Iterator[tuple[int, Any]]:
        for entry in entries:
            try:
                key = self.key(entry)
            except SerializationError:
                continue
            yield entry, key

    # ---- compaction ----------------------------------------------------------------------------

    def compacted(self) -> EntryLog:
        """Return a log of the same entries without dead ones, in pages of its own, in O(entries).

        Where this raises, nothing has changed.
        """
        new = EntryLog(self._pager, self._size)
        try:
            for index, number in enumerate(self._numbers):
                if number != DROPPED:
                    for start, stop in self._live_stretches(index):
                        new._adopt(self._pager.page(number), start, stop)
        except BaseException:
            new.clear()
            raise
        return new

    def _live_stretches(self, index: int) -> Iterator[tuple[int, int]]:
        page = self._pager.page(self._numbers[index])
        start = None
        for row in range(len(page)):
            if page.is_dead(row):
                if start is not None:
                    yield start, row
                start = None
            elif start is None:
                start = row
        if start is not None:
            yield start, len(page)

    def _adopt(self, page: RecordPage, start: int, stop: int) -> None:
        """Copy rows of a page of another log to the end."""
        while start < stop:
            tail = self._tail_page()
            count = min(stop - start, self._size - len(tail))
            bodies, live = page.rows(start, start + count)
            tail.put(len(tail), Rows(self._pager.copies(bodies), live))
            self._count_in(count)
            start += count

    # ---- pages ---------------------------------------------------------------------------------

    def _tail_page(self) -> RecordPage:
        """Return the page that the next entry goes to; it joins the log with its first entry."""
        index = self.end // self._size
        if index < len(self._numbers):
            return self._pager.page(self._numbers[index])
        page = self._pager.new_page()
        self._numbers.append(page.number)
        self._alive.append(0)
        self._marks.append(0)
        return page

    def _count_in(self, count: int) -> None:
        self._alive[self.end // self._size] += count
        self.end += count
        self.count += count

    def _refusal(self, key: Any, error: SerializationError) -> SerializationError:
        """Say which of the two was refused; the page made for them, if any, is dropped."""
        if self.end <= (len(self._numbers) - 1) * self._size:
            self._take_off_tail()
        try:
            self._pager.codecs[KEY].encode(key)
        except SerializationError:
            return SerializationError(f"the key {named(key)}: {error}")
        return SerializationError(f"the value of key {named(key)}: {error}")

    def _drop(self, index: int) -> None:
        self._pager.drop(self._numbers[index])
        self._numbers[index] = DROPPED
        self._marks[index] = 0

    def _take_off_tail(self) -> None:
        if self._numbers[-1] != DROPPED:
            self._pager.drop(self._numbers[-1])
        del self._numbers[-1], self._alive[-1], self._marks[-1]

    def _page_before(self, last: int) -> RecordPage | None:
        """Return the page that is the last one without the `last` entry, None where none is left."""
        index = last // self._size
        least = 2  # entries alive, in the page that is to lose one
        while index >= 0 and self._alive[index] < least:
            index -= 1
            least = 1
        return self._pager.page(self._numbers[index]) if index >= 0 else None

    def _trim(self, last_page: RecordPage | None) -> None:
        """Take dead rows, and pages without a live one, off the end, which `last_page` is then."""
        while self._numbers and not self._alive[-1]:
            self._take_off_tail()
            self.end = len(self._numbers) * self._size
        if last_page is not None:
            self._trim_page(last_page)

    def _trim_page(self, page: RecordPage) -> None:
        last = len(page)
        while page.is_dead(last - 1):
            last -= 1
        if last < len(page):
            page.delete(last, len(page))
        self.end = (len(self._numbers) - 1) * self._size + last

    # ---- state ---------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """Return what `EntryLog` takes to begin from, in O(pages)."""
        header = HEADER.pack(self.end, self.count, len(self._numbers))
        numbers = _little_endian((self._numbers, self._alive))
        return b"".join([header, *(column.tobytes() for column in numbers), self._marks])

    def _decode(self, state: bytes) -> None:
        self.end, self.count, pages = HEADER.unpack_from(state)
        ends = [HEADER.size, HEADER.size + 8 * pages, HEADER.size + 16 * pages]
        self._numbers, self._alive = _little_endian(
            array("Q", state[start:stop]) for start, stop in pairwise(ends)
        )
        self._marks = bytearray(state[ends[2] : ends[2] + pages])


def _little_endian(columns: Iterable[array[int]]) -> list[array[int]]:
    """Return `columns` with the bytes of each number in the order that they have on disk."""
    turned = [array("Q", column) for column in columns]
    if sys.byteorder == "big":
        for column in turned:
            column.byteswap()
    return turned
