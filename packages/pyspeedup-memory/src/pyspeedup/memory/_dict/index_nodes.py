"""The nodes of the index's tree: what is known of each in RAM, and its page of slots.

A node is known by a row of 28 bytes, so that a table of them is the state to commit as it is.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol
from zlib import crc32

from pyspeedup.memory._dict.slots import HASH_BITS, homes_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.core import BytesLike
    from pyspeedup.memory._dict.slots import Slots, SlotWork

__all__ = ["PLACE", "RESIDUE", "ROW", "Node", "NodePages", "Pages", "node_at"]

ROW = struct.Struct("<QIIB3xII")
PLACE = struct.Struct("<QIIB")
"""The first four fields of a row, which are all that finding needs."""
STAMP = struct.Struct("<Q")
RESIDUE = 0x2144_DF1C
"""The CRC-32 of anything that its own CRC-32 follows: that of a whole block, begun with its salt."""
LARGEST_SALT = 0x7FFF_FFFF
"""So that the number of a block can be added to it."""


class Pages(Protocol):
    """What an index needs of a `Volume`: numbered pages of bytes."""

    def read(self, page: int, /) -> BytesLike:
        """Return the bytes of `page`, checked."""
        ...

    def peek(self, page: int, start: int, stop: int, /) -> bytes:
        """Return some of the bytes of `page`, unchecked."""
        ...

    @property
    def raw_peek(self) -> Callable[[int, int, int], bytes]:
        """Does the same in one call less; `KeyError` for a page that is missing."""
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


class Node(NamedTuple):
    """A row: where the slots of one node are, and which of them count."""

    page: int = 0
    homes: int = 0  # none: the node is empty, and has no page
    salt: int = 0
    depth: int = 0  # how many first bits of the hash are the same for all that belong here
    size: int = 0
    start: int = 0  # slots of lower hashes have moved on to the node's children

    def pack(self) -> bytes:
        """Return the row.

        >>> Node(7, 2, depth=3).pack().hex(" ", 4)
        '07000000 00000000 02000000 00000000 03000000 00000000 00000000'
        """
        return ROW.pack(*self)


def node_at(table: bytes | bytearray, index: int) -> Node:
    """Return what a table of rows says of one node."""
    return Node._make(ROW.unpack_from(table, index * ROW.size))


class NodePages:
    """Pages of slots. A page is never rewritten: the node gets another, and then drops the old one.

    So nothing is lost where a write raises, or is interrupted. Each page has a salt of its own, which
    follows from `seed` and the number of pages written so far, so that a block of another page,
    another store or an older commit is not taken for one of this page.
    """

    def __init__(self, pages: Pages, seed: int, written: int) -> None:
        self.pages = pages
        self.written = written
        self._seed = seed
        self._dropped: list[int] = []

    def keep(self, work: SlotWork, slots: Slots, depth: int) -> Node:
        """Return a node of `slots`, written to a new page; O(slots)."""
        if not len(slots):
            return Node(depth=depth)
        self.written += 1
        salt = crc32(STAMP.pack(self.written), self._seed) & LARGEST_SALT
        page = self.pages.append(work.blocks(slots, depth, salt))
        return Node(page, homes_for(len(slots)), salt, depth, len(slots))

    def slots(self, work: SlotWork, node: Node) -> Slots:
        """Return the slots of `node`, checked, in O(slots)."""
        if not node.homes:
            return work.from_bytes(b"")
        slots = work.of_blocks(self.pages.read(node.page))
        return slots[work.position(slots, node.start) :] if node.start else slots

    def drop(self, node: Node) -> None:
        """Have the page of `node` dropped by the next `sweep`."""
        if node.homes:
            self.drop_page(node.page)

    def drop_page(self, page: int) -> None:
        """Have `page` dropped by the next `sweep`."""
        self._dropped.append(page)

    def check(self, work: SlotWork, node: Node, first: int) -> None:
        """Raise `AssertionError` where `node`, whose least possible hash is `first`, is not as it should be."""
        if not node.homes:
            if node.size:
                raise AssertionError(f"an empty node of {node.size} slots")
            return
        data = bytes(self.pages.read(node.page))
        slots = work.of_blocks(data)
        if len(slots) - work.position(slots, node.start) != node.size:
            raise AssertionError(f"page {node.page} has not {node.size} slots above {node.start}")
        if homes_for(len(slots)) != node.homes or work.blocks(slots, node.depth, node.salt) != data:
            raise AssertionError(f"page {node.page} is not made of its slots")
        codes, _ = work.pairs(slots)
        above = first + (1 << HASH_BITS - node.depth)
        if codes != sorted(codes) or codes[0] < first or codes[-1] >= above:
            raise AssertionError(f"page {node.page} holds what belongs elsewhere")

    def sweep(self) -> None:
        """Drop what is to be dropped. Where that raises, the rest is left for the next time."""
        while self._dropped:
            with suppress(KeyError):  # where it was dropped, and an interruption hid that
                self.pages.delete(self._dropped[-1])
            self._dropped.pop()
