"""Keys without a stable hash as the objects that they are in this process, and their entries.

A key that equals only itself, such as an object without an ``__eq__``, is found as long as somebody
holds it, though it was written and its bytes read again make another object. So those in front,
and those that are held outside, are known by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.memory._pages.changes import held_outside

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KnownKeys"]

Maps: TypeAlias = tuple[dict[Any, int], dict[int, Any]]
LEAST = 256
MOST_PARTS = 1_000_000


class KnownKeys:
    """Entries by key and keys by entry, `maps`, in O(1)."""

    def __init__(self) -> None:
        self.maps: Maps = {}, {}
        self._most = LEAST

    def __len__(self) -> int:
        return len(self.maps[1])

    @property
    def is_full(self) -> bool:
        """Whether it is time to `sweep`."""
        return len(self.maps[1]) > self._most

    def entry(self, key: Any) -> int | None:
        """Return the entry of `key`, if it is known."""
        return self.maps[0].get(key)

    def key(self, entry: int, otherwise: Any) -> Any:
        """Return the object that is the key of `entry`; `otherwise` where none is known, from now on."""
        if entry not in self.maps[1]:
            self.add(otherwise, entry)
        return self.maps[1][entry]

    def add(self, key: Any, entry: int) -> None:
        """Know `key` as that of `entry`."""
        self.maps[0][key] = entry
        self.maps[1][entry] = key

    def discard(self, key: Any) -> None:
        """Know `key` no longer."""
        entry = self.maps[0].pop(key, None)
        if entry is not None:
            self.maps[1].pop(entry, None)

    def renumbered(self, renamed: dict[int, int]) -> Maps:
        """Return what `maps` is to be once the entries have other numbers, in O(keys)."""
        keys = self.maps[1]
        left = {key: renamed[entry] for entry, key in keys.items() if entry in renamed}
        return left, {entry: key for key, entry in left.items()}

    def entries(self) -> set[int]:
        """Return the entries whose keys are known, in O(keys)."""
        return set(self.maps[1])

    def clear(self) -> None:
        """Forget everything."""
        self.maps[0].clear()
        self.maps[1].clear()

    def sweep(self, is_in_front: Callable[[Any], bool]) -> None:
        """Forget those that are not in front, and that nobody outside holds, in O(keys)."""
        keys = [key for key in self.maps[1].values() if not is_in_front(key)]
        sizes = [MOST_PARTS] * len(keys)
        held = held_outside(keys, 2, sizes, lambda _key: False)
        for key, is_held in zip(keys, held, strict=True):
            if not is_held:
                self.discard(key)
        self._most = max(LEAST, 2 * len(self.maps[1]))
