"""One writer or many readers of a store's folder, across processes."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pyspeedup.core import StoreLockedError
from pyspeedup.memory import _platform

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileLock"]

PID_LENGTH = 20
MOST_TRIES = 100
"""So often another process may replace the file just then; no file system that tells the truth needs more."""


class FileLock:
    """A lock on a file, held from construction until `release`.

    It ends with the process, however that ends. A forked child calls `abandon`: the lock stays its
    parent's.
    """

    def __init__(self, path: Path, *, exclusive: bool, name: str) -> None:
        """Take the lock, without waiting.

        `StoreLockedError` names the pid of the holder; `OSError` where the file can't be made.
        """
        for _ in range(MOST_TRIES):  # it may be replaced between its opening and its locking
            if self._take(path, name, exclusive=exclusive):
                return
        raise StoreLockedError(
            f"{name}: {path} was replaced again and again while it was being locked, or its file "
            "system tells of it in two ways; try again, or keep the store elsewhere",
            pid=None,
        )

    def _take(self, path: Path, name: str, *, exclusive: bool) -> bool:
        """Lock the file that is at `path`; False where it is another one by now."""
        self._descriptor = _platform.open_file(path, write=exclusive, create=exclusive)
        try:
            self._lock(name, exclusive=exclusive)
            is_still_there = _is_at(self._descriptor, path)
        except BaseException:
            os.close(self._descriptor)
            raise
        if not is_still_there:
            self.release()
        return is_still_there

    def _lock(self, name: str, *, exclusive: bool) -> None:
        if not _platform.lock(self._descriptor, exclusive=exclusive):
            raise _locked(self._descriptor, name, exclusive=exclusive)
        if exclusive:
            pid = str(os.getpid()).ljust(PID_LENGTH).encode()
            _platform.write_at(self._descriptor, pid, 0)

    def release(self) -> None:
        """Give the lock up; once only."""
        _platform.unlock(self._descriptor)
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Close a forked child's copy of the descriptor, without giving the parent's lock up."""
        os.close(self._descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _locked(descriptor: int, name: str, *, exclusive: bool) -> StoreLockedError:
    pid = _platform.lock_holder(descriptor)
    if pid is None:
        with suppress(ValueError):
            pid = int(_platform.read_at(descriptor, PID_LENGTH, 0))
    holder = "another process" if pid is None else f"process {pid}"
    wanted = "writing" if exclusive else "reading"
    return StoreLockedError(
        f"{name} is open in {holder}, and cannot be opened for {wanted} before it is closed there",
        pid=pid,
    )
