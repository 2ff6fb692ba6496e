"""One LMDB file as a table of bytes: locked, checked before LMDB trusts it, growing, given back.

LMDB waits for the disk in each transaction here, since without that a loss of power can leave a file
that it cannot read at all; only the header that ends one may still be on its way (``metasync=False``).
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError, StoreLockedError
from pyspeedup.memory import _platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

    import lmdb

__all__ = ["DATA_FILE", "LmdbFile"]

DATA_FILE = "data.mdb"
"""The name is LMDB's own, so that its tools find it."""

STEP = 16 << 20
"""By how many bytes the map grows at least; what is not written to takes no room on the disk."""

NEIGHBOURS = 256 << 10
"""How much a system may map when a value is first read: Linux takes what lies around it with it."""


NEARLY_FULL = 4 << 20
"""Where a disk has less room than that, a write that failed is taken to have failed for it."""


class LmdbFile:
    """The file ``data.mdb`` of a folder, open for one writer or for many readers.

    `get` costs O(log rows), and copies nothing; `write` is one transaction. A full disk
    is an `OSError` and leaves the file as it was. Values that were asked for stay mapped, and count
    as resident memory, until they are about `map_limit` bytes together.
    """

    def __init__(
        self, folder: Path, name: str, *, create: bool, readonly: bool, map_limit: int
    ) -> None:
        """Lock, check and open the file; `create` makes it where there is none, unless `readonly`.

        `FileNotFoundError` where there is none, `StoreLockedError`, and `StoreCorruptedError` for a
        file that LMDB should not be let near, which is found in O(bytes / 4096) without reading values.
        """
        self._name = name
        self._path = folder / DATA_FILE
        self._lmdb, verify = _import_lmdb()
        self._reader: lmdb.Transaction[memoryview] | None = None
        self._seen: set[bytes] = set()
        self._seen_bytes = 0
        self._map_limit = map_limit
        writing = not readonly
        self._lock = _platform.open_file(self._path, write=writing, create=create and writing)
        try:
            self._take_lock(exclusive=writing)
            size = self._require_content(may_be_empty=create and writing)
            if size:
                self._check(verify)
            with self.translated():
                self._environment = self._open(_room_for(size), readonly=readonly)
        except BaseException:
            os.close(self._lock)
            raise

    def _take_lock(self, *, exclusive: bool) -> None:
        if not _platform.lock(self._lock, exclusive=exclusive):
            pid = _platform.lock_holder(self._lock)
            raise StoreLockedError(f"{self._name} is open in process {pid or 'unknown'}", pid)

    def _require_content(self, *, may_be_empty: bool) -> int:
        size = os.fstat(self._lock).st_size
        if not size and not may_be_empty:
            raise FileNotFoundError(errno.ENOENT, "nothing was ever written to it", str(self._path))
        return size

    def _check(self, verify: ModuleType) -> None:
        """Walk the file without LMDB, which follows damaged references to wherever they lead."""
        try:
            faults = verify.verify(str(self._path), subdir=False)
        except verify.VerifyError as error:
            raise StoreCorruptedError(f"{self._name}: {DATA_FILE}: {error}") from error
        if faults:
            raise StoreCorruptedError(f"{self._name}: {DATA_FILE}: {faults[0]}")

    def _open(self, map_size: int, *, readonly: bool) -> lmdb.Environment:
        environment: lmdb.Environment = self._lmdb.open(
            str(self._path.parent),
            map_size=map_size,
            readonly=readonly,
            create=False,
            mode=0o600,
            metasync=False,
            lock=False,  # ours keeps others out, and works in a folder that can't be written
        )
        return environment

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, memoryview]]:
        """Iterate over the rows with keys from `start` to before `stop`, in order, reading their values."""
        with self.translated(), self._environment.begin(buffers=True) as transaction:
            cursor = transaction.cursor()
            rows = cursor.iternext() if cursor.set_range(start) else iter(())
            for found, value in rows:
                key = bytes(found)
                if key >= stop:
                    return
                yield key, value

    def get(self, key: bytes) -> memoryview | None:
        """Return the value of `key` where it lies, or None; it is there only until the next call."""
        if self._seen_bytes > self._map_limit:
            self._give_back_much()
        try:
            if self._reader is None:
                self._reader = self._environment.begin(buffers=True)
            value: memoryview | None = self._reader.get(key)
        except self._lmdb.Error as error:
            raise self._translate(error) from error
        if value is not None and key not in self._seen:
            self._seen.add(key)
            self._seen_bytes += max(len(value), NEIGHBOURS)
        return value

    def write(self, rows: Mapping[bytes, bytes], stale: Iterable[bytes]) -> None:
        """Put `rows` and delete the keys `stale`, those that are there: all of it or nothing."""
        self._stop_reading()
        with self.translated():
            while True:
                try:
                    with self._environment.begin(write=True) as transaction:
                        for key in stale:
                            transaction.delete(key)
                        for key, value in rows.items():
                            transaction.put(key, value)
                except self._lmdb.MapFullError:
                    self._grow(sum(map(len, rows.values())))
                else:
                    return

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        with self.translated():
            self._environment.sync(True)
        _platform.sync_folder(self._path.parent)

    def close(self) -> None:
        """Close and unlock the file; once only."""
        self._stop_reading()
        try:
            self._environment.close()
        finally:
            _platform.unlock(self._lock)
            os.close(self._lock)

    def abandon(self) -> None:
        """Close a forked child's copy of the lock, and leave what LMDB holds as it is."""
        _platform.keep_for_ever((self._environment, self._reader))
        os.close(self._lock)

    def _stop_reading(self) -> None:
        """End the snapshot that `get` reads, which would keep what is deleted from being reused."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.abort()

    def _grow(self, needed: int) -> None:
        size = self._environment.info()["map_size"]
        self._remap(_room_for(size + 2 * needed))

    def _give_back_much(self) -> None:
        """Map the file anew where more than the limit can be mapped, so that nothing is resident."""
        self._seen_bytes = 0
        if os.fstat(self._lock).st_size > self._map_limit:
            with self.translated():
                self._remap(self._environment.info()["map_size"])

    def _remap(self, size: int) -> None:
        self._stop_reading()
        self._seen.clear()
        self._seen_bytes = 0
        self._environment.set_mapsize(size)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise LMDB's errors as those that a page store has."""
        try:
            yield
        except self._lmdb.Error as error:
            raise self._translate(error) from error

    def _translate(self, error: lmdb.Error) -> OSError:
        message = f"{self._name}: {DATA_FILE}: {error}"
        if error.code == errno.EIO and _is_full(self._path):
            return OSError(errno.ENOSPC, message, str(self._path))  # LMDB says no more than that
        if error.code > 0:
            return OSError(error.code, message, str(self._path))
        if "already open in this process" in str(error):
            return StoreLockedError(f"{self._name} is open in this process already", os.getpid())
        damage = ("CorruptedError", "InvalidError", "PageNotFoundError", "VersionMismatchError")
        if type(error).__name__ in damage:
            return StoreCorruptedError(message)
        return StoreError(message)


def _is_full(path: Path) -> bool:
    """Tell whether the disk has no room left for a transaction, where the system tells."""
    if not hasattr(os, "statvfs"):
        return False
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize < NEARLY_FULL


def _room_for(size: int) -> int:
    """Return how long to make the map where the file has `size` bytes: a quarter more, in steps."""
    return (size + size // 4 + 2 * STEP) // STEP * STEP


def _import_lmdb() -> tuple[ModuleType, ModuleType]:
    try:
        import lmdb  # an extra, and 10 ms
        from lmdb import verify
    except ImportError as error:
        raise ModuleNotFoundError(
            "page store 'lmdb' needs py-lmdb 3 or newer: pip install 'pyspeedup-memory[lmdb]'",
            name="lmdb",
        ) from error
    return lmdb, verify
