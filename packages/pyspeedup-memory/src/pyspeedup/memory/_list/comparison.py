"""Compares two lists item by item, as ``list`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["compared", "first_difference"]


def first_difference(first: Iterable[Any], second: Iterable[Any]) -> tuple[Any, Any] | None:
    """Return the first two items that differ; an item always equals itself here, as in a list.

    >>> first_difference([1, 2, 3], [1, 5])
    (2, 5)
    """
    for one, other in zip(first, second, strict=False):
        if one is not other and not one == other:  # noqa: SIM201 -- list asks for == too
            return one, other
    return None


def compared(
    first: Sequence[Any], second: Sequence[Any], operation: Callable[[Any, Any], bool]
) -> bool:
    """Return what `operation` says of the first items that differ, else of the lengths.

    >>> compared([1, 2], [1, 2, 3], lambda one, other: one < other)
    True
    """
    difference = first_difference(first, second)
    if difference is None:
        return operation(len(first), len(second))
    return operation(*difference)
