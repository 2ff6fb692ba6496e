"""The items of a dict by entry number, in the order of insertion: rows, the records they lead to, checks.

The check of a record covers its bytes, the number of its entry, and the store; so does that of a
dead row. So whatever is read by `Volume.peek`, which checks nothing, is checked here.
"""

from __future__ import annotations

import pickle
import struct
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zlib import crc32

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._dict.heap import DEAD, LONG, LONG_KEY, Heap, key_span
from pyspeedup.memory._dict.rows import ROW, Rows
from pyspeedup.memory._pages.bodies import PickleCodec
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspeedup.memory._pages.bodies import Codec
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["CHANGING", "Columns", "EntryLog", "Record"]

Columns: TypeAlias = Literal["keys", "values", "items"]
Record: TypeAlias = tuple[bytes, int, int]
"""The bytes of a record, and where in it the key's image begins and ends."""

MARKED, CHANGING, SCATTERED = 1, 2, 4
"""Flags of a page of rows: some key is found by its own hash only; some value may change in place;
the records are not one after the other, with nothing between."""
RUN_BYTES = 256 * 1024
"""A run of entries decoded in one go has about so many bytes at most."""
SIZES = struct.Struct("<Q")


class EntryLog:
    """Keys and values by entry number, in pages of `volume`.

    Costs are O(1) and at most a page's load, unless said otherwise. `has_marks` tells whether any page
    may be marked.
    """

    def __init__(
        self, volume: Volume, codecs: tuple[Codec, Codec], state: bytes | None = None
    ) -> None:
        """Take up what `state` describes, as `write_back` returned it, or start empty.

        `codecs` are that of the keys and that of the values.
        """
        self._volume = volume
        self._key_codec, self._value_codec = codecs
        self._decodes_pairs = type(codecs[0]) is type(codecs[1]) is PickleCodec
        self._seed = volume.seed
        self._tail_end: int | None = None  # where the records of the last page of rows end
        self._bottom = 0  # no entry of an earlier page is alive
        rows_state = heap_state = None
        if state is not None:
            (size,) = SIZES.unpack_from(state)
            rows_state = state[SIZES.size : SIZES.size + size]
            heap_state = state[SIZES.size + size :]
        self.rows = Rows(volume, volume.page_size, rows_state)
        self.heap = Heap(volume, volume.page_size, heap_state)
        self._top = self.rows.end  # no entry from here on is alive
        self.has_marks = any(flags & MARKED for flags in set(self.rows.flags))

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self.rows.count

    @property
    def end(self) -> int:
        """The number that the next entry gets."""
        return self.rows.end

    @property
    def dead(self) -> int:
        """How many entry numbers below `end` are without an entry."""
        return self.rows.end - self.rows.count

    # ---- one entry -----------------------------------------------------------------------------

    def record(self, entry: int) -> Record | None:
        """Return what is kept of an entry, checked; None where there is none (any more)."""
        try:
            place, check = self.rows.get(entry)
            record = self.heap.read(place) if place else b""
        except (KeyError, IndexError, struct.error) as error:
            if entry >= self.rows.end or self.rows.is_dropped(entry // self.rows.page_size):
                return None
            raise self._corrupted(entry) from error
        if crc32(record, entry ^ self._seed) != check:
            if entry >= self.rows.end:
                return None
            raise self._corrupted(entry)
        if not place:
            return None
        size = place & LONG_KEY
        return (record, 0, size) if size < LONG_KEY else (record, *key_span(place, record))

    def key(self, entry: int) -> Any:
        """Return the key of a live entry; `SerializationError` if it cannot be read any more."""
        return self.key_of(self._live(entry), entry)

    def key_of(self, record: Record, entry: int) -> Any:
        """Return the key in the record of an entry."""
        data, begin, end = record
        try:
            return self._key_codec.decode(data[begin:end])
        except SerializationError as error:
            raise SerializationError(f"the key of entry {entry}: {error}") from error

    def value_of(self, record: Record, entry: int) -> Any:
        """Return the value in the record of an entry; `SerializationError` naming its key."""
        data, _, end = record
        if self._decodes_pairs:
            try:
                return pickle.loads(data[end:] + b".", fix_imports=False)
            except Exception:  # noqa: BLE001, S110 -- said by the codec, in its words
                pass
        try:
            return self._value_codec.decode(data[end:])
        except SerializationError as error:
            name = named(self.key_of(record, entry))
            raise SerializationError(f"the value of key {name}: {error}") from error

    def fit(self, records: Sequence[bytes]) -> int:
        """Make room at the end for the first of `records`; return how many there is room for.

        `OSError`, and nothing is changed.
        """
        self.rows.make_room()
        if len(records[0]) > self.heap.longest:
            return 1
        self.heap.make_room(len(records[0]))
        lengths = list(map(len, records[: self.rows.room]))
        if max(lengths) > self.heap.longest:
            lengths = lengths[: next(n for n, one in enumerate(lengths) if one > self.heap.longest)]
        return bisect_right(list(accumulate(lengths)), self.heap.room)

    def append(self, records: Sequence[bytes], key_sizes: Sequence[int], flags: int) -> None:
        """Add entries at the end, for which there is room.

        `key_sizes` are the last bytes of their places. `OSError`, and nothing is changed.
        """
        tail_end = self._end_of_tail()
        if LONG_KEY in key_sizes:
            flags |= SCATTERED  # the length in front of such a key is no pickle
        if len(records[0]) > self.heap.longest:
            places = [self.heap.add_long(records[0]) << 24 | LONG << 8 | key_sizes[0]]
            self._tail_end = None
            flags |= SCATTERED
        else:
            ends = list(accumulate(map(len, records)))
            address = self.heap.add(b"".join(records))
            if tail_end is not None and not self.heap.is_next(tail_end, address):
                flags |= SCATTERED
            places = [
                address + end - len(record) << 24 | len(record) << 8 | key_size
                for record, end, key_size in zip(records, ends, key_sizes, strict=True)
            ]
            self._tail_end = address + ends[-1]
        first = self.rows.end
        checks = [crc32(record, entry ^ self._seed) for entry, record in enumerate(records, first)]
        self._add_rows(places, checks, flags)

    def replace(self, entry: int, record: bytes, key_size: int, flags: int) -> None:
        """Let a live entry have another record; `OSError`, and nothing is changed."""
        before, _ = self.rows.get(entry)
        if len(record) > self.heap.longest:
            place = self.heap.add_long(record) << 24 | LONG << 8 | key_size
        else:
            self.heap.make_room(len(record))
            place = self.heap.add(record) << 24 | len(record) << 8 | key_size
        self.rows.flags[entry // self.rows.page_size] |= flags | SCATTERED
        self.rows.put(entry, ROW.pack(place, crc32(record, entry ^ self._seed)))
        self.heap.release(before)

    def remove(self, entry: int) -> None:
        """Take a live entry out; its number is not used again."""
        place, _ = self.rows.get(entry)
        self.rows.flags[entry // self.rows.page_size] |= SCATTERED
        self.rows.kill(entry, ROW.pack(DEAD, entry ^ self._seed))
        self.heap.release(place)

    def last(self) -> int:
        """Return the last live entry; there must be one. Amortised over removals O(1)."""
        while True:
            index = (self._top - 1) // self.rows.page_size
            if not self.rows.alive[index]:
                self._top = index * self.rows.page_size
            elif self.record(self._top - 1) is None:
                self._top -= 1
            else:
                return self._top - 1

    def mark(self, entry: int) -> None:
        """Mark the page of `entry`, as one that holds keys which only their own hash finds."""
        self.rows.flags[entry // self.rows.page_size] |= MARKED
        self.has_marks = True

    # ---- runs ----------------------------------------------------------------------------------

    def run(self, start: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the first live entries from `start` on, and what they hold, decoded in one go.

        They are of one page and at most `limit`; none are returned only where there are none.
        """
        size = self.rows.page_size
        while self._bottom < self.rows.page_count - 1 and not self.rows.alive[self._bottom]:
            self._bottom += 1
        start = max(start, self._bottom * size)
        while start < self.rows.end:
            page_end = start - start % size + size
            stop = min(page_end, start + limit, self.rows.end)
            if self.rows.alive[start // size]:
                entries, found, stop = self._read(range(start, stop), columns)
                if entries:
                    return entries, found
                start = stop
            else:
                start = page_end
        return [], []

    def run_back(self, stop: int, columns: Columns, limit: int) -> tuple[list[int], list[Any]]:
        """Return the last live entries below `stop`, as `run` does, the last one first."""
        size = self.rows.page_size
        stop = min(stop, self._top)
        while stop > 0:
            page_start = (stop - 1) // size * size
            start = max(page_start, stop - limit)
            if self.rows.alive[page_start // size]:
                entries, found, start = self._read(range(stop - 1, start - 1, -1), columns)
                if entries:
                    return entries, found
                stop = start + 1
            else:
                stop = page_start
        return [], []

    def is_marked(self, entry: int) -> bool:
        """Return whether the page of `entry` is marked."""
        return bool(self.rows.flags[entry // self.rows.page_size] & MARKED)

    def may_change(self, entry: int) -> bool:
        """Return whether a value in the page of `entry` may be one that changes in place."""
        return bool(self.rows.flags[entry // self.rows.page_size] & CHANGING)

    def each_key(self, *, marked_only: bool) -> Iterator[tuple[int, Any]]:
        """Yield every live entry with its key, or those of marked pages, in O(entries).

        A key that cannot be read (its class is gone) is left out: nothing that could be asked for
        equals it. Its page is marked, for a process in which it can be read.
        """
        for index in range(self.rows.page_count):
            if self.rows.flags[index] & MARKED or not marked_only:
                yield from self._keys_of(index)

    def _keys_of(self, index: int) -> Iterator[tuple[int, Any]]:
        start = index * self.rows.page_size
        stop = min(start + self.rows.page_size, self.rows.end)
        while start < stop and self.rows.alive[index]:
            try:
                entries, keys, start = self._read(range(start, stop), "keys")
            except SerializationError:
                self.mark(start)
                start = self._next_live(start) + 1
            else:
                yield from zip(entries, keys, strict=True)

    def _next_live(self, entry: int) -> int:
        while self.record(entry) is None:
            entry += 1
        return entry

    def _read(self, wanted: range, columns: Columns) -> tuple[list[int], list[Any], int]:
        """Return those of the entries `wanted` that are alive, what they hold, and where to go on.

        All are of one page. They are as many as can be decoded at once.
        """
        if (
            self._decodes_pairs
            and not self.rows.flags[wanted[0] // self.rows.page_size] & SCATTERED
        ):
            found = self._read_stretch(wanted, columns)
            if found is not None:
                return found
        entries, records, size = [], [], 0
        entry = wanted[0]
        for entry in wanted:
            record = self.record(entry)
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
            (first, first_check), (last, last_check) = self.rows.get(low), self.rows.get(high)
            begin, end = first >> 24, (last >> 24) + (last >> 8 & LONG)
            if not 0 < end - begin <= RUN_BYTES:
                return None
            stretch = self.heap.stretch(begin, end)
        except (KeyError, struct.error):
            return None
        head, tail = stretch[: first >> 8 & LONG], stretch[-(last >> 8 & LONG) :]
        if (
            crc32(head, low ^ self._seed) != first_check
            or crc32(tail, high ^ self._seed) != last_check
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
                return entries, self._key_codec.decode_many(images)
            values = self._value_codec.decode_many(bodies)
            if columns == "values":
                return entries, values
            return entries, list(zip(self._key_codec.decode_many(images), values, strict=True))
        except SerializationError:
            return self._decoded_singly(entries, records, columns)

    def _decoded_singly(
        self, entries: list[int], records: list[Record], columns: Columns
    ) -> tuple[list[int], list[Any]]:
        """Return what can be read before the first entry that cannot; raise if that is the first."""
        found: list[Any] = []
        for entry, record in zip(entries, records, strict=True):
            try:
                key = None if columns == "values" else self.key_of(record, entry)
                value = None if columns == "keys" else self.value_of(record, entry)
            except SerializationError:
                if not found:
                    raise
                break
            found.append({"keys": key, "values": value}.get(columns, (key, value)))
        return entries[: len(found)], found

    # ---- upkeep --------------------------------------------------------------------------------

    def tidy(self, index: int) -> int:
        """Put the records of a page's entries at the end, one after the other; return their bytes."""
        moved = 0
        rows = self.rows.page(index) if self.rows.alive[index] else []
        for entry, (place, check) in enumerate(rows, index * self.rows.page_size):
            if not place or place >> 8 & LONG == LONG:
                continue
            record = self._live(entry)[0]
            self.heap.make_room(len(record))
            address = self.heap.add(record)
            self.rows.put(entry, ROW.pack(address << 24 | place & 0xFFFFFF, check))
            self.heap.release(place)
            moved += len(record)
        self.rows.flags[index] |= SCATTERED
        return moved

    def copy_to(self, other: EntryLog, wanted: set[int]) -> dict[int, int]:
        """Add every live entry, in order, to another log of the same volume, which is empty.

        Return the new numbers of those of the entries `wanted` that are alive. Long records are not
        copied: they belong to both logs then. O(bytes).
        """
        renamed = {}
        for index in range(self.rows.page_count):
            start = index * self.rows.page_size
            for entry in range(start, min(start + self.rows.page_size, self.rows.end)):
                record = self.record(entry) if self.rows.alive[index] else None
                if record is not None:
                    if entry in wanted:
                        renamed[entry] = other.end
                    other._adopt(record[0], self.rows.get(entry)[0], self.rows.flags[index])
        return renamed

    def _adopt(self, record: bytes, place: int, flags: int) -> None:
        flags &= CHANGING
        if place >> 8 & LONG == LONG:
            self.rows.make_room()
            self._tail_end = None
            self._add_rows([place], [crc32(record, self.rows.end ^ self._seed)], flags | SCATTERED)
        else:
            self.fit([record])
            self.append([record], [place & 0xFF], flags)

    def drop_pages(self, *, long_ones: bool) -> None:
        """Delete its pages, those of long records as well if `long_ones`, in O(pages).

        It must not be used any more. Pages of a store that fails may be left.
        """
        numbers = [*self.rows.numbers(), *self.heap.numbers(), *self.heap.doomed]
        if long_ones:
            numbers += self._long_pages()
        for number in numbers:
            self._volume.delete(number)

    def check(self) -> None:
        """Raise `AssertionError` where what is counted is not what there is; reads everything."""
        alive = [0] * self.rows.page_count
        used = 0
        for entry in range(self.rows.end):
            record = self.record(entry)
            if record is not None:
                alive[entry // self.rows.page_size] += 1
                used += len(record[0]) if len(record[0]) <= self.heap.longest else 0
        if alive != self.rows.alive.tolist() or sum(alive) != self.rows.count:
            raise AssertionError(f"{alive} entries, where {self.rows.alive} are counted")
        if used != self.heap.live_bytes:
            raise AssertionError(f"{used} bytes, where {self.heap.live_bytes} are counted")

    def write_back(self) -> bytes:
        """Write everything that waits, and return the state to begin from again, in O(changes)."""
        rows_state = self.rows.write_back()
        return SIZES.pack(len(rows_state)) + rows_state + self.heap.write_back()

    def _long_pages(self) -> Iterator[int]:
        for index in range(self.rows.page_count):
            if self.rows.alive[index] and self.rows.flags[index] & SCATTERED:
                for place, _ in self.rows.page(index):
                    if place >> 8 & LONG == LONG:
                        yield place >> 24

    def _add_rows(self, places: list[int], checks: list[int], flags: int) -> None:
        self.rows.flags[-1] |= flags
        self.rows.append(b"".join(map(ROW.pack, places, checks)), len(places))
        self._top = self.rows.end

    def _end_of_tail(self) -> int | None:
        """Return where the records of the last page of rows end; -1 where nothing can follow them."""
        if self.rows.room == self.rows.page_size:
            return None
        if self._tail_end is None:
            place, _ = self.rows.get(self.rows.end - 1)
            is_short = place and place >> 8 & LONG != LONG
            return (place >> 24) + (place >> 8 & LONG) if is_short else -1
        return self._tail_end

    def _live(self, entry: int) -> Record:
        record = self.record(entry)
        if record is None:
            raise self._corrupted(entry)
        return record

    def _corrupted(self, entry: int) -> StoreCorruptedError:
        return StoreCorruptedError(
            f"{self._volume.name}, entry {entry}: its check does not match; it is damaged, or "
            "belongs to another entry or store"
        )
