"""Where the bytes of a dict's items are: records one after the other, in pages of a volume.

A record is found by its *place*, which says how long it is and how long its key is as well:

    address << 24 | length << 8 | length of the key's image

An address counts bytes over all pages of the heap, which have the same capacity. A record longer than
`Heap.longest` has a page of its own: its address is that page's number, and its length `LONG`. A key
whose image is too long for the last byte of a place is preceded by its length in 4 bytes.

Records are only ever added at the end; bytes that no row refers to any more are garbage, until
all of a page is. Nothing is deleted before `write_back`, so that removing an item touches no page.
"""

from __future__ import annotations

import struct
from array import array
from itertools import accumulate, groupby
from operator import add
from typing import TYPE_CHECKING

from pyspeedup.memory._dict.arrays import pack_arrays, unpack_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyspeedup.core import BytesLike
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["DEAD", "LONG", "Heap", "key_span", "make_record", "places_from"]

DEAD = 0
"""The place of an item that was removed."""
LONG = 0xFFFF
LONG_KEY = 0xFF
KEY_LENGTH = struct.Struct("<I")
NOWHERE = 0xFFFF_FFFF_FFFF_FFFF
"""Stands for the number of a page that there is none of."""
MOST_CAPACITY = 1 << 16
LEAST_CAPACITY = 1 << 8
BYTES_AN_ITEM = 64
MANY_PAGES = 1024
WORTH_A_PIECE = 16
"""Reading one piece for so many records of a page costs less than reading them one by one."""
LONGEST = 1 << 14
"""Bytes of a record above which it gets a page of its own."""


def make_record(image: bytes, body: bytes) -> tuple[bytes, int]:
    """Return the record of a key and a value, and what the last byte of its place is.

    >>> make_record(b"key", b"value")
    (b'keyvalue', 3)
    """
    if len(image) < LONG_KEY:
        return image + body, len(image)
    return KEY_LENGTH.pack(len(image)) + image + body, LONG_KEY


def key_span(place: int, record: bytes) -> tuple[int, int]:
    """Return where in a record the key's image begins, and where it ends."""
    length = place & LONG_KEY
    if length < LONG_KEY:
        return 0, length
    return KEY_LENGTH.size, KEY_LENGTH.size + KEY_LENGTH.unpack_from(record)[0]


def places_from(
    address: int, records: Sequence[bytes], key_sizes: Iterable[int]
) -> tuple[list[int], int]:
    """Return the places of short records that lie one after the other, and where they end.

    >>> [hex(place) for place in places_from(0x10, [b"key1", b"key"], [3, 3])[0]]
    ['0x10000403', '0x14000303']
    """
    lengths = list(map(len, records))
    starts = list(accumulate(lengths, initial=address))
    places = [
        start << 24 | length << 8 | key_size
        for start, length, key_size in zip(starts, lengths, key_sizes, strict=False)
    ]
    return places, starts[-1]


class Heap:
    """Records by place, in pages of `volume`. RAM: 24 bytes a page, and the page that is not full yet.

    Adding and reading cost O(bytes) and at most one page.
    """

    def __init__(self, volume: Volume, page_size: int, state: bytes | None = None) -> None:
        """Take up what `state` describes, as `write_back` returned it, or start empty.

        Pages have room for about `page_size` short records, within reason.
        """
        self._volume = volume
        self._shift = _capacity(page_size).bit_length() - 1
        self.doomed: list[int] = []  # pages of long records that nothing refers to any more
        # Of each page, the last one included: its number in the volume, the bytes of records in it
        # that are referred to, and how many bytes it has there.
        self._pages, self._live, self._sizes = (array("Q", [0]) for _ in range(3))
        self._pages[0] = NOWHERE
        self._last: tuple[int, bytearray | None] = 0, bytearray()  # None before it is read
        if state is not None:
            self._decode(state)
        self._mask = (1 << self._shift) - 1
        self.longest = min(LONGEST, self._mask + 1)

    @property
    def capacity(self) -> int:
        """How many bytes of records a page can take."""
        return self._mask + 1

    @property
    def live_bytes(self) -> int:
        """How many bytes in pages that are shared are referred to, in O(pages) but fast."""
        return sum(self._live)

    @property
    def garbage(self) -> int:
        """How many bytes of shared pages nothing refers to, in O(pages) but fast."""
        last, tail = self._last
        used = (
            sum(self._sizes)
            - self._sizes[last]
            + (self._sizes[last] if tail is None else len(tail))
        )
        return used - self.live_bytes

    @property
    def is_stretched(self) -> bool:
        """Whether most of very many pages are gone, whose places still take room."""
        return len(self._pages) > MANY_PAGES and 2 * self._live.count(0) > len(self._pages)

    @property
    def room(self) -> int:
        """How many bytes the last page can still take."""
        return self._mask + 1 - len(self._tail())

    def make_room(self, size: int) -> None:
        """Have room for `size` bytes of records, at most `longest`; `OSError` and nothing is changed."""
        if self.room < size:
            self._write_tail()
            self._begin_page(self._last[0] + 1)

    def add(self, records: bytes) -> int:
        """Put records at the end, for which there is room, and return the address of the first."""
        tail = self._tail()
        last, start, grown = self._last[0], len(tail), len(records)
        self._live[last] += grown  # nothing is called here, so no interruption comes between
        tail += records
        return last << self._shift | start

    def add_long(self, record: bytes) -> int:
        """Keep a record in a page of its own, and return its address."""
        return self._volume.append(record)

    def read(self, place: int) -> bytes:
        """Return a record, which the caller checks; `KeyError` where there is no such page."""
        address, length = place >> 24, place >> 8 & LONG
        index = address >> self._shift
        start = address & self._mask
        last, tail = self._last
        if length == LONG:
            return bytes(self._volume.read(address))
        if index < last or tail is None:
            return self._volume.raw_peek(self._pages[index], start, start + length)
        if index > last:
            raise KeyError(index)
        return bytes(tail[start : start + length])

    def read_many(self, places: Sequence[int]) -> Iterator[bytes]:
        """Yield records as `read` does; of those that follow each other in one page that is cheaper."""
        shift = 24 + self._shift
        last, tail = self._last
        start = 0
        for index, group in groupby([place >> shift for place in places]):
            stop = start + len(list(group))
            some = places[start:stop]
            lengths = [place >> 8 & LONG for place in some]
            if (
                stop - start < WORTH_A_PIECE
                or LONG in lengths
                or (index >= last and tail is not None)
            ):
                yield from map(self.read, some)
            else:
                yield from self._read_together(index, some, lengths)
            start = stop

    def _read_together(self, index: int, places: Sequence[int], lengths: list[int]) -> list[bytes]:
        """Return short records of one page of the volume."""
        mask = self._mask
        starts = [place >> 24 & mask for place in places]
        low, high = min(starts), max(map(add, starts, lengths))
        piece = self._volume.raw_peek(self._pages[index], low, high)
        return [
            piece[start - low : start - low + length]
            for start, length in zip(starts, lengths, strict=True)
        ]

    def stretch(self, address: int, end: int) -> bytes:
        """Return the bytes from `address` to `end`, of as many pages as that takes, all checked.

        What pages have no records in, at their ends, is left out.
        """
        parts = []
        while address < end:
            page_end = (address | self._mask) + 1
            stop = None if end >= page_end else end & self._mask
            parts.append(self._checked(address >> self._shift)[address & self._mask : stop])
            address = page_end
        return b"".join(parts)

    def release(self, place: int) -> None:
        """Count a record out that nothing refers to any more, in O(1)."""
        length = place >> 8 & LONG
        if length == LONG:
            self.doomed.append(place >> 24)
        else:
            self._live[place >> 24 >> self._shift] -= length

    def release_many(self, places: Iterable[int]) -> None:
        """Count records out, in O(places)."""
        live, shift = self._live, 24 + self._shift
        for place in places:
            length = place >> 8 & LONG
            if length == LONG:
                self.doomed.append(place >> 24)
            else:
                live[place >> shift] -= length

    def is_next(self, end: int, address: int) -> bool:
        """Return whether what begins at `address` follows directly what ends at `end`."""
        if end == address:
            return True
        index = end - 1 >> self._shift
        begin = index << self._shift
        return address == begin + self._mask + 1 and self._sizes[index] == end - begin

    def write_back(self) -> bytes:
        """Write the last page, drop what nothing refers to, and return the state, in O(pages)."""
        self.drop_garbage()
        self._write_tail()
        return bytes([self._shift]) + pack_arrays(self._pages, self._live, self._sizes)

    def drop_garbage(self) -> None:
        """Delete the pages of which nothing is referred to, in O(pages) but fast."""
        while self.doomed:
            number = self.doomed.pop()  # first: a page that is left over harms nobody
            try:
                self._volume.delete(number)
            except OSError:
                self.doomed.append(number)
                raise
        index = -1
        for _ in range(self._live.count(0)):
            index = self._live.index(0, index + 1)
            number = self._pages[index]
            if index != self._last[0] and number != NOWHERE:
                self._pages[index] = NOWHERE
                try:
                    self._volume.delete(number)
                except OSError:
                    self._pages[index] = number
                    raise
                self._sizes[index] = 0

    def numbers(self) -> list[int]:
        """Return the numbers of its pages in the volume, but for those of long records."""
        return [page for page in self._pages if page != NOWHERE]

    def _decode(self, state: bytes) -> None:
        self._shift = state[0]
        self._pages, self._live, self._sizes = unpack_arrays(state[1:], "QQQ")
        last = len(self._pages) - 1
        self._last = last, bytearray() if self._pages[last] == NOWHERE else None

    def _tail(self) -> bytearray:
        last, tail = self._last
        if tail is None:
            tail = bytearray(self._volume.read(self._pages[last]))
            self._last = last, tail
        return tail

    def _checked(self, index: int) -> BytesLike:
        last, tail = self._last
        if index == last and tail is not None:
            return tail
        if index > last:
            raise KeyError(index)
        return self._volume.read(self._pages[index])

    def _begin_page(self, index: int) -> None:
        """Let `index` be the last page; whatever it is interrupted by, it can be begun again."""
        for column, first in ((self._pages, NOWHERE), (self._live, 0), (self._sizes, 0)):
            column[index:] = array("Q", [first])
        self._last = index, bytearray()

    def _write_tail(self) -> None:
        last, tail = self._last
        if tail is None or len(tail) == self._sizes[last]:
            return
        data = bytes(tail)
        if self._pages[last] == NOWHERE:
            self._pages[last] = self._volume.append(data)
        else:
            self._volume.write(self._pages[last], data)
        self._sizes[last] = len(data)


def _capacity(page_size: int) -> int:
    wanted = min(max(page_size * BYTES_AN_ITEM, LEAST_CAPACITY), MOST_CAPACITY)
    return 1 << (wanted - 1).bit_length()
