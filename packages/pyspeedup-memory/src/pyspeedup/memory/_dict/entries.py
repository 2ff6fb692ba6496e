"""The items of a dict by entry number, in the order of insertion: rows, the records they lead to, checks.

The check of a record covers its bytes, the number of its entry, and the store; so does that of a
dead row. So whatever is read by `Volume.peek`, which checks nothing, is checked here.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._dict.heap import DEAD, LONG, LONG_KEY, Heap, key_span, places_from
from pyspeedup.memory._dict.rows import ROW, Rows
from pyspeedup.memory._pages.bodies import PickleCodec
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyspeedup.memory._pages.bodies import Codec
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["CHANGING", "MARKED", "SCATTERED", "EntryLog", "Record"]

Record: TypeAlias = tuple[bytes, int, int]
"""The bytes of a record, and where in it the key's image begins and ends."""

MARKED, CHANGING, SCATTERED = 1, 2, 4
"""Flags of a page of rows: some key is found by its own hash only; some value may change in place;
the records are not one after the other, with nothing between."""
SIZES = struct.Struct("<Q")
MAX_END = 1 << 32


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
        self.key_codec, self.value_codec = codecs
        self.decodes_pairs = type(codecs[0]) is type(codecs[1]) is PickleCodec
        self.seed = volume.seed
        self._tail_end: int | None = None  # where the records of the last page of rows end
        rows_state = heap_state = None
        if state is not None:
            (size,) = SIZES.unpack_from(state)
            rows_state = state[SIZES.size : SIZES.size + size]
            heap_state = state[SIZES.size + size :]
        self.rows = Rows(volume, volume.page_size, rows_state)
        self.heap = Heap(volume, volume.page_size, heap_state)
        self.top = self.rows.end  # no entry from here on is alive
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
        size = place & LONG_KEY
        if crc32(record, entry ^ self.seed) == check and place and size < LONG_KEY:
            return record, 0, size
        return self._unusual_record(entry, place, check, record)

    def _unusual_record(self, entry: int, place: int, check: int, record: bytes) -> Record | None:
        """Tell the damaged from the dead and from what does not belong to the log."""
        if crc32(record, entry ^ self.seed) != check:
            if entry >= self.rows.end:
                return None
            raise self._corrupted(entry)
        return (record, *key_span(place, record)) if place else None

    def is_dead(self, entry: int) -> bool:
        """Return whether an entry that was there has been removed."""
        return self.rows.get(entry)[0] == DEAD

    def key_of(self, record: Record, entry: int) -> Any:
        """Return the key in the record of an entry."""
        data, begin, end = record
        try:
            return self.key_codec.decode(data[begin:end])
        except SerializationError as error:
            raise SerializationError(f"the key of entry {entry}: {error}") from error

    def value_of(self, record: Record, entry: int) -> Any:
        """Return the value in the record of an entry; `SerializationError` naming its key."""
        data, _, end = record
        try:
            return self.value_codec.decode(data[end:])
        except SerializationError as error:
            name = named(self.key_of(record, entry))
            raise SerializationError(f"the value of key {name}: {error}") from error

    def fit(self, lengths: Sequence[int]) -> int:
        """Make room at the end for the first of records of `lengths`; return how many there is room for.

        `OSError`, and nothing is changed.
        """
        self.rows.make_room()
        longest = self.heap.longest
        if lengths[0] > longest:
            return 1
        self.heap.make_room(lengths[0])
        lengths = lengths[: self.rows.room]
        if max(lengths) > longest:
            lengths = lengths[: next(n for n, one in enumerate(lengths) if one > longest)]
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
            address = self.heap.add(b"".join(records))
            if tail_end is not None and not self.heap.is_next(tail_end, address):
                flags |= SCATTERED
            places, self._tail_end = places_from(address, records, key_sizes)
        self._add_rows(places, self.checks(range(self.rows.end, MAX_END), records), flags)

    def checks(self, entries: Iterable[int], records: Iterable[bytes]) -> list[int]:
        """Return the checks of the records of `entries`."""
        return list(map(crc32, records, map(self.seed.__xor__, entries)))

    def replace(self, entry: int, record: bytes, key_size: int, flags: int) -> None:
        """Let a live entry have another record; `OSError`, and nothing is changed."""
        before, _ = self.rows.get(entry)
        if len(record) > self.heap.longest:
            place = self.heap.add_long(record) << 24 | LONG << 8 | key_size
        else:
            self.heap.make_room(len(record))
            place = self.heap.add(record) << 24 | len(record) << 8 | key_size
        self.rows.flags[entry // self.rows.page_size] |= flags | SCATTERED
        self.rows.put(entry, ROW.pack(place, crc32(record, entry ^ self.seed)))
        self.heap.release(before)

    def remove(self, entry: int) -> None:
        """Take a live entry out; its number is not used again."""
        place, _ = self.rows.get(entry)
        self.rows.flags[entry // self.rows.page_size] |= SCATTERED
        self.rows.kill(entry, ROW.pack(DEAD, entry ^ self.seed))
        self.heap.release(place)

    def last(self) -> int:
        """Return the last live entry; there must be one. Amortised over removals O(1)."""
        while True:
            index = (self.top - 1) // self.rows.page_size
            if not self.rows.alive[index]:
                self.top = index * self.rows.page_size
            elif self.record(self.top - 1) is None:
                self.top -= 1
            else:
                return self.top - 1

    def mark(self, entry: int) -> None:
        """Mark the page of `entry`, as one that holds keys which only their own hash finds."""
        self.rows.flags[entry // self.rows.page_size] |= MARKED
        self.has_marks = True

    def is_marked(self, entry: int) -> bool:
        """Return whether the page of `entry` is marked."""
        return bool(self.rows.flags[entry // self.rows.page_size] & MARKED)

    def may_change(self, entry: int) -> bool:
        """Return whether a value in the page of `entry` may be one that changes in place."""
        return bool(self.rows.flags[entry // self.rows.page_size] & CHANGING)

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
            self._add_rows([place], [crc32(record, self.rows.end ^ self.seed)], flags | SCATTERED)
        else:
            self.fit([len(record)])
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
        self.top = self.rows.end

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
