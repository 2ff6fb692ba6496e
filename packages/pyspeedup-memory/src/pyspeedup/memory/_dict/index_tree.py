"""A tree of nodes by the first bits of the hash, through which slots sink in batches to the leaves.

Inner level *k* has ``fan_out ** (k + 1)`` nodes, by as many first bits. Below the last inner level are
leaves, found by a table of ``2 ** bits`` rows (extendible hashing: Fagin et al. 1979): a leaf that is too full is
split by the next bit, and where that needs more bits than the table has, the table is doubled.

A batch is put into the first inner level, or into the leaves while these are few; then one node of each
inner level, the fullest there is below the one before, is emptied into its children. So each batch
rewrites two fan-outs of nodes at most, and the leaves below one node, and each slot is written a bounded
number of times at each level (a buffer tree: Arge 1995; Brodal and Fagerberg 2003).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pyspeedup.memory._dict.index_nodes import ROW, Node, node_at
from pyspeedup.memory._dict.slots import HASH_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.memory._dict.index_nodes import NodePages
    from pyspeedup.memory._dict.slots import Slots, SlotWork

__all__ = ["Tree"]

LEAVES_A_NODE = 4
"""An inner level is made once there are so many leaves for each of its nodes."""
SPARE_BITS = 4
"""The table of leaves has at most so many bits more than as many leaves need."""


class Tree:
    """The nodes, in `nodes.pages`.

    `tables` has rows of all of them: of the leaves, then of the inner levels from below, each with
    how far to shift a hash to the right for its row.
    """

    def __init__(self, nodes: NodePages, *, fan_bits: int, leaf_slots: int) -> None:
        """Start with one leaf, which is empty."""
        self.nodes = nodes
        self.fan_bits = fan_bits
        self.leaf_slots = leaf_slots
        self.reset()

    def reset(self) -> None:
        """Forget all nodes."""
        self.take_up([], 0, bytearray(Node().pack()), 1)

    def take_up(self, levels: list[bytearray], bits: int, leaves: bytearray, count: int) -> None:
        """Go on with these tables of rows, of `count` leaves."""
        self._set_tables(levels, leaves, HASH_BITS - bits)
        self.leaf_count = count  # or about so many, after an interruption
        self._count: int | None = None

    def __len__(self) -> int:
        """Return the number of slots, in O(nodes) after a batch."""
        if self._count is None:
            inner = (node for level in self.levels for node in _rows(level))
            self._count = sum(node.size for node in chain(inner, self.each_leaf()))
        return self._count

    def shift(self, level: int) -> int:
        """Return how far to shift a hash to the right for its node of an inner level."""
        return HASH_BITS - self.fan_bits * (level + 1)

    def each_leaf(self) -> Iterator[Node]:
        """Yield the leaves in the order of their hashes."""
        table, shift = self.leaves
        at = 0
        while at << shift >> HASH_BITS == 0:
            leaf = node_at(table, at)
            yield leaf
            at += _width(leaf, shift)

    def each_node(self) -> Iterator[Node]:
        """Yield all nodes, level by level."""
        for level in self.levels:
            yield from _rows(level)
        yield from self.each_leaf()

    def check(self, work: SlotWork) -> None:
        """Raise `AssertionError` where nodes contradict each other; reads every page."""
        for level, table in enumerate(self.levels):
            for index, node in enumerate(_rows(table)):
                self.nodes.check(work, node, index << self.shift(level))
        table, shift = self.leaves
        at = 0
        for leaf in self.each_leaf():
            self.nodes.check(work, leaf, at << shift)
            width = _width(leaf, shift)
            if {node_at(table, row) for row in range(at, at + width)} != {leaf}:
                raise AssertionError(f"leaf {at} is not the same in all its rows")
            at += width
        pages = [node.page for node in self.each_node() if node.homes]
        if len(set(pages)) != len(pages):
            raise AssertionError("two nodes have one page")

    # ---- sinking -------------------------------------------------------------------------------

    def spread(self, work: SlotWork, slots: Slots, level: int = 0) -> Iterator[tuple[int, int]]:
        """Put `slots` into the nodes of an inner level, or into the leaves below the last one.

        Yields, after each node, how many are kept so far and a hash that is above all of theirs.
        """
        self._count = None
        done = 0
        while done < len(slots):
            code = int(slots[done]) >> HASH_BITS
            bound = self._bound(code, level)
            end = work.position(slots, bound)
            if level < len(self.levels):
                self._add_to_inner(work, level, code >> self.shift(level), slots[done:end])
            else:
                self._add_to_leaf(work, code, slots[done:end])
            done = end
            yield done, bound
            self.nodes.sweep()

    def settle(self, work: SlotWork) -> None:
        """Empty one node of each inner level into its children, from above; then grow if due."""
        node = 0
        for level in range(len(self.levels)):
            first = node << self.fan_bits
            children = range(first, first + (1 << self.fan_bits))
            table = self.levels[level]
            node = max(children, key=lambda child: node_at(table, child).size)
            self._empty(work, level, node)
        self._grow()

    def _grow(self) -> None:
        """Make inner levels as the number of leaves asks for them."""
        while self.leaf_count >= LEAVES_A_NODE << self.fan_bits * (len(self.levels) + 1):
            depth = self.fan_bits * (len(self.levels) + 1)
            table = bytearray(Node(depth=depth).pack() * (1 << depth))
            self._set_tables([*self.levels, table], *self.leaves)

    def _set_tables(self, levels: list[bytearray], leaves: bytearray, shift: int) -> None:
        inner = [(level, self.shift(number)) for number, level in enumerate(levels)]
        self.tables = (
            (leaves, shift),
            *reversed(inner),
        )  # at once, so that no interruption parts them

    @property
    def leaves(self) -> tuple[bytearray, int]:
        """The table of leaves, and how far to shift a hash to the right for its row there."""
        return self.tables[0]

    @property
    def levels(self) -> list[bytearray]:
        """The tables of the inner levels, from above."""
        return [level for level, _ in self.tables[:0:-1]]

    def _bound(self, code: int, level: int) -> int:
        """Return the least hash that belongs after the node of `code`."""
        if level < len(self.levels):
            shift = self.shift(level)
        else:
            table, leaf_shift = self.leaves
            shift = HASH_BITS - node_at(table, code >> leaf_shift).depth
        return (code >> shift) + 1 << shift

    def _empty(self, work: SlotWork, level: int, index: int) -> None:
        table = self.levels[level]
        node = node_at(table, index)
        if not node.homes:
            return
        slots = self.nodes.slots(work, node)
        for done, bound in self.spread(work, slots, level + 1):
            if done < node.size:
                left = node._replace(start=bound, size=node.size - done)
                _set_rows(table, index, left.pack())
            else:
                _set_rows(table, index, Node(depth=node.depth).pack())
                self.nodes.drop(node)

    def _add_to_inner(self, work: SlotWork, level: int, index: int, slots: Slots) -> None:
        table = self.levels[level]
        old = node_at(table, index)
        new = self.nodes.keep(work, self._with(work, old, slots), old.depth)
        _set_rows(table, index, new.pack())
        self.nodes.drop(old)

    def _add_to_leaf(self, work: SlotWork, code: int, slots: Slots) -> None:
        table, shift = self.leaves
        old = node_at(table, code >> shift)
        first = code >> HASH_BITS - old.depth << HASH_BITS - old.depth
        new = self.leaves_of(work, self._with(work, old, slots), first, old.depth)
        depth = max(leaf.depth for leaf in new)
        table, shift = _deepened(table, shift, depth)
        rows = b"".join([leaf.pack() * _width(leaf, shift) for leaf in new])
        _set_rows(table, first >> shift, rows)
        self._set_tables(self.levels, table, shift)
        self.leaf_count += len(new) - 1
        self.nodes.drop(old)

    def _with(self, work: SlotWork, node: Node, slots: Slots) -> Slots:
        return work.merged(self.nodes.slots(work, node), slots) if node.homes else slots

    def leaves_of(self, work: SlotWork, slots: Slots, first: int, depth: int) -> list[Node]:
        """Return new leaves for all hashes that have the first `depth` bits of `first`."""
        if len(slots) <= self.leaf_slots or depth >= self._deepest():
            return [self.nodes.keep(work, slots, depth)]
        middle = first + (1 << HASH_BITS - depth - 1)
        cut = work.position(slots, middle)
        left = self.leaves_of(work, slots[:cut], first, depth + 1)
        try:
            return left + self.leaves_of(work, slots[cut:], middle, depth + 1)
        except BaseException:
            for leaf in left:
                self.nodes.drop(leaf)
            raise

    def _deepest(self) -> int:
        """Return how deep a leaf may be: the more, the more leaves there are.

        Where many keys have one hash, splitting does not part them, and would double the table for ever.
        """
        return min(HASH_BITS, self.leaf_count.bit_length() + SPARE_BITS)


def _rows(table: bytearray) -> Iterator[Node]:
    return map(Node._make, ROW.iter_unpack(table))


def _set_rows(table: bytearray, index: int, rows: bytes) -> None:
    table[index * ROW.size : index * ROW.size + len(rows)] = rows


def _width(leaf: Node, shift: int) -> int:
    """Return how many rows of the table say the same of `leaf`."""
    return 1 << HASH_BITS - shift - leaf.depth


def _deepened(table: bytearray, shift: int, depth: int) -> tuple[bytearray, int]:
    """Return the table with a row for each prefix of `depth` bits, at least, and its shift."""
    times = 1 << max(0, depth - (HASH_BITS - shift))
    if times == 1:
        return table, shift
    size = ROW.size
    rows = [table[at : at + size] * times for at in range(0, len(table), size)]
    return bytearray().join(rows), shift - times.bit_length() + 1
