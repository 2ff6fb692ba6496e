"""Where a hash leads: from 32 bits to the numbers of the entries that may hold the key.

Linear hashing: bucket after bucket is split in two as the index grows, so that no insertion has to
rebuild it. A bucket is a page of sorted 64-bit slots, ``hash << 32 | entry``, found by bisection.
What is added waits in RAM until there is enough to be worth a pass over the buckets. Few buckets
are resident; of the others only their page numbers are (8 bytes for some 500 slots).

It is a hint: whoever asks compares the keys.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left, insort
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["MAX_ENTRY", "Index", "Pages"]

BUCKET_SLOTS = 512
"""How many slots a bucket holds on average before the next one is split."""
RESIDENT_BUCKETS = 256
PENDING_SLOTS = 16_384
"""How many added slots wait in RAM."""
MAX_ENTRY = 0xFFFF_FFFF

HEADER = struct.Struct("<QQ")  # slots, buckets; then a page number for each bucket


class Pages(Protocol):
    """What an index needs of a `Volume`: numbered pages of bytes."""

    def read(self, page: int, /) -> BytesLike:
        """Return the bytes of `page`."""
        ...

    def write(self, page: int, data: bytes, /) -> None:
        """Replace the bytes of `page`."""
        ...

    def append(self, data: bytes, /) -> int:
        """Keep `data` as a page with a new number."""
        ...

    def delete(self, page: int, /) -> None:
        """Drop `page`."""
        ...


class Index:
    """A multimap from 32-bit hashes to entry numbers, kept in `pages`.

    Adding, discarding and finding cost O(log bucket), and a read of one page where the bucket is
    not resident. Nothing is safe from several threads: the content's lock is.

    >>> from pyspeedup.memory._pages.scratch import ScratchPages
    >>> index = Index(ScratchPages())
    >>> index.add(0xCAFE, 7)
    >>> index.find(0xCAFE), index.find(0xBEEF)
    ([7], [])
    """

    def __init__(
        self,
        pages: Pages,
        state: bytes | None = None,
        *,
        bucket_slots: int = BUCKET_SLOTS,
        resident: int = RESIDENT_BUCKETS,
        pending: int = PENDING_SLOTS,
    ) -> None:
        """Take up what `state` describes (as `flush` returned it), or start empty."""
        self._pages = pages
        self._bucket_slots = bucket_slots
        self._max_resident = resident
        self._max_pending = pending
        self._pending: dict[int, list[int]] = {}
        self._pending_count = 0
        self._resident: OrderedDict[int, array[int]] = OrderedDict()
        self._changed: set[int] = set()
        self._slots, self._numbers = _decode_state(state)

    def __len__(self) -> int:
        """Return the number of slots, in O(1)."""
        return self._slots + self._pending_count

    @property
    def resident(self) -> int:
        """How many buckets are in RAM."""
        return len(self._resident)

    @property
    def buckets(self) -> int:
        """How many buckets there are."""
        return len(self._numbers)

    def find(self, code: int) -> list[int]:
        """Return the entries added under `code`."""
        found = list(self._pending.get(code, ()))
        if self._numbers:
            slots = self._bucket(self._address(code))
            start = bisect_left(slots, code << 32)
            stop = bisect_left(slots, (code + 1) << 32, start)
            found.extend(slot & MAX_ENTRY for slot in slots[start:stop])
        return found

    def add(self, code: int, entry: int) -> None:
        """Let `code` lead to `entry`, too; `OverflowError` above the largest entry number."""
        if entry > MAX_ENTRY:
            raise OverflowError(f"entry number {entry} is above {MAX_ENTRY}, the largest possible")
        self._pending.setdefault(code, []).append(entry)
        self._pending_count += 1
        if self._pending_count >= self._max_pending:
            self._apply_pending()

    def discard(self, code: int, entry: int) -> None:
        """Let `code` lead to `entry` no longer; nothing happens where it does not."""
        waiting = self._pending.get(code, [])
        if entry in waiting:
            waiting.remove(entry)
            self._pending_count -= 1
            if not waiting:
                del self._pending[code]
        elif self._numbers:
            self._discard_from_bucket(code, code << 32 | entry)

    def flush(self) -> bytes:
        """Write what changed to the pages, and return the state to open the index by again."""
        self._apply_pending()
        for bucket in sorted(self._changed):
            self._pages.write(self._numbers[bucket], _encode_slots(self._resident[bucket]))
        self._changed.clear()
        return HEADER.pack(self._slots, len(self._numbers)) + _encode_slots(self._numbers)

    def clear(self) -> None:
        """Forget everything and drop the pages, in O(buckets)."""
        for number in self._numbers:
            self._pages.delete(number)
        self._numbers = array("Q")
        self._resident.clear()
        self._changed.clear()
        self._pending.clear()
        self._slots = self._pending_count = 0

    def check(self) -> None:
        """Raise `AssertionError` if the buckets contradict each other; reads every page."""
        counted = 0
        for bucket in range(len(self._numbers)):
            slots = self._bucket(bucket)
            counted += len(slots)
            wrong = [slot for slot in slots if self._address(slot >> 32) != bucket]
            if wrong or list(slots) != sorted(slots):
                raise AssertionError(f"bucket {bucket} holds {wrong or 'slots out of order'}")
        if counted != self._slots or len(self._resident) > self._max_resident:
            raise AssertionError(f"{counted} slots, not {self._slots}; {self.resident} resident")

    def _address(self, code: int) -> int:
        """Return the bucket of `code`: its low bits, one fewer where not split yet."""
        buckets = len(self._numbers)
        doubled = 1 << (buckets - 1).bit_length()
        bucket = code & (doubled - 1)
        return bucket if bucket < buckets else bucket & (doubled // 2 - 1)

    def _bucket(self, bucket: int) -> array[int]:
        slots = self._resident.get(bucket)
        if slots is None:
            slots = _decode_slots(self._pages.read(self._numbers[bucket]))
            self._resident[bucket] = slots
            self._evict()
        else:
            self._resident.move_to_end(bucket)
        return slots

    def _evict(self) -> None:
        while len(self._resident) > self._max_resident:
            bucket, slots = next(iter(self._resident.items()))
            if bucket in self._changed:
                self._pages.write(self._numbers[bucket], _encode_slots(slots))
                self._changed.discard(bucket)
            del self._resident[bucket]

    def _discard_from_bucket(self, code: int, slot: int) -> None:
        bucket = self._address(code)
        slots = self._bucket(bucket)
        position = bisect_left(slots, slot)
        if position < len(slots) and slots[position] == slot:
            del slots[position]
            self._changed.add(bucket)
            self._slots -= 1

    def _apply_pending(self) -> None:
        """Move what waits into the buckets, one bucket after the other."""
        if not self._pending_count:
            return
        self._grow_to((self._slots + self._pending_count) // self._bucket_slots + 1)
        grouped: dict[int, list[int]] = {}
        for code in self._pending:
            grouped.setdefault(self._address(code), []).append(code)
        for bucket in sorted(grouped):
            slots = self._bucket(bucket)
            self._changed.add(bucket)
            for code in grouped[bucket]:
                self._apply(code, slots)

    def _apply(self, code: int, slots: array[int]) -> None:
        entries = self._pending.pop(code)
        for entry in entries:
            insort(slots, code << 32 | entry)
        self._slots += len(entries)
        self._pending_count -= len(entries)

    def _grow_to(self, buckets: int) -> None:
        while len(self._numbers) < buckets:
            if self._numbers:
                self._split()
            else:
                self._numbers.append(self._pages.append(b""))

    def _split(self) -> None:
        """Share one bucket's slots with a new one; which is next follows from their number."""
        new = len(self._numbers)
        bit = 1 << (new.bit_length() - 1)
        old = new ^ bit
        slots = self._bucket(old)
        moved = array("Q", [slot for slot in slots if slot >> 32 & bit])
        kept = array("Q", [slot for slot in slots if not slot >> 32 & bit])
        self._numbers.append(self._pages.append(_encode_slots(moved)))
        self._resident[old] = kept
        self._changed.add(old)


def _decode_state(state: bytes | None) -> tuple[int, array[int]]:
    if state is None:
        return 0, array("Q")
    slots, buckets = HEADER.unpack_from(state)
    return slots, _decode_slots(state[HEADER.size : HEADER.size + 8 * buckets])


def _encode_slots(slots: array[int]) -> bytes:
    if sys.byteorder == "little":
        return slots.tobytes()
    swapped = slots[:]
    swapped.byteswap()
    return swapped.tobytes()


def _decode_slots(data: BytesLike) -> array[int]:
    slots = array("Q", bytes(data))
    if sys.byteorder == "big":
        slots.byteswap()
    return slots
