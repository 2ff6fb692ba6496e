"""What an index or a slice means to a list, and what is wrong with one, in a list's own words."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from pyspeedup.memory._list.content import ListContent

__all__ = [
    "checked_index",
    "clamped_index",
    "delete_slice",
    "fitting_index",
    "items_at",
    "replace_slice",
]


def checked_index(index: SupportsIndex, length: int, message: str) -> int:
    if type(index) is not int:
        if not hasattr(type(index), "__index__"):
            raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")
        index = operator.index(index)
    found = index + length if index < 0 else index
    if not 0 <= found < length:
        raise IndexError(message)
    return found


def fitting_index(index: SupportsIndex) -> int:
    found = operator.index(index)
    if not -sys.maxsize - 1 <= found <= sys.maxsize:
        raise OverflowError("Python int too large to convert to C ssize_t")
    return found


def clamped_index(items: Sized, index: SupportsIndex) -> int:
    found = operator.index(index)
    length = len(items)
    return min(max(0, found + length) if found < 0 else found, length)


def items_at(content: ListContent, indexes: range) -> list[Any]:
    if indexes.step != 1:
        return [content.item(index) for index in indexes]
    found: list[Any] = []
    while len(found) < len(indexes):
        found += content.chunk(indexes.start + len(found), len(indexes) - len(found))
    return found


def replace_slice(content: ListContent, places: slice, values: Any) -> None:
    indexes = range(len(content))[places]
    iterator = _iterator(values, slice(None) if indexes.step == 1 else slice(None, None, 2))
    if indexes.step == 1:
        content.replace(indexes.start, max(indexes.start, indexes.stop), iterator)
        return
    new = list(iterator)
    indexes = range(len(content))[places]
    if len(new) != len(indexes):
        raise ValueError(
            f"attempt to assign sequence of size {len(new)} "
            f"to extended slice of size {len(indexes)}"
        )
    if indexes.step < 0:
        indexes, new = indexes[::-1], new[::-1]
    if new:
        content.replace_each(indexes, new)


def _iterator(values: Any, places: slice) -> Iterator[Any]:
    try:
        return iter(values)
    except TypeError:
        list[Any]().__setitem__(places, values)  # whose words differ between versions
        raise


def delete_slice(content: ListContent, indexes: range) -> None:
    if indexes.step < 0:
        indexes = indexes[::-1]
    if not indexes:
        return
    if indexes.step == 1:
        content.replace(indexes.start, indexes.stop, ())
    else:
        content.delete_each(indexes)
