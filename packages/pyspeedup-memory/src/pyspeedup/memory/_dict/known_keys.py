"""Keys without a stable hash as the objects that they are in this process, and their entries.

A key that equals only itself, such as an object without an ``__eq__``, is found as long as somebody
holds it, though it was written and its bytes read again make another object. So those in front,
and those that are held outside, are known by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._pages.changes import held_outside

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KnownKeys"]

LEAST = 256
MOST_PARTS = 1_000_000


class KnownKeys:
    """Entries by key and keys by entry, in O(1)."""

    def __init__(self) -> None:
        self._entries: dict[Any, int] = {}
        self._keys: dict[int, Any] = {}
        self._most = LEAST

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_full(self) -> bool:
        """Whether it is time to `sweep`."""
        return len(self._keys) > self._most

    def entry(self, key: Any) -> int | None:
        """Return the entry of `key`, if it is known."""
        return self._entries.get(key)

    def key(self, entry: int, otherwise: Any) -> Any:
        """Return the object that is the key of `entry`; `otherwise` where none is known, from now on."""
        if entry not in self._keys:
            self.add(otherwise, entry)
        return self._keys[entry]

    def add(self, key: Any, entry: int) -> None:
        """Know `key` as that of `entry`."""
        self._entries[key] = entry
        self._keys[entry] = key

    def discard(self, key: Any) -> None:
        """Know `key` no longer."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._keys.pop(entry, None)

    def renumber(self, renamed: dict[int, int]) -> None:
        """Let the keys have other entries."""
        self._keys = {renamed[entry]: key for entry, key in self._keys.items() if entry in renamed}
        self._entries = {key: entry for entry, key in self._keys.items()}

    def entries(self) -> set[int]:
        """Return the entries whose keys are known, in O(keys)."""
        return set(self._keys)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._keys.clear()

    def sweep(self, is_in_front: Callable[[Any], bool]) -> None:
        """Forget those that are not in front, and that nobody outside holds, in O(keys)."""
        keys = [key for key in self._keys.values() if not is_in_front(key)]
        sizes = [MOST_PARTS] * len(keys)
        held = held_outside(keys, 2, sizes, lambda _key: False)
        for key, is_held in zip(keys, held, strict=True):
            if not is_held:
                self.discard(key)
        self._most = max(LEAST, 2 * len(self._keys))
