"""Bodies set in pages that are not in RAM: they wait, so that a page is rewritten once for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Waiting"]

OVERHEAD = 160
"""RAM that a waiting body takes: its header, its number and its place in a dict."""
NOTHING: dict[int, bytes] = {}


class Waiting:
    """Bodies by page and row, at most `most` of them and about `limit` bytes.

    >>> waiting = Waiting(most=2, limit=1 << 20)
    >>> waiting.put(7, 0, b"a")
    >>> waiting.put(5, 3, b"b")
    >>> waiting.is_full, waiting.first(), waiting.get(7, 0), waiting.take(7)
    (True, 7, b'a', {0: b'a'})
    """

    def __init__(self, most: int, limit: int) -> None:
        self.pages: dict[int, dict[int, bytes]] = {}
        """Bodies by row, by page; to be read only."""
        self._most = most
        self._limit = limit
        self._count = self._weight = 0

    def __bool__(self) -> bool:
        return bool(self.pages)

    @property
    def is_full(self) -> bool:
        """Whether some have to leave before the next one is put."""
        return self._count >= self._most or self._weight > self._limit

    def get(self, page: int, row: int) -> bytes | None:
        """Return the body that waits for a row, if one does."""
        return self.pages.get(page, NOTHING).get(row)

    def put(self, page: int, row: int, body: bytes) -> None:
        """Let a body wait, in place of the one that waited for that row."""
        rows = self.pages.get(page)
        if rows is None:
            rows = self.pages[page] = {}
        before = rows.get(row)
        rows[row] = body
        if before is None:
            self._count += 1
            self._weight += OVERHEAD + len(body)
        else:
            self._weight += len(body) - len(before)

    def of_page(self, page: int) -> Mapping[int, bytes]:
        """Return what waits for a page, by row."""
        return self.pages.get(page, NOTHING)

    def take(self, page: int) -> Mapping[int, bytes]:
        """Return what waits for a page, which does not wait any more."""
        rows = self.pages.pop(page, NOTHING)
        self._count -= len(rows)
        self._weight -= sum(OVERHEAD + len(body) for body in rows.values())
        return rows

    def first(self) -> int:
        """Return the page for which bodies have waited longest."""
        return next(iter(self.pages))

    def clear(self) -> None:
        """Forget them all."""
        self.pages.clear()
        self._count = self._weight = 0
