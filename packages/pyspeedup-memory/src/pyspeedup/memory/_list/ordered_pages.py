"""The rows of a list in their pages, in order; a range of them is replaced all or nothing.

New pages are built aside, put into the table in place of the old ones, and these are deleted last:
until then nothing has changed. A page is split above twice the page size, and joined to a neighbour
below a quarter.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pyspeedup.memory._list.page_builder import PageBuilder
from pyspeedup.memory._list.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyspeedup.memory._list.page import ListPage
    from pyspeedup.memory._list.page_table import PageTable
    from pyspeedup.memory._list.pager import Pager
    from pyspeedup.memory._list.walking import Walks

__all__ = ["OrderedPages"]

MERGE_BELOW = 4
"""A page with fewer items than this part of a full one joins its neighbour."""


class OrderedPages:
    """Rows by index, in pages of `pager`. `walks` are told of every change but that of an append."""

    def __init__(self, pager: Pager, table: PageTable, walks: Walks) -> None:
        self.pager = pager
        self.page_size = pager.page_size
        self.table = table
        self.walks = walks
        self.near: ListPage | None = None
        """The page looked at last; to be used while it is in front of the pager."""
        self.begin = 0
        """The index of its first item."""
        self.tail: ListPage | None = None
        """The last page, once it was appended to; to be used like that."""
        self._place = (0, 0)
        self._changes = 0

    def __len__(self) -> int:
        """Return the number of rows, in O(1)."""
        return len(self.table)

    def page_of(self, index: int) -> tuple[ListPage, int]:
        """Return the page that holds an item, and the item's row there."""
        page, row = self.near, index - self.begin
        if page is not None and page is self.pager.front and 0 <= row < len(page.live):
            return page, row
        group, slot, row = self.table.locate(index)
        page = self.pager.page(self.table.number(group, slot))
        self.near, self.begin, self._place = page, index - row, (group, slot)
        return page, row

    def set(self, index: int, value: Any) -> None:
        """Replace an item; its page is near then, or the item waits."""
        page, row = self.near, index - self.begin
        if page is not None and page is self.pager.front and 0 <= row < len(page.live):
            page.set(row, value)
        else:
            number, _, row = self.table.find(index)
            self.pager.set_value(number, row, value)
        walks = self.walks
        walks.version += 1
        if walks.under_way:
            walks.set(index, value)

    def append(self, value: Any) -> bool:
        """Add an item to the last page; false, and nothing done, if that is full."""
        page = self._last_with_room()
        if page is None:
            return False
        try:
            page.append(value)
            self.table.resize_last(len(page.live))
        except BaseException:
            self.table.resize_last(len(page.live))
            raise
        return True

    def take_late(self, values: list[Any]) -> None:
        """Move the first of `values`, which are late, to the end, as many as go into one page.

        Where that raises they are still in `values`, and not at the end.
        """
        page = self._last_with_room()
        if page is not None:
            self._fill_last(page, values)
        elif len(values) >= self.page_size:
            self._add_page(self.pager.write_late(values[: self.page_size]), self.page_size, values)
        else:
            some = values[:]
            page = self.pager.new_page()
            page.append_late(some)
            self._add_page(page.number, len(some), values)

    def _fill_last(self, page: ListPage, values: list[Any]) -> None:
        try:
            page.append_late(values[: self.page_size - len(page)])
            self.table.resize_last(len(page.live), values)
        except BaseException:
            page.take(self.table.last_count, len(page))
            raise

    def _add_page(self, number: int, count: int, values: list[Any]) -> None:
        self.tail = None
        self.table.replace(*self.table.end(), 0, [(number, count)], source=values, taken=count)
        self.moved()

    def _last_with_room(self) -> ListPage | None:
        page = self.tail
        if page is None or page is not self.pager.front or len(page.live) >= self.page_size:
            place = self.last_place()
            if place is None:
                return None
            page = self.tail = self.pager.page(self.table.number(*place))
        return page

    def insert(self, index: int, value: Any) -> None:
        """Put an item before that of `index`, in O(page)."""
        page, row = self.page_of(index)
        if len(page) >= 2 * self.page_size:
            self._split(page)
            page, row = self.page_of(index)
        try:
            page.insert(row, value)
            self._resized(page)
        except BaseException:
            self._resized(page)
            raise

    def _resized(self, page: ListPage) -> None:
        """Note how many rows there are in a page that is near; it may be noted already."""
        self.table.resize(*self._place, len(page.live))
        self.walks.moved()

    def delete(self, index: int) -> None:
        """Remove an item, in O(page)."""
        page, row = self.page_of(index)
        left = len(page.live) - 1
        may_join = left < self.page_size // MERGE_BELOW
        if not left or (may_join and self.neighbour(self._place, self._place, left)):
            with self.changing() as nothing:
                self.splice(index, index + 1, nothing)
        else:
            try:
                page.delete(row)
                self._resized(page)
            except BaseException:
                self._resized(page)
                raise

    def moved(self) -> None:
        """Note that pages have changed their places."""
        self.near = self.tail = None
        self.walks.moved()

    def _split(self, page: ListPage) -> None:
        """Move the second half of a page, which is near, to a new one."""
        place, half = self._place, len(page) // 2
        other = self.pager.new_page()
        self.near = self.tail = None
        rows = page.rows(half, len(page))
        try:
            # First out of here: what a row has elsewhere belongs to one page at any time.
            rows = page.take(half, len(page))
            other.put(0, rows)
            self.table.replace(*place, 1, [(page.number, half), (other.number, len(other))])
        except BaseException:
            if len(page) < self.table.count(*place):
                page.put(half, rows)
            raise
        self.moved()

    def last_place(self) -> tuple[int, int] | None:
        """Return the place of the last page if it has room for one more item."""
        if not len(self):
            return None
        place = self.table.before(*self.table.end())
        is_full = place is None or self.table.count(*place) >= self.page_size
        return None if is_full else place

    def pieces(self, start: int, stop: int) -> Iterator[Rows]:
        """Iterate over the rows of a range, page by page."""
        while start < stop:
            page, row = self.page_of(start)
            end = min(row + stop - start, len(page))
            yield page.rows(row, end)
            start += end - row

    def builder(self) -> PageBuilder:
        """Return a builder of pages as they are here."""
        return PageBuilder(self.pager, self.page_size)

    def building(self) -> closing[PageBuilder]:
        """Return a builder for a ``with`` block; what it still has in the end is deleted."""
        return closing(self.builder())

    @contextmanager
    def changing(self) -> Iterator[PageBuilder]:
        """Return a builder for a change, for a ``with`` block; what it still has in the end is deleted.

        After the outermost change no row is in two pages, also where one of them could not be deleted.
        """
        self._changes += 1
        try:
            with self.building() as built:
                yield built
        finally:
            self._changes -= 1
            if not self._changes:
                self.pager.own.shared.clear()

    def splice(self, start: int, stop: int, middle: PageBuilder) -> None:
        """Put the rows of `middle` in place of those from `start` to `stop`: all or nothing."""
        first, old, left, right = self._edges(start, stop, len(middle))
        with self.building() as made, closing(middle.split_last()) as last:
            between = Rows([], [])
            for rows in last.rows():
                between.extend(rows)
            if middle.page_count:
                made.add_rows_evenly(left)
                made.adopt(middle)
                made.add_rows_evenly(between + right)
            else:
                made.add_rows_evenly(left + between + right)
            self.near = self.tail = None
            made.hand_over(self.table, first, len(old))
        self.moved()
        for number in old:
            self.pager.drop(number)

    def _edges(
        self, start: int, stop: int, between: int
    ) -> tuple[tuple[int, int], list[int], Rows, Rows]:
        """Return which pages a splice concerns, and which rows of theirs stay before and behind it.

        A neighbour is among them if its rows and the few that are left fit into one page.
        """
        first, left = self._edge_before(start)
        last, right = self._edge_behind(start, stop)
        if first is None or last is None:
            return self.table.end(), [], left, right
        total = len(left.bodies) + between + len(right.bodies)
        neighbour = self.neighbour(first, last, total)
        if neighbour is not None:
            page = self.pager.page(self.table.number(*neighbour))
            rows = page.rows(0, len(page))
            if neighbour < first:
                first, left = neighbour, rows + left
            else:
                last, right = neighbour, right + rows
        return first, self.table.numbers(first, last), left, right

    def _edge_before(self, start: int) -> tuple[tuple[int, int] | None, Rows]:
        if start == len(self):
            place = self.last_place()
            row = 0 if place is None else self.table.count(*place)
        else:
            group, slot, row = self.table.locate(start)
            place = group, slot
        return place, self._rows_at(place, 0, row)

    def _edge_behind(self, start: int, stop: int) -> tuple[tuple[int, int] | None, Rows]:
        if start == len(self):
            return self.last_place(), Rows([], [])
        group, slot, row = self.table.locate(max(start, stop - 1))
        row += stop > start
        place = group, slot
        return place, self._rows_at(place, row, self.table.count(*place))

    def _rows_at(self, place: tuple[int, int] | None, start: int, stop: int) -> Rows:
        if place is None:
            return Rows([], [])
        return self.pager.page(self.table.number(*place)).rows(start, stop)

    def neighbour(
        self, first: tuple[int, int], last: tuple[int, int], total: int
    ) -> tuple[int, int] | None:
        """Return the place of a page that `total` rows in place of some pages are to be joined to."""
        if not 0 < total < self.page_size // MERGE_BELOW:
            return None
        for place in (self.table.before(*first), self.table.after(*last)):
            if place is not None and self.table.count(*place) + total <= self.page_size:
                return place
        return None
