"""Work on many entries of a dict at once, which takes a fraction of doing it one by one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pyspeedup.memory._dict.entries import SCATTERED
from pyspeedup.memory._dict.heap import DEAD, LONG_KEY, places_from
from pyspeedup.memory._dict.rows import ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.memory._dict.entries import EntryLog, Record
    from pyspeedup.memory._dict.heap import Heap

__all__ = ["records_of", "replace_many"]


def records_of(log: EntryLog, entries: Sequence[int]) -> list[Record | None]:
    """Return what is kept of each of `entries`, checked; None where there is none (any more).

    Costs O(1) an entry, and the less the more of them are neighbours.
    """
    try:
        rows = log.rows.get_many(entries)
        records = _read([place for place, _ in rows], log.heap)
    except (KeyError, IndexError, struct.error):
        return list(map(log.record, entries))  # one is gone or damaged: this tells them apart
    if log.checks(entries, records) != [check for _, check in rows]:
        return list(map(log.record, entries))
    return [
        (data, 0, place & LONG_KEY) if place and place & LONG_KEY < LONG_KEY else log.record(entry)
        for entry, (place, _), data in zip(entries, rows, records, strict=True)
    ]


def _read(places: list[int], heap: Heap) -> list[bytes]:
    if DEAD not in places:
        return list(heap.read_many(places))
    alive = heap.read_many([place for place in places if place != DEAD])
    return [b"" if place == DEAD else next(alive) for place in places]


def replace_many(
    log: EntryLog,
    entries: Sequence[int],
    records: Sequence[bytes],
    key_sizes: Sequence[int],
    flags: int,
) -> None:
    """Let each of `entries`, which are alive, have another record.

    An `OSError` may come after some of the first of them have theirs.
    """
    done = 0
    lengths = list(map(len, records))
    while done < len(entries):
        log.heap.make_room(min(lengths[done], log.heap.longest))
        room, stop = log.heap.room, done
        while stop < len(entries) and lengths[stop] <= min(room, log.heap.longest):
            room -= lengths[stop]
            stop += 1
        if stop == done:  # it is a long one
            log.replace(entries[done], records[done], key_sizes[done], flags)
            done += 1
        else:
            some = slice(done, stop)
            _replace_some(log, entries[some], records[some], key_sizes[some], flags)
            done = stop


def _replace_some(
    log: EntryLog,
    entries: Sequence[int],
    records: Sequence[bytes],
    key_sizes: Sequence[int],
    flags: int,
) -> None:
    """Replace short records by others that the last page of the heap has room for."""
    before = log.rows.get_many(entries)
    checks = log.checks(entries, records)
    places, _ = places_from(log.heap.add(b"".join(records)), records, key_sizes)
    page_size, page_flags = log.rows.page_size, log.rows.flags
    for index in {entry // page_size for entry in entries}:
        page_flags[index] |= flags | SCATTERED
    log.rows.put_many(entries, list(map(ROW.pack, places, checks)))
    log.heap.release_many([place for place, _ in before])
