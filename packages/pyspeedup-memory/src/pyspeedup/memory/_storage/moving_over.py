"""Replacing the content of a store's folder step by step, where the system cannot exchange folders.

The new content is whole and durable aside before the first step. From then on the marker is missing, so
that the store is refused as damaged and never taken for a new one; a file that stands for it tells
which step comes next. So a process that is killed leaves what `finish` completes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory import _platform
from pyspeedup.memory._storage.marker import LOCK_FILE, MARKER_FILE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["finish", "is_cut_short", "move_over"]

CLEARING = f"{MARKER_FILE}.clearing"
"""The old marker while old files are removed."""
FILLING = f"{MARKER_FILE}.filling"
"""The old marker while new files come in."""
OURS = {LOCK_FILE, MARKER_FILE, CLEARING, FILLING}


def move_over(new: Path, folder: Path) -> None:
    """Replace all in `folder`, whose lock the caller holds, by what is in the closed store at `new`."""
    (folder / MARKER_FILE).replace(folder / CLEARING)
    finish(new, folder)


def is_cut_short(folder: Path) -> bool:
    """Tell whether a `move_over` was begun in `folder` and is not over."""
    return (folder / CLEARING).exists() or (folder / FILLING).exists()


def finish(new: Path, folder: Path) -> None:
    """Do what is left of a `move_over`; nothing where none was begun.

    `StoreCorruptedError` where the store at `new` is gone: nothing is removed then.
    """
    if is_cut_short(folder) and not any((at / MARKER_FILE).exists() for at in (new, folder)):
        raise StoreCorruptedError(f"{folder}: it was to be replaced by {new}, which is gone")
    if (folder / CLEARING).exists():
        _platform.sync_folder(folder)
        _clear(folder)
        (folder / CLEARING).replace(folder / FILLING)
    if (folder / FILLING).exists():
        _platform.sync_folder(folder)
        if not (folder / MARKER_FILE).exists():
            _fill(new, folder)
        (folder / FILLING).unlink()


def _clear(folder: Path) -> None:
    import shutil  # 5 ms, and only this needs it

    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in OURS:
            path.unlink()


def _fill(new: Path, folder: Path) -> None:
    for path in new.iterdir():
        if path.name not in OURS:
            path.replace(folder / path.name)
    _platform.sync_folder(folder)
    (new / MARKER_FILE).replace(folder / MARKER_FILE)
    _platform.sync_folder(folder)
