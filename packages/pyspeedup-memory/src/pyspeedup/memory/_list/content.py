"""The live content of a list: changes of many items, each whole or not at all.

They build new pages aside, put them into the table in place of the old ones, and delete these last:
until then nothing has changed.
"""

from __future__ import annotations

import sys
from itertools import repeat
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._list.items import ListItems
from pyspeedup.memory._list.rows import Rows
from pyspeedup.memory._list.sorting import Sorting, batches, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspeedup.memory._list.page_builder import PageBuilder

__all__ = ["ListContent"]


class ListContent(ListItems):
    """Changes of many items. Where nothing else is said, indexes are in range here, and never negative."""

    def _build(self, built: PageBuilder, indexes: range, values: Iterable[Any]) -> None:
        """Add `values` to the pages of `built`; `indexes` are theirs, for messages."""
        built.add_values(values, lambda place, error: self._refused(indexes[place], error))

    def replace(self, start: int, stop: int, values: Iterable[Any]) -> None:
        """Put `values` in place of the items from `start` to `stop`; all or nothing.

        Costs O(values + items replaced + page). Should making the values change the list, then what
        is at these indexes afterwards is replaced, as in a list.
        """
        with self.pages.changing() as built:
            self._build(built, range(start, sys.maxsize), values)
            start = min(start, len(self))
            self.pages.splice(start, min(max(start, stop), len(self)), built)
        self.changed()

    def replace_each(self, indexes: range, values: list[Any]) -> None:
        """Put `values` in place of the items at `indexes`, as many and ascending; all or nothing.

        Costs O(items from the first to the last of them).
        """
        with self.pages.changing() as fresh, self.pages.building() as built:
            self._build(fresh, indexes, values)
            self._weave(indexes, fresh.rows(), built)
            self.pages.splice(indexes[0], indexes[-1] + 1, built)
        self.changed()

    def delete_each(self, indexes: range) -> None:
        """Remove the items at `indexes`, ascending, in O(items from the first to the last of them)."""
        with self.pages.changing() as built:
            self._weave(indexes, repeat(Rows([], [])), built)
            self.pages.splice(indexes[0], indexes[-1] + 1, built)
        self.changed()

    def clear(self) -> None:
        """Remove all items, in O(pages) and reading each."""
        self.replace(0, len(self), ())

    def repeat(self, times: int) -> None:
        """Add `times` copies of all items at the end, in O(items added)."""
        with self.pages.changing() as built:
            for _ in range(times):
                for rows in self.pages.pieces(0, len(self)):
                    built.add_copies(rows)
            self.pages.splice(len(self), len(self), built)
        self.changed()

    def reverse(self) -> None:
        """Turn the order round, in O(n)."""
        with self.pages.changing() as built:
            for number, count in reversed(list(self.pages.table)):
                rows = self.pager.page(number).rows(0, count)
                built.add_rows(Rows(rows.bodies[::-1], rows.live[::-1]))
            self.pages.splice(0, len(self), built)
        self.changed()

    def sort(self, key: Callable[[Any], Any] | None, *, reverse: bool) -> None:
        """Sort stably, in O(n log n); as many items are in RAM as pages may be."""
        with self.pages.changing() as built:
            sorting = Sorting(
                self.pager,
                self.pages.builder,
                key,
                reverse=reverse,
                max_rows=self.max_pages * self.volume.page_size,
                max_bytes=self.ram_limit,
            )
            check = guard(self, "list modified during sort")
            sorting.sort(batches(self, sorting, check), built)
            check()
            self.pages.splice(0, len(self), built)
        self.changed()

    def _weave(self, indexes: range, woven: Iterator[Rows], built: PageBuilder) -> None:
        """Build the rows that `indexes` span, with those of `woven` in place of the indexes' own."""
        for index in indexes:
            built.add_rows(next(woven))
            for rows in self.pages.pieces(index + 1, min(index + indexes.step, indexes[-1] + 1)):
                built.add_rows(rows)
