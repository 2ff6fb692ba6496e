"""From what a constructor was given to an opened volume: folder, lock, marker, page store, trust."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.core import StoreCorruptedError, page_stores
from pyspeedup.memory import _platform
from pyspeedup.memory._storage.codecs import runs_code
from pyspeedup.memory._storage.copying import copy_volume
from pyspeedup.memory._storage.folder_lock import FileLock
from pyspeedup.memory._storage.marker import (
    JOURNAL_FILE,
    LOCK_FILE,
    MARKER_FILE,
    Marker,
    read_marker,
    write_marker,
)
from pyspeedup.memory._storage.trust import require_trusted
from pyspeedup.memory._storage.volume import Volume
from pyspeedup.memory.stores.file import FileStore
from pyspeedup.memory.stores.shadow import as_page_store

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from pyspeedup.core import PageStore, PageStoreFactory, Serializer
    from pyspeedup.memory._storage.copying import Progress
    from pyspeedup.memory._storage.journal_file import Journal
    from pyspeedup.memory._storage.location import Place

__all__ = ["OpenStore", "Wanted", "back_up", "open_object", "open_place"]

DEFAULT_PAGE_STORE = "file"
OWNER_ONLY = 0o700


class Wanted(NamedTuple):
    """How a structure wants its volume."""

    kind: str
    page_size: int
    serializer: str | Serializer | None = None
    readonly: bool = False
    trust: bool = False
    map_limit: int | None = None
    journal: bool = False
    keyed_hash: bool = False


class OpenStore:
    """A volume; where it has a folder, the lock on that, and the name of the page store in it.

    `map_limit` is how many bytes of its file the page store maps; None where it maps none.
    """

    def __init__(
        self,
        volume: Volume,
        lock: FileLock | None = None,
        folder: Path | None = None,
        page_store: str | None = None,
        map_limit: int | None = None,
    ) -> None:
        """Hold what was opened."""
        self.volume = volume
        self.lock = lock
        self.folder = folder
        self.page_store = page_store
        self.map_limit = map_limit
        self.folder_synced = False
        self.journal: Journal | None = None

    @property
    def journal_path(self) -> Path | None:
        """Where a journal is, or would be, beside the pages."""
        return None if self.folder is None else self.folder / JOURNAL_FILE

    def sync_folder(self) -> None:
        """Wait until the names that lead to the pages are on the disk; once is enough."""
        if self.folder is None or self.folder_synced:
            return
        marker = _platform.open_file(self.folder / MARKER_FILE, write=True)
        try:
            _platform.sync_file(marker)
        finally:
            os.close(marker)
        for folder in (self.folder, self.folder.parent, self.folder.parent.parent):
            _platform.sync_folder(folder)
        self.folder_synced = True

    def close(self) -> None:
        """Close the volume, dropping what was not committed, then give the lock up."""
        with ExitStack() as afterwards:
            if self.lock is not None:
                afterwards.callback(self.lock.release)
            if self.journal is not None:
                afterwards.callback(self.journal.close)
            self.volume.close()

    def abandon(self) -> None:
        """Let go in a forked child, leaving the parent's store and lock as they are."""
        self.volume.abandon()
        if self.journal is not None:
            self.journal.abandon()
        if self.lock is not None:
            self.lock.abandon()


def open_object(
    store: PageStore | MutableMapping[str, bytes], wanted: Wanted, name: str
) -> OpenStore:
    """Open a page store or mapping that the caller brought; there is no folder of ours then.

    `ValueError` for a `map_limit`, which whoever made the page store gave it, or did not, and for a
    `journal`, which nothing is there to keep.
    """
    if wanted.journal:
        raise ValueError(
            f"journal=True needs a page store in a folder of its own, and {name} has none"
        )
    if wanted.map_limit is not None:
        raise ValueError(
            f"map_limit={wanted.map_limit} is for a page store that is opened by its name; "
            f"give it to {type(store).__qualname__} itself, if that takes one"
        )
    return OpenStore(
        Volume(
            store,
            kind=wanted.kind,
            page_size=wanted.page_size,
            serializer=wanted.serializer,
            readonly=wanted.readonly,
            name=name,
            keyed_hash=wanted.keyed_hash,
        )
    )


def open_place(place: Place, page_store: str | None, wanted: Wanted) -> OpenStore:
    """Open the store at `place`, making it where there is none, in O(pages) reading no page.

    Raises `ValueError` for a page store, kind or serializer other than the recorded ones, a
    `map_limit` for one that maps nothing, or a `keyed_hash` for one that was made without,
    `FileNotFoundError` for a missing store with `readonly`, `StoreLockedError`,
    `StoreCorruptedError`, `UntrustedStoreError`, and `OSError` naming a folder that can't be written.
    """
    if _needs_no_folder(page_store) and not (place.folder / MARKER_FILE).exists():
        name = f"{place.name!r} in page store {page_store!r}"
        _map_limit(str(page_store), wanted)
        made = _make_page_store(place, str(page_store), wanted)
        return open_object(made, wanted._replace(map_limit=None), name)
    _make_folder(place, readonly=wanted.readonly)
    lock = _take_lock(place, readonly=wanted.readonly)
    volume: Volume | None = None
    try:  # and no `with`, at whose end an interruption would find nothing to undo any more
        volume, recorded = _open_folder(place, page_store, wanted)
        return OpenStore(volume, lock, place.folder, recorded, _map_limit(recorded, wanted))
    except BaseException:
        with ExitStack() as afterwards:
            if lock is not None:
                afterwards.callback(lock.release)
            if volume is not None:
                volume.close()
        raise


def back_up(store: OpenStore, place: Place, progress: Progress | None = None) -> None:
    """Copy what `store` committed last to a new one at `place`, durably, in O(bytes).

    It is built aside and put there in one step. `FileExistsError` where something is there, or came there
    meanwhile, and `StoreLockedError` while another process builds a store for that place; where copying
    fails, nothing is left. `progress` is as `copy_volume` has it.
    """
    from pyspeedup.memory._storage.replacing import (
        building_aside,
        put_in_place,
    )  # few programs copy

    if place.folder.exists():
        raise FileExistsError(errno.EEXIST, "there is something already", str(place.folder))
    volume = store.volume
    wanted = Wanted(volume.kind, volume.page_size, volume.serializer, trust=True)
    with building_aside(place) as aside:
        copy = open_place(aside, store.page_store, wanted)
        try:
            copy_volume(volume, copy.volume, progress)
            copy.sync_folder()
        finally:
            copy.close()
        put_in_place(aside, place)
        _platform.sync_folder(place.location.parent)


def _factory(name: str) -> PageStoreFactory:
    """Return what makes a page store; the default is found without loading any plugin."""
    return FileStore if name == DEFAULT_PAGE_STORE else page_stores.get(name)


def _map_limit(page_store: str, wanted: Wanted) -> int | None:
    """Return how many bytes that page store is to map; `ValueError` where it maps none and is to."""
    default: int | None = getattr(_factory(page_store), "default_map_limit", None)
    if wanted.map_limit is None:
        return default
    if default is None:
        raise ValueError(
            f"map_limit={wanted.map_limit} is for a page store that maps its file, as 'file' does, "
            f"and {page_store!r} does not: leave it out"
        )
    return wanted.map_limit


def _make_page_store(place: Place, name: str, wanted: Wanted) -> PageStore:
    options = {} if wanted.map_limit is None else {"map_limit": wanted.map_limit}
    made = _factory(name)(str(place.folder), place.name, **options)
    return as_page_store(made, str(place.folder), owned=True)


def _needs_no_folder(page_store: str | None) -> bool:
    """Tell whether pages are kept elsewhere, so that nothing of ours need be on the disk."""
    if page_store is None or page_store == DEFAULT_PAGE_STORE:
        return False
    return not getattr(_factory(page_store), "uses_folder", True)


def _make_folder(place: Place, *, readonly: bool) -> None:
    if place.folder.is_dir():
        return
    if readonly and not place.folder.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such store", str(place.folder))
    if not place.location.is_dir():
        place.location.mkdir(OWNER_ONLY, parents=True, exist_ok=True)
    try:
        place.folder.mkdir(OWNER_ONLY, exist_ok=True)  # another process may make it just now
    except FileExistsError as error:
        message = "it is in the way of a store"
        raise NotADirectoryError(errno.ENOTDIR, message, str(place.folder)) from error


def _take_lock(place: Place, *, readonly: bool) -> FileLock | None:
    """Lock the folder; a reader of a folder that it can't write, and that has no lock file, goes on."""
    path = place.folder / LOCK_FILE
    try:
        return FileLock(path, exclusive=not readonly, name=str(place.folder))
    except FileNotFoundError:
        return None


def _open_folder(place: Place, page_store: str | None, wanted: Wanted) -> tuple[Volume, str]:
    """Return the volume, and the name of the page store that is recorded now."""
    marker = read_marker(place.folder)
    if marker is None:
        _require_empty(place.folder)
    elif page_store is not None and page_store != marker.page_store:
        raise ValueError(
            f"{place.folder}: page_store is {page_store!r}, "
            f"but it was written with {marker.page_store!r}"
        )
    if marker is None or not marker.ready:
        marker = _begin(place, page_store, wanted)
    volume = _open_pages(place, marker, wanted)
    try:
        if runs_code(volume.serializer) and not wanted.trust:
            require_trusted(place.folder)
        if not marker.ready:
            write_marker(place.folder, marker.finished())
    except BaseException:
        volume.close()
        raise
    return volume, marker.page_store


def _require_empty(folder: Path) -> None:
    found = {path.name for path in folder.iterdir()} - {LOCK_FILE, f"{MARKER_FILE}.new"}
    if found:
        raise StoreCorruptedError(
            f"{folder}: {MARKER_FILE} is missing, but there is {min(found)!r}; "
            "restore the one, or move the other away"
        )


def _begin(place: Place, page_store: str | None, wanted: Wanted) -> Marker:
    """Mark an empty folder, or one where a process was killed before its first commit, as begun."""
    if wanted.readonly:
        raise FileNotFoundError(errno.ENOENT, "there is no such store yet", str(place.folder))
    name = DEFAULT_PAGE_STORE if page_store is None else page_store
    _map_limit(name, wanted)  # an unknown name too is an error before anything is written
    marker = Marker(os.urandom(16).hex(), place.name, wanted.kind, name)
    write_marker(place.folder, marker)
    for path in place.folder.iterdir():
        if path.name not in {LOCK_FILE, MARKER_FILE}:
            _remove(path)
    return marker


def _remove(path: Path) -> None:
    import shutil  # 5 ms, and only what a killed process left needs it

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _open_pages(place: Place, marker: Marker, wanted: Wanted) -> Volume:
    _map_limit(marker.page_store, wanted)
    store = _make_page_store(place, marker.page_store, wanted)
    try:
        return Volume(
            store,
            kind=wanted.kind,
            page_size=wanted.page_size,
            serializer=wanted.serializer,
            readonly=wanted.readonly,
            create=not marker.ready,
            identity=marker.identity,
            name=str(place.folder),
            keyed_hash=wanted.keyed_hash,
        )
    except FileNotFoundError as error:
        if not marker.ready:
            raise
        raise StoreCorruptedError(f"{place.folder}: its pages are missing ({error})") from error
