"""The default store: one file, in which nothing that a commit refers to is ever overwritten."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory.stores._data_file import (
    Commit,
    Found,
    encode_manifest,
    find_commit,
    this_boot,
)
from pyspeedup.memory.stores._extents import FreeSpace, rounded
from pyspeedup.memory.stores._overlay import Overlay, require_writable
from pyspeedup.memory.stores._page_table import Extent, PageTable
from pyspeedup.memory.stores._slots import (
    BLOCK,
    HEADER_SIZE,
    SESSION_BLOCK,
    SLOTS,
    Session,
    Slot,
)

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["DATA_FILE", "FileStore"]

DATA_FILE = "data"
NO_COMMIT = Slot(0, durable=False, offset=0, length=0, checksum=0, has_meta=False, boot=b"")


class FileStore:
    """A page store in the file ``data`` of a folder: shadow paging within one file.

    A page is written to an extent that no commit refers to; a commit writes the page table beside it
    and then one small block, the slot, which names it. So kill -9 at any moment leaves the last commit.
    With ``durable`` the file is synced before and after the slot, and nothing that a durable commit
    refers to is reused before the next durable one, so that a loss of power leaves that.

    Reading and writing a page cost one system call each and O(bytes), `commit` O(pages) bytes, `open`
    O(pages) without reading one, and RAM 36 bytes a page. Only after the machine was started anew,
    and if the last commit was not durable, `open` reads all pages to see whether they are whole.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = FileStore(folder)
    ...     store.open(create=True, readonly=False)
    ...     store.write(0, b"zero")
    ...     store.commit(b"first")
    ...     store.close()
    ...     store.open(create=False, readonly=True), store.read(0)
    ...     store.close()
    (b'first', b'zero')
    """

    def __init__(self, location: str | Path, basename: str = "") -> None:
        """Keep the folder, which must exist; nothing is touched before `open`."""
        self._path = Path(location) / DATA_FILE
        self._name = f"{location} ({basename!r})" if basename else str(location)
        self._file: int | None = None
        self._readonly = False

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Lock the file and return the last committed meta; see `pyspeedup.core.PageStore`."""
        if self._file is not None:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        writing = not readonly
        file = _platform.open_file(self._path, write=writing, create=create and writing)
        try:
            self._lock(file, exclusive=writing)
            if create and writing and _is_blank(file):
                _make_header(file)
            found = find_commit(file, os.fstat(file).st_size, self._name)
            self._adopt(found)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        self._readonly = readonly
        if writing and found.after_restart:
            self._settle(found)
        return found.commit.meta

    def _lock(self, file: int, *, exclusive: bool) -> None:
        if not _platform.lock(file, exclusive=exclusive):
            pid = _platform.lock_holder(file)
            raise StoreLockedError(f"{self._name} is open in process {pid or 'unknown'}", pid)

    def _adopt(self, found: Found) -> None:
        self._newest = found.commit.slot
        self._durable = found.durable.slot if found.durable else self._newest
        if not self._durable.durable:
            self._durable = NO_COMMIT
        self._slots = found.slots
        self._set_table(found.commit.table)
        self._pinned = _only_in(found.durable, found.commit) if found.durable else []
        self._dirty = False
        used = [*_extents(found.commit), *self._pinned]
        try:
            self._space = FreeSpace(HEADER_SIZE, [(start, rounded(size)) for start, size in used])
        except ValueError as error:
            raise StoreCorruptedError(f"{self._name}: {error}") from error

    def _set_table(self, table: PageTable) -> None:
        self._table = table
        self._pages: Overlay[Extent] = Overlay(table)

    def _settle(self, found: Found) -> None:
        """Write the commit that counts anew as a durable one, and clear every other slot."""
        file = self._open_file()
        self._begin_change()
        _platform.sync_file(file)
        highest = max(slot.commit for slot in found.slots if slot)
        slot = self._newest._replace(commit=highest + 1, durable=True, boot=this_boot())
        index = self._free_slot()
        self._write_slot(index, slot)
        _platform.sync_file(file)
        for other in set(range(SLOTS)) - {index}:
            _platform.write_at(file, bytes(BLOCK), other * BLOCK)
        self._slots = [slot if position == index else None for position in range(SLOTS)]
        self._newest = self._durable = slot
        self._unpin()

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        file = self._open_file()
        extent = self._pages.get(page)
        data = _platform.read_at(file, extent.length, extent.offset)
        if len(data) != extent.length:
            raise StoreCorruptedError(f"{self._name}, page {page}: the file has become shorter")
        return data

    def write(self, page: int, data: BytesLike) -> None:
        """Write `data` to an extent of its own; a full disk is an `OSError`, and changes nothing."""
        file = self._open_for_writing()
        if page < 0:
            raise ValueError(f"page must be 0 or more, not {page}")
        self._begin_change()
        length = memoryview(data).nbytes
        offset = self._write_extent(file, data, length)
        self._give_uncommitted(page)
        self._pages.put(page, Extent(offset, length, self._newest.commit + 1, zlib.crc32(data)))

    def _write_extent(self, file: int, data: BytesLike, length: int) -> int:
        offset = self._space.take(rounded(length))
        try:
            _platform.write_at(file, data, offset)
        except BaseException:
            self._space.give(offset, rounded(length))
            raise
        return offset

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        self._open_for_writing()
        self._pages.get(page)
        self._begin_change()
        self._give_uncommitted(page)
        self._pages.drop(page)

    def _give_uncommitted(self, page: int) -> None:
        if page in self._pages.put_since:
            extent = self._pages.put_since[page]
            self._space.give(extent.offset, rounded(extent.length))

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Write the page table and `meta`, then the slot that names them; `durable` syncs both."""
        file = self._open_for_writing()
        self._begin_change()
        table = self._table.copy()
        self._pages.apply_to(table)
        manifest = encode_manifest(table, meta)
        offset = self._write_extent(file, manifest, len(manifest))
        number = self._newest.commit + 1
        slot = Slot(number, durable, offset, len(manifest), zlib.crc32(manifest), True, this_boot())
        try:
            self._publish(file, slot)
        except BaseException:
            self._space.give(offset, rounded(len(manifest)))
            raise
        self._after_commit(slot, table)

    def _publish(self, file: int, slot: Slot) -> None:
        """Write `slot`; where that, or syncing it, fails, take it back."""
        if slot.durable:
            _platform.sync_file(file)
        index = self._free_slot()
        try:
            self._write_slot(index, slot)
            if slot.durable:
                _platform.sync_file(file)
        except BaseException:
            _platform.write_at(file, _block_of(self._slots[index]), index * BLOCK)
            raise
        self._slots[index] = slot

    def _after_commit(self, slot: Slot, table: PageTable) -> None:
        """Free what `slot` replaced, but for what the last durable commit refers to."""
        replaced = list(self._pages.replaced().values())
        old = self._newest
        if old.length:
            replaced.append(Extent(old.offset, old.length, old.commit, old.checksum))
        self._newest = slot
        self._set_table(table)
        for extent in replaced:
            if extent.born <= self._durable.commit and not slot.durable:
                self._pinned.append((extent.offset, extent.length))
            else:
                self._space.give(extent.offset, rounded(extent.length))
        if slot.durable:
            self._durable = slot
            self._unpin()

    def _unpin(self) -> None:
        for offset, length in self._pinned:
            self._space.give(offset, rounded(length))
        self._pinned = []

    def _free_slot(self) -> int:
        """Return the index of a slot that is neither the newest nor the last durable one."""
        kept = {self._newest.commit, self._durable.commit}
        return next(
            index
            for index, slot in enumerate(self._slots)
            if slot is None or slot.commit not in kept
        )

    def _write_slot(self, index: int, slot: Slot) -> None:
        _platform.write_at(self._open_file(), slot.encode(), index * BLOCK)

    def rollback(self) -> None:
        """Drop the changes since the last commit, in O(changes)."""
        self._open_for_writing()
        for extent in self._pages.put_since.values():
            self._space.give(extent.offset, rounded(extent.length))
        self._pages.rollback()

    def close(self) -> None:
        """Drop what was not committed, give free space at the end back, unlock; again is harmless."""
        if self._file is None:
            return
        file = self._file
        try:
            if self._dirty:
                self.rollback()
                self._end_session(file)
        finally:
            self._file = None
            _platform.unlock(file)
            os.close(file)

    def _begin_change(self) -> None:
        """Say in the file that somebody writes it, before anything else is written."""
        if not self._dirty:
            session = Session(clean=False, size=0, commit=0)
            _platform.write_at(self._open_file(), session.encode(), SESSION_BLOCK * BLOCK)
            self._dirty = True

    def _end_session(self, file: int) -> None:
        os.ftruncate(file, self._space.end)
        session = Session(clean=True, size=self._space.end, commit=self._newest.commit)
        _platform.write_at(file, session.encode(), SESSION_BLOCK * BLOCK)

    def abandon(self) -> None:
        """Close a forked child's descriptor; the file and the lock stay the parent's."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open_file(self) -> int:
        if self._file is None:
            raise ValueError(f"{self._name} is not open")
        return self._file

    def _open_for_writing(self) -> int:
        file = self._open_file()
        require_writable(self._readonly, self._name)
        return file


def _is_blank(file: int) -> bool:
    """Tell whether nothing was ever committed here: no file, or one cut short while it was made."""
    return os.fstat(file).st_size <= HEADER_SIZE and not any(
        _platform.read_at(file, SLOTS * BLOCK, 0)
    )


def _make_header(file: int) -> None:
    """Write the header of an empty store, its slot last: before it, the file counts as blank."""
    _platform.write_at(file, bytes(HEADER_SIZE), 0)
    session = Session(clean=True, size=HEADER_SIZE, commit=1)
    _platform.write_at(file, session.encode(), SESSION_BLOCK * BLOCK)
    _platform.write_at(file, NO_COMMIT._replace(commit=1, boot=this_boot()).encode(), 0)


def _block_of(slot: Slot | None) -> bytes:
    return bytes(BLOCK) if slot is None else slot.encode()


def _extents(commit: Commit) -> list[tuple[int, int]]:
    """Return where a commit's pages and its manifest are."""
    found = [(extent.offset, extent.length) for _, extent in commit.table.items()]
    if commit.slot.length:
        found.append((commit.slot.offset, commit.slot.length))
    return found


def _only_in(durable: Commit, newest: Commit) -> list[tuple[int, int]]:
    return list(set(_extents(durable)) - set(_extents(newest)))
