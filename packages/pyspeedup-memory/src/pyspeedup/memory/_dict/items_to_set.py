"""Reads what ``dict.update`` takes, with dict's own errors."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._dict.packing import PLAIN_KEYS, are_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["in_chunks", "items_to_set"]


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


def in_chunks(other: Any, most: int) -> Iterator[tuple[dict[Any, Any], Iterable[tuple[Any, Any]]]]:
    """Yield the same pairs: plain ones as dicts of up to `most`, others to be set one by one.

    With 0 for `most` all are. Only of what can be read ahead unnoticed, a dict, a list or a tuple, are there any of the former.

    >>> list(in_chunks([(1, 2), (3, 4)], 10))
    [({1: 2, 3: 4}, ())]
    >>> [(plain, list(others)) for plain, others in in_chunks([(1, [])], 10)]
    [({}, [(1, [])])]
    """
    if not most or type(other) not in {dict, list, tuple}:
        yield {}, items_to_set(other)
        return
    unread = iter(other.items() if type(other) is dict else other)
    start = 0
    while chunk := list(islice(unread, most)):
        if _are_plain_pairs(chunk):
            yield dict(chunk), ()
        else:
            yield {}, _pairs_of(chunk, start)
        start += len(chunk)


def _are_plain_pairs(chunk: list[Any]) -> bool:
    if set(map(type, chunk)) != {tuple} or set(map(len, chunk)) != {2}:
        return False
    keys, values = zip(*chunk, strict=True)
    return PLAIN_KEYS.issuperset(map(type, keys)) and are_plain(values)


def _pairs_of(other: Iterable[Any], start: int = 0) -> Iterator[tuple[Any, Any]]:
    for number, pair in enumerate(other, start):
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
