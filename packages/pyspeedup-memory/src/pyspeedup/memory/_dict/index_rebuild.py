"""Writes the leaves of a new index straight from an old one, in the order of the hashes."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspeedup.memory._dict.slots import HASH_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pyspeedup.memory._dict.index_nodes import Node
    from pyspeedup.memory._dict.index_tree import Tree
    from pyspeedup.memory._dict.slots import Slots, SlotWork

__all__ = ["fill"]

FILL = 0.75
"""How full a leaf is made at most, on average."""


def fill(
    new: Tree,
    work: SlotWork,
    levels: Iterable[Iterable[Slots]],
    rename: Callable[[Sequence[int]], Sequence[int]],
    expected: int,
) -> None:
    """Make `new`, which is empty, hold the slots of `levels` with other entries, in O(slots).

    Each level is given as runs of slots in order. About `expected` slots are left. Where this raises,
    what was written is dropped by the next sweep.
    """
    bits = 0
    while expected > FILL * new.leaf_slots * (1 << bits) and bits < HASH_BITS:
        bits += 1
    new.leaf_count = 1 << bits  # which says how deep leaves may be
    runs = [_Run(work, chunks) for chunks in levels]
    leaves: list[Node] = []
    try:
        for first in range(0, 1 << HASH_BITS, 1 << HASH_BITS - bits):
            slots = _below(work, runs, first + (1 << HASH_BITS - bits))
            slots = work.renamed(slots, rename) if len(slots) else slots
            leaves += new.leaves_of(work, slots, first, bits)
    except BaseException:
        for leaf in leaves:
            new.nodes.drop(leaf)
        raise
    new.set_leaves(leaves)


def _below(work: SlotWork, runs: list[_Run], bound: int) -> Slots:
    taken = [run.below(bound) for run in runs]
    return reduce(work.merged, filter(len, taken), work.from_bytes(b""))


class _Run:
    """Slots in ascending order, taken from the front."""

    def __init__(self, work: SlotWork, chunks: Iterable[Slots]) -> None:
        self._work = work
        self._chunks = iter(chunks)
        self._left = work.from_bytes(b"")

    def below(self, bound: int) -> Slots:
        """Take out the slots of hashes below `bound`."""
        taken = self._work.from_bytes(b"")
        while True:
            cut = self._work.position(self._left, bound)
            taken = self._work.merged(taken, self._left[:cut]) if cut else taken
            self._left = self._left[cut:]
            if len(self._left):
                return taken
            following = next(self._chunks, None)
            if following is None:
                return taken
            self._left = following
