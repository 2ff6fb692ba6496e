"""Reading all that can be read of a damaged structure, and telling what cannot.

Written against what a dict and a list promise, so that it works whatever lies beneath.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import SerializationError, StoreCorruptedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["UNREADABLE", "Damage", "salvage_mapping", "salvage_sequence"]

UNREADABLE = (StoreCorruptedError, SerializationError)
"""What reading an item raises that is damaged, or whose class is gone."""
CHUNK = 256
"""Items of a list that are read in one go as long as all goes well."""


class Damage(NamedTuple):
    """Items that cannot be read, and why: how many, or None where nothing tells."""

    where: str
    reason: str
    items: int | None = 1


def salvage_sequence(sequence: Sequence[Any]) -> Iterator[tuple[int, Any] | Damage]:
    """Yield index and value of each readable item, and the damage between them, in O(items).

    Items that follow each other and have the same reason are one damage.

    >>> list(salvage_sequence("ab"))
    [(0, 'a'), (1, 'b')]
    """
    lost: range = range(0)
    reason = ""
    for index, found in _each(sequence):
        if not isinstance(found, Exception):
            if lost:
                yield _lost_items(lost, reason)
                lost = range(0)
            yield index, found[0]
        elif lost and str(found) == reason:
            lost = range(lost.start, index + 1)
        else:
            if lost:
                yield _lost_items(lost, reason)
            lost, reason = range(index, index + 1), str(found)
    if lost:
        yield _lost_items(lost, reason)


def _each(sequence: Sequence[Any]) -> Iterator[tuple[int, list[Any] | Exception]]:
    """Yield each index with its value, in a list, or with the error that it raises."""
    for start in range(0, len(sequence), CHUNK):
        try:
            values = sequence[start : start + CHUNK]
        except UNREADABLE:
            for index in range(start, min(start + CHUNK, len(sequence))):
                try:
                    yield index, [sequence[index]]
                except UNREADABLE as error:
                    yield index, error
        else:
            for index, value in enumerate(values, start):
                yield index, [value]


def _lost_items(lost: range, reason: str) -> Damage:
    where = f"index {lost[0]}" if len(lost) == 1 else f"indexes {lost[0]} to {lost[-1]}"
    return Damage(where, reason, len(lost))


def salvage_mapping(mapping: Mapping[Any, Any]) -> Iterator[tuple[Any, Any] | Damage]:
    """Yield each readable item in order, and the damage between them, in O(items).

    Keys are read from both ends up to what cannot be read; between two such places nothing is found.
    Those after the first are in RAM together.

    >>> list(salvage_mapping({"a": 1}))
    [('a', 1)]
    """
    seen = 0
    try:
        for item in mapping.items():
            yield item
            seen += 1
    except UNREADABLE:
        yield from _salvage_from(mapping, seen)


def _salvage_from(mapping: Mapping[Any, Any], seen: int) -> Iterator[tuple[Any, Any] | Damage]:
    """Yield what `salvage_mapping` does, from the item on that is `seen` in order."""
    keys = islice(iter(mapping), seen, None)
    try:
        for key in keys:
            seen += 1
            yield _item_of(mapping, key)
    except UNREADABLE as error:
        tail = _readable_from_the_end(mapping, len(mapping) - seen)
        lost = len(mapping) - seen - len(tail)
        yield Damage(f"{lost} items after the first {seen}", str(error), lost)
        for key in reversed(tail):
            yield _item_of(mapping, key)


def _item_of(mapping: Mapping[Any, Any], key: Any) -> tuple[Any, Any] | Damage:
    try:
        return key, mapping[key]
    except UNREADABLE as error:
        return Damage(f"key {key!r}", str(error))
    except KeyError:
        return Damage(f"key {key!r}", "it is not found, though it is listed")


def _readable_from_the_end(mapping: Any, most: int) -> list[Any]:
    found: list[Any] = []
    try:
        for key in islice(reversed(mapping), most):
            found.append(key)  # noqa: PERF402 -- what was found before an error is kept
    except UNREADABLE:
        return found
    return found
