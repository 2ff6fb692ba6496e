"""Iteration over a list, by runs of decoded items, that sees what changes meanwhile as a list's does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Walk", "Walks"]

FIRST_RUN = 2
"""How many items are decoded at first; four times as many each time, while nothing changes."""
LONGEST_RUN = 1 << 16


class Walk:
    """One iteration: the run of items that it is in.

    An item that is set is set in the run too; where items move, the run ends at once.

    >>> walk = Walk(backwards=False)
    >>> run = walk.begin(["a", "b", "c"])
    >>> next(run)
    'a'
    >>> walk.set(1, "B")
    >>> next(run), walk.interrupt(), list(run), walk.end()
    ('B', None, [], 2)
    """

    def __init__(self, index: int = 0, *, backwards: bool) -> None:
        self.limit = FIRST_RUN
        self._index = index
        self._backwards = backwards
        self._items: list[Any] = []
        self._run: Iterator[Any] = iter(self._items)

    def begin(self, items: list[Any]) -> Iterator[Any]:
        """Return an iterator over `items`, the next run, and keep both."""
        self._items = items
        self._run = iter(items)
        return self._run

    def end(self) -> int:
        """Let go of a run that is over, and return the index where the next one begins."""
        taken = len(self._items)
        self._items.clear()
        self._index += -taken if self._backwards else taken
        self.limit = max(1, min(4 * self.limit, LONGEST_RUN))
        return self._index

    def set(self, index: int, value: Any) -> None:
        """Note that an item was replaced."""
        place = self._index - 1 - index if self._backwards else index - self._index
        if 0 <= place < len(self._items):
            self._items[place] = value

    def interrupt(self) -> None:
        """End the run after the items that were taken already."""
        left = self._run.__length_hint__()  # type: ignore[attr-defined]  # every list's iterator has it
        del self._items[len(self._items) - left :]
        self.limit = 0 if left else self.limit


class Walks:
    """The iterations that are under way, and a count of the changes; falsy where there are none."""

    def __init__(self) -> None:
        self.version = 0
        self.under_way: list[Walk] = []

    def moved(self) -> None:
        """Note that items have moved."""
        self.version += 1
        if self.under_way:
            self.interrupt()

    def interrupt(self) -> None:
        """Let every iteration ask anew for what comes next, though nothing has changed."""
        for walk in [*self.under_way]:
            walk.interrupt()

    def set(self, index: int, value: Any) -> None:
        """Tell the iterations that an item was replaced, where there are any."""
        for walk in [*self.under_way]:
            walk.set(index, value)
