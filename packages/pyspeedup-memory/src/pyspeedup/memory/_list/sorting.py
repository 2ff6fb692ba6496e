"""Sorts rows that need not fit into RAM: sorted runs in pages of their own, merged."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._list.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspeedup.memory._list.content import ListContent
    from pyspeedup.memory._list.page_builder import PageBuilder
    from pyspeedup.memory._list.pager import Pager
    from pyspeedup.memory._list.rows import Row

__all__ = ["Sorting", "batches", "guard"]

GATHERED = 256
"""How many merged rows are put into a page in one go."""


class Sorting:
    """How a list is to be sorted. About `max_rows` rows, and `max_bytes` of values, are in RAM.

    `key` is called once a value, and once more where the values do not fit into one run: it need
    not be possible to keep what it returns.
    """

    def __init__(
        self,
        pager: Pager,
        new_builder: Callable[[], PageBuilder],
        key: Callable[[Any], Any] | None,
        *,
        reverse: bool,
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self._pager = pager
        self._new_builder = new_builder
        self._key = key
        self._reverse = reverse
        self.max_rows = max_rows
        self.max_bytes = max_bytes

    def sort(self, batches: Iterable[tuple[list[Any], Rows]], built: PageBuilder) -> None:
        """Add the rows of all batches to `built` in the order of their values.

        Whatever `key` or a comparison raises is passed on; the rows are still where they were.
        """
        runs: list[PageBuilder] = []
        try:
            for values, rows in batches:
                runs.append(self._new_builder())
                runs[-1].add_rows(self._in_order(values, rows))
                del values, rows  # else two batches would be in RAM
            if len(runs) == 1:
                built.adopt(runs[0])
            else:
                self._merge(runs, built)
        finally:
            for run in runs:
                run.close()

    def _in_order(self, values: list[Any], rows: Rows) -> Rows:
        keys = self._keys(values)
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=self._reverse)
        return Rows([rows.bodies[row] for row in order], [rows.live[row] for row in order])

    def _keys(self, values: list[Any]) -> list[Any]:
        return values if self._key is None else [self._key(value) for value in values]

    def _merge(self, runs: list[PageBuilder], built: PageBuilder) -> None:
        heads = [
            head
            for order, run in enumerate(runs)
            for head in [_Head(order, self._read(run, len(runs)), reverse=self._reverse)]
            if head.advance()
        ]
        heapq.heapify(heads)
        gathered = Rows([], [])
        while heads:
            head = heads[0]
            gathered.bodies.append(head.body)
            gathered.live.append(head.live)
            if head.advance():
                heapq.heapreplace(heads, head)
            else:
                heapq.heappop(heads)
            if len(gathered.bodies) >= GATHERED or not heads:
                built.add_rows(gathered)
                gathered = Rows([], [])

    def _read(self, run: PageBuilder, runs: int) -> Iterator[tuple[Any, Row, Any]]:
        """Iterate over keys, bodies and live objects of a run, with its share of RAM."""
        rows_at_once = max(1, self.max_rows // runs)
        bytes_at_once = max(1, self.max_bytes // runs // 8)
        for number, count in run.pages():
            start = 0
            while start < count:
                page = self._pager.page(number)
                stop = min(start + rows_at_once, page.reach(start, bytes_at_once))
                keys = self._keys(page.values(start, stop))
                yield from zip(keys, *page.rows(start, stop), strict=True)
                start = stop


class _Head:
    """The next row of a run. Only ``<`` of keys is asked, as by ``list.sort``; runs break ties."""

    __slots__ = ("_order", "_reader", "_reverse", "body", "key", "live")

    def __init__(
        self, order: int, reader: Iterator[tuple[Any, Row, Any]], *, reverse: bool
    ) -> None:
        self._order = order
        self._reader = reader
        self._reverse = reverse

    def advance(self) -> bool:
        """Go to the next row; false where there is none."""
        following = next(self._reader, None)
        if following is not None:
            self.key, self.body, self.live = following
        return following is not None

    def __lt__(self, other: _Head) -> bool:
        first, second = (other, self) if self._reverse else (self, other)
        if first.key < second.key:
            return True
        if second.key < first.key:
            return False
        return self._order < other._order


def guard(content: ListContent, message: str) -> Callable[[], None]:
    """Return what raises `ValueError` once the list is not as it is now."""
    before = content.walks.version, len(content)

    def check() -> None:
        if before != (content.walks.version, len(content)):
            raise ValueError(message)

    return check


def batches(
    content: ListContent, sorting: Sorting, check: Callable[[], None]
) -> Iterator[tuple[list[Any], Rows]]:
    """Iterate over values and rows of a whole list, as many at a time as RAM may hold."""
    index = 0
    while index < len(content):
        values: list[Any] = []
        rows = Rows([], [])
        size = 0
        while index < len(content) and len(values) < sorting.max_rows and size < sorting.max_bytes:
            some = content.run(index, sorting.max_rows - len(values))
            page, row = content.pages.page_of(index)
            part = page.rows(row, row + len(some))
            values += some
            rows.extend(part)
            size += Rows(part.bodies, some).weight()
            index += len(some)
        yield values, rows
        del values, rows, some, part  # else two batches would be in RAM
        check()
