"""The rows of a list in their pages, in order; a range of them is replaced all or nothing.

New pages are built aside, put into the table in place of the old ones, and these are deleted last:
until then nothing has changed. A page is split above twice the page size, and joined to a neighbour
below a quarter.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pyspeedup.memory._list.page_builder import PageBuilder
from pyspeedup.memory._pages.page import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.memory._list.page_table import PageTable
    from pyspeedup.memory._pages.page import RecordPage
    from pyspeedup.memory._pages.pager import Pager

__all__ = ["OrderedPages"]

MERGE_BELOW = 4
"""A page with fewer items than this part of a full one joins its neighbour."""


class OrderedPages:
    """Rows by index, in pages of `pager`. `version` counts the changes; who makes one counts it."""

    def __init__(self, pager: Pager, page_size: int, table: PageTable, version: int = 0) -> None:
        self.pager = pager
        self.page_size = page_size
        self.table = table
        self.version = version
        self._window: tuple[RecordPage | None, int, int] = (None, 0, 0)
        """The page looked at last, and where its items begin and end."""

    def __len__(self) -> int:
        """Return the number of rows, in O(1)."""
        return len(self.table)

    def page_of(self, index: int) -> tuple[RecordPage, int]:
        """Return the page that holds an item, and the index of that page's first one."""
        page, begin, end = self._window
        if page is not None and begin <= index < end and not self.pager.is_heavy:
            return page, begin
        group, slot, row = self.table.locate(index)
        page = self.pager.page(self.table.number(group, slot))
        begin = index - row
        self._window = (page, begin, begin + len(page))
        return page, begin

    def look_at_last(self, page: RecordPage) -> None:
        """Note that the last page, which was looked at just now, has grown."""
        self._window = (page, len(self) - len(page), len(self))
        self.version += 1

    def forget_window(self) -> None:
        """Note that rows have moved."""
        self._window = (None, 0, 0)
        self.version += 1

    def split(self, group: int, slot: int) -> None:
        """Move the second half of a page to a new one."""
        page = self.pager.page(self.table.number(group, slot))
        other = self.pager.new_page()
        page.split(len(page) // 2, other)
        both = [(page.number, len(page)), (other.number, len(other))]
        self.table.replace(group, slot, 1, both)
        self.forget_window()

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
            page, begin = self.page_of(start)
            end = min(stop, begin + len(page))
            yield page.rows(start - begin, end - begin)
            start = end

    def builder(self) -> PageBuilder:
        """Return a builder of pages as they are here."""
        return PageBuilder(self.pager, self.page_size)

    def building(self) -> closing[PageBuilder]:
        """Return a builder for a ``with`` block; what it still has in the end is deleted."""
        return closing(self.builder())

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
            self.table.replace(*first, len(old), made.pages())
            made.hand_over()
        self.forget_window()
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
