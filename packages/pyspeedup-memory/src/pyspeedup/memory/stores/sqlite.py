"""Pages in a SQLite database: a row a page, a transaction a commit.

SQLite may give a whole transaction up where a disk is full. So a page that is not committed yet is
a row of its own at once, which no committed row refers to; the transaction only makes the references.
"""

from __future__ import annotations

import errno
import os
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyspeedup.core import StoreCorruptedError, StoreError, StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory.stores._overlay import Overlay, require_writable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from pyspeedup.core import BytesLike

__all__ = ["DATABASE_FILE", "SqliteStore"]

DATABASE_FILE = "pages.sqlite3"
LARGEST_PAGE_NUMBER = 2**63 - 1
MOST_BLOBS = 64
"""How many pages are kept open for peeks, each with a cursor of SQLite's."""
SCHEMA = (
    "BEGIN",
    "CREATE TABLE IF NOT EXISTS content (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS page (number INTEGER PRIMARY KEY, content INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS meta (only INTEGER PRIMARY KEY CHECK (only = 0), data BLOB NOT NULL)",
    "COMMIT",
)
SIGNS_OF_DAMAGE = ("no such", "malformed", "cannot open value")
"""What SQLite says of tables, rows and values that are not as it was told to make them."""
SWEEP = "DELETE FROM content WHERE id NOT IN (SELECT content FROM page)"


class CommittedPages:
    """Which row of ``content`` each committed page refers to, as an overlay wants to be told."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __contains__(self, page: int) -> bool:
        return self._find(page) is not None

    def __getitem__(self, page: int) -> int:
        content = self._find(page)
        if content is None:
            raise KeyError(page)
        return content

    def __setitem__(self, page: int, content: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO page VALUES (?, ?)", (page, content))

    def __delitem__(self, page: int) -> None:
        self._connection.execute("DELETE FROM page WHERE number = ?", (page,))

    def _find(self, page: int) -> int | None:
        if not 0 <= page <= LARGEST_PAGE_NUMBER:
            return None
        query = "SELECT content FROM page WHERE number = ?"
        row = self._connection.execute(query, (page,)).fetchone()
        return None if row is None else int(row[0])


class SqliteStore:
    """A page store in the database ``pages.sqlite3`` of a folder.

    The database is in WAL mode, and locked exclusively while it is open for writing, so SQLite itself
    keeps others out. Reading and writing a page cost O(log pages + bytes), a commit O(changed pages);
    all that is written is written twice, so it is several times slower than the store ``file``.
    `open` deletes what a killed process did not commit, in O(pages); what it was changing in the file
    itself is undone also by opening for reading, unless nothing can be written there.

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
        self._blobs: dict[int, sqlite3.Blob] = {}
        self._readonly = False

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Lock the database and return the last committed meta; see `pyspeedup.core.PageStore`."""
        if self._connection is not None:
            raise StoreLockedError(f"{self._name} is open already", pid=os.getpid())
        self._readonly = readonly
        self._find(create=create and not readonly)
        connection = self._connect(readonly=readonly)
        try:
            with self._translated():
                meta = self._begin(connection, create=create, readonly=readonly)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._pages: Overlay[int] = Overlay(CommittedPages(connection))
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
        if readonly:
            self._undo_unfinished()
            self._check_length(connection)
            connection.execute("BEGIN")
        else:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._check_length(connection)
            self._begin_writing(connection, create=create)
        row = connection.execute("SELECT data FROM meta").fetchone()
        return None if row is None else self._blob(row[0])

    def _begin_writing(self, connection: sqlite3.Connection, *, create: bool) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        for statement in SCHEMA if create else ():
            connection.execute(statement)
        connection.execute(SWEEP)

    def _undo_unfinished(self) -> None:
        """Let SQLite undo what a killed process was changing, which no connection for reading can do.

        Where nothing can be written here, it says so.
        """
        journal = self._path.with_name(f"{DATABASE_FILE}-journal")
        if journal.exists() and journal.stat().st_size:
            with closing(self._connect(readonly=False)) as writing:
                writing.execute("PRAGMA page_count")  # SQLite does it before it reads anything

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
        with self._translated():
            content = self._pages.get(page)
            query = "SELECT data FROM content WHERE id = ?"
            row = connection.execute(query, (content,)).fetchone()
        if row is None:
            raise StoreCorruptedError(f"{self._name}, page {page}: its content is missing")
        return self._blob(row[0])

    def peek(self, page: int, start: int, stop: int) -> bytes:
        """Return the bytes of `page` from `start` to `stop`, unchecked; `KeyError` where there is none.

        The page stays open until something changes: peeking at it again costs O(stop - start).
        """
        connection = self._opened()
        with self._translated():
            blob = self._blobs.get(page)
            if blob is None:
                blob = self._open_blob(connection, page)
            part: bytes = blob[start:stop]  # type: ignore[assignment]  # typeshed knows no slices
            return part

    def _open_blob(self, connection: sqlite3.Connection, page: int) -> sqlite3.Blob:
        content = self._pages.get(page)
        if len(self._blobs) >= MOST_BLOBS:
            self._close_blobs()
        blob = connection.blobopen("content", "data", content, readonly=True)
        self._blobs[page] = blob
        return blob

    def _close_blobs(self) -> None:
        """Close what was opened for peeks: SQLite ends a transaction only without it."""
        while self._blobs:
            self._blobs.popitem()[1].close()

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
            insert = "INSERT INTO content (data) VALUES (?)"
            content = connection.execute(insert, (bytes(data),)).lastrowid
            before = self._pages.put_since.get(page)
            self._pages.put(page, int(content or 0))
            self._delete_contents(connection, [] if before is None else [before])

    def delete(self, page: int) -> None:
        """Drop `page`; `KeyError` where there is none."""
        connection = self._opened_for_writing()
        with self._translated():
            before = self._pages.put_since.get(page)
            self._pages.drop(page)
            self._delete_contents(connection, [] if before is None else [before])

    def _delete_contents(self, connection: sqlite3.Connection, contents: Iterable[int]) -> None:
        connection.executemany("DELETE FROM content WHERE id = ?", [(each,) for each in contents])

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Refer to what was written and delete what that replaced; with `durable`, sync it."""
        connection = self._opened_for_writing()
        with self._translated():
            try:
                self._apply(connection, meta)
                self._pages.rollback()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if durable:
                self._sync(connection)

    def _apply(self, connection: sqlite3.Connection, meta: bytes) -> None:
        connection.execute("BEGIN")
        replaced = set(self._pages.replaced().values()) - set(self._pages.put_since.values())
        self._pages.apply_to(self._pages.committed)
        self._delete_contents(connection, replaced)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (0, ?)", (meta,))
        connection.execute("COMMIT")

    def _is_applied(self) -> bool:
        """Tell whether a commit was made whose end was interrupted: one change tells for all."""
        committed = self._pages.committed
        for page, content in self._pages.put_since.items():
            return page in committed and committed[page] == content
        return False

    def _sync(self, connection: sqlite3.Connection) -> None:
        """Move the log into the database, which syncs both."""
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _platform.sync_folder(self._path.parent)

    def rollback(self) -> None:
        """Drop the changes since the last commit."""
        connection = self._opened_for_writing()
        with self._translated():
            dropped = [] if self._is_applied() else list(self._pages.put_since.values())
            self._pages.rollback()
            self._delete_contents(connection, dropped)

    def close(self) -> None:
        """Drop what was not committed and unlock; again is harmless."""
        if self._connection is None:
            return
        connection = self._connection
        try:
            self._close_blobs()
            if not self._readonly:
                self.rollback()
                with self._translated():
                    connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._connection = None
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError(f"{self._name} is not open")
        return self._connection

    def _opened_for_writing(self) -> sqlite3.Connection:
        connection = self._opened()
        require_writable(self._readonly, self._name)
        self._close_blobs()
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
        if "readonly database" in str(error) and self._readonly:
            return StoreError(
                f"{self._name}: {DATABASE_FILE}: a process was killed while it changed it; open it once "
                f"where it can be written, which completes or undoes that ({error})"
            )
        if "full" in str(error):
            return OSError(errno.ENOSPC, message)
        if "disk I/O" in str(error):
            return OSError(errno.EIO, message)
        if any(damage in str(error) for damage in SIGNS_OF_DAMAGE):
            return StoreCorruptedError(message)
        return StoreError(message)
