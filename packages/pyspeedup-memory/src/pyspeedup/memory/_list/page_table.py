"""Which page of a list holds which items: page numbers and counts in order, found by bisection.

Pages stand in groups, so that a change moves the sums of one group and those of the groups only.
A change is prepared first, and then made by stores with no call or loop among them: CPython looks for
signals, and changes threads, at those only. So each is made or not, and `length` is right at any time.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableSequence

__all__ = ["PageTable"]

GROUP = 64
"""Pages a group is made with; it may grow to twice that."""
HEADER = struct.Struct("<Q")
EMPTY: MutableSequence[Any] = []
"""Where nothing is taken from, and nothing added to."""


class _Group:
    __slots__ = ("counts", "numbers", "starts", "total")

    def __init__(self, numbers: array[int], counts: array[int]) -> None:
        self.numbers = numbers
        self.counts = counts
        self.total = sum(counts)
        self.starts: list[int] | None = None  # unless they changed

    def sum(self) -> list[int]:
        self.starts = [0, *accumulate(self.counts[:-1])]
        return self.starts


class PageTable:
    """The pages of a list in order. 16 bytes of RAM a page, and as many in `to_bytes`.

    >>> table = PageTable()
    >>> table.replace(0, 0, 0, [(7, 3), (5, 2)])
    >>> table.locate(3), len(table), table.number(*table.locate(3)[:2])
    ((0, 1, 0), 5, 5)
    """

    def __init__(self, numbers: Iterable[int] = (), counts: Iterable[int] = ()) -> None:
        self._groups: list[_Group] = []
        self._starts: list[int] | None = None
        self.length = 0
        """The number of items in all pages; to be read only."""
        self._regroup(0, 0, array("Q", numbers), array("Q", counts), source=EMPTY, taken=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> PageTable:
        """Return the table that `to_bytes` made `data` of; `ValueError` if it did not."""
        if len(data) < HEADER.size:
            raise ValueError("it is too short for a list's table of pages")
        (pages,) = HEADER.unpack_from(data)
        if len(data) != HEADER.size + 16 * pages:
            raise ValueError(f"it is not as long as a table of {pages} pages")
        both = array("Q")
        both.frombytes(data[HEADER.size :])
        if sys.byteorder == "big":
            both.byteswap()
        return cls(both[:pages], both[pages:])

    def to_bytes(self) -> bytes:
        """Return the table as bytes, in O(pages)."""
        both = array("Q")
        for group in self._groups:
            both.extend(group.numbers)
        pages = len(both)
        for group in self._groups:
            both.extend(group.counts)
        if sys.byteorder == "big":
            both.byteswap()
        return HEADER.pack(pages) + both.tobytes()

    def __len__(self) -> int:
        """Return the number of items in all pages."""
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Iterate over page numbers and counts, in order."""
        for group in self._groups:
            yield from zip(group.numbers, group.counts, strict=True)

    def locate(self, index: int) -> tuple[int, int, int]:
        """Return where an item is: the place of its page here, as group and slot, and its row there.

        O(log pages) where no page has grown since, else O(square root of pages).
        """
        starts = self._starts or self._sum()
        group = bisect_right(starts, index) - 1
        index -= starts[group]
        found = self._groups[group]
        within = found.starts or found.sum()
        slot = bisect_right(within, index) - 1
        return group, slot, index - within[slot]

    def find(self, index: int) -> tuple[int, int, int]:
        """Return the number of the page that an item is in, how many that holds, and its row there."""
        starts = self._starts or self._sum()
        place = bisect_right(starts, index) - 1
        index -= starts[place]
        group = self._groups[place]
        within = group.starts or group.sum()
        slot = bisect_right(within, index) - 1
        return group.numbers[slot], group.counts[slot], index - within[slot]

    def _sum(self) -> list[int]:
        totals = (group.total for group in islice(self._groups, len(self._groups) - 1))
        self._starts = [0, *accumulate(totals)]
        return self._starts

    def number(self, group: int, slot: int) -> int:
        """Return the number of a page."""
        return self._groups[group].numbers[slot]

    def count(self, group: int, slot: int) -> int:
        """Return how many items a page holds."""
        return self._groups[group].counts[slot]

    def resize(self, group: int, slot: int, count: int) -> None:
        """Note that a page holds `count` items now."""
        changed = self._groups[group]
        is_last_there = slot == len(changed.counts) - 1
        is_last_group = group == len(self._groups) - 1
        grown = count - changed.counts[slot]
        changed.counts[slot] = count
        changed.total += grown
        self.length += grown
        if not is_last_there:
            changed.starts = None
        if not is_last_group:
            self._starts = None

    def resize_last(self, count: int, source: MutableSequence[Any] = EMPTY) -> None:
        """Note that the last page holds `count` items now; those more were the first of `source`.

        They are removed there in the same step, so that nobody ever counts one twice.
        """
        group = self._groups[-1]
        grown = count - group.counts[-1]
        group.counts[-1] = count
        group.total += grown
        self.length += grown
        del source[:grown]

    @property
    def last_count(self) -> int:
        """How many items the last page holds."""
        return self._groups[-1].counts[-1]

    def before(self, group: int, slot: int) -> tuple[int, int] | None:
        """Return the place of the page before that one; None for the first."""
        if slot:
            return group, slot - 1
        return (group - 1, len(self._groups[group - 1].counts) - 1) if group else None

    def after(self, group: int, slot: int) -> tuple[int, int] | None:
        """Return the place of the page after that one; None for the last."""
        if slot + 1 < len(self._groups[group].counts):
            return group, slot + 1
        return (group + 1, 0) if group + 1 < len(self._groups) else None

    def numbers(self, first: tuple[int, int], last: tuple[int, int]) -> list[int]:
        """Return the numbers of the pages from one place to another, both included."""
        found: list[int] = []
        for group in range(first[0], last[0] + 1):
            begin = first[1] if group == first[0] else 0
            end = last[1] + 1 if group == last[0] else None
            found += self._groups[group].numbers[begin:end]
        return found

    def replace(
        self,
        group: int,
        slot: int,
        removed: int,
        pages: Iterable[tuple[int, int]],
        *,
        source: MutableSequence[Any] = EMPTY,
        taken: int = 0,
    ) -> None:
        """Put pages, as number and count, in place of `removed` ones from a place on.

        In the same step the first `taken` items of `source`, which had the pages or their items
        until now, are removed there. Costs O(pages replaced and put, and of a group). The place
        after the last page is allowed.
        """
        numbers, counts = array("Q"), array("Q")
        stop = group
        while stop < len(self._groups) and (stop == group or len(numbers) < slot + removed):
            numbers.extend(self._groups[stop].numbers)
            counts.extend(self._groups[stop].counts)
            stop += 1
        pages = list(pages)
        numbers[slot : slot + removed] = array("Q", [number for number, _ in pages])
        counts[slot : slot + removed] = array("Q", [count for _, count in pages])
        self._regroup(group, stop, numbers, counts, source=source, taken=taken)

    def end(self) -> tuple[int, int]:
        """Return the place after the last page."""
        if not self._groups:
            return 0, 0
        return len(self._groups) - 1, len(self._groups[-1].counts)

    def _regroup(
        self,
        group: int,
        stop: int,
        numbers: array[int],
        counts: array[int],
        *,
        source: MutableSequence[Any],
        taken: int,
    ) -> None:
        size = GROUP if len(numbers) > 2 * GROUP else 2 * GROUP
        made = [
            _Group(numbers[begin : begin + size], counts[begin : begin + size])
            for begin in range(0, len(numbers), size)
        ]
        replaced = sum(old.total for old in self._groups[group:stop])
        grown = sum(new.total for new in made) - replaced
        self._groups[group:stop] = made
        self._starts = None
        self.length += grown
        del source[:taken]
