"""Looking at a store from outside: what it says of itself, and which of its pages are damaged.

No value is read, so nothing that a store holds is ever run.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError, page_stores
from pyspeedup.memory._storage.folder_lock import FileLock
from pyspeedup.memory._storage.header import Header, check_of, decode_meta
from pyspeedup.memory._storage.location import SUFFIX, find_place, name_in_folder_name
from pyspeedup.memory._storage.marker import LOCK_FILE, MARKER_FILE, Marker, read_marker
from pyspeedup.memory.stores.shadow import as_page_store

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from pyspeedup.core import PageStore

__all__ = ["Inspection", "bytes_on_disk", "find_folder", "inspected", "remove", "store_name"]


def find_folder(store: str, location: str | None) -> Path:
    """Return the folder of `store`, the path of one or a name in `location`.

    `FileNotFoundError` names a folder that is not there.
    """
    path = Path(store)
    if path.suffix == SUFFIX:
        folder = path
    elif len(path.parts) > 1:
        folder = find_place(path.name, path.parent).folder
    else:
        folder = find_place(store, location).folder
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such store", str(folder))
    return folder


def store_name(folder: Path, marker: Marker | None) -> str:
    """Return the name that opens the store in `folder`."""
    name = name_in_folder_name(folder.name)
    if name is None:
        return marker.name if marker else folder.name
    return name


def bytes_on_disk(folder: Path) -> int:
    """Return the length of all files in `folder` together, in O(files)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Inspection:
    """An opened store, seen from outside."""

    folder: Path
    marker: Marker
    header: Header
    checks: array[int]
    state: bytes | None
    pages: PageStore

    @property
    def page_numbers(self) -> list[int]:
        """The numbers of all pages, in O(pages)."""
        return [page for page, check in enumerate(self.checks) if check]

    def damage(self) -> Iterator[tuple[int, str | None]]:
        """Yield each page's number, and what is wrong with it or None, in O(bytes) altogether."""
        for page in self.page_numbers:
            try:
                data = self.pages.read(page)
            except (KeyError, OSError) as error:
                yield page, f"it cannot be read: {error}"
            else:
                yield (
                    page,
                    None if check_of(data) == self.checks[page] else "its checksum does not match",
                )


@contextmanager
def inspected(folder: Path) -> Iterator[Inspection]:
    """Open the store in `folder` for reading, whatever its kind and serializer.

    Raises `StoreLockedError`, `StoreCorruptedError`, or `StoreError` where it is no store.
    """
    marker = read_marker(folder)
    if marker is None:
        raise StoreError(f"{folder} is not a store: there is no {MARKER_FILE} in it")
    if not marker.ready:
        raise StoreError(f"{folder}: its first commit was never made; it holds nothing")
    made = page_stores.get(marker.page_store)(str(folder), marker.name)
    store = as_page_store(made, str(folder), owned=True)
    try:
        meta = store.open(create=False, readonly=True)
    except FileNotFoundError as error:
        raise StoreCorruptedError(f"{folder}: its pages are missing ({error})") from error
    try:
        header, checks, state = decode_meta(bytes(meta or b""), str(folder))
        if header.identity != marker.identity:
            raise StoreCorruptedError(f"{folder}: what it holds belongs to another store")
        yield Inspection(folder, marker, header, checks, state, store)
    finally:
        store.close()


def remove(folder: Path) -> None:
    """Delete the store in `folder`, damaged or not; `StoreLockedError` while it is open elsewhere.

    `StoreError` where it is no store. Nothing but the folder is touched.
    """
    import shutil  # 5 ms, and only this needs it

    if folder.suffix != SUFFIX or not (folder / MARKER_FILE).exists():
        raise StoreError(f"{folder} is not a store, and is left alone")
    lock = FileLock(folder / LOCK_FILE, exclusive=True, name=str(folder))
    try:
        shutil.rmtree(folder)
    finally:
        lock.release()
