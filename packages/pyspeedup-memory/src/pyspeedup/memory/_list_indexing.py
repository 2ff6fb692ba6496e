"""What an index or a slice means to a list, and what is wrong with one, in a list's own words."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Sized

    from pyspeedup.memory._list_content import ListContent

__all__ = ["checked_index", "clamped_index", "delete_slice", "items_at", "replace_slice"]


def checked_index(index: SupportsIndex, length: int, message: str) -> int:
    if type(index) is not int:
        if not hasattr(type(index), "__index__"):
            raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")
        index = operator.index(index)
    found = index + length if index < 0 else index
    if not 0 <= found < length:
        raise IndexError(message)
    return found


def clamped_index(items: Sized, index: SupportsIndex) -> int:
    found = operator.index(index)
    length = len(items)
    return min(max(0, found + length) if found < 0 else found, length)


def items_at(content: ListContent, indexes: range) -> list[Any]:
    if indexes.step != 1:
        return [content.get(index) for index in indexes]
    found: list[Any] = []
    while len(found) < len(indexes):
        found += content.chunk(indexes.start + len(found), len(indexes) - len(found))
    return found


def replace_slice(content: ListContent, places: slice, values: Any) -> None:
    indexes = range(len(content))[places]
    if indexes.step == 1:
        if not isinstance(values, Iterable):
            raise TypeError("can only assign an iterable")
        content.replace(indexes.start, max(indexes.start, indexes.stop), values)
        return
    if not isinstance(values, Iterable):
        raise TypeError("must assign iterable to extended slice")
    values = list(values)
    indexes = range(len(content))[places]
    if len(values) != len(indexes):
        raise ValueError(
            f"attempt to assign sequence of size {len(values)} "
            f"to extended slice of size {len(indexes)}"
        )
    if indexes.step < 0:
        indexes, values = indexes[::-1], values[::-1]
    if values:
        content.replace_each(indexes, values)


def delete_slice(content: ListContent, indexes: range) -> None:
    if indexes.step < 0:
        indexes = indexes[::-1]
    if not indexes:
        return
    if indexes.step == 1:
        content.replace(indexes.start, indexes.stop, ())
    else:
        content.delete_each(indexes)
