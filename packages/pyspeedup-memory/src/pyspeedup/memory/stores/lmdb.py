"""Pages in an LMDB file: a row a version of a page, and a row a page that says which version counts.

LMDB keeps a transaction in RAM, and gives all of it up where the disk or its map is full. So a page
that is not committed yet is a row of its own at once, with a version newer than the last commit's; the
transaction that commits makes such versions count, and deletes what they replaced.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.memory.stores._lmdb_file import LmdbFile
from pyspeedup.memory.stores._overlay import Overlay, require_writable

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["LmdbStore"]

COMMIT = b"\0"
"""The key of the last commit: the newest version then, a checksum, the meta."""
HEAD = struct.Struct(">QI")
PAGE = struct.Struct(">cQ")
"""The key of a page, by its number: its version. The rows of all pages lie together, and are short."""
CONTENT = struct.Struct(">cQQ")
"""The key of a version, by it and the page: the bytes. What is newer than the commit lies at the end."""
OF_PAGE, OF_CONTENT, END = b"\1", b"\2", b"\3"
LARGEST_PAGE_NUMBER = 2**64 - 1

MAP_LIMIT = 64 << 20
"""How many bytes of the file may be resident, unless the store is told otherwise."""

BUFFER = 2 << 20
"""Bytes of pages that wait in RAM for a transaction, since each one waits for the disk."""


class Changes:
    """What was written since the last commit, in one object, so that a commit drops it in one step."""

    def __init__(self, committed: dict[int, bytes], rows: set[bytes]) -> None:
        self.pages = Overlay(committed)
        self.rows = rows
        """Keys of rows in the file that no commit refers to: uncommitted ones, and garbage."""
        self.waiting: dict[bytes, bytes] = {}
        """Rows that are not in the file yet."""
        self.waiting_bytes = 0

    def live(self) -> set[bytes]:
        """Return the keys of all pages written since the last commit, in O(changes)."""
        return set(self.pages.put_since.values())


class LmdbStore:
    """A page store in the LMDB file ``data.mdb`` of a folder; needs the extra ``lmdb``.

    Finding a page costs O(log pages), and a part of one is copied without the rest; a commit costs
    O(changed pages) and waits for the disk once, `open` O(pages) without reading one, and RAM some
    150 bytes a page beside at most 2 MiB of pages that wait to be written. The map grows by itself.
    Space of what was deleted is used again, but the file never gets smaller. Pages are read through a
    map of the file, so they count as resident memory: about `map_limit`, then they are given back.

    LMDB believes its own file: damage done to it while it is open can end the process. So the file is
    checked at each opening. Two stores of one process cannot have the same file open, not even to read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = LmdbStore(folder)
    ...     store.open(create=True, readonly=False)
    ...     store.write(0, b"zero")
    ...     store.commit(b"first")
    ...     store.close()
    ...     store.open(create=False, readonly=True), store.read(0), store.peek(0, 1, 3)
    ...     store.close()
    (b'first', b'zero', b'er')
    """

    default_map_limit: ClassVar[int] = MAP_LIMIT

    def __init__(
        self, location: str | Path, basename: str = "", *, map_limit: int = MAP_LIMIT
    ) -> None:
        """Keep the folder, which must exist; nothing is touched before `open`.

        `map_limit` bounds in bytes about how much of the file is resident. Reading pages at random
        from a file that is longer costs more the smaller it is. A negative one is a `ValueError`.
        """
        if map_limit < 0:
            raise ValueError(f"map_limit must be 0 bytes or more, not {map_limit}")
        self._map_limit = map_limit
        self._folder = Path(location)
        self._name = f"{location} ({basename!r})" if basename else str(location)
        self._file: LmdbFile | None = None
        self._readonly = False

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Lock the file and return the last committed meta; see `pyspeedup.core.PageStore`.

        `ModuleNotFoundError` where py-lmdb is not installed.
        """
        if self._file is not None:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        file = LmdbFile(
            self._folder,
            self._name,
            create=create,
            readonly=readonly,
            map_limit=self._map_limit,
        )
        try:
            meta = self._load(file)
        except BaseException:
            file.close()
            raise
        self._has_committed = False
        self._readonly = readonly
        self._file = file
        return meta

    def _load(self, file: LmdbFile) -> bytes | None:
        """Find out which versions count, and which rows nobody refers to, in O(pages)."""
        committed, meta = self._last_commit(file)
        table: dict[int, bytes] = {}
        for key, version in file.items(OF_PAGE, OF_CONTENT):
            page, content = self._decode_page(key, bytes(version))
            table[page] = content
        after = CONTENT.pack(OF_CONTENT, committed + 1, 0)
        stray = {key for key, _ in file.items(after, END)}
        self._table, self._changes = table, Changes(table, stray)
        self._version = max(map(_version, stray), default=committed)
        return meta

    def _decode_page(self, key: bytes, version: bytes) -> tuple[int, bytes]:
        """Return a page's number, and the key of its content."""
        if len(key) != PAGE.size or len(version) != 8:  # noqa: PLR2004 -- 64 bits
            raise StoreCorruptedError(
                f"{self._name}: there is a row {key!r}, which is none of ours"
            )
        return PAGE.unpack(key)[1], OF_CONTENT + version + key[1:]

    def _last_commit(self, file: LmdbFile) -> tuple[int, bytes | None]:
        """Return the newest version that counts, and the meta; 0 and None before the first commit."""
        row = file.get(COMMIT)
        if row is None:
            return 0, None
        head, meta = bytes(row[: HEAD.size]), bytes(row[HEAD.size :])
        if len(head) < HEAD.size or head != _encode_head(HEAD.unpack(head)[0], meta):
            raise StoreCorruptedError(f"{self._name}: the record of its last commit is damaged")
        return int(HEAD.unpack(head)[0]), meta

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        return bytes(self._find(page))

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, as a slice does; `KeyError` as `read`."""
        return bytes(self._find(page)[start:stop])

    def _find(self, page: int) -> BytesLike:
        file = self._opened()
        key = self._changes.pages.get(page)
        waiting = self._changes.waiting.get(key)
        if waiting is not None:
            return waiting
        row = file.get(key)
        if row is None:
            raise StoreCorruptedError(f"{self._name}, page {page}: it is missing")
        return row

    def write(self, page: int, data: BytesLike) -> None:
        """Make `data` the bytes of `page`; a full disk is an `OSError`, and changes nothing."""
        file = self._opened_for_writing()
        if not 0 <= page <= LARGEST_PAGE_NUMBER:
            raise ValueError(f"page must be between 0 and 2**64 - 1, not {page}")
        self._version += 1
        key, content = CONTENT.pack(OF_CONTENT, self._version, page), bytes(data)
        changes = self._changes
        if changes.waiting_bytes + len(content) > BUFFER:
            self._flush(file, {key: content})
        else:
            changes.waiting[key] = content
            changes.waiting_bytes += len(content)
        before = changes.pages.put_since.get(page)
        changes.pages.put(page, key)
        self._forget(before)

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        self._opened_for_writing()
        before = self._changes.pages.put_since.get(page)
        self._changes.pages.drop(page)
        self._forget(before)

    def _forget(self, key: bytes | None) -> None:
        """Drop a row that was replaced while it waited; one in the file goes with the next transaction."""
        dropped = None if key is None else self._changes.waiting.pop(key, None)
        self._changes.waiting_bytes -= len(dropped or b"")

    def _flush(self, file: LmdbFile, more: dict[bytes, bytes]) -> None:
        """Write what waits, and `more`; delete what has been replaced meanwhile."""
        changes = self._changes
        live = changes.live()
        rows = {key: data for key, data in changes.waiting.items() if key in live} | more
        committed, _ = self._last_commit(file)  # newer than we know, where a commit was interrupted
        stale = {key for key in changes.rows - live if _version(key) > committed}
        changes.rows.update(rows)  # first, so that an interruption leaves no row that nobody knows
        file.write(rows, stale)
        changes.rows -= stale
        changes.waiting.clear()
        changes.waiting_bytes = 0

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Let what was written count and delete what that replaced; with `durable`, sync it."""
        file = self._opened_for_writing()
        changes = self._changes
        live = changes.live()
        contents = {key: data for key, data in changes.waiting.items() if key in live}
        stale = changes.rows.union(changes.pages.replaced().values()) - live
        changes.rows.update(contents)
        rows = contents | {COMMIT: _encode_head(self._version, bytes(meta)) + meta}
        for page, key in changes.pages.put_since.items():
            rows[PAGE.pack(OF_PAGE, page)] = key[1:9]
        stale.update(PAGE.pack(OF_PAGE, page) for page in changes.pages.dropped_since)
        file.write(rows, stale)
        self._has_committed = True
        changes.pages.apply_to(self._table)
        self._changes = Changes(self._table, set())
        if durable:
            file.sync()

    def rollback(self) -> None:
        """Drop the changes since the last commit, in O(pages); their space is free with the next one."""
        self._load(self._opened_for_writing())

    def close(self) -> None:
        """Drop what was not committed and unlock; again is harmless."""
        if self._file is None:
            return
        file = self._file
        try:
            if self._has_committed:
                self._repeat_commit(file)
        finally:
            self._file = None
            file.close()

    def _repeat_commit(self, file: LmdbFile) -> None:
        """Make the last transaction change nothing, and sweep.

        LMDB has two headers and believes the newer one: where damage makes the other one look newer,
        that now leads to the last commit as well.
        """
        committed, meta = self._last_commit(file)
        stray = {key for key in self._changes.rows if _version(key) > committed}
        with suppress(OSError):  # a full disk: the commit stands, and the next opening sweeps
            file.write({COMMIT: _encode_head(committed, meta or b"") + (meta or b"")}, stray)

    def abandon(self) -> None:
        """Let go in a forked child; the file and the lock stay the parent's."""
        file, self._file = self._file, None
        if file is not None:
            file.abandon()

    def _opened(self) -> LmdbFile:
        if self._file is None:
            raise ValueError(f"{self._name} is not open")
        return self._file

    def _opened_for_writing(self) -> LmdbFile:
        file = self._opened()
        require_writable(self._readonly, self._name)
        return file


def _version(content: bytes) -> int:
    """Return the version in the key of a content."""
    return int.from_bytes(content[1:9], "big")


def _encode_head(version: int, meta: bytes) -> bytes:
    """Return what stands before the meta of a commit; its checksum covers both."""
    return HEAD.pack(version, zlib.crc32(meta, zlib.crc32(version.to_bytes(8, "big"))))
