"""Reads what ``dict.update`` takes, with dict's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["items_to_set"]


def items_to_set(other: Any) -> Iterable[tuple[Any, Any]]:
    """Return the pairs that ``dict.update(other)`` would set, each when it is asked for.

    >>> list(items_to_set({"a": 1})), list(items_to_set(["bc"]))
    ([('a', 1)], [('b', 'c')])
    """
    if type(other) is dict:
        return other.items()
    if hasattr(other, "keys"):
        return ((key, other[key]) for key in other.keys())  # noqa: SIM118 -- it may not be iterable
    return _pairs_of(other)


def _pairs_of(other: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for number, pair in enumerate(other):
        try:
            parts = list(pair)
        except TypeError:
            raise TypeError(
                f"cannot convert dictionary update sequence element #{number} to a sequence"
            ) from None
        if len(parts) != 2:  # noqa: PLR2004 -- key and value
            raise ValueError(
                f"dictionary update sequence element #{number} has length {len(parts)}; 2 is required"
            )
        yield parts[0], parts[1]
