"""Reads the entries of a dict in runs: many that are neighbours, decoded in one go."""

from __future__ import annotations

import pickle
import struct
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zlib import crc32

from pyspeedup.core import SerializationError
from pyspeedup.memory._dict.entries import MARKED, SCATTERED
from pyspeedup.memory._dict.heap import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.memory._dict.entries import EntryLog, Record

__all__ = ["Columns", "Runs"]

Columns: TypeAlias = Literal["keys", "values", "items"]
RUN_BYTES = 256 * 1024
"""A run of entries decoded in one go has about so many bytes at most."""


class Runs:
    """Live entries of `log` in order, and what they hold; costs O(entries) but for pages to be read."""

    def __init__(self, log: EntryLog) -> None:
        self._log = log
        self._rows = log.rows
        self._bottom = 0  # no entry of an earlier page is alive

    def run(self, start: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the first live entries from `start` on, and what they hold, decoded in one go.

        They are of one page and at most `limit`; none are returned only where there are none.
        """
        size = self._rows.page_size
        while self._bottom < self._rows.page_count - 1 and not self._rows.alive[self._bottom]:
            self._bottom += 1
        start = max(start, self._bottom * size)
        while start < self._rows.end:
            page_end = start - start % size + size
            stop = min(page_end, start + limit, self._rows.end)
            if self._rows.alive[start // size]:
                entries, found, stop = self._read(range(start, stop), columns)
                if entries:
                    return entries, found
                start = stop
            else:
                start = page_end
        return [], []

    def run_back(self, stop: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the last live entries below `stop`, as `run` does, the last one first."""
        size = self._rows.page_size
        stop = min(stop, self._log.top)
        while stop > 0:
            page_start = (stop - 1) // size * size
            start = max(page_start, stop - limit)
            if self._rows.alive[page_start // size]:
                entries, found, start = self._read(range(stop - 1, start - 1, -1), columns)
                if entries:
                    return entries, found
                stop = start + 1
            else:
                stop = page_start
        return [], []

    def each_key(self, *, marked_only: bool) -> Iterator[tuple[int, Any]]:
        """Yield every live entry with its key, or those of marked pages, in O(entries).

        A key that cannot be read (its class is gone) is left out: nothing that could be asked for
        equals it. Its page is marked, for a process in which it can be read.
        """
        for index in range(self._rows.page_count):
            if self._rows.flags[index] & MARKED or not marked_only:
                yield from self._keys_of(index)

    def _keys_of(self, index: int) -> Iterator[tuple[int, Any]]:
        start = index * self._rows.page_size
        stop = min(start + self._rows.page_size, self._rows.end)
        while start < stop and self._rows.alive[index]:
            try:
                entries, keys, start = self._read(range(start, stop), "keys")
            except SerializationError:
                self._log.mark(start)
                start = self._next_live(start) + 1
            else:
                yield from zip(entries, keys, strict=True)

    def _next_live(self, entry: int) -> int:
        while self._log.record(entry) is None:
            entry += 1
        return entry

    def _read(self, wanted: range, columns: Columns) -> tuple[list[int], list[Any], int]:
        """Return those of the entries `wanted` that are alive, what they hold, and where to go on.

        All are of one page. They are as many as can be decoded at once.
        """
        if (
            self._log.decodes_pairs
            and not self._rows.flags[wanted[0] // self._rows.page_size] & SCATTERED
        ):
            found = self._read_stretch(wanted, columns)
            if found is not None:
                return found
        entries, records, size = [], [], 0
        entry = wanted[0]
        for entry in wanted:
            record = self._log.record(entry)
            if record is not None:
                entries.append(entry)
                records.append(record)
                size += len(record[0])
                if size > RUN_BYTES:
                    break
        entries, decoded = self._decoded(entries, records, columns)
        return entries, decoded, (entries[-1] if entries else entry) + wanted.step

    def _read_stretch(
        self, wanted: range, columns: Columns
    ) -> tuple[list[int], list[Any], int] | None:
        """Decode records that lie one after the other by one call; None if that cannot be done."""
        low, high = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
        try:
            (first, first_check), (last, last_check) = self._rows.get(low), self._rows.get(high)
            begin, end = first >> 24, (last >> 24) + (last >> 8 & LONG)
            if not 0 < end - begin <= RUN_BYTES:
                return None
            stretch = self._log.heap.stretch(begin, end)
        except (KeyError, struct.error):
            return None
        head, tail = stretch[: first >> 8 & LONG], stretch[-(last >> 8 & LONG) :]
        if (
            crc32(head, low ^ self._log.seed) != first_check
            or crc32(tail, high ^ self._log.seed) != last_check
        ):
            return None
        try:
            decoded = pickle.loads(b"".join([b"(", stretch, b"t."]), fix_imports=False)
        except Exception:  # noqa: BLE001 -- one of them, which is found when they are read singly
            return None
        if type(decoded) is not tuple or len(decoded) != 2 * len(wanted):
            return None
        parts: dict[Columns, Any] = {"keys": decoded[::2], "values": decoded[1::2]}
        found = list(parts[columns] if columns in parts else zip(*parts.values(), strict=True))
        return list(wanted), found[:: wanted.step], wanted[-1] + wanted.step

    def _decoded(
        self, entries: list[int], records: list[Record], columns: Columns
    ) -> tuple[list[int], list[Any]]:
        images = [data[begin:end] for data, begin, end in records]
        bodies = [data[end:] for data, _, end in records]
        try:
            if columns == "keys":
                return entries, self._log.key_codec.decode_many(images)
            values = self._log.value_codec.decode_many(bodies)
            if columns == "values":
                return entries, values
            return entries, list(zip(self._log.key_codec.decode_many(images), values, strict=True))
        except SerializationError:
            return self._decoded_singly(entries, records, columns)

    def _decoded_singly(
        self, entries: list[int], records: list[Record], columns: Columns
    ) -> tuple[list[int], list[Any]]:
        """Return what can be read before the first entry that cannot; raise if that is the first."""
        found: list[Any] = []
        for entry, record in zip(entries, records, strict=True):
            try:
                key = None if columns == "values" else self._log.key_of(record, entry)
                value = None if columns == "keys" else self._log.value_of(record, entry)
            except SerializationError:
                if not found:
                    raise
                break
            found.append({"keys": key, "values": value}.get(columns, (key, value)))
        return entries[: len(found)], found
