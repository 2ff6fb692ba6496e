"""Where a hash leads: from 32 bits to the numbers of the entries that may hold the key.

What is added waits in RAM (`recent`); once that is full it sinks, in order of the hashes, into a
tree of pages (`index_tree`), of which only a row of 28 bytes each is resident. To find a hash costs a
look at 256 bytes of a leaf, and where its entry is not there, of one page a level of the tree.

It is a hint: whoever asks compares the keys. But that it leads nowhere is believed, so every block of
256 bytes that has nothing to say is checked.
"""

from __future__ import annotations

import os
import struct
from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING
from zlib import crc32

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._dict.index_filter import Filter
from pyspeedup.memory._dict.index_nodes import PLACE, RESIDUE, ROW, NodePages, Pages
from pyspeedup.memory._dict.index_recent import Recent
from pyspeedup.memory._dict.index_tree import Tree
from pyspeedup.memory._dict.slots import (
    BLOCK,
    BLOCK_SLOTS,
    ENTRIES_AT,
    HASH_BITS,
    HASH_MASK,
    USED_AT,
    is_for_numpy,
    slot_work,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MAX_ENTRY", "Index", "Pages"]

RECENT_SLOTS = 16_384
"""How many added slots wait in RAM, about 1.5 MB."""
LEAF_SLOTS = 4_096
MISSES_WORTH = 16
"""Slots that can be put into a filter in the time of one look-up that finds nothing."""
MOST_TO_FILTER, MOST_TO_FILTER_PLAINLY = 4_000_000, 500_000
"""Slots from which no filter is made of an index that is opened: the program would stand still for it."""
FAN_BITS = 4
MAX_ENTRY = 0xFFFF_FFFF

FORMAT = 1
HEADER = struct.Struct("<BBBBIQQI")
"""Format, inner levels, bits of the fan-out, bits of the leaves' table, recent slots, one more than their
page, pages written, leaves; then the rows of each inner level, and of the leaves."""
LAST_AT = USED_AT - 4
number_in = struct.Struct("<I").unpack_from
place_in = PLACE.unpack_from
ROW_SIZE = ROW.size


class Index:
    """A multimap from 32-bit hashes to entry numbers, kept in `pages`.

    Adding costs O(log n) amortised, with a small factor: it is work on whole pages. Finding costs
    O(log n) looks at 256 bytes, which are three at most below 40 million slots. Nothing is safe from several
    threads: the content's lock is.

    >>> from pyspeedup.memory._pages.scratch import ScratchPages
    >>> index = Index(ScratchPages())
    >>> index.add(0xCAFE, 7)
    >>> list(index.find(0xCAFE)), list(index.find(0xBEEF))
    ([7], [])
    """

    def __init__(
        self,
        pages: Pages,
        state: bytes | None = None,
        *,
        seed: int = 0,
        name: str = "the index",
        recent_slots: int = RECENT_SLOTS,
        leaf_slots: int = LEAF_SLOTS,
        fan_bits: int = FAN_BITS,
    ) -> None:
        """Take up what `state` describes (as `flush` returned it), or start empty; no page is read.

        `seed` is a number of 32 bits that tells this store from others, `name` stands in messages.
        """
        self._pages = pages
        self._seed = seed
        self._name = name
        self._most = recent_slots
        self._recent = Recent()
        self._recent_page: int | None = None
        self._unread = 0  # slots of that page which are not in `recent` yet
        self._is_changed = False
        self._filter: Filter | None = Filter() if state is None else None
        self._missed = 0  # look-ups that found nothing, without a filter
        # From anywhere, so that no page of an index that was here before is taken for one of this.
        written = int.from_bytes(os.urandom(6), "little")
        nodes = NodePages(pages, seed, written)
        self._tree = Tree(nodes, fan_bits=fan_bits, leaf_slots=leaf_slots)
        if state is not None:
            self._decode(state)

    def __len__(self) -> int:
        """Return the number of slots, in O(1), or O(pages) after some sank."""
        return len(self._tree) + len(self._recent) + self._unread

    # ---- finding -------------------------------------------------------------------------------

    def first(self, code: int) -> int | None:
        """Return the first entry that `find` yields, or None, at a third of its cost."""
        if self._filter is not None and not self._filter.may_have(code):
            return None
        if code in self._recent.found:
            return self._recent.entries(code)[0]
        hash_bytes = code.to_bytes(4, "little")
        raw_peek = self._pages.raw_peek
        try:
            for table, shift in self._tree.tables:
                page, homes, salt, depth = place_in(table, (code >> shift) * ROW_SIZE)
                if not homes:
                    continue
                block = (code << depth & HASH_MASK) * homes >> HASH_BITS
                start = block * BLOCK
                data = raw_peek(page, start, start + BLOCK)
                at = data.find(hash_bytes, 0, USED_AT)
                if at >= 0 and code and not at & 3:
                    entry: int = number_in(data, at + ENTRIES_AT)[0]
                    return entry
                if at >= 0 or data[USED_AT] == BLOCK_SLOTS or crc32(data, salt + block) != RESIDUE:
                    return self._first_with_care(code)
        except (KeyError, IndexError, struct.error):  # a page is missing or cut short
            return self._first_with_care(code)
        return self._first_with_care(code) if self._unread or self._filter is None else None

    def _first_with_care(self, code: int) -> int | None:
        """Look at all blocks that may tell, and learn from what is not there."""
        found = next(self.find(code), None)
        if found is None and self._filter is None:
            self._missed += 1
            self._make_filter_if_due()
        return found

    def _make_filter_if_due(self) -> None:
        """Make the filter once look-ups that found nothing have cost about as much as that does."""
        if self._missed * MISSES_WORTH < len(self):
            return
        is_fast = is_for_numpy(len(self))
        if len(self) > (MOST_TO_FILTER if is_fast else MOST_TO_FILTER_PLAINLY):
            return
        self._missed = 0  # so that it is not tried at every look-up should it fail
        made = Filter()
        try:
            for codes, _ in self.each():
                made.add_many(array("I", codes))
        except (OSError, StoreCorruptedError):
            return  # it only saves time: who is led to what is damaged will tell
        self._filter = made

    def find(self, code: int) -> Iterator[int]:
        """Yield the entries added under `code`, the likeliest page's first.

        Not to be gone on with after the index was changed. Raises `StoreCorruptedError` where a
        block that has no entry to yield, or none any more, is damaged.
        """
        if code in self._recent.found:
            yield from self._recent.entries(code)
        hash_bytes = code.to_bytes(4, "little")
        for table, shift in self._tree.tables:
            page, homes, salt, depth = place_in(table, (code >> shift) * ROW_SIZE)
            if not homes:
                continue
            block = (code << depth & HASH_MASK) * homes >> HASH_BITS
            while True:
                data = self._pages.peek(page, block * BLOCK, block * BLOCK + BLOCK)
                stop = USED_AT if code else _end_of_used(data)  # those that are not used are 0
                at = data.find(hash_bytes, 0, stop)
                while at >= 0:
                    if not at & 3 and len(data) == BLOCK:
                        yield number_in(data, at + ENTRIES_AT)[0]
                    at = data.find(hash_bytes, at + 1, stop)
                if crc32(data, salt + block) != RESIDUE:
                    raise self._damaged(page, block)
                if data[USED_AT] < BLOCK_SLOTS or number_in(data, LAST_AT)[0] > code:
                    break
                block += 1
        if self._unread:
            self._read_recent()
            yield from self._recent.entries(code)

    def first_of_each(self, codes: Sequence[int]) -> dict[int, int]:
        """Return an entry of each of `codes` that has any, by its position there, in any order.

        Costs a fraction of `first` for each where there are some hundred and numpy is installed:
        a block that several of them need is fetched once. Raises as `find`.
        """
        self._room()
        if self._filter is None:
            found = self._first_of_each(codes)
            self._make_filter_if_due()
            return found
        positions = self._filter.some_of(codes)
        some = self._first_of_each(array("I", [codes[position] for position in positions]))
        return {positions[at]: entry for at, entry in some.items()}

    def _first_of_each(self, codes: Sequence[int]) -> dict[int, int]:
        if not is_for_numpy(len(codes)):
            firsts = [(position, self.first(code)) for position, code in enumerate(codes)]
            return {position: entry for position, entry in firsts if entry is not None}
        from pyspeedup.memory._dict.index_batch import Batch  # imports numpy

        found = dict(Batch(self._tree.tables, self._pages, self._damaged).find(codes))
        recent = self._recent.found
        if not recent.keys().isdisjoint(codes):
            for position, code in enumerate(codes):
                if code in recent:
                    found[position] = self._recent.entries(code)[0]
        self._missed += len(codes) - len(found)
        return found

    def _damaged(self, page: int, block: int) -> StoreCorruptedError:
        return StoreCorruptedError(
            f"{self._name}, page {page}: block {block} of the index is damaged, or belongs to "
            "another page, commit or store"
        )

    # ---- adding --------------------------------------------------------------------------------

    def add(self, code: int, entry: int) -> None:
        """Let `code` lead to `entry`, too; where that raises, it does not.

        `OverflowError` above the largest entry number.
        """
        if entry > MAX_ENTRY:
            raise OverflowError(f"entry number {entry} is above {MAX_ENTRY}, the largest possible")
        if self._room() <= 0:
            self._sink()
        self._is_changed = True
        if self._filter is not None:
            self._filter.add(code)
        self._recent.put(code, entry)

    def add_many(self, codes: Sequence[int], first_entry: int) -> None:
        """Let `codes` lead to the entries from `first_entry` on, one each.

        Where that raises, some of the first of them do, and the others do not.
        """
        last = first_entry + len(codes) - 1
        if last > MAX_ENTRY:
            raise OverflowError(f"entry number {last} is above {MAX_ENTRY}, the largest possible")
        if self._filter is not None:
            self._filter.add_many(codes)
        done = 0
        while done < len(codes):
            if self._room() <= 0:
                self._sink()
            some = codes[done : done + self._room()]
            self._is_changed = True
            self._recent.put_many(some, first_entry + done)
            done += len(some)

    def make_room(self, count: int) -> None:
        """Have room for `count` more slots in RAM, or for all that wait there."""
        if self._room() < count and len(self._recent):
            self._sink()

    def _room(self) -> int:
        if self._unread:
            self._read_recent()
        return self._most - len(self._recent)

    def _sink(self) -> None:
        """Move what waits into the tree; where that raises, what was not moved waits on."""
        codes, entries = self._recent.pairs()
        work = slot_work(len(codes))
        bound = 0
        try:
            for _, above in self._tree.spread(work, work.sorted_slots(codes, entries)):
                bound = above
        except BaseException:
            self._recent.drop_below(bound)
            raise
        finally:
            self._is_changed = True
        self._recent.clear()
        self._tree.settle(work)

    # ---- all of it -----------------------------------------------------------------------------

    def flush(self) -> bytes:
        """Write what waits to its page, and return the state to open the index by again."""
        self._tree.nodes.sweep()
        if self._is_changed:
            self._write_recent()
        table, shift = self._tree.leaves
        header = HEADER.pack(
            FORMAT,
            len(self._tree.levels),
            self._tree.fan_bits,
            HASH_BITS - shift,
            len(self._recent) + self._unread,
            0 if self._recent_page is None else self._recent_page + 1,
            self._tree.nodes.written,
            self._tree.leaf_count,
        )
        return b"".join([header, *self._tree.levels, table])

    def clear(self) -> None:
        """Forget everything and drop the pages, in O(pages)."""
        nodes = self._tree.nodes
        for node in self._tree.each_node():
            nodes.drop(node)
        self._tree.reset()
        self._recent.clear()
        self._filter = Filter()
        self._unread = 0
        self._is_changed = False
        if self._recent_page is not None:
            nodes.drop_page(self._recent_page)
            self._recent_page = None
        nodes.sweep()

    def check(self) -> None:
        """Raise `AssertionError` if the pages contradict each other; reads every one."""
        self._room()
        self._tree.check(slot_work(len(self)))
        if len(self._recent.pairs()[0]) != len(self._recent):
            raise AssertionError(f"not {len(self._recent)} recent slots, as counted")

    def each(self) -> Iterator[tuple[list[int], list[int]]]:
        """Yield all hashes with their entries, page by page, in no order to rely on."""
        self._room()
        work = slot_work(len(self))
        for node in self._tree.each_node():
            if node.homes:
                yield work.pairs(self._tree.nodes.slots(work, node))
        yield self._recent.pairs()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield each hash with an entry of it, reading page after page, in no order to rely on."""
        for codes, entries in self.each():
            yield from zip(codes, entries, strict=True)

    def _decode(self, state: bytes) -> None:
        try:
            version, levels, fan_bits, bits, self._unread, page, written, leaves = (
                HEADER.unpack_from(state)
            )
            if version != FORMAT:
                raise StoreCorruptedError(
                    f"{self._name}: its index has format {version}, not {FORMAT}"
                )
            sizes = [ROW.size << fan_bits * (level + 1) for level in range(levels)]
            ends = list(accumulate([*sizes, ROW.size << bits], initial=HEADER.size))
        except struct.error:
            ends = []
        if not ends or ends[-1] != len(state):
            raise StoreCorruptedError(f"{self._name}: the state of its index is cut short")
        tables = [bytearray(state[start:end]) for start, end in pairwise(ends)]
        self._recent_page = page - 1 if page else None
        self._tree.fan_bits = fan_bits
        self._tree.nodes.written = written
        self._tree.take_up(tables[:-1], bits, tables[-1], leaves)

    def _write_recent(self) -> None:
        codes, entries = self._recent.pairs()
        work = slot_work(len(codes))
        data = work.to_bytes(work.sorted_slots(codes, entries))
        if self._recent_page is None:
            self._recent_page = self._pages.append(data)
        else:
            self._pages.write(self._recent_page, data)
        self._is_changed = False

    def _read_recent(self) -> None:
        work = slot_work(0)
        codes, entries = work.pairs(work.from_bytes(self._pages.read(self._recent_page or 0)))
        self._recent, self._unread = Recent(codes, entries), 0


def _end_of_used(block: bytes) -> int:
    return 4 * min(BLOCK_SLOTS, int.from_bytes(block[USED_AT:ENTRIES_AT], "little"))
