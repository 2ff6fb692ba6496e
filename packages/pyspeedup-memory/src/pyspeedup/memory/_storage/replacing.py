"""Building a store beside the place where it is to be, and putting it there in one step."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspeedup.core import StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory._storage.exchanging import exchange_folders
from pyspeedup.memory._storage.folder_lock import FileLock
from pyspeedup.memory._storage.location import SUFFIX, Place, find_place
from pyspeedup.memory._storage.marker import LOCK_FILE, MARKER_FILE
from pyspeedup.memory._storage.moving_over import finish, move_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "building_aside",
    "discard_unfinished",
    "finish_replacing",
    "locked",
    "put_in_place",
    "replace",
    "unfinished",
    "work_folder",
]

OWNER_ONLY = 0o700
WORK = ".new"
"""Ends the name of the folder in which a store is built: no store's name ends so."""


def work_folder(folder: Path) -> Path:
    """Return where a store that is to be in `folder` is built."""
    return folder.with_name(folder.name + WORK)


@contextmanager
def building_aside(place: Place) -> Iterator[Place]:
    """Yield a place for a store of the same name, in a folder that is removed at the end.

    What is to stay is put in place before. `StoreLockedError` while another process builds the same
    store; what a killed one left is removed first.
    """
    import shutil  # 5 ms, and only what replaces a store needs it

    work = work_folder(place.folder)
    place.location.mkdir(OWNER_ONLY, parents=True, exist_ok=True)
    work.mkdir(OWNER_ONLY, exist_ok=True)
    try:
        lock = FileLock(work / LOCK_FILE, exclusive=True, name=str(work))
    except FileNotFoundError as error:
        raise StoreLockedError(
            f"{work} was removed by another process just now; try again"
        ) from error
    try:
        _empty(work)
        try:
            yield find_place(place.name, work)
        finally:
            shutil.rmtree(work)
    finally:
        lock.release()


def _empty(work: Path) -> None:
    import shutil  # as above

    for path in work.iterdir():
        if path.name != LOCK_FILE:
            shutil.rmtree(path)


def discard_unfinished(folder: Path) -> bool:
    """Remove what a killed process began to build for `folder`; False where there is nothing.

    `StoreLockedError` while a process is at it.
    """
    import shutil  # as above

    work = work_folder(folder)
    if not work.is_dir():
        return False
    with locked(work):
        shutil.rmtree(work)
    return True


def unfinished(location: Path) -> list[Path]:
    """Return the folders for which a store is being built in `location`, or was, sorted, in O(entries)."""
    found = (path.name for path in location.iterdir() if path.name.endswith(SUFFIX + WORK))
    return sorted(location / name.removesuffix(WORK) for name in found)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process away from the store in `folder`; `StoreLockedError` if one has it."""
    lock = FileLock(folder / LOCK_FILE, exclusive=True, name=str(folder))
    try:
        yield
    finally:
        lock.release()


def put_in_place(new: Place, place: Place) -> None:
    """Move the closed store at `new` to `place`, where nothing is, durably and in one step.

    `FileExistsError` where something is there by now.
    """
    if place.folder.exists() or place.folder.is_symlink():
        raise _exists(place)
    try:
        new.folder.rename(place.folder)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            raise _exists(place) from error
        raise
    _platform.sync_folder(place.location)


def _exists(place: Place) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "there is something already", str(place.folder))


def replace(new: Place, place: Place) -> None:
    """Exchange the closed stores at `new` and `place`, the latter `locked`, in one step.

    Where the system cannot do that, the new one's files replace the old one's: a process that is killed
    between leaves a store that is refused until `finish_replacing` was called. What a killed process
    left in a journal at `place` goes too. Who may use the old one may use the new one.
    """
    _give_access(new.folder, place.folder)
    if not exchange_folders(new.folder, place.folder):
        move_over(new.folder, place.folder)
    _platform.sync_folder(place.location)


def _give_access(new: Path, old: Path) -> None:
    """Let all in `new` be accessible as in `old`; what that has not, as its marker or its folder is."""
    for path in new.rglob("*"):
        same = old / path.relative_to(new)
        other = old if path.is_dir() else old / MARKER_FILE
        _platform.give_access(path, like=same if same.exists() else other)
    _platform.give_access(new, like=old)


def finish_replacing(place: Place) -> None:
    """Complete a `replace` that was cut short; the store at `place` is `locked`."""
    work = work_folder(place.folder)
    new = next(work.glob(f"*{SUFFIX}"), work / place.folder.name)
    finish(new, place.folder)
