"""Looking at a store from outside: what it says of itself, and which of its pages are damaged.

No value is read, so nothing that a store holds is ever run.
"""

from __future__ import annotations

import errno
import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError, page_stores
from pyspeedup.memory._storage.folder_lock import FileLock
from pyspeedup.memory._storage.header import Header, check_of, decode_meta
from pyspeedup.memory._storage.location import SUFFIX, Place, find_place, name_in_folder_name
from pyspeedup.memory._storage.marker import LOCK_FILE, MARKER_FILE, Marker, read_marker
from pyspeedup.memory._storage.moving_over import is_cut_short
from pyspeedup.memory.stores.file import DATA_FILE
from pyspeedup.memory.stores.shadow import as_page_store
from pyspeedup.memory.stores.sqlite import DATABASE_FILE

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from pyspeedup.core import PageStore

__all__ = [
    "Inspection",
    "behind_link",
    "bytes_on_disk",
    "find_folder",
    "guessed_marker",
    "inspected",
    "last_written",
    "marked",
    "pages_of",
    "place_of",
    "remove",
    "store_name",
]


def find_folder(store: str, location: str | None) -> Path:
    """Return the folder of `store`, the path of one or a name in `location`.

    `FileNotFoundError` names a folder that is not there.
    """
    folder = place_of(store, location).folder
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such store", str(folder))
    return folder


def place_of(store: str, location: str | None) -> Place:
    """Return where `store` is, or would be: the path of a store's folder, a path or a name.

    >>> place_of("/data/words", None).folder.name, place_of("/data/words.pyspeedup", None).name
    ('words.pyspeedup', 'words')
    """
    path = Path(store)
    is_path = any(separator in store for separator in (os.sep, os.altsep) if separator)
    if path.suffix == SUFFIX and (is_path or path.is_dir()):
        return _place_at(Path(os.path.abspath(path)))  # noqa: PTH100 -- as find_place does: without ".."
    if is_path:
        return find_place(path.name, path.parent)
    return find_place(store, location)


def behind_link(place: Place) -> Place:
    """Return where the store is that a link at `place` leads to, or `place` where none leads anywhere.

    For what takes the place of a store: not the link, to whose store other names may lead.
    """
    is_link = place.folder.is_symlink() and place.folder.is_dir()
    return _place_at(place.folder.resolve()) if is_link else place


def _place_at(folder: Path) -> Place:
    return Place(store_name(folder, _marker_or_none(folder)), folder.parent, folder)


def _marker_or_none(folder: Path) -> Marker | None:
    try:
        return read_marker(folder)
    except StoreError:
        return None


def store_name(folder: Path, marker: Marker | None) -> str:
    """Return the name that opens the store in `folder`."""
    name = name_in_folder_name(folder.name)
    if name is None:
        return marker.name if marker else folder.name
    return name


def bytes_on_disk(folder: Path) -> int:
    """Return the length of all files in `folder` together, in O(files); those that go meanwhile are none."""
    return sum(status.st_size for _, status in _files(folder))


def last_written(folder: Path) -> float:
    """Return when a file in `folder` was changed last, in seconds since 1970, in O(files)."""
    times = [status.st_mtime for name, status in _files(folder) if name != LOCK_FILE]
    return max(times, default=folder.stat().st_mtime)


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield name and status of each file in `folder` and below, but for those that go meanwhile."""
    for parent, _, names in os.walk(folder, onerror=_unless_gone):
        for name in names:
            try:
                status = (Path(parent) / name).stat()
            except FileNotFoundError:
                continue
            yield name, status


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def guessed_marker(folder: Path) -> Marker:
    """Return a marker for a folder that lost its own, from what else is in it; `StoreError` if nothing is.

    Of its fields only `page_store` and `ready` mean something.
    """
    for page_store, file in {"file": DATA_FILE, "sqlite": DATABASE_FILE}.items():
        if (folder / file).exists():
            return Marker("", store_name(folder, None), "", page_store, ready=True)
    raise StoreError(f"{folder} is not a store: there is no {MARKER_FILE} in it, and no pages")


@dataclass(frozen=True)
class Inspection:
    """An opened store, seen from outside."""

    folder: Path
    marker: Marker
    header: Header
    checks: array[int]
    state: bytes | None
    commit_mark: int
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


def marked(folder: Path) -> Marker:
    """Return the marker of the store in `folder`.

    `StoreError` where it is no store or holds nothing yet, `StoreCorruptedError` for damage.
    """
    marker = read_marker(folder)
    if marker is None and is_cut_short(folder):
        raise StoreCorruptedError(
            f"{folder}: putting it in place was cut short; pyspeedup compact completes that"
        )
    if marker is None:
        raise StoreError(f"{folder} is not a store: there is no {MARKER_FILE} in it")
    if not marker.ready:
        raise StoreError(f"{folder}: its first commit was never made; it holds nothing")
    return marker


def pages_of(folder: Path, marker: Marker) -> PageStore:
    """Return the page store in `folder`, not opened yet."""
    made = page_stores.get(marker.page_store)(str(folder), marker.name)
    return as_page_store(made, str(folder), owned=True)


@contextmanager
def inspected(folder: Path, marker: Marker | None = None) -> Iterator[Inspection]:
    """Open the store in `folder` for reading, whatever its kind and serializer.

    A `guessed_marker` may stand for its own. Raises `StoreLockedError`, `StoreCorruptedError`, or
    `StoreError` where it is no store.
    """
    marker = marked(folder) if marker is None else marker
    store = pages_of(folder, marker)
    try:
        meta = store.open(create=False, readonly=True)
    except FileNotFoundError as error:
        raise StoreCorruptedError(f"{folder}: its pages are missing ({error})") from error
    try:
        meta = bytes(meta or b"")
        header, checks, state = decode_meta(meta, str(folder))
        if marker.identity and header.identity != marker.identity:
            raise StoreCorruptedError(f"{folder}: what it holds belongs to another store")
        yield Inspection(folder, marker, header, checks, state, zlib.crc32(meta), store)
    finally:
        store.close()


def remove(folder: Path) -> None:
    """Delete the store in `folder`, damaged or not; `StoreLockedError` while it is open elsewhere.

    `StoreError` where it is no store, or a link to one. Nothing but the folder is touched.
    """
    import shutil  # 5 ms, and only this needs it

    if folder.is_symlink():
        raise StoreError(
            f"{folder} is a link to {folder.resolve()}, and is left alone; "
            "give that folder to delete the store, and delete the link as any file"
        )
    if folder.suffix != SUFFIX or not (folder / MARKER_FILE).exists():
        raise StoreError(f"{folder} is not a store, and is left alone")
    lock = FileLock(folder / LOCK_FILE, exclusive=True, name=str(folder))
    try:
        shutil.rmtree(folder)
    finally:
        lock.release()
