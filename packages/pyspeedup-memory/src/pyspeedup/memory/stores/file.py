"""The default store: one file, in which nothing that a commit refers to is ever overwritten."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory.stores._data_file import (
    Commit,
    Found,
    encode_manifest,
    find_commit,
    this_boot,
)
from pyspeedup.memory.stores._extents import FreeSpace
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
from pyspeedup.memory.stores._window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspeedup.core import BytesLike

__all__ = ["DATA_FILE", "FileStore"]

DATA_FILE = "data"
MAP_LIMIT = 64 << 20
"""Bytes of the file that are mapped at most, unless something else is asked for."""
NO_COMMIT = Slot(0, durable=False, offset=0, length=0, checksum=0, has_meta=False, boot=b"")


class State(NamedTuple):
    """All that a commit changes, so that it changes in one step."""

    newest: Slot
    durable: Slot
    slots: tuple[Slot | None, ...]
    table: PageTable
    pages: Overlay[Extent]
    pinned: list[tuple[int, int]]


class FileStore:
    """A page store in the file ``data`` of a folder: shadow paging within one file.

    A page is written to an extent that no commit refers to; a commit writes the page table beside it
    and then one small block, the slot, which names it. So kill -9 at any moment leaves the last commit.
    With ``durable`` the file is synced before and after the slot, and nothing that a durable commit
    refers to is reused before the next durable one, so that a loss of power leaves that.

    Reading and writing a page cost one system call each and O(bytes), `commit` O(pages) bytes, `open`
    O(pages) without reading one, and RAM 28 bytes a page. Only after the machine was started anew,
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

    default_map_limit: ClassVar[int] = MAP_LIMIT

    def __init__(
        self, location: str | Path, basename: str = "", *, map_limit: int = MAP_LIMIT
    ) -> None:
        """Keep the folder, which must exist; nothing is touched before `open`.

        `map_limit` bounds in bytes what is mapped of the file, and so what it adds to the resident
        memory. `peek` copies from the map what lies in it, and reads what lies behind. A disk that
        fails under a map ends the process, as does another process that cuts the file: 0 maps nothing.
        """
        if map_limit < 0:
            raise ValueError(f"map_limit must be 0 bytes or more, not {map_limit}")
        self._path = Path(location) / DATA_FILE
        self._name = f"{location} ({basename!r})" if basename else str(location)
        self._file: int | None = None
        self._readonly = False
        self._map_limit = map_limit
        self._window = Window(-1, limit=0)

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
            self._dirty = False
            if writing and found.after_restart:
                self._settle(file, found)
            self._window = Window(file, limit=self._map_limit)
        except BaseException:
            os.close(file)
            raise
        self._readonly = readonly
        self._file = file
        return found.commit.meta

    def _lock(self, file: int, *, exclusive: bool) -> None:
        if not _platform.lock(file, exclusive=exclusive):
            pid = _platform.lock_holder(file)
            raise StoreLockedError(f"{self._name} is open in process {pid or 'unknown'}", pid)

    def _adopt(self, found: Found) -> None:
        newest = found.commit.slot
        durable = found.durable.slot if found.durable else newest if newest.durable else NO_COMMIT
        pinned = _only_in(found.durable, found.commit) if found.durable else []
        table = found.commit.table
        self._state = State(newest, durable, tuple(found.slots), table, Overlay(table), pinned)
        self._space = FreeSpace(HEADER_SIZE, [])
        self._space.whole = False  # found before the first change: who only reads needs none

    def _find_space(self) -> FreeSpace:
        """Return the gaps between all that is referred to, in O(pages)."""
        state = self._state
        used = [*state.table.places(), *_place_of(state.newest), *state.pinned]
        used += [(extent.offset, extent.length) for extent in state.pages.put_since.values()]
        try:
            return FreeSpace(HEADER_SIZE, used)
        except ValueError as error:
            raise StoreCorruptedError(f"{self._name}: {error}") from error

    def _settle(self, file: int, found: Found) -> None:
        """Write the commit that counts anew as a durable one, and clear every other slot."""
        self._begin_change(file)
        _platform.sync_file(file)
        highest = max(slot.commit for slot in found.slots if slot)
        slot = found.commit.slot._replace(commit=highest + 1, durable=True, boot=this_boot())
        index = self._free_slot()
        _platform.write_at(file, slot.encode(), index * BLOCK)
        _platform.sync_file(file)
        for other in set(range(SLOTS)) - {index}:
            _platform.write_at(file, bytes(BLOCK), other * BLOCK)
        slots: list[Slot | None] = [None] * SLOTS
        slots[index] = slot
        self._adopt(Found(found.commit._replace(slot=slot), None, slots, after_restart=False))

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        file = self._open_file()
        extent = self._state.pages.get(page)
        return self._read_at(file, page, extent.offset, extent.length)

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, unchecked, in O(stop - start).

        `KeyError` where there is no such page.
        """
        pages, table = self._state.pages, self._state.table
        if page not in pages.put_since and 0 <= page < len(table.offsets):
            offset, view = table.offsets[page], self._window.view
            is_whole = 0 <= start <= stop <= table.lengths[page] and offset + stop <= len(view)
            if offset and is_whole and page not in pages.dropped_since:
                return view[offset + start : offset + stop]
        return self._peek_otherwise(page, start, stop)

    def _peek_otherwise(self, page: int, start: int, stop: int) -> bytes:
        """Read what is not mapped yet, or may not be, and clip what is beyond the page as a slice does."""
        file = self._open_file()
        offset, length = self._state.pages.get(page)[:2]
        if not 0 <= start <= stop <= length:
            start, stop, _ = slice(start, stop).indices(length)
            stop = max(start, stop)
        if self._window.covers(offset + stop):
            return self._window.view[offset + start : offset + stop]
        return self._read_at(file, page, offset + start, stop - start)

    def _read_at(self, file: int, page: int, offset: int, length: int) -> bytes:
        data = _platform.read_at(file, length, offset)
        if len(data) != length:
            raise StoreCorruptedError(f"{self._name}, page {page}: the file has become shorter")
        return data

    def write(self, page: int, data: BytesLike) -> None:
        """Write `data` to an extent of its own; a full disk is an `OSError`, and changes nothing."""
        self.write_checked(page, data, zlib.crc32(data))

    def write_checked(self, page: int, data: BytesLike, checksum: int) -> None:
        """Do what `write` does, told that ``zlib.crc32(data)`` is `checksum`."""
        file = self._open_for_writing()
        if page < 0:
            raise ValueError(f"page must be 0 or more, not {page}")
        self._begin_change(file)
        length = memoryview(data).nbytes
        offset = self._write_extent(file, data, length)
        before = self._state.pages.put_since.get(page)
        number = self._state.newest.commit + 1
        self._state.pages.put(page, Extent(offset, length, number, checksum))
        self._give([before] if before else [])

    def _write_extent(self, file: int, data: BytesLike, length: int) -> int:
        offset = self._space.take(length)
        try:
            _platform.write_at(file, data, offset)
        except BaseException as error:
            self._space.give(offset, length)
            if isinstance(error, OSError):
                error.filename = str(self._path)  # else nobody learns which disk is full
            raise
        return offset

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        file = self._open_for_writing()
        self._state.pages.get(page)
        self._begin_change(file)
        before = self._state.pages.put_since.get(page)
        self._state.pages.drop(page)
        self._give([before] if before else [])

    def _give(self, extents: Iterable[Extent]) -> None:
        """Free extents that nothing refers to any more: last, so that no interruption frees others."""
        for extent in extents:
            self._space.give(extent.offset, extent.length)

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Write the page table and `meta`, then the slot that names them; `durable` syncs both."""
        file = self._open_for_writing()
        self._begin_change(file)
        table = self._state.table.copy()
        self._state.pages.apply_to(table)
        manifest = encode_manifest(table, meta)
        offset = self._write_extent(file, manifest, len(manifest))
        number = self._state.newest.commit + 1
        slot = Slot(number, durable, offset, len(manifest), zlib.crc32(manifest), True, this_boot())
        index = self._free_slot()
        state, free = self._after(slot, index, table)
        try:
            self._publish(file, slot, index)
            self._state = state
        except BaseException:
            if self._state is not state:
                _platform.write_at(file, _block_of(self._state.slots[index]), index * BLOCK)
                self._space.give(offset, len(manifest))
            raise
        self._give(free)

    def _publish(self, file: int, slot: Slot, index: int) -> None:
        if slot.durable:
            _platform.sync_file(file)
        _platform.write_at(file, slot.encode(), index * BLOCK)
        if slot.durable:
            _platform.sync_file(file)

    def _after(self, slot: Slot, index: int, table: PageTable) -> tuple[State, list[Extent]]:
        """Return the state that `slot` makes, and which extents nothing refers to then."""
        old = self._state
        replaced = list(old.pages.replaced().values())
        if old.newest.length:
            newest = old.newest
            replaced.append(Extent(newest.offset, newest.length, newest.commit, newest.checksum))
        slots = (*old.slots[:index], slot, *old.slots[index + 1 :])
        if slot.durable:
            free = [*replaced, *(Extent(start, size, 0, 0) for start, size in old.pinned)]
            return State(slot, slot, slots, table, Overlay(table), []), free
        kept = [extent for extent in replaced if extent.born <= old.durable.commit]
        pinned = [*old.pinned, *((extent.offset, extent.length) for extent in kept)]
        free = [extent for extent in replaced if extent.born > old.durable.commit]
        return State(slot, old.durable, slots, table, Overlay(table), pinned), free

    def _free_slot(self) -> int:
        """Return the index of a slot that is neither the newest nor the last durable one."""
        kept = {self._state.newest.commit, self._state.durable.commit}
        return next(
            index
            for index, slot in enumerate(self._state.slots)
            if slot is None or slot.commit not in kept
        )

    def rollback(self) -> None:
        """Drop the changes since the last commit, in O(changes)."""
        self._open_for_writing()
        dropped = list(self._state.pages.put_since.values())
        self._state.pages.rollback()
        self._give(dropped)

    def close(self) -> None:
        """Drop what was not committed, give free space at the end back, unlock; again is harmless."""
        if self._file is None:
            return
        file = self._file
        try:
            self._window.close()
            if self._dirty:
                self.rollback()
                self._end_session(file)
        finally:
            self._file = None
            _platform.unlock(file)
            os.close(file)

    def _begin_change(self, file: int) -> None:
        """Say in the file that somebody writes it, before anything else; mend what was interrupted."""
        if not self._space.whole:
            self._space = self._find_space()
        if not self._dirty:
            session = Session(clean=False, size=0, commit=0)
            _platform.write_at(file, session.encode(), SESSION_BLOCK * BLOCK)
            self._dirty = True
        self._window.growing = True  # now that closing shortens the file again

    def _end_session(self, file: int) -> None:
        self._begin_change(file)
        os.ftruncate(file, self._space.end)
        session = Session(clean=True, size=self._space.end, commit=self._state.newest.commit)
        _platform.write_at(file, session.encode(), SESSION_BLOCK * BLOCK)

    def abandon(self) -> None:
        """Close a forked child's descriptor; the file and the lock stay the parent's."""
        if self._file is not None:
            self._window.close()
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


def _place_of(slot: Slot) -> list[tuple[int, int]]:
    """Return where a commit's manifest is; the first commit of all has none."""
    return [(slot.offset, slot.length)] if slot.length else []


def _only_in(durable: Commit, newest: Commit) -> list[tuple[int, int]]:
    """Return where what only the older of two commits refers to is."""
    return [*durable.table.places_not_in(newest.table), *_place_of(durable.slot)]
