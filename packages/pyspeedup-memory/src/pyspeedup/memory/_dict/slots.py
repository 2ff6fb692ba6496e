"""How slots lie in a page of the index, and which of two implementations works on them.

A slot is 64 bits, ``hash << 32 | entry``. A page of slots is blocks of 256 bytes, 64 numbers of 32
bits, little-endian:

    31 hashes in ascending order, of which the first `used` count
    used
    31 entries, one for each hash
    check: CRC-32 of the bytes before it, begun with the page's salt plus the block's number

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
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.core import BytesLike

__all__ = [
    "BLOCK",
    "BLOCK_SLOTS",
    "CHECK_AT",
    "ENTRIES_AT",
    "HASH_BITS",
    "HASH_MASK",
    "USED_AT",
    "SlotWork",
    "Slots",
    "homes_for",
    "is_for_numpy",
    "slot_work",
]

HASH_BITS = 32
HASH_MASK = 0xFFFF_FFFF
BLOCK = 256
BLOCK_SLOTS = 31
USED_AT = 4 * BLOCK_SLOTS
ENTRIES_AT = USED_AT + 4
CHECK_AT = BLOCK - 4
SLOTS_A_HOME = 24
"""On average: one home in twelve is full then, and a slot takes 10.7 bytes."""
NUMPY_FROM = 4_096
"""So many slots at once are worth the import of numpy, which takes 0.1 s and 20 MB."""
NUMPY_IMPORTED_FROM = 128
"""So many are worth its use where it is imported."""

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
    return cast("SlotWork", _module("slots_numpy" if is_for_numpy(count) else "slots_plain"))


def is_for_numpy(count: int) -> bool:
    """Return whether work on `count` numbers at once is done with numpy, and it is installed."""
    least = NUMPY_IMPORTED_FROM if "numpy" in sys.modules else NUMPY_FROM
    return count >= least and _has_numpy()


@cache
def _has_numpy() -> bool:
    try:
        _module("slots_numpy")
    except ImportError:
        return False
    return True


def _module(name: str) -> Any:
    return importlib.import_module(f"pyspeedup.memory._dict.{name}")
