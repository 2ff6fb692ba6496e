"""How slots lie in a page of the index, and which of two implementations works on them.

A slot is 64 bits, ``hash << 32 | entry``. A page of slots is blocks of 256 bytes, little-endian:

    31 slots in ascending order, of which the first `used` count
    u32 used
    u32 check: CRC-32 of the bytes before it, begun with the page's salt plus the block's number

A slot's *home* follows from its hash, so that one block is read to find it: the bits of the hash
below those that all of the page share, times the number of homes. A slot whose home is full is in
the next block with room, so all of a page's slots are in ascending order. The last block is never
full: that ends every search.

Slots that are worked on (`Slots`) are an ``array("Q")`` here (`slots_plain`), or an array of numpy
where that is installed and there are enough of them to be worth its import (`slots_numpy`). Both
make the same bytes.
"""

from __future__ import annotations

import importlib
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.core import BytesLike

__all__ = [
    "BLOCK",
    "BLOCK_SLOTS",
    "BLOCK_WORDS",
    "HASH_BITS",
    "HASH_MASK",
    "TAIL",
    "USED_AT",
    "SlotWork",
    "Slots",
    "homes_for",
    "slot_work",
]

HASH_BITS = 32
HASH_MASK = 0xFFFF_FFFF
BLOCK_WORDS = 32
BLOCK_SLOTS = BLOCK_WORDS - 1
BLOCK = 8 * BLOCK_WORDS
USED_AT = 8 * BLOCK_SLOTS
TAIL = struct.Struct("<II")  # used, check
SLOTS_A_HOME = 24
"""On average: one home in twelve is full then, and a slot takes 10.7 bytes."""
NUMPY_FROM = 4_096
"""So many slots at once are worth the import of numpy, which takes 0.1 s and 20 MB."""

Slots: TypeAlias = Any


class SlotWork(Protocol):
    """What either implementation does with slots, all of which are in ascending order."""

    def sorted_slots(self, codes: Sequence[int], entries: Sequence[int], /) -> Slots:
        """Return the slots of `codes` and their `entries`, which come in any order."""
        ...

    def merged(self, one: Slots, other: Slots, /) -> Slots:
        """Return the slots of both, in O(their number)."""
        ...

    def position(self, slots: Slots, code: int, /) -> int:
        """Return how many slots are of a hash below `code`, in O(log slots)."""
        ...

    def renamed(self, slots: Slots, rename: Callable[[Sequence[int]], Sequence[int]], /) -> Slots:
        """Return the slots with other entries: those that `rename` makes of them, all at once.

        A slot whose entry becomes a negative number is left out.
        """
        ...

    def pairs(self, slots: Slots, /) -> tuple[list[int], list[int]]:
        """Return the hashes and the entries."""
        ...

    def to_bytes(self, slots: Slots, /) -> bytes:
        """Return the slots one after the other, little-endian, without blocks."""
        ...

    def from_bytes(self, data: BytesLike, /) -> Slots:
        """Return the slots that `to_bytes` made `data` of."""
        ...

    def blocks(self, slots: Slots, depth: int, salt: int, /) -> bytes:
        """Return the page of one or more slots, whose hashes agree in their first `depth` bits."""
        ...

    def of_blocks(self, data: BytesLike, /) -> Slots:
        """Return the slots of a page that `blocks` made."""
        ...


def homes_for(slots: int) -> int:
    """Return how many homes a page of so many slots has: its number of blocks or a little less.

    >>> homes_for(1), homes_for(24), homes_for(25)
    (1, 1, 2)
    """
    return max(1, -(-slots // SLOTS_A_HOME))


def slot_work(count: int) -> SlotWork:
    """Return the implementation for working on `count` slots at a time."""
    with_numpy = _numpy_work() if count >= NUMPY_FROM else None
    return with_numpy or cast("SlotWork", _module("slots_plain"))


@cache
def _numpy_work() -> SlotWork | None:
    """Return the implementation with numpy, or None where that is not installed."""
    try:
        return cast("SlotWork", _module("slots_numpy"))
    except ImportError:
        return None


def _module(name: str) -> Any:
    return importlib.import_module(f"pyspeedup.memory._dict.{name}")
