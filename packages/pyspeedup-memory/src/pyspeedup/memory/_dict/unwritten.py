"""What was set since the last flush, in the order in which it was set first."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pyspeedup.memory._dict.front import ABSENT

__all__ = ["ENCODED", "NEW", "Unwritten"]

ENCODED: Any = object()
"""Stands for a value of which the body is kept."""
NEW = -1
"""Stands for the entry of a key that has none yet."""


class Unwritten:
    """Values by key: plain ones as they are, others as bodies. All is O(1) unless said otherwise.

    Of each key it can be *settled* which entry it has, or that it has none: `entries`.

    >>> unwritten = Unwritten()
    >>> unwritten.put("a", 1, 28)
    >>> unwritten.put_body("b", b"2")
    >>> unwritten.settle("a", NEW)
    >>> unwritten.new, unwritten.unsettled(), unwritten.take(1)
    (1, ['b'], (['a'], [1]))
    """

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.bodies: dict[Any, bytes] = {}
        self.entries: dict[Any, int] = {}
        self.weight = 0
        self.new = 0

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, key: Any) -> bool:
        return key in self.values

    def put(self, key: Any, value: Any, weight: int) -> None:
        """Note a plain value, which takes about `weight` bytes."""
        self.values[key] = value  # first: without it, a body that is left over harms nobody
        self.weight += weight
        if self.bodies:
            self.bodies.pop(key, None)

    def put_body(self, key: Any, body: bytes) -> None:
        """Note a value by its body."""
        self.bodies[key] = body
        self.values[key] = ENCODED
        self.weight += len(body)

    def get(self, key: Any) -> Any:
        """Return the plain value of `key`, `ENCODED`, or `ABSENT`."""
        return self.values.get(key, ABSENT)

    def settle(self, key: Any, entry: int) -> None:
        """Note the entry of `key`, or `NEW`."""
        if key not in self.entries:
            self.entries[key] = entry
            self.new += entry == NEW

    def unsettle(self, keys: list[Any]) -> None:
        """Forget of `keys` whether they are new, in O(keys)."""
        if self.entries:
            for key in keys:
                if key in self.entries:
                    self.new -= self.entries[key] == NEW
                    del self.entries[key]

    def unsettled(self) -> list[Any]:
        """Return the keys that are not settled, in O(keys)."""
        if len(self.entries) == len(self.values):
            return []
        return [key for key in self.values if key not in self.entries]

    def take(self, most: int) -> tuple[list[Any], list[Any]]:
        """Return the first `most` keys and their values, which stay, in O(most)."""
        if len(self.values) <= most:
            return list(self.values), list(self.values.values())
        keys = list(islice(self.values, most))
        return keys, [self.values[key] for key in keys]

    def discard(self, key: Any) -> None:
        """Forget `key`."""
        if key in self.entries:
            self.new -= self.entries[key] == NEW
            del self.entries[key]  # nothing is called in between, so no interruption parts them
        self.values.pop(key, None)
        if self.bodies:
            self.bodies.pop(key, None)
        if not self.values:
            self.weight = 0

    def discard_many(self, keys: list[Any]) -> None:
        """Forget `keys`, in O(keys); all of them at once is the fastest."""
        if len(keys) == len(self.values):
            self.clear()
            return
        before = len(self.values)
        for key in keys:
            self.discard(key)
        self.weight = self.weight * len(self.values) // max(1, before)  # about

    def clear(self) -> None:
        """Forget everything."""
        self.values.clear()
        self.bodies.clear()
        self.entries.clear()
        self.weight = self.new = 0
