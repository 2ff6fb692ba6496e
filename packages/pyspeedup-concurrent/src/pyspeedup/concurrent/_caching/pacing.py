"""How many calls of a map go to a worker at a time, from what calls have taken so far."""

from __future__ import annotations

import math

__all__ = ["Pacer"]

AIM = 0.01
"""Seconds that a chunk should take: a hundred times what it takes to send the next one, and no long wait at the end."""
GROWTH = 4
"""A chunk is at most so many times the largest that was measured: the first calls may be the short ones."""


class Pacer:
    """Says how large the next chunk should be. Begins with 1, and goes by the last few measurements.

    >>> pacer = Pacer(workers=2, most=1000)
    >>> pacer.size()
    1
    >>> for _ in range(4):
    ...     pacer.measured(pacer.size(), pacer.size() * 0.003)
    >>> pacer.size()
    3
    """

    def __init__(
        self, *, workers: int, most: int, length: int | None = None, fixed: int | None = None
    ) -> None:
        """Never exceed `most`; of `length` calls in all, keep some for each worker till the end.

        `fixed` is the size of every chunk but the last, where somebody knows better.
        """
        self._parts = 2 * workers
        self._most = most
        self._remaining = length
        self._fixed = fixed
        self._largest = 0
        self._calls = 0.0
        self._seconds = 0.0

    def size(self) -> int:
        """Return how many calls the next chunk should have, in O(1)."""
        if self._fixed is not None:
            return min(self._fixed, self._most)
        sizes = [self._paced(), self._most]
        if self._remaining is not None:
            sizes.append(math.ceil(self._remaining / self._parts))
        return max(1, min(sizes))

    def _paced(self) -> int:
        if not self._largest:
            return 1
        most = GROWTH * self._largest
        if self._seconds * most <= AIM * self._calls:
            return most
        return int(AIM * self._calls / self._seconds)

    def taken(self, calls: int) -> None:
        """Take in that so many more calls are in chunks by now."""
        if self._remaining is not None:
            self._remaining = max(0, self._remaining - calls)

    def measured(self, calls: int, seconds: float) -> None:
        """Take in that a chunk of so many calls took so long; older measurements count by half."""
        self._calls = self._calls / 2 + calls
        self._seconds = self._seconds / 2 + max(seconds, 0.0)
        self._largest = max(self._largest, calls)
