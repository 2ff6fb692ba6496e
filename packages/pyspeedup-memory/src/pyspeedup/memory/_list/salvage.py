"""Reading all that can be read of a damaged list: row by row, past damaged places, telling what is lost.

The check of each row says whether it is whole, so nothing else of its page has to be. How many rows
each page has is part of the state, which was checked when the volume was opened: so what is lost is
counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._list.records import ROW_SIZE, peek_body
from pyspeedup.memory._storage.salvaging import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from pyspeedup.memory._list.content import ListContent

    Item: TypeAlias = tuple[int, Any]

__all__ = ["salvage_items"]

DAMAGE = (StoreCorruptedError, OSError)
"""What reading a row raises that is damaged, or that lies where the disk is."""
LOST = (*DAMAGE, SerializationError)


def salvage_items(content: ListContent) -> Iterator[Item | Damage]:
    """Yield index and value of each item that can be read, in order, and the damage between them.

    Items that follow each other and have the same reason are one damage. Nothing may have changed
    since the last commit. Costs O(items), and the RAM of one item; a page that cannot be read at all
    costs O(1).

    >>> from pyspeedup.memory import DiskList
    >>> with DiskList.temporary() as l:
    ...     l.extend("ab")
    ...     l.sync()
    ...     list(salvage_items(l._content))
    [(0, 'a'), (1, 'b')]
    """
    lost, reason = range(0), ""
    for indexes, found in _Salvage(content).found():
        if lost and not (isinstance(found, str) and found == reason):
            yield _damage(lost, reason)
            lost = range(0)
        if isinstance(found, str):
            lost, reason = range((lost or indexes).start, indexes.stop), found
        else:
            yield indexes.start, found[0]
    if lost:
        yield _damage(lost, reason)


def _damage(lost: range, reason: str) -> Damage:
    where = f"index {lost[0]}" if len(lost) == 1 else f"indexes {lost[0]} to {lost[-1]}"
    return Damage(where, reason, len(lost))


class _Salvage:
    """One reading of a list, from the first page to the last."""

    def __init__(self, content: ListContent) -> None:
        self._table = content.pages.table
        self._pager = content.pager
        self._volume = content.volume

    def found(self) -> Iterator[tuple[range, list[Any] | str]]:
        """Yield indexes with the value that is there, in a list, or why none of these can be read."""
        start = 0
        for page, rows in self._table:
            reason = self._why_unreadable(page, rows)
            if reason:
                yield range(start, start + rows), reason
            else:
                for row in range(rows):
                    yield range(start + row, start + row + 1), self._value(page, rows, row)
            start += rows

    def _why_unreadable(self, page: int, rows: int) -> str:
        """Return why no row of a page can be read; nothing where one can, as far as its ends tell."""
        reason = ""
        for row in {0, rows - 1}:
            try:
                self._volume.peek(page, ROW_SIZE * row, ROW_SIZE * (row + 2))
            except DAMAGE as error:
                reason = str(error)
            else:
                return ""
        return reason

    def _value(self, page: int, rows: int, row: int) -> list[Any] | str:
        try:
            body = peek_body(self._volume.peek, page, rows, row, self._pager.cold.seed(page))
            return [self._pager.codec.decode(self._pager.own.fetch(body))]
        except LOST as error:
            return str(error)
        except ValueError as error:
            return f"{self._volume.name}, page {page}: {error}"
