"""Every call that differs between systems: locks, folders, atomic replacement, reads at an offset.

Linux and macOS have them all. Elsewhere each has a portable stand-in, which the tests reach by taking
the better one away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmap import mmap
    from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

msvcrt: ModuleType | None
try:
    import msvcrt
except ImportError:  # anywhere but Windows
    msvcrt = None

__all__ = [
    "boot_id",
    "give_access",
    "keep_for_ever",
    "lock",
    "lock_holder",
    "map_file",
    "open_file",
    "read_at",
    "replace_file",
    "sync_file",
    "sync_folder",
    "unlock",
    "write_at",
    "zeros",
]

BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
READER_SLOTS = 64
"""How many readers a lock of byte ranges has room for: each takes a byte, a writer takes all."""
RANGE_START = 1 << 40
"""Where those bytes are: far behind the end of any file, as they can't be read while locked."""


def open_file(path: str | Path, *, write: bool, create: bool = False) -> int:
    """Return a descriptor of a file that only its owner can read and write."""
    flags = os.O_RDWR if write else os.O_RDONLY
    flags |= os.O_CREAT if create else 0
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Return `length` bytes from `offset`, fewer only where the file ends before."""
    data = _pread(descriptor, length, offset)
    while len(data) < length:  # a signal can cut a read short
        more = _pread(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def write_at(descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, or raise `OSError`."""
    rest = memoryview(data).cast("B")
    while rest:
        written = _pwrite(descriptor, rest, offset)
        rest = rest[written:]
        offset += written


def _pread(descriptor: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)


def _pwrite(descriptor: int, data: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)


def map_file(descriptor: int, length: int) -> mmap | None:
    """Return the first `length` bytes of a file, mapped for reading; None where it cannot be mapped.

    What is written to the file afterwards is seen in the map.
    """
    try:
        from mmap import ACCESS_READ, mmap  # not everywhere, and no work at import
    except ImportError:
        return None
    try:
        return mmap(descriptor, length, access=ACCESS_READ)
    except OSError:  # a file system that maps nothing, or too many maps: the file can still be read
        return None


def zeros(size: int) -> bytearray | mmap:
    """Return so many bytes of zero, which can be changed, in O(1) and without taking RAM before that."""
    try:
        from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap  # as above
    except ImportError:
        return bytearray(size)
    try:
        return mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)
    except OSError:  # too many maps: these can be like any other bytes
        return bytearray(size)


def give_access(path: Path, like: Path) -> None:
    """Give `path` the owner, group and mode of `like`, as far as that is allowed.

    Where the group is another, which has no right to what is there, it gets none.
    """
    if not hasattr(os, "chown"):
        return
    wanted = like.stat()
    with contextlib.suppress(PermissionError):  # only root may give something away
        os.chown(path, wanted.st_uid, -1)
    with contextlib.suppress(PermissionError):  # one may give it to groups that one is in
        os.chown(path, -1, wanted.st_gid)
    mode = stat.S_IMODE(wanted.st_mode)
    same_group = path.stat().st_gid == wanted.st_gid
    path.chmod(mode if same_group else mode & ~(stat.S_IRWXG | stat.S_ISGID))


def sync_file(descriptor: int) -> None:
    """Wait until the file's bytes, and its length, are on the disk."""
    if fcntl is not None and hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(
            descriptor, fcntl.F_FULLFSYNC
        )  # on macOS fsync leaves them in the drive's cache
    elif hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(path: str | Path) -> None:
    """Wait until the names in a folder are on the disk, where a folder can be opened at all."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Make `data` the content of the file `path`: after a crash it is the old or the new one."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = open_file(beside, write=True, create=True)
    try:
        write_at(descriptor, data, 0)
        if durable:
            sync_file(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    if durable:
        sync_folder(path.parent)


def lock(descriptor: int, *, exclusive: bool) -> bool:
    """Lock a file for one writer (`exclusive`) or as one of many readers; False if others hold it.

    The lock ends with `unlock`, or with the last process that has the descriptor.
    """
    if fcntl is not None:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        return _attempt(lambda: fcntl.flock(descriptor, kind | fcntl.LOCK_NB))
    if exclusive:
        return _lock_range(descriptor, 0, READER_SLOTS)
    return any(_lock_range(descriptor, slot, 1) for slot in range(READER_SLOTS))


def unlock(descriptor: int) -> None:
    """Give a lock up, in whatever process the descriptor has been copied to."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def lock_holder(file: int | Path) -> int | None:
    """Return the pid of a process that holds a lock on the file, where the system tells (Linux)."""
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    inode = os.stat(file).st_ino  # noqa: PTH116 -- takes a descriptor too
    for line in lines:
        fields = [field for field in line.split() if field != "->"]
        if int(fields[5].rpartition(":")[2]) == inode:
            return int(fields[4])
    return None


def _lock_range(descriptor: int, start: int, length: int) -> bool:
    assert msvcrt is not None, "a system has flock or msvcrt"  # noqa: S101 -- the two known families
    os.lseek(descriptor, RANGE_START + start, os.SEEK_SET)
    return _attempt(lambda: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, length))


def _attempt(locking: Any) -> bool:
    try:
        locking()
    except OSError as error:
        if error.errno in BUSY:
            return False
        raise
    return True


@cache
def boot_id() -> str:
    """Return what differs after the machine has been started anew; "" where nothing tells."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def keep_for_ever(thing: object) -> None:
    """Let `thing` never be freed, not even at the end of the interpreter.

    For a forked child's copy of what only the parent may close. A reference from a module would
    not do: modules are emptied at exit.
    """
    if sys.implementation.name == "cpython":
        import ctypes  # a forked child of a process with such a store open needs it, nobody else

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    else:
        _kept.append(thing)


_kept: list[object] = []
