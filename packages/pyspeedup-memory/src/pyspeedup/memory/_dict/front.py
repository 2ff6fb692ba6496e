"""The values that were used last, as live objects in front of the pages: two generations of dicts.

A hit in the first generation, `hot`, costs what a look-up in a dict costs: nothing is noted, and no lock
is taken. Once it is full it becomes the second one, and what is left of that one goes. What is used
again before that goes back to the first: this is second chance, without a bit to set at a hit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ABSENT", "Front", "Hot"]

ABSENT: Any = object()
ENTRY_WEIGHT = 150
"""Bytes of RAM for a short key and its place."""


class Hot(dict[Any, Any]):
    """A dict that asks `load` for what it does not hold."""

    __slots__ = ("load",)

    def __init__(self, load: Callable[[Any], Any]) -> None:
        super().__init__()
        self.load = load

    def __missing__(self, key: Any) -> Any:
        return self.load(key)


class Front:
    """Live values by key, at most about `most` of them, and of about `most_bytes`.

    >>> front = Front(lambda key: key * 2, most=4, most_bytes=10_000)
    >>> front.hot["ab"]
    'abab'
    >>> for key in range(5):
    ...     front.keep(key, str(key), 50)
    >>> front.gone.clear()
    >>> front.get(4), front.get(0) is ABSENT
    ('4', True)
    """

    def __init__(self, load: Callable[[Any], Any], *, most: int, most_bytes: int) -> None:
        self.hot = Hot(load)
        self.old: dict[Any, Any] = {}
        self._most = max(1, most // 2)
        self._most_bytes = most_bytes // 2
        self.weight = 0
        self.pinned: dict[Any, Any] = {}
        """What must stay, whatever is in front."""
        self.gone: dict[Any, Any] = {}
        """The generation that was given up last, for its user to look at, and to clear."""

    def __len__(self) -> int:
        return len(self.hot) + len(self.old) + len(self.pinned)

    def __contains__(self, key: Any) -> bool:
        return key in self.hot or key in self.old or key in self.pinned or key in self.gone

    def generations(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return what is in front by generation, without what is pinned."""
        return self.hot, self.old

    def get(self, key: Any) -> Any:
        """Return the value of `key`, or `ABSENT`, in O(1)."""
        value = self.old.get(key, ABSENT)
        if value is ABSENT and self.pinned:
            value = self.pinned.get(key, ABSENT)
        if value is ABSENT and self.gone:
            value = self.gone.get(key, ABSENT)
        return self.hot.get(key, ABSENT) if value is ABSENT else value

    def keep(self, key: Any, value: Any, weight: int) -> None:
        """Have `value`, which takes `weight` bytes, answered from here."""
        self.hot[key] = value  # first, so that no interruption loses it
        self.old.pop(key, None)
        if self.pinned:
            self.pinned.pop(key, None)
        if self.gone:
            self.gone.pop(key, None)
        self.weight += weight + ENTRY_WEIGHT
        if len(self.hot) >= self._most or self.weight >= self._most_bytes:
            self.rotate()

    def add(self, key: Any, value: Any, weight: int) -> None:
        """Have `value` answered from here, of a key that is not here yet."""
        hot = self.hot
        hot[key] = value
        self.weight += weight + ENTRY_WEIGHT
        if len(hot) >= self._most or self.weight >= self._most_bytes:
            self.rotate()

    @property
    def is_full(self) -> bool:
        """Whether values were replaced in front by so many bytes that it is to be rotated."""
        return self.weight >= self._most_bytes

    @property
    def has_more(self) -> bool:
        """Whether anything is outside the two generations."""
        return bool(self.pinned or self.gone)

    def discard(self, key: Any) -> None:
        """Forget `key`."""
        self.hot.pop(key, None)
        self.old.pop(key, None)
        self.pinned.pop(key, None)
        self.gone.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self.hot.clear()
        self.old.clear()
        self.pinned.clear()
        self.gone.clear()
        self.weight = 0

    def rotate(self) -> None:
        """Give up the older generation: it is `gone` then."""
        self.gone.update(self.old)
        self.old = dict(self.hot)
        self.hot.clear()
        self.weight = 0
