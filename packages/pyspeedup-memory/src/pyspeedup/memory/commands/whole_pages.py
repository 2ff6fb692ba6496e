"""Looking into damaged pages of a page store that hands out whole pages only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pyspeedup.memory._storage.recent_pages import RecentPages

if TYPE_CHECKING:
    from pyspeedup.core import PageStore

__all__ = ["with_peeks"]

RECENT_BYTES = 1 << 20


def with_peeks(pages: PageStore) -> PageStore:
    """Return `pages` with the ability ``peek``, which reads parts of pages and checks none of them.

    A volume without that ability checks each page whole, and so gives a page up for one byte. What is
    read in part carries checks of its own. For reading only: what is peeked at may be kept for a while.

    >>> from pyspeedup.memory import ShadowStore
    >>> pages = with_peeks(ShadowStore({}))
    >>> _ = pages.open(create=True, readonly=False)
    >>> pages.write(7, b"four values")
    >>> pages.peek(7, 0, 4)
    b'four'
    """
    return pages if hasattr(pages, "peek") else cast("PageStore", _Peeking(pages))


class _Peeking:
    """A page store with one ability more."""

    def __init__(self, pages: PageStore) -> None:
        self._pages = pages
        self.peek = RecentPages(pages.read, limit=RECENT_BYTES).peek

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pages, name)
