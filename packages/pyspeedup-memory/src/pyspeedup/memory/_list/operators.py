"""The operators of a list that give something new: comparisons, ``+``, ``*``, and copies."""

from __future__ import annotations

import copy
import operator
from collections.abc import MutableSequence
from typing import Any, SupportsIndex, TypeVar, cast

from pyspeedup.memory._list.comparison import compared, first_difference

__all__ = ["Operators"]

T = TypeVar("T")


class Operators(MutableSequence[T]):
    """What a list answers to operators. The other operand is a list or has these operators, too."""

    __hash__ = None  # type: ignore[assignment]  # as list: equal by content, so not hashable

    def copy(self) -> list[T]:
        """Return a plain list of the items, in O(n) of time and of RAM.

        >>> from pyspeedup.memory import DiskList
        >>> with DiskList.temporary() as l:
        ...     l.extend("abc")
        ...     type(l.copy()).__name__
        'list'
        """
        return cast("list[T]", self[:])

    def __eq__(self, other: object, /) -> bool:
        """Return whether `other`, a list or a `DiskList`, has equal items, in O(n)."""
        if not isinstance(other, list | Operators):
            return NotImplemented
        if len(self) != len(other) or first_difference(self, other) is not None:
            return False
        return len(self) == len(other)  # comparing items may have changed that

    def __lt__(self, other: list[T] | Operators[T], /) -> bool:
        """Compare the first items that differ, else the lengths, in O(n)."""
        return compared(self, other, operator.lt) if _is_list(other) else NotImplemented

    def __le__(self, other: list[T] | Operators[T], /) -> bool:
        """Compare the first items that differ, else the lengths, in O(n)."""
        return compared(self, other, operator.le) if _is_list(other) else NotImplemented

    def __gt__(self, other: list[T] | Operators[T], /) -> bool:
        """Compare the first items that differ, else the lengths, in O(n)."""
        return compared(self, other, operator.gt) if _is_list(other) else NotImplemented

    def __ge__(self, other: list[T] | Operators[T], /) -> bool:
        """Compare the first items that differ, else the lengths, in O(n)."""
        return compared(self, other, operator.ge) if _is_list(other) else NotImplemented

    def __add__(self, other: list[T] | Operators[T], /) -> list[T]:
        """Return a plain list of the items of both, in O(n)."""
        if _is_list(other):
            return [*self, *other]
        if hasattr(type(other), "__radd__"):  # asked first by a list
            return NotImplemented
        raise TypeError(f'can only concatenate list (not "{type(other).__name__}") to list')

    def __radd__(self, other: list[T], /) -> list[T]:
        """Return a plain list of the items of both, in O(n)."""
        if not isinstance(other, list):
            return NotImplemented
        return [*other, *self]

    def __mul__(self, times: SupportsIndex, /) -> list[T]:
        """Return a plain list of the items, so many times over, in O(n times)."""
        return self.copy() * times

    __rmul__ = __mul__

    def __copy__(self) -> list[T]:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> list[T]:
        return copy.deepcopy(self.copy(), memo)


def _is_list(other: object) -> bool:
    return isinstance(other, list | Operators)
