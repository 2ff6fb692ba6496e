"""Runs of a dict's entries, with those keys and values that live in this process in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._dict.front import ABSENT
from pyspeedup.memory._dict.packing import PLAIN_KEYS
from pyspeedup.memory._pages.changes import may_change, may_change_any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.memory._dict.front import Front
    from pyspeedup.memory._dict.items import Items
    from pyspeedup.memory._dict.known_keys import KnownKeys
    from pyspeedup.memory._dict.runs import Columns
    from pyspeedup.memory._dict.tracking import Tracked

__all__ = ["LiveRuns"]


class LiveRuns:
    """What an iterator over a dict gives, while nothing waits to be written.

    A value that may change in place is the object that is in `front`, or is there from then on:
    ``take_in(key, value, length)`` puts it there. Costs O(entries) but for pages to be read.
    """

    def __init__(
        self,
        items: Items,
        front: Front,
        tracked: Tracked,
        known: KnownKeys,
        take_in: Callable[[Any, Any, int], None],
    ) -> None:
        self._items = items
        self._front = front
        self._tracked = tracked
        self._known = known
        self._take_in = take_in

    def run(
        self, position: int, columns: Columns, limit: int, *, backwards: bool
    ) -> tuple[list[int], list[Any]]:
        """Return the next live entries from `position` on and what they hold; none at the end."""
        log, runs = self._items.log, self._items.runs
        read = runs.run_back if backwards else runs.run
        entries, found = read(position, columns, limit)
        if not entries:
            return entries, found
        if columns == "keys":
            return entries, self.live_keys(entries, found)
        if not (self._tracked or log.may_change(entries[0]) or log.is_marked(entries[0])):
            return entries, found
        if columns == "values":
            entries, found = read(position, "items", limit)
        keys, values = map(list, zip(*found, strict=True))
        keys = self.live_keys(entries, keys)
        values = self._live_values(entries, keys, values)
        return entries, values if columns == "values" else list(zip(keys, values, strict=True))

    def live_keys(self, entries: list[int], keys: list[Any]) -> list[Any]:
        """Return `keys` with those objects that are known, where only their own hash finds them."""
        if not self._items.log.is_marked(entries[0]):
            return keys
        if self._known.is_full:
            self._known.sweep(self._front.__contains__)
        return [
            self._known.key(entry, key)
            if type(key) not in PLAIN_KEYS and self._items.finds_itself_only(key)
            else key
            for entry, key in zip(entries, keys, strict=True)
        ]

    def _live_values(self, entries: list[int], keys: list[Any], values: list[Any]) -> list[Any]:
        """Return `values` with those objects that are in front, or are from now on."""
        if not self._tracked and not may_change_any(values):
            return values
        # All that are in front first: taking others in may push them out of there.
        found = [self._front.get(key) if key in self._tracked else ABSENT for key in keys]
        for place, (entry, key, value) in enumerate(zip(entries, keys, values, strict=True)):
            if found[place] is ABSENT:
                found[place] = value
                if may_change(value):
                    record = self._items.log.record(entry)
                    assert record is not None  # noqa: S101 -- tells the type checker that it was read
                    self._take_in(key, value, len(record[0]) - record[2])
        return found
