"""Builds pages aside: of values that are new, and of rows that are in other pages too."""

from __future__ import annotations

from array import array
from itertools import islice
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._list.plain import encode_many
from pyspeedup.memory._list.rows import ABSENT, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspeedup.memory._list.page import ListPage
    from pyspeedup.memory._list.page_table import PageTable
    from pyspeedup.memory._list.pager import Pager

__all__ = ["PageBuilder"]

FIRST_BATCH = 16
LARGEST_BATCH = 1024
"""How many values are taken in order to be encoded in one go, while they are small and plain."""


class PageBuilder:
    """Pages with `page_size` rows each, in the order in which they were added.

    16 bytes of RAM a page. Rows of other pages stay there too; what both keep elsewhere lasts until
    neither has it.
    """

    def __init__(self, pager: Pager, page_size: int) -> None:
        self._pager = pager
        self._page_size = page_size
        self._numbers = array("Q")
        self._counts = array("Q")

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

    def rows(self) -> Iterator[Rows]:
        """Iterate over the rows, one by one."""
        for number, count in self.pages():
            page = self._pager.page(number)
            for row in range(count):
                yield page.rows(row, row + 1)

    def add_value(self, value: Any) -> None:
        """Add a row of one value; `SerializationError` leaves everything as it was."""
        self._page_with_room().append(value)
        self._counts[-1] += 1

    def add_values(
        self,
        values: Iterable[Any],
        refused: Callable[[int, SerializationError], SerializationError],
    ) -> None:
        """Add rows of `values`, many by one call where they are plain.

        `refused` makes of an error what is raised for the value at a place.
        """
        iterator = iter(values)
        done, limit = 0, LARGEST_BATCH if isinstance(values, list | tuple | range) else FIRST_BATCH
        while batch := list(islice(iterator, min(limit, self._room()))):
            bodies = encode_many(batch) if self._pager.encodes_late else None
            if bodies is None:
                self._add_each(batch, done, refused)
                limit = FIRST_BATCH
            else:
                self._add_bodies(bodies)
                limit = min(4 * limit, LARGEST_BATCH)
            done += len(batch)

    def _add_each(
        self,
        values: list[Any],
        done: int,
        refused: Callable[[int, SerializationError], SerializationError],
    ) -> None:
        for place, value in enumerate(values, done):
            try:
                self.add_value(value)
            except SerializationError as error:
                raise refused(place, error) from error

    def _add_bodies(self, bodies: list[bytes]) -> None:
        """Add rows of values that cannot change, as many as there is room for in one page at most."""
        rows = Rows(self._pager.own.put_away_all(bodies), [ABSENT] * len(bodies))
        if len(bodies) < self._page_size:
            self._put(rows)
            return
        try:
            number = self._pager.write_new(rows.bodies)  # type: ignore[arg-type]  # none of them is late
        except BaseException:
            self._pager.own.release(rows.bodies)
            raise
        self._numbers.append(number)
        self._counts.append(len(bodies))

    def _room(self) -> int:
        """Return how many rows go into the page that is added to next."""
        left = self._page_size - self._counts[-1] if self._counts else 0
        return left or self._page_size

    def add_rows(self, rows: Rows) -> None:
        """Add rows that are in other pages."""
        self._pager.own.share(rows.bodies)
        self._put(rows)

    def add_rows_evenly(self, rows: Rows) -> None:
        """Add rows that are in other pages to new pages, as many to each."""
        total = len(rows.bodies)
        pages = -(-total // self._page_size)
        for number in range(pages):
            self._new_page()
            self.add_rows(rows.part(number * total // pages, (number + 1) * total // pages))

    def add_copies(self, rows: Rows) -> None:
        """Add copies of rows that are in other pages and stay there."""
        self._put(Rows(self._pager.own.copies(rows.bodies), rows.live))

    def split_last(self) -> PageBuilder:
        """Return a builder with the last page, if there is one, which is no longer in this one."""
        last = PageBuilder(self._pager, self._page_size)
        last._numbers, self._numbers = self._numbers[-1:], self._numbers[:-1]
        last._counts, self._counts = self._counts[-1:], self._counts[:-1]
        return last

    def adopt(self, other: PageBuilder) -> None:
        """Take over the pages of another builder, behind one's own, in O(pages)."""
        self._counts += other._counts
        self._numbers += (
            other._numbers
        )  # without a call from here on: no page is in both, or in none
        del other._numbers[:]
        del other._counts[:]

    def hand_over(self, table: PageTable, place: tuple[int, int], removed: int) -> None:
        """Put the pages into `table` in place of `removed` ones from `place` on, and be empty."""
        pages = list(self.pages())
        table.replace(*place, removed, pages, source=self._numbers, taken=len(pages))
        del self._counts[:]

    def close(self) -> None:
        """Delete all pages that are still here."""
        numbers, self._numbers, self._counts = self._numbers, array("Q"), array("Q")
        for number in numbers:
            self._pager.drop(number)

    def _put(self, rows: Rows) -> None:
        """Put rows into pages; what those for which there is no room keep elsewhere is let go of.

        Not where that is an interruption: it may have come when they were in a page.
        """
        done = 0
        try:
            while done < len(rows.bodies):
                page = self._page_with_room()
                part = rows.part(done, done + self._page_size - len(page))
                page.put(len(page), part)
                self._counts[-1] += len(part.bodies)
                done += len(part.bodies)
        except Exception:
            self._pager.own.release(rows.bodies[done:])
            raise

    def _page_with_room(self) -> ListPage:
        if self._numbers and self._counts[-1] < self._page_size:
            return self._pager.page(self._numbers[-1])
        return self._new_page()

    def _new_page(self) -> ListPage:
        page = self._pager.new_page()
        self._numbers.append(page.number)
        self._counts.append(0)
        return page
