"""The pages read last, whole: where a store cannot hand out a part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.core import BytesLike

__all__ = ["RecentPages"]

FEWEST = 2
"""Pages that are kept however long they are, since one is often read beside another."""


class RecentPages:
    """Answers peeks from the pages that were read last, of at most `limit` bytes, or two.

    >>> recent = RecentPages(lambda page: b"page %d" % page, limit=100)
    >>> recent.peek(7, 0, 4), recent.peek(7, 5, 99)
    (b'page', b'7')
    """

    def __init__(self, read: Callable[[int], BytesLike], *, limit: int) -> None:
        """Get pages by `read`, whose exceptions reach whoever peeks."""
        self._read = read
        self._limit = limit
        self._pages: dict[int, bytes] = {}
        self._size = 0

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, in O(bytes) where it has to be read."""
        data = self._pages.pop(page, None)
        if data is None:
            data = bytes(self._read(page))
            self._size += len(data)
        self._pages[page] = data  # the last of the dict now
        if self._size > self._limit:
            self._shrink()
        return data[start:stop]

    def _shrink(self) -> None:
        while self._size > self._limit and len(self._pages) > FEWEST:
            self.forget(next(iter(self._pages)))

    def forget(self, page: int) -> None:
        """Read `page` anew when it is next asked for."""
        self._size -= len(self._pages.pop(page, b""))

    def clear(self) -> None:
        """Forget every page."""
        self._pages.clear()
        self._size = 0
