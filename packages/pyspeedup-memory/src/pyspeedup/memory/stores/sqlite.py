"""Pages in a SQLite database: a row a page, a transaction a commit."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError, StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory.stores._overlay import require_writable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pyspeedup.core import BytesLike

__all__ = ["DATABASE_FILE", "SqliteStore"]

DATABASE_FILE = "pages.sqlite3"
LARGEST_PAGE_NUMBER = 2**63 - 1
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS page (number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS meta (only INTEGER PRIMARY KEY CHECK (only = 0), data BLOB NOT NULL)",
)


class SqliteStore:
    """A page store in the database ``pages.sqlite3`` of a folder.

    The database is in WAL mode and locked exclusively while it is open for writing, and a
    transaction is open between commits; so SQLite itself keeps others out, and drops what a killed
    process did not commit. Reading and writing a page cost O(log pages + bytes); all that is changed
    is written twice, so a commit costs several times that of the store ``file``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SqliteStore(folder)
    ...     store.open(create=True, readonly=False)
    ...     store.write(0, b"zero")
    ...     store.commit(b"first")
    ...     store.close()
    ...     store.open(create=False, readonly=True), store.read(0)
    ...     store.close()
    (b'first', b'zero')
    """

    def __init__(self, location: str | Path, basename: str = "") -> None:
        """Keep the folder, which must exist; nothing is touched before `open`."""
        self._path = Path(location) / DATABASE_FILE
        self._name = f"{location} ({basename!r})" if basename else str(location)
        self._connection: sqlite3.Connection | None = None
        self._readonly = False

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Lock the database and return the last committed meta; see `pyspeedup.core.PageStore`."""
        if self._connection is not None:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        self._find(create=create and not readonly)
        connection = self._connect(readonly=readonly)
        try:
            with self._translated():
                meta = self._begin(connection, create=create, readonly=readonly)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._readonly = readonly
        return meta

    def _find(self, *, create: bool) -> None:
        """Make the file for its owner alone; one that exists is not opened, to keep SQLite's locks."""
        if self._path.exists():
            return
        if not create:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path))
        os.close(_platform.open_file(self._path, write=True, create=True))

    def _connect(self, *, readonly: bool) -> sqlite3.Connection:
        import sqlite3  # 5 ms or more, and only this store needs it

        mode = "ro" if readonly else "rw"
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )

    def _begin(
        self, connection: sqlite3.Connection, *, create: bool, readonly: bool
    ) -> bytes | None:
        if not readonly:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._check_length(connection)
        if readonly:
            connection.execute("BEGIN")
        else:
            self._begin_writing(connection, create=create)
        row = connection.execute("SELECT data FROM meta").fetchone()
        return None if row is None else self._blob(row[0])

    def _begin_writing(self, connection: sqlite3.Connection, *, create: bool) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if create:
            for statement in ("BEGIN", *SCHEMA, "COMMIT"):
                connection.execute(statement)
        connection.execute("BEGIN EXCLUSIVE")

    def _check_length(self, connection: sqlite3.Connection) -> None:
        """SQLite never looks behind the pages that it counts, but what is there is not its own."""
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        size = self._path.stat().st_size
        unfinished = self._path.with_name(f"{DATABASE_FILE}-wal").exists()  # a writer was killed
        if size != pages * page_size and not unfinished:
            raise StoreCorruptedError(
                f"{self._name}: {DATABASE_FILE} has {size} bytes instead of {pages * page_size}"
            )

    def read(self, page: int) -> bytes:
        """Return the bytes of `page`; `KeyError` where there is none."""
        connection = self._opened()
        row = None
        if 0 <= page <= LARGEST_PAGE_NUMBER:
            with self._translated():
                query = "SELECT data FROM page WHERE number = ?"
                row = connection.execute(query, (page,)).fetchone()
        if row is None:
            raise KeyError(page)
        return self._blob(row[0])

    def _blob(self, value: object) -> bytes:
        if not isinstance(value, bytes):
            raise StoreCorruptedError(f"{self._name}: {DATABASE_FILE}: a row holds no bytes")
        return value

    def write(self, page: int, data: BytesLike) -> None:
        """Make `data` the bytes of `page`; a full disk is an `OSError`, and changes nothing."""
        connection = self._opened_for_writing()
        if not 0 <= page <= LARGEST_PAGE_NUMBER:
            raise ValueError(f"page must be between 0 and 2**63 - 1, not {page}")
        with self._translated():
            connection.execute("INSERT OR REPLACE INTO page VALUES (?, ?)", (page, bytes(data)))

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        connection = self._opened_for_writing()
        self.read(page)
        with self._translated():
            connection.execute("DELETE FROM page WHERE number = ?", (page,))

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Keep all changes and `meta`; with `durable`, SQLite syncs its log."""
        connection = self._opened_for_writing()
        with self._translated():
            connection.execute("INSERT OR REPLACE INTO meta VALUES (0, ?)", (meta,))
            connection.execute("COMMIT")
            if durable:
                self._sync(connection)
            connection.execute("BEGIN EXCLUSIVE")

    def _sync(self, connection: sqlite3.Connection) -> None:
        """Move the log into the database, which syncs both."""
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _platform.sync_folder(self._path.parent)

    def rollback(self) -> None:
        """Drop the changes since the last commit."""
        connection = self._opened()
        require_writable(self._readonly, self._name)
        with self._translated():
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("BEGIN EXCLUSIVE")

    def close(self) -> None:
        """Drop what was not committed and unlock; again is harmless."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        try:
            with self._translated():
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if not self._readonly:
                    connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError(f"{self._name} is not open")
        return self._connection

    def _opened_for_writing(self) -> sqlite3.Connection:
        connection = self._opened()
        require_writable(self._readonly, self._name)
        if not connection.in_transaction:
            raise StoreError(
                f"{self._name}: SQLite has given up the changes since the last commit; roll back"
            )
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise SQLite's errors as those that a page store has."""
        import sqlite3

        try:
            yield
        except sqlite3.OperationalError as error:
            raise self._translate(error) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise StoreCorruptedError(f"{self._name}: {DATABASE_FILE}: {error}") from error

    def _translate(self, error: sqlite3.OperationalError) -> OSError:
        message = f"{self._name}: {DATABASE_FILE}: {error}"
        if "locked" in str(error):
            pid = _platform.lock_holder(self._path)
            return StoreLockedError(f"{self._name} is open in process {pid or 'unknown'}", pid)
        if "full" in str(error):
            return OSError(errno.ENOSPC, message)
        if "disk I/O" in str(error):
            return OSError(errno.EIO, message)
        if "no such" in str(error) or "malformed" in str(error):
            return StoreCorruptedError(message)
        return StoreError(message)
