"""Reading all that can be read of a damaged sequence, and telling what cannot.

Written against what a list promises, so that it works whatever lies beneath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import SerializationError, StoreCorruptedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["UNREADABLE", "Damage", "salvage_sequence"]

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
