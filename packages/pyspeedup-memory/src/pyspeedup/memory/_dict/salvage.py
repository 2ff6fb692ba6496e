"""Reading all that can be read of a damaged dict: entry by entry, past the index, telling what is lost.

The check of each record says whether it is whole, so nothing else has to be: rows and records are
peeked at, whatever else their pages have suffered. How many live entries each page of rows has is part
of the state, which was checked when the volume was opened: so what is lost is counted.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._short_repr import named
from pyspeedup.memory._storage.salvaging import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from pyspeedup.memory._dict.entries import EntryLog, Record

    Item: TypeAlias = tuple[Any, Any]

__all__ = ["salvage_entries"]

DAMAGE = (StoreCorruptedError, OSError)
"""What reading an entry raises that is damaged, or that lies where the disk is."""
NO_ROW = (*DAMAGE, KeyError, struct.error)


def salvage_entries(log: EntryLog) -> Iterator[Item | Damage]:
    """Yield each item that can be read, in order, and the damage between them.

    Damage of a page of rows is told after the items in it. Costs O(entries), and the RAM of one item;
    a page of rows that cannot be read at all costs O(1).

    >>> from pyspeedup.memory import DiskDict
    >>> with DiskDict.temporary() as d:
    ...     d["a"] = 1
    ...     d.sync()
    ...     list(salvage_entries(d._content.log))
    [('a', 1)]
    """
    salvage = _Salvage(log)
    for index in range(log.rows.page_count):
        if log.rows.alive[index]:
            yield from salvage.page(index)


class _Run:
    """Entries from `first` to `last` of which some cannot be read, for one reason."""

    def __init__(self, first: int, last: int, reason: str, before: str) -> None:
        self.first, self.last = first, last
        self.count = 1
        self.reason = reason
        self.before = before  # names the item that was read before them

    def damage(self, items: int) -> Damage:
        """Return what is told of it, where so many items are lost."""
        entries = f"entries {self.first} to {self.last}"
        where = f"entry {self.first}" if self.first == self.last else entries
        return Damage(where + self.before, self.reason, items)


class _Salvage:
    """One reading of a log, from the first entry to the last."""

    def __init__(self, log: EntryLog) -> None:
        self._log = log
        self._last_read = -1
        self._last_key: tuple[Any, ...] = ()

    def page(self, index: int) -> Iterator[Item | Damage]:
        """Yield the items of a page of rows, then what is lost of it."""
        rows = self._log.rows
        start = index * rows.page_size
        entries = range(start, min(start + rows.page_size, rows.end))
        whole = _Run(entries[0], entries[-1], self._why_unreadable(entries), self._after())
        if whole.reason:
            yield whole.damage(rows.alive[index])
            return
        runs: list[_Run] = []
        lost = rows.alive[index]
        for entry in entries:
            try:
                record = self._log.record(entry)
            except DAMAGE as error:
                self._extend(runs, entry, str(error))
            else:
                if record is not None:
                    lost -= 1
                    yield self._item(record, entry)
        yield from _told(runs, whole, lost)

    def _why_unreadable(self, entries: range) -> str:
        """Return why no row of a page can be read; nothing where one can, as far as its ends tell."""
        reason = ""
        for entry in (entries[0], entries[-1]):
            try:
                self._log.rows.get(entry)
            except NO_ROW as error:
                reason = str(error) or repr(error)
            else:
                return ""
        return reason

    def _item(self, record: Record, entry: int) -> Item | Damage:
        self._last_read = entry
        try:
            key = self._log.key_of(record, entry)
        except SerializationError as error:
            return Damage(f"entry {entry}{self._after()}", str(error))
        self._last_key = (key,)
        try:
            return key, self._log.value_of(record, entry)
        except SerializationError as error:
            return Damage(f"key {named(key)}", str(error))

    def _extend(self, runs: list[_Run], entry: int, reason: str) -> None:
        """Note an entry that cannot be read, with those before it if nothing was read since."""
        if runs and runs[-1].last > self._last_read:
            runs[-1].last = entry
            runs[-1].count += 1
        else:
            runs.append(_Run(entry, entry, reason, self._after()))

    def _after(self) -> str:
        return f", after key {named(self._last_key[0])}" if self._last_key else ""


def _told(runs: list[_Run], whole: _Run, lost: int) -> Iterator[Damage]:
    """Yield the damage of a page of which so many items are lost.

    A damaged row may be that of an item that was removed long ago. Then nobody can tell which of them
    are lost, but how many are.
    """
    if sum(run.count for run in runs) == lost:
        for run in runs:
            yield run.damage(run.count)
    elif lost > 0:
        whole.reason = runs[0].reason if runs else "fewer are there than were counted"
        yield whole.damage(lost)
