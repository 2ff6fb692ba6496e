"""Work on the slots of the index without numpy: see `slots`."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from itertools import chain, repeat
from operator import floordiv
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from pyspeedup.memory._dict.slots import (
    BLOCK,
    BLOCK_SLOTS,
    HASH_BITS,
    homes_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.core import BytesLike

Slots: TypeAlias = "array[int]"

LOW, HIGH = (0, 1) if sys.byteorder == "little" else (1, 0)
"""Where the halves of a slot are, of 32 bits each."""


def sorted_slots(codes: Sequence[int], entries: Sequence[int]) -> Slots:
    """Return the slots of `codes` and their `entries`, in O(n log n)."""
    slots = [code << HASH_BITS | entry for code, entry in zip(codes, entries, strict=True)]
    slots.sort()
    return array("Q", slots)


def merged(one: Slots, other: Slots) -> Slots:
    """Return the slots of both, in O(their number)."""
    return array("Q", sorted(chain(one, other)))


def position(slots: Slots, code: int) -> int:
    """Return how many slots are of a hash below `code`, in O(log slots)."""
    return bisect_left(slots, code << HASH_BITS)


def pairs(slots: Slots) -> tuple[list[int], list[int]]:
    """Return the hashes and the entries."""
    codes, entries = _halves(slots)
    return codes.tolist(), entries.tolist()


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
    codes, entries = map(_little_endian, _halves(slots))
    kept: list[bytes] = []
    start = 0
    ends = _ends_of_homes(slots, depth)
    for end in chain(ends, repeat(len(slots))):
        stop = min(end, start + BLOCK_SLOTS)
        kept.append(_block(codes[start:stop], entries[start:stop], salt + len(kept)))
        is_last = stop == len(slots) < start + BLOCK_SLOTS and len(kept) >= len(ends)
        start = stop
        if is_last:
            break
    return b"".join(kept)


def of_blocks(data: BytesLike) -> Slots:
    """Return the slots of a page that `blocks` made, in O(slots)."""
    numbers = _little_endian(array("I", bytes(data)))
    codes, entries = array("I"), array("I")
    for start in range(0, len(numbers), BLOCK // 4):
        used = numbers[start + BLOCK_SLOTS]
        codes += numbers[start : start + used]
        entries += numbers[start + BLOCK_SLOTS + 1 : start + BLOCK_SLOTS + 1 + used]
    halves = array("I", bytes(8 * len(codes)))
    halves[HIGH::2], halves[LOW::2] = codes, entries
    return array("Q", halves.tobytes())


def _halves(slots: Slots) -> tuple[array[int], array[int]]:
    halves = array("I", slots.tobytes())
    return halves[HIGH::2], halves[LOW::2]


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


def _block(codes: array[int], entries: array[int], salt: int) -> bytes:
    column = 4 * BLOCK_SLOTS
    used = len(codes).to_bytes(4, "little")
    data = codes.tobytes().ljust(column, b"\0") + used + entries.tobytes().ljust(column, b"\0")
    return data + crc32(data, salt).to_bytes(4, "little")


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return numbers
    swapped = numbers[:]
    swapped.byteswap()
    return swapped
