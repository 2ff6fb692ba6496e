"""Memory that worker processes share, and its lock: all of a board that differs between systems.

It is a file that has no name, so that nothing of it can be left over, however its processes end. A page
that was never touched takes no memory. On Linux it is a memfd, elsewhere a temporary file that was
unlinked at once; Windows has neither, and a mapping of its own (which takes its memory at the start).

The lock is a record lock of that file: the system itself gives it back when its holder dies. It
excludes other processes, not other threads. Windows has none, so there everybody goes on without.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from multiprocessing import context, heap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Region", "has_locks", "keep_bytes", "read_kept"]

PATIENCE: Final = 1.0
"""Seconds after which the lock is done without: it is held for microseconds, unless its holder was stopped."""
SHORTEST_NAP, LONGEST_NAP = 0.00001, 0.001


class Region:
    """`size` bytes of zeros in `buffer`, which children share: hand it to them as an argument.

    In a ``with`` block on it this process has the lock, or else, where it was not to be had,
    `missed` is one more. One thread at a time may have such a block.
    """

    def __init__(self, size: int) -> None:
        """Take address space; memory is taken by `reserve`. `OSError` if the system grants none."""
        if not has_locks():
            self._be(heap.Arena(size), -1, size)
            return
        descriptor = _nameless_file()
        try:
            os.ftruncate(descriptor, size)
            self._be(None, descriptor, size)
        except BaseException:
            os.close(descriptor)
            raise

    def _be(self, arena: heap.Arena | None, descriptor: int, size: int) -> None:
        self.size = size
        self.buffer: mmap.mmap = arena.buffer if arena else mmap.mmap(descriptor, size)
        self.missed = 0
        self._arena = arena
        self._descriptor = descriptor
        self._has_lock = self._is_stuck = False

    def __reduce__(self) -> tuple[Callable[..., Region], tuple[Any, ...]]:
        """Travel to a process that is being started, and nowhere else."""
        context.assert_spawning(self)
        if self._arena is not None:
            return _reopen, (self._arena, None, self.size)
        from multiprocessing import reduction

        return _reopen, (None, reduction.DupFd(self._descriptor), self.size)

    def close(self) -> None:
        """Give the memory back once nobody else has it; no view of `buffer` may be left."""
        self.buffer.close()
        self._arena = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def reserve(self, start: int, size: int) -> None:
        """Have memory for these bytes, so that writing them cannot fail; `OSError` if there is none.

        Bytes that were reserved before keep what they hold only where the system has
        ``posix_fallocate``; elsewhere they are zeros afterwards.
        """
        if self._arena is not None:
            return
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, start, size)
        elif os.pwrite(self._descriptor, bytes(size), start) != size:
            raise OSError(f"no room for {size} bytes of a shared file")

    def __enter__(self) -> None:
        """Take the lock, in about 0.6 us if it is free and in `PATIENCE` at most."""
        if self._arena is not None:  # where there are no locks
            self.missed += 1
            return
        try:
            os.lockf(self._descriptor, os.F_TLOCK, 1)
        except (BlockingIOError, PermissionError):  # which of them, depends on the system
            # Whoever keeps it so long was stopped, so that is waited for once, not at each call.
            self._has_lock = not self._is_stuck and self._is_had_in_time()
            self.missed += not self._has_lock
        else:
            self._has_lock = True
        self._is_stuck = not self._has_lock

    def _is_had_in_time(self) -> bool:
        nap, deadline = SHORTEST_NAP, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            time.sleep(nap)
            nap = min(2 * nap, LONGEST_NAP)
            try:
                os.lockf(self._descriptor, os.F_TLOCK, 1)
            except (BlockingIOError, PermissionError):
                continue
            return True
        return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Give the lock back; costs about 0.5 us."""
        if self._has_lock:
            self._has_lock = False
            os.lockf(self._descriptor, os.F_ULOCK, 1)


def has_locks() -> bool:
    """Tell whether this system has locks that end with their holder."""
    return hasattr(os, "lockf")


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pyspeedup-board", os.MFD_CLOEXEC)
    descriptor, path = tempfile.mkstemp(prefix="pyspeedup-board-")
    os.unlink(path)  # noqa: PTH108 -- a descriptor goes with it, not a path
    return descriptor


def _reopen(arena: heap.Arena | None, descriptor: Any, size: int) -> Region:
    region = Region.__new__(Region)
    region._be(arena, descriptor.detach() if descriptor else -1, size)  # noqa: SLF001 -- a constructor
    return region


def keep_bytes(data: bytes) -> tuple[int, int] | None:
    """Put `data` into a file of its own; return its descriptor and its number, for `read_kept`.

    None where processes cannot read such a file of each other's, which they can on Linux, or
    where there is no room for it. The file lives until its descriptor is closed.
    """
    if not (hasattr(os, "memfd_create") and os.path.exists("/proc/self/fd")):  # noqa: PTH110 -- no path of anybody's
        return None
    descriptor = os.memfd_create("pyspeedup-value", os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(descriptor, 0, max(len(data), 1))
        os.ftruncate(descriptor, len(data))
        _write_all(descriptor, data)
    except OSError:  # no room; the caller counts it
        os.close(descriptor)
        return None
    return descriptor, os.fstat(descriptor).st_ino


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_kept(pid: int, descriptor: int, number: int, size: int) -> bytes | None:
    """Return what process `pid` keeps so; None if it keeps it no longer."""
    try:
        with open(f"/proc/{pid}/fd/{descriptor}", "rb", buffering=0) as file:  # noqa: PTH123 -- a kernel file
            status = os.fstat(file.fileno())
            if (status.st_ino, status.st_size) != (number, size):
                return None
            return _read_all(file.fileno(), size)
    except OSError:  # it is closed, or its owner dead: that is what None means
        return None


def _read_all(descriptor: int, size: int) -> bytes:
    parts, place = [], 0
    while place < size and (part := os.pread(descriptor, size - place, place)):
        parts.append(part)
        place += len(part)
    return b"".join(parts)
