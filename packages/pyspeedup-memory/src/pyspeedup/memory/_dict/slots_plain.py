"""Work on the slots of the index without numpy: see `slots`."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from itertools import chain
from operator import floordiv
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from pyspeedup.memory._dict.slots import (
    BLOCK_SLOTS,
    BLOCK_WORDS,
    HASH_BITS,
    HASH_MASK,
    TAIL,
    USED_AT,
    homes_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.core import BytesLike

Slots: TypeAlias = "array[int]"


def sorted_slots(codes: Sequence[int], entries: Sequence[int]) -> Slots:
    """Return the slots of `codes` and their `entries`, in O(n log n)."""
    slots = [code << 32 | entry for code, entry in zip(codes, entries, strict=True)]
    slots.sort()
    return array("Q", slots)


def merged(one: Slots, other: Slots) -> Slots:
    """Return the slots of both, in O(their number)."""
    return array("Q", sorted(chain(one, other)))


def position(slots: Slots, code: int) -> int:
    """Return how many slots are of a hash below `code`, in O(log slots)."""
    return bisect_left(slots, code << HASH_BITS)


def renamed(slots: Slots, rename: Callable[[Sequence[int]], Sequence[int]]) -> Slots:
    """Return the slots with other entries, without those that become negative."""
    entries = rename(array("q", [slot & HASH_MASK for slot in slots]))
    pairs = zip(slots, entries, strict=True)
    return array("Q", sorted([slot >> 32 << 32 | entry for slot, entry in pairs if entry >= 0]))


def pairs(slots: Slots) -> tuple[list[int], list[int]]:
    """Return the hashes and the entries."""
    return [slot >> HASH_BITS for slot in slots], [slot & HASH_MASK for slot in slots]


def to_bytes(slots: Slots) -> bytes:
    """Return the slots one after the other."""
    return _little_endian(slots).tobytes()


def from_bytes(data: BytesLike) -> Slots:
    """Return the slots that `to_bytes` made `data` of."""
    slots = array("Q")
    slots.frombytes(data)
    return _little_endian(slots)


def blocks(slots: Slots, depth: int, salt: int) -> bytes:
    """Return the page of one or more slots, in O(slots)."""
    kept: list[bytes] = []
    start = 0
    ends = _ends_of_homes(slots, depth)
    for end in chain(ends, _without_end(len(slots))):
        used = min(end - start, BLOCK_SLOTS)
        kept.append(_block(slots[start : start + used], salt + len(kept)))
        start += used
        if start == len(slots) and used < BLOCK_SLOTS and len(kept) >= len(ends):
            break
    return b"".join(kept)


def of_blocks(data: BytesLike) -> Slots:
    """Return the slots of a page that `blocks` made, in O(slots)."""
    words = from_bytes(data)
    slots = array("Q")
    for start in range(0, len(words), BLOCK_WORDS):
        slots += words[start : start + (words[start + BLOCK_SLOTS] & HASH_MASK)]
    return slots


def _ends_of_homes(slots: Slots, depth: int) -> list[int]:
    """Return for each home how many slots have it or one before."""
    homes = homes_for(len(slots))
    shared = slots[0] >> (64 - depth) << (64 - depth)
    ends = []
    end = 0
    for home in range(1, homes):
        first = -floordiv(-(home << HASH_BITS), homes)  # the least hash below the shared bits
        bound = shared + (-floordiv(-first, 1 << depth) << HASH_BITS)
        end = bisect_left(slots, bound, end)
        ends.append(end)
    return [*ends, len(slots)]


def _without_end(number: int) -> chain[int]:
    return chain.from_iterable(iter(lambda: (number,), None))


def _block(slots: Slots, salt: int) -> bytes:
    data = to_bytes(slots).ljust(USED_AT, b"\0")
    used = len(slots).to_bytes(TAIL.size // 2, "little")
    return data + TAIL.pack(len(slots), crc32(data + used, salt))


def _little_endian(slots: Slots) -> Slots:
    if sys.byteorder == "little":
        return slots
    swapped = slots[:]
    swapped.byteswap()
    return swapped
