"""The operators of a dict that give something new or compare: copies, ``|`` and ``==``."""

from __future__ import annotations

import copy
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from pyspeedup.memory._dict.front import ABSENT

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Operators"]

K = TypeVar("K")
V = TypeVar("V")


class Operators(MutableMapping[K, V]):
    """What a dict answers to operators. The other operand is a dict or has these operators, too."""

    __hash__ = None  # type: ignore[assignment]  # as dict: equal by content, so not hashable

    def copy(self) -> dict[K, V]:
        """Return a plain dict of the items, in O(items) of time and of RAM.

        >>> from pyspeedup.memory import DiskDict
        >>> with DiskDict.temporary() as d:
        ...     d["a"] = 1
        ...     type(d.copy()).__name__
        'dict'
        """
        return dict(self.items())

    def __copy__(self) -> dict[K, V]:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[K, V]:
        return copy.deepcopy(self.copy(), memo)

    def __or__(self, other: Any, /) -> Any:
        """Return a plain dict of the items of both, those of `other` winning, in O(items)."""
        if not isinstance(other, dict | Operators):
            return NotImplemented
        united: dict[Any, Any] = self.copy()
        united.update(other)
        return united

    def __ror__(self, other: Any, /) -> Any:
        """Return a plain dict of the items of both, our own winning, in O(items)."""
        if not isinstance(other, dict | Operators):
            return NotImplemented
        united: dict[Any, Any] = dict(other)
        united.update(self.items())
        return united

    def __ior__(self, other: Any, /) -> Self:
        """Set the items of a mapping or of pairs, as `update` does."""
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        """Return whether `other`, a dict or a `DiskDict`, has equal items, in O(items)."""
        if self is other:
            self.keys()  # raises where it is closed
            return True
        if not isinstance(other, dict | Operators):
            return NotImplemented
        if len(self) != len(other):
            return False
        for key, value in self.items():
            found = other.get(key, ABSENT)
            if found is ABSENT or not (found is value or found == value):
                return False
        return True
