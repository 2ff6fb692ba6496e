"""Writes a dict's items when enough of them wait, and sees that they take no more room than they should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._dict.clock import Clock
from pyspeedup.memory._dict.items import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized

    from pyspeedup.memory._dict.items import Items
    from pyspeedup.memory._dict.known_keys import KnownKeys
    from pyspeedup.memory._dict.unwritten import Unwritten

__all__ = ["Upkeep"]

WAITING_ROWS = 16_384
TIDY_BYTES = 64
"""Bytes of records that may be moved for each item that was written."""
PAGES_AT_ONCE = 64
"""Pages of rows that are rewritten at a time, where many rows wait."""


class Upkeep:
    """What moves the `unwritten` to `items`, in steps none of which takes long.

    `key_clock` ticks when keys come or go. `scans` holds something while iterators are under way:
    entries keep their numbers then.
    """

    def __init__(
        self, items: Items, unwritten: Unwritten, known: KnownKeys, scans: Sized, *, most: int
    ) -> None:
        """Let at most about `most` rows wait for their pages."""
        self._items = items
        self._unwritten = unwritten
        self._known = known
        self._scans = scans
        self._most_waiting = min(WAITING_ROWS, most)
        self._put_off = 0  # the end below which no compaction is tried again
        self.key_clock = Clock()
        self.is_owed = False
        """Whether a step is to be made at the next operation."""

    def forget(self) -> None:
        """Begin anew, with other items."""
        self._put_off = 0

    def write(self) -> None:
        """Write what was set to the log, in the order in which it was set; what fails goes on waiting."""
        if self._unwritten.values:
            self.key_clock.now += 1
            self._items.write(self._unwritten)

    def write_batch(self) -> None:
        """Do what `write` does, and leave what follows from it to the next operation."""
        self.write()
        self.is_owed = True

    def settle(self, keys: Iterable[Any]) -> None:
        """Find out which entries unwritten keys have."""
        before = self._unwritten.new
        self._items.settle(self._unwritten, keys)
        self.key_clock.now += self._unwritten.new != before

    def step_if_due(self) -> None:
        """Do what a batch, or many removals, have left over."""
        if not self.is_owed and not self._has_many_waiting:
            return
        items = self._items
        items.keys.make_room(BATCH)
        items.tidy(TIDY_BYTES * BATCH)
        if self._has_many_waiting:
            items.log.rows.apply(PAGES_AT_ONCE)
        self.compact_if_due(or_stretched=items.log.heap.is_stretched)
        self.is_owed = self._has_many_waiting

    @property
    def _has_many_waiting(self) -> bool:
        return len(self._items.log.rows.waiting) >= self._most_waiting

    def compact_if_due(self, *, or_stretched: bool = False) -> None:
        """Compact where more entries are dead than alive, and no iterator is under way."""
        log = self._items.log
        is_due = or_stretched or log.dead >= max(log.count + 1, log.rows.page_size)
        if not is_due or self._scans or log.end < self._put_off:
            return
        try:
            self.compact()
        except OSError:
            # It only saves room, so what is being done goes on; a damaged page, or a disk too full for
            # that as well, will tell itself. Trying again at once would cost O(entries) each time.
            self._put_off = log.end + log.count + 1

    def compact(self) -> None:
        """Write the live items anew, in order, and let all else go, in O(bytes).

        Where this raises, nothing has changed.
        """
        self.write()
        self._items.compact(self._known)
        self._put_off = 0
