"""An opened store of one structure: numbered pages that are checked, and commits of all or nothing."""

from __future__ import annotations

import os
import zlib
from array import array
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError
from pyspeedup.memory._platform import keep_for_ever
from pyspeedup.memory._storage.codecs import choose_serializer
from pyspeedup.memory._storage.header import (
    CHECKSUM_BITS,
    SECRET_BYTES,
    Header,
    check_of,
    decode_meta,
    encode_meta,
    require_fitting,
)
from pyspeedup.memory._storage.recent_pages import RecentPages
from pyspeedup.memory.stores.shadow import as_page_store

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from pyspeedup.core import BytesLike, PageStore, Serializer

__all__ = ["Volume"]

RECENT_BYTES = 1 << 20
"""Bytes of pages that are kept for peeks, where the store hands out whole pages only."""


class Volume:
    """The pages and the state of one structure in a page store, or in a mapping of str to bytes.

    A page is checked against its checksum whenever it is read. The checksums of all pages are
    committed together with the state, so a page that was damaged, exchanged with another, or left
    behind by another commit is found. A volume keeps 8 bytes a page in RAM, and a commit writes as many.

    >>> volume = Volume({}, kind="list", page_size=4)
    >>> page = volume.append(b"four values")
    >>> volume.commit(b"one page")
    >>> bytes(volume.read(page)), volume.state
    (b'four values', b'one page')
    """

    def __init__(
        self,
        store: PageStore | MutableMapping[str, bytes],
        *,
        kind: str,
        page_size: int,
        serializer: str | Serializer | None = None,
        readonly: bool = False,
        create: bool = True,
        identity: str | None = None,
        name: str = "",
        keyed_hash: bool = False,
    ) -> None:
        """Open `store`, and make its header where it is new, in O(pages) without reading one.

        Of a store that exists, the recorded `page_size` and `serializer` are used, and its `secret`,
        which a new one gets with `keyed_hash`. Raises `ValueError` for another `kind` or `serializer`,
        or a `keyed_hash` that it was made without, `StoreCorruptedError` for another `identity`, and
        what `PageStore.open` raises.
        """
        self.name = name or f"store in a {type(store).__qualname__}"
        self.readonly = readonly
        self._store = as_page_store(store, self.name)
        self._closed = False
        self._owes_rollback = False
        self._committed = 0
        self._attempted: int | None = None
        self._identity = identity
        self._keyed_hash = keyed_hash
        self._undo: dict[int, int] = {}
        self._reserved: set[int] = set()
        self._free: list[int] | None = None  # found at the first `reserve`
        self.state: bytes | None = None
        self._recent = RecentPages(self.read, limit=RECENT_BYTES)
        self._own_peek: Callable[[int, int, int], bytes] = getattr(
            self._store, "peek", self._recent.peek
        )
        self.raw_peek = self._own_peek
        self._write_checked: Callable[[int, BytesLike, int], None] | None = getattr(
            self._store, "write_checked", None
        )
        meta = self._store.open(create=create, readonly=readonly)
        try:
            self._require_meta(meta, may_be_new=create and not readonly)
            self._start(meta, kind, page_size, serializer)
        except BaseException:
            self._store.close()
            raise

    def _require_meta(self, meta: bytes | None, *, may_be_new: bool) -> None:
        if meta is None and not may_be_new:
            raise FileNotFoundError(f"{self.name} holds nothing yet")

    def _start(
        self, meta: bytes | None, kind: str, page_size: int, serializer: str | Serializer | None
    ) -> None:
        if meta is not None:
            self._committed = zlib.crc32(meta)
            self._header, self._table, self.state = decode_meta(bytes(meta), self.name)
            require_fitting(self._header, kind, self._identity, self._keyed_hash, self.name)
        try:
            recorded = None if meta is None else self._header.serializer
            self.serializer, record = choose_serializer(serializer, recorded)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from error
        if meta is None:
            own = self._identity or os.urandom(16).hex()
            secret = os.urandom(SECRET_BYTES).hex() if self._keyed_hash else ""
            self._header = Header(own, own, kind, page_size, record, secret)
            self._table = array("Q")
            self._write_meta(None, durable=False)

    def _find_free(self) -> list[int]:
        """Return the numbers that are not in use, lowest last, in O(pages)."""
        kept = self._reserved
        free = [p for p, check in enumerate(self._table) if not check and p not in kept]
        free.reverse()
        return free

    @property
    def kind(self) -> str:
        """What the structure calls itself, such as ``"dict"`` or ``"list"``."""
        return self._header.kind

    @property
    def page_size(self) -> int:
        """How many items a page is to hold, as recorded when the store was made."""
        return self._header.page_size

    @property
    def serializer_record(self) -> dict[str, object]:
        """What the header keeps of the serializer."""
        return self._header.serializer

    @property
    def commit_mark(self) -> int | None:
        """What tells the last commit from others; None where a commit failed that may yet have been made."""
        return None if self._attempted is not None else self._committed

    @property
    def identity(self) -> str:
        """What tells this store from every other."""
        return self._header.identity

    @property
    def seed(self) -> int:
        """32 bits for checks of parts of pages; those of another store differ, but not of a copy."""
        return zlib.crc32(self._header.origin.encode())

    @property
    def secret(self) -> bytes | None:
        """What text in keys is hashed with, made with the store; None where it is hashed without."""
        return bytes.fromhex(self._header.secret) or None

    @property
    def page_count(self) -> int:
        """How many pages there are, in O(pages)."""
        return len(self._table) - self._table.count(0)

    @property
    def changed_pages(self) -> int:
        """How many pages were written or deleted since the last commit, in O(1)."""
        return len(self._undo)

    def pages(self) -> list[int]:
        """Return the numbers of all pages, in O(pages)."""
        return [page for page, check in enumerate(self._table) if check]

    def read(self, page: int) -> BytesLike:
        """Return the bytes of `page`, checked, in O(bytes).

        `KeyError` where there is no such page, `StoreCorruptedError` where its bytes are not those
        that were written.
        """
        self._require_open()
        check = self._check_of(page)
        try:
            data = self._store.read(page)
        except KeyError as error:
            raise self._missing(page) from error
        if check_of(data) != check:
            raise StoreCorruptedError(
                f"{self.name}, page {page}: its checksum does not match; it is damaged, or belongs "
                "to another page, commit or store"
            )
        return data

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, clipped as a slice is, and not checked.

        For what carries a check of its own, so that a few bytes cost no whole page: O(stop - start)
        where the store has the ability ``peek``; otherwise whole pages are read and checked, and
        the last of them kept. `KeyError` where there is no such page, `StoreCorruptedError` where
        the store has lost it: `raw_peek`, which saves a call, raises `KeyError` for both.
        """
        try:
            return self.raw_peek(page, start, stop)
        except KeyError as error:
            self._check_of(page)
            raise self._missing(page) from error

    def _missing(self, page: int) -> StoreCorruptedError:
        return StoreCorruptedError(f"{self.name}, page {page}: it is missing")

    def write(self, page: int, data: BytesLike) -> None:
        """Make `data` the bytes of `page`, which exists or is reserved, in O(bytes)."""
        self.require_writable()
        if page not in self._reserved:
            self._check_of(page)
        check = check_of(data)
        self._recent.forget(page)
        try:
            if self._write_checked is None:
                self._store.write(page, data)
            else:
                self._write_checked(page, data, check & CHECKSUM_BITS)
            self._set_check(page, check)
        except BaseException:
            self._learn(page)  # an interruption may have come before or after the store had it
            raise

    def _learn(self, page: int) -> None:
        """Make the check of `page` that of what the store holds now."""
        try:
            self._set_check(page, check_of(self._store.read(page)))
        except KeyError:
            self._set_check(page, 0)

    def append(self, data: BytesLike) -> int:
        """Make `data` a new page and return its number, in O(bytes)."""
        page = self.reserve()
        try:
            self.write(page, data)
        except BaseException:
            self.delete(page)
            raise
        return page

    def reserve(self) -> int:
        """Return a page number that is not in use, to be written later, in O(1) after the first."""
        self.require_writable()
        if self._free is None:
            self._free = self._find_free()
        if self._free:
            page = self._free.pop()
        else:
            page = len(self._table)
            self._table.append(0)
        self._reserved.add(page)
        return page

    def delete(self, page: int) -> None:
        """Drop `page`, or give up a reserved number, in O(1); `KeyError` where there is neither."""
        self.require_writable()
        if page not in self._reserved:
            self._check_of(page)
            self._recent.forget(page)
            try:
                self._store.delete(page)
                self._set_check(page, 0)
            except BaseException:
                self._learn(page)
                if not self._table[page]:
                    self._release(page)
                raise
        self._release(page)

    def commit(self, state: bytes, *, durable: bool = False) -> None:
        """Make all changes and `state` last, or none of it, in O(pages) bytes.

        Where it raises, nothing is lost: the changes are still there to be committed or rolled back.
        """
        self.require_writable()
        self._write_meta(state, durable=durable)

    def rollback(self) -> None:
        """Drop all changes since the last commit, reserved numbers too, in O(pages).

        Where it raises, all but `close` raises `StoreError` until it was called again and succeeded.
        """
        if not self._owes_rollback:
            self.require_writable()
        try:
            self._go_back()
        except BaseException:
            self._go_back()  # an interruption in the middle is made good at once
            raise

    def _go_back(self) -> None:
        self._owes_rollback, self.raw_peek = True, self._refuse_peek
        self._recent.clear()
        self._free = None  # first: what is free now may be in use afterwards
        roll_back = getattr(self._store, "rollback", None)
        if roll_back is None or self._attempted is not None:
            self._reopen()
        else:
            roll_back()
            for page, check in self._undo.items():
                self._table[page] = check
        self._undo.clear()
        self._reserved.clear()
        self._owes_rollback, self.raw_peek = False, self._own_peek

    def _reopen(self) -> None:
        """Find out what was committed last; its lock is let go for a moment, and where this raises."""
        known = {self._committed, self._attempted}
        self._store.close()
        try:
            meta = self._store.open(create=False, readonly=False)
            self._require_known(meta, known)
        except BaseException:
            self._store.close()
            raise
        self._header, self._table, self.state = decode_meta(bytes(meta or b""), self.name)
        self._committed, self._attempted = zlib.crc32(meta or b""), None

    def _require_known(self, meta: bytes | None, known: set[int | None]) -> None:
        if meta is None or zlib.crc32(meta) not in known:
            raise StoreError(f"{self.name} was changed by another process during a rollback")

    def adopt_origin(self, other: Volume) -> None:
        """Become a copy of `other`, which must be new: its checks of parts of pages and its hashes hold here."""
        told = other._header
        self._header = self._header._replace(origin=told.origin, secret=told.secret)

    def close(self) -> None:
        """Let go of the store, dropping what was not committed; again is harmless."""
        self._let_go()
        self._store.close()

    def _let_go(self) -> None:
        self._closed, self._owes_rollback = True, False
        self._recent.clear()
        self.raw_peek = self._refuse_peek

    def abandon(self) -> None:
        """Let go in a forked child: close descriptors, and touch nothing that the parent uses.

        A store with an ability ``abandon()`` does it itself; any other is kept alive, untouched, as
        closing it could undo what the parent has not committed.
        """
        self._let_go()
        abandon = getattr(self._store, "abandon", None)
        if abandon is not None:
            abandon()
        else:
            keep_for_ever(self._store)

    def _write_meta(self, state: bytes | None, *, durable: bool) -> None:
        meta = encode_meta(self._header, self._table, state)
        self._attempted = zlib.crc32(meta)
        self._store.commit(meta, durable=durable)
        self._undo.clear()
        self.state = state
        self._committed, self._attempted = self._attempted, None

    def _check_of(self, page: int) -> int:
        check = self._table[page] if 0 <= page < len(self._table) else 0
        if not check:
            raise KeyError(page)
        return check

    def _set_check(self, page: int, check: int) -> None:
        self._undo.setdefault(page, self._table[page])
        self._table[page] = check
        if check:
            self._reserved.discard(page)

    def _release(self, page: int) -> None:
        self._reserved.discard(page)
        if self._free is not None:
            self._free.append(page)

    def _require_open(self) -> None:
        if self._closed:
            raise ValueError(f"{self.name} is closed")
        if self._owes_rollback:
            raise StoreError(f"{self.name}: what was changed could not be taken back yet")

    def require_writable(self) -> None:
        """Raise `ValueError` after `close`, `StoreError` if opened for reading, or `rollback` failed."""
        self._require_open()
        if self.readonly:
            raise StoreError(f"{self.name} was opened with readonly=True and cannot be changed")

    def _refuse_peek(self, *_: int) -> bytes:
        """Stand for `raw_peek` while nothing may be read."""
        self._require_open()
        raise AssertionError("it is open")
