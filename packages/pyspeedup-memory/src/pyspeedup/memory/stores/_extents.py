"""Which stretches of a file are free: best fit, and neighbours joined."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FreeSpace", "rounded"]

SMALL = 4096
FINE, COARSE = 64, 1024


def rounded(length: int) -> int:
    """Return how many bytes an extent for `length` bytes takes: few sizes, so that gaps fit again.

    >>> rounded(0), rounded(65), rounded(5000)
    (64, 128, 5120)
    """
    unit = FINE if length <= SMALL else COARSE
    return -(-length // unit) * unit or FINE


class FreeSpace:
    """The gaps between the used extents of a file, and where the file ends.

    Lengths are those of what is kept there; what it takes is `rounded`. Taking and giving cost
    O(log gaps), and a shift of the list of gaps. Where either is interrupted, `whole` is false from
    then on, and whoever knows what is used must find the gaps anew, in O(used) operations.

    >>> space = FreeSpace(0, [(0, 64), (128, 60)])
    >>> space.take(64), space.take(50), space.end
    (64, 192, 256)
    >>> space.give(192, 50)
    >>> space.end
    192
    """

    def __init__(self, start: int, used: Iterable[tuple[int, int]]) -> None:
        """Begin with the extents ``(offset, length)`` in `used`, none before `start`.

        `ValueError` if two of them overlap.
        """
        self.end = start
        self.whole = True
        self._by_size: list[tuple[int, int]] = []
        self._size_at: dict[int, int] = {}
        self._start_of_end: dict[int, int] = {}
        for offset, length in sorted(used):
            if offset < self.end:
                raise ValueError(f"two extents overlap at byte {offset}")
            if offset > self.end:
                self._add(self.end, offset - self.end)
            self.end = offset + rounded(length)

    def take(self, length: int) -> int:
        """Return the offset of a free extent for `length` bytes: the tightest gap, else the end."""
        self.whole = False
        offset = self._take(rounded(length))
        self.whole = True
        return offset

    def _take(self, length: int) -> int:
        position = bisect_left(self._by_size, (length, 0))
        if position == len(self._by_size):
            offset = self.end
            self.end += length
            return offset
        size, offset = self._by_size[position]
        self._remove(offset)
        if size > length:
            self._add(offset + length, size - length)
        return offset

    def give(self, offset: int, length: int) -> None:
        """Make the extent of `length` bytes free again, joined with free neighbours; at the end, the file gets shorter."""
        if self.whole:
            self.whole = False
            self._give(offset, rounded(length))
            self.whole = True

    def _give(self, offset: int, length: int) -> None:
        if offset + length in self._size_at:
            length += self._remove(offset + length)
        if offset in self._start_of_end:
            before = self._start_of_end[offset]
            length += self._remove(before)
            offset = before
        if offset + length == self.end:
            self.end = offset
        else:
            self._add(offset, length)

    def _add(self, offset: int, length: int) -> None:
        insort(self._by_size, (length, offset))
        self._size_at[offset] = length
        self._start_of_end[offset + length] = offset

    def _remove(self, offset: int) -> int:
        length = self._size_at.pop(offset)
        del self._start_of_end[offset + length]
        del self._by_size[bisect_left(self._by_size, (length, offset))]
        return length
