"""Shadow paging: atomic commits over any mapping in which putting one key is atomic."""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, cast

from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.memory.stores._overlay import Overlay, require_open, require_writable

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike, PageStore

__all__ = ["HEAD", "ShadowStore", "as_page_store"]

HEAD = "HEAD"
"""The key whose value names the keys of all committed pages, and holds the meta."""

MAGIC = b"PySpShd1"
PAGE_STORE_METHODS = ("open", "read", "write", "delete", "commit", "close")
CHECK = struct.Struct("<8sI")  # magic, checksum of all that follows
FRAME = struct.Struct("<QQ?")  # pages, length of the meta, is there one
ENTRY = struct.Struct("<Q12sQ")  # page, session and serial: together they make the key
OUR_KEYS = re.compile(r"page-[0-9a-f]+-[0-9a-f]{12}-[0-9a-f]+")

Place = tuple[bytes, int]
"""Which session wrote a page, and its serial number in that session."""


class ShadowStore:
    """A page store over a `MutableMapping[str, bytes]`: a dict, a folder, an object store.

    A page is put under a key that was never used before, a commit puts `HEAD` once, and the keys
    that it replaced are deleted afterwards. So whatever ends the process, `HEAD` names pages that
    are whole. Reading and writing a page cost one get or put, a commit one put of O(pages) bytes.

    A mapping has no lock: one writer at a time is up to you. A writer that finds at a commit that
    another has committed raises `StoreLockedError`. `durable` promises what the mapping's own puts do.

    >>> blobs = {}
    >>> store = ShadowStore(blobs)
    >>> store.open(create=True, readonly=False)
    >>> store.write(0, b"zero")
    >>> store.commit(b"first")
    >>> store.close()
    >>> sorted(key.partition("-")[0] for key in blobs)
    ['HEAD', 'page']
    """

    def __init__(
        self, blobs: MutableMapping[str, bytes], name: str = "", *, owned: bool = False
    ) -> None:
        """Keep `blobs`, closed with the store if it is `owned`; `name` is what messages call it."""
        self._owned = owned
        self._blobs = blobs
        self._name = name or f"store in a {type(blobs).__qualname__}"
        self._table: dict[int, Place] = {}
        self._pages: Overlay[Place] = Overlay({})
        self._garbage: list[str] = []
        self._head: bytes | None = None
        self._opened = False
        self._readonly = False
        self._session = b""
        self._serial = 0

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Return the last committed meta, reading `HEAD` and no page; see `PageStore`."""
        if self._opened:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        head = self._blobs.get(HEAD)
        if head is None:
            self._refuse_headless(create, readonly)
            head = _encode_head({}, None)
            if not readonly:
                self._blobs[HEAD] = head
        committed, meta = self._decode_head(bytes(head))
        self._head = bytes(head)
        self._table = committed
        self._pages = Overlay(committed)
        self._session = os.urandom(6).hex().encode()
        self._readonly = readonly
        self._opened = True
        if not readonly:
            self._sweep(committed)
        return meta

    def _refuse_headless(self, create: bool, readonly: bool) -> None:
        if any(OUR_KEYS.fullmatch(key) for key in self._blobs):
            raise StoreCorruptedError(f"{self._name}: there are pages, but no {HEAD!r} names them")
        if not create or readonly:
            raise FileNotFoundError(f"{self._name} does not exist")

    def _sweep(self, committed: dict[int, Place]) -> None:
        """Delete pages that a killed writer left uncommitted."""
        live = {_key(page, place) for page, place in committed.items()}
        stray = [key for key in self._blobs if OUR_KEYS.fullmatch(key) and key not in live]
        for key in stray:
            del self._blobs[key]

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        require_open(self._opened, self._name)
        key = _key(page, self._pages.get(page))
        try:
            return self._blobs[key]
        except KeyError as error:
            raise StoreCorruptedError(f"{self._name}, page {page}: {key!r} is missing") from error

    def write(self, page: int, data: BytesLike) -> None:
        """Put `data` under a new key."""
        self._require_writable()
        if page < 0:
            raise ValueError(f"page must be 0 or more, not {page}")
        place = (self._session, self._serial)
        self._blobs[_key(page, place)] = bytes(data)
        self._serial += 1
        before = self._pages.put_since.get(page)
        self._pages.put(page, place)
        self._forget_uncommitted(page, before)

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        self._require_writable()
        before = self._pages.put_since.get(page)
        self._pages.drop(page)
        self._forget_uncommitted(page, before)

    def _forget_uncommitted(self, page: int, place: Place | None) -> None:
        """Delete what is not referred to any more: last, so that an interruption loses nothing."""
        if place is not None:
            self._garbage.append(_key(page, place))
            self._collect()

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Put `HEAD`, then delete what it replaced; `durable` is the mapping's own business."""
        del durable
        self._require_writable()
        if self._blobs.get(HEAD) != self._head:
            raise StoreLockedError(f"{self._name}: another writer has committed to it meanwhile")
        table = dict(self._table)
        self._pages.apply_to(table)
        head = _encode_head(table, bytes(meta))
        replaced = [_key(page, place) for page, place in self._pages.replaced().items()]
        try:
            self._blobs[HEAD] = head
            self._adopt(head, table)
        except BaseException as error:  # what was put may have arrived all the same
            if self._blobs.get(HEAD) != head:
                raise
            self._adopt(head, table)
            if not isinstance(error, Exception):
                raise
        self._garbage += replaced
        self._collect()

    def _adopt(self, head: bytes, table: dict[int, Place]) -> None:
        self._head, self._table, self._pages = head, table, Overlay(table)

    def rollback(self) -> None:
        """Drop the changes since the last commit, with the keys that they used."""
        self._require_writable()
        self._garbage += [_key(page, place) for page, place in self._pages.put_since.items()]
        self._pages.rollback()
        self._collect()

    def _collect(self) -> None:
        """Delete keys that nothing names; what cannot be deleted now is tried again later."""
        while self._garbage:
            try:
                self._blobs.pop(self._garbage[-1], None)
            except OSError:  # the commit stands all the same, and `open` sweeps what is left
                return
            self._garbage.pop()

    def close(self) -> None:
        """Drop what was not committed; again is harmless."""
        if self._opened and not self._readonly:
            self.rollback()
        self._opened = False
        if self._owned and hasattr(self._blobs, "close"):
            self._blobs.close()

    def _require_writable(self) -> None:
        require_open(self._opened, self._name)
        require_writable(self._readonly, self._name)

    def _decode_head(self, head: bytes) -> tuple[dict[int, Place], bytes | None]:
        if len(head) < CHECK.size + FRAME.size:
            raise StoreCorruptedError(f"{self._name}: {HEAD!r} holds only {len(head)} bytes")
        magic, checksum = CHECK.unpack_from(head)
        body = memoryview(head)[CHECK.size :]
        if magic != MAGIC or zlib.crc32(body) != checksum:
            raise StoreCorruptedError(f"{self._name}: {HEAD!r} is damaged, or not of a store")
        pages, meta_length, has_meta = FRAME.unpack_from(body)
        split = FRAME.size + pages * ENTRY.size
        table = ENTRY.iter_unpack(body[FRAME.size : split])
        places = {page: (session, serial) for page, session, serial in table}
        return places, bytes(body[split : split + meta_length]) if has_meta else None


def _encode_head(places: dict[int, Place], meta: bytes | None) -> bytes:
    frame = FRAME.pack(len(places), len(meta or b""), meta is not None)
    table = b"".join(ENTRY.pack(page, *place) for page, place in places.items())
    body = frame + table + (meta or b"")
    return CHECK.pack(MAGIC, zlib.crc32(body)) + body


def _key(page: int, place: Place) -> str:
    session, serial = place
    return f"page-{page:x}-{session.decode()}-{serial:x}"


def as_page_store(
    store: PageStore | MutableMapping[str, bytes], name: str, *, owned: bool = False
) -> PageStore:
    """Return `store`, or shadow paging over it where it is a mapping; `owned` closes the mapping too.

    `TypeError` where it is neither.
    """
    if all(callable(getattr(store, name, None)) for name in PAGE_STORE_METHODS):
        return cast("PageStore", store)  # isinstance would miss a proxy
    if isinstance(store, MutableMapping):
        return ShadowStore(store, name, owned=owned)
    raise TypeError(
        f"page_store must be a name, a PageStore or a MutableMapping[str, bytes], not {store!r}"
    )
