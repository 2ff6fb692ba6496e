"""Builds pages aside: of values that are new, and of rows that move there from other pages."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._page import Rows
from pyspeedup.memory._records import OwnPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.memory._page import RecordPage
    from pyspeedup.memory._pager import Pager
    from pyspeedup.memory._records import Body

__all__ = ["PageBuilder"]


class PageBuilder:
    """Pages with `page_size` rows each, in the order in which they were added. 16 bytes of RAM a page."""

    def __init__(self, pager: Pager, page_size: int) -> None:
        self._pager = pager
        self._page_size = page_size
        self._numbers = array("Q")
        self._counts = array("Q")
        self._made: list[OwnPage] = []
        self.moved: set[OwnPage] = set()

    def __len__(self) -> int:
        """Return the number of rows, in O(pages)."""
        return sum(self._counts)

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return len(self._numbers)

    def pages(self) -> Iterator[tuple[int, int]]:
        """Iterate over page numbers and counts."""
        return zip(self._numbers, self._counts, strict=True)

    def add_value(self, value: Any) -> None:
        """Add a row of one value; `SerializationError` leaves everything as it was."""
        page = self._page_with_room()
        row = page.append(value)
        self._made += page.own_pages(row)
        self._counts[-1] += 1

    def add_rows(self, rows: Rows) -> None:
        """Add rows of another page, which keeps them until it is forgotten."""
        self.moved.update(body for body in rows.bodies if type(body) is OwnPage)
        done = 0
        while done < len(rows.bodies):
            page = self._page_with_room()
            taken = rows.part(done, done + self._page_size - len(page))
            page.put(len(page), taken)
            self._counts[-1] += len(taken.bodies)
            done += len(taken.bodies)

    def add_rows_evenly(self, rows: Rows) -> None:
        """Add rows of other pages to new pages, as many to each."""
        total = len(rows.bodies)
        pages = -(-total // self._page_size)
        for number in range(pages):
            self._new_page()
            self.add_rows(rows.part(number * total // pages, (number + 1) * total // pages))

    def add_copies(self, rows: Rows) -> None:
        """Add rows of another page that keeps them for good."""
        self.add_rows(Rows([self._copied(body) for body in rows.bodies], rows.live))

    def _copied(self, body: Body) -> Body:
        if not isinstance(body, OwnPage):
            return body
        copy = OwnPage(self._pager.write_apart(self._pager.fetch(body)), body.length)
        self._made.append(copy)
        return copy

    def pop_last(self) -> Rows:
        """Return the rows of the last page, which ceases to be; no rows where there is no page."""
        if not self._numbers:
            return Rows([], [])
        page = self._pager.page(self._numbers.pop())
        rows = page.rows(0, self._counts.pop())
        self._pager.forget(page.number)
        return rows

    def adopt(self, other: PageBuilder) -> None:
        """Take over the pages of another builder, behind one's own, in O(pages)."""
        self._numbers += other._numbers
        self._counts += other._counts
        self._made += other._made
        self.moved |= other.moved
        other.hand_over()

    def rows(self) -> Iterator[Rows]:
        """Iterate over the rows, one by one."""
        for number, count in self.pages():
            page = self._pager.page(number)
            for row in range(count):
                yield page.rows(row, row + 1)

    def hand_over(self) -> None:
        """Be empty: the pages belong to somebody else now."""
        self._numbers = array("Q")
        self._counts = array("Q")
        self._made = []
        self.moved = set()

    def forget(self) -> None:
        """Delete all pages; what their rows keep elsewhere belongs to somebody else now."""
        numbers = self._numbers
        self.hand_over()
        for number in numbers:
            self._pager.forget(number)

    def discard(self) -> None:
        """Delete all pages, and what was written for values that were added; moved rows stay."""
        made = self._made
        self.forget()
        self._pager.release(made)

    def _page_with_room(self) -> RecordPage:
        if self._numbers and self._counts[-1] < self._page_size:
            return self._pager.page(self._numbers[-1])
        return self._new_page()

    def _new_page(self) -> RecordPage:
        page = self._pager.new_page()
        self._numbers.append(page.number)
        self._counts.append(0)
        return page
