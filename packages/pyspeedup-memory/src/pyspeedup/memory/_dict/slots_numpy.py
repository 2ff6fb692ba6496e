"""Work on the slots of the index with numpy: see `slots`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

import numpy as np

from pyspeedup.memory._dict.slots import (
    BLOCK,
    BLOCK_SLOTS,
    CHECK_AT,
    ENTRIES_AT,
    HASH_BITS,
    HASH_MASK,
    homes_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.core import BytesLike

Slots: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"
Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

CHECKED = struct.Struct(f"{CHECK_AT}s{BLOCK - CHECK_AT}x")
SHIFT = np.uint64(HASH_BITS)
MASK = np.uint64(HASH_MASK)
FILL = np.arange(BLOCK_SLOTS)


def sorted_slots(codes: Sequence[int], entries: Sequence[int]) -> Slots:
    """Return the slots of `codes` and their `entries`, in O(n log n)."""
    slots = np.array(codes, np.uint64) << SHIFT | np.array(entries, np.uint64)
    slots.sort()
    return slots


def merged(one: Slots, other: Slots) -> Slots:
    """Return the slots of both, in O(their number)."""
    both = np.concatenate((one, other))
    both.sort(kind="stable")  # which merges runs
    return both


def position(slots: Slots, code: int) -> int:
    """Return how many slots are of a hash below `code`, in O(log slots)."""
    if code > HASH_MASK:
        return len(slots)
    return int(slots.searchsorted(np.uint64(code << HASH_BITS)))


def pairs(slots: Slots) -> tuple[list[int], list[int]]:
    """Return the hashes and the entries."""
    return (slots >> SHIFT).tolist(), (slots & MASK).tolist()


def to_bytes(slots: Slots) -> bytes:
    """Return the slots one after the other."""
    return slots.astype("<u8", copy=False).tobytes()


def from_bytes(data: BytesLike) -> Slots:
    """Return the slots that `to_bytes` made `data` of."""
    return np.frombuffer(data, "<u8").astype(np.uint64, copy=False)


def blocks(slots: Slots, depth: int, salt: int) -> bytes:
    """Return the page of one or more slots, in O(slots)."""
    codes = slots >> SHIFT
    used = _used(_ends_of_homes(codes, depth))
    words = np.zeros((len(used), BLOCK // 4), "<u4")
    is_used = used[:, None] > FILL
    words[:, :BLOCK_SLOTS][is_used] = codes
    words[:, ENTRIES_AT // 4 : CHECK_AT // 4][is_used] = slots & MASK
    words[:, BLOCK_SLOTS] = used
    checked = [block for (block,) in CHECKED.iter_unpack(words.tobytes())]
    words[:, CHECK_AT // 4] = list(map(crc32, checked, range(salt, salt + len(used))))
    return words.tobytes()


def _ends_of_homes(codes: Slots, depth: int) -> Array:
    """Return for each home how many slots have it or one before."""
    homes = homes_for(len(codes))
    first = int(codes[0]) >> HASH_BITS - depth << HASH_BITS - depth
    numbers = np.arange(1, homes, dtype=np.uint64) << SHIFT
    least = (numbers + np.uint64(homes - 1)) // np.uint64(homes)  # as if `depth` were 0
    least = (least + np.uint64((1 << depth) - 1)) >> np.uint64(depth)
    ends = np.full(homes, len(codes))
    ends[:-1] = codes.searchsorted(least + np.uint64(first))
    return ends


def _used(ends: Array) -> Array:
    """Return how many slots are in each block: what has no room moves on to the next."""
    full = np.arange(0, BLOCK_SLOTS * len(ends), BLOCK_SLOTS)
    stops = full + np.minimum(np.minimum.accumulate(ends - full), BLOCK_SLOTS)
    used = stops.copy()
    used[1:] -= stops[:-1]
    left = int(ends[-1] - stops[-1])
    if not left and used[-1] < BLOCK_SLOTS:
        return used
    more = [BLOCK_SLOTS] * (left // BLOCK_SLOTS)
    return np.array([*used.tolist(), *more, left % BLOCK_SLOTS])


def of_blocks(data: BytesLike) -> Slots:
    """Return the slots of a page that `blocks` made, in O(slots)."""
    words = np.frombuffer(data, "<u4").reshape(-1, BLOCK // 4)
    is_used = words[:, BLOCK_SLOTS, None] > FILL
    slots: Slots = words[:, :BLOCK_SLOTS][is_used].astype(np.uint64) << SHIFT
    slots |= words[:, ENTRIES_AT // 4 : CHECK_AT // 4][is_used]
    return slots
