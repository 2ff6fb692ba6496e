"""Pages in RAM: the reference that the other stores are compared with, and a store for tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspeedup.core import StoreLockedError
from pyspeedup.memory.stores._overlay import Overlay, require_open, require_writable

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["MemoryStore"]


class MemoryStore:
    """A page store in a dict. What was committed lives as long as the object, through `close`.

    Every operation is O(1) beside copying the bytes, `commit` is O(pages).

    >>> store = MemoryStore()
    >>> store.open(create=True, readonly=False)
    >>> store.write(0, b"zero")
    >>> store.commit(b"first")
    >>> store.write(0, b"lost")
    >>> store.close()
    >>> store.open(create=False, readonly=True)
    b'first'
    >>> store.read(0)
    b'zero'
    """

    def __init__(self, name: str = "memory store") -> None:
        """Start empty; `name` is what messages call the store."""
        self._name = name
        self._table: dict[int, bytes] = {}
        self._meta: bytes | None = None
        self._pages: Overlay[bytes] = Overlay(self._table)
        self._created = False
        self._opened = False
        self._readonly = False

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Return the last committed meta; see `pyspeedup.core.PageStore`."""
        if self._opened:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        if not self._created and not create:
            raise FileNotFoundError(f"{self._name} does not exist yet")
        self._created = self._opened = True
        self._readonly = readonly
        return self._meta

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        require_open(self._opened, self._name)
        return self._pages.get(page)

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`; `KeyError` where there is no such page."""
        return self.read(page)[start:stop]

    def write(self, page: int, data: BytesLike) -> None:
        """Make a copy of `data` the bytes of `page`."""
        self._require_writable()
        self._pages.put(page, bytes(data))

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        self._require_writable()
        self._pages.drop(page)

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Keep all changes and `meta`; `durable` changes nothing, RAM is gone with the process."""
        del durable
        self._require_writable()
        table = dict(self._table)
        self._pages.apply_to(table)
        self._table, self._meta, self._pages = table, bytes(meta), Overlay(table)

    def rollback(self) -> None:
        """Drop the changes since the last commit."""
        self._require_writable()
        self._pages.rollback()

    def close(self) -> None:
        """Drop what was not committed; again is harmless."""
        self._pages.rollback()
        self._opened = False

    def _require_writable(self) -> None:
        require_open(self._opened, self._name)
        require_writable(self._readonly, self._name)


def memory(location: str, basename: str) -> MemoryStore:
    """Make the store that the name ``"memory"`` stands for: gone when its last handle closes.

    >>> memory("/nowhere", "spam").open(create=True, readonly=False)
    """
    del location
    return MemoryStore(f"memory store {basename!r}")


memory.uses_folder = False  # type: ignore[attr-defined]  # an optional ability of a factory: see docs/design/memory.md
