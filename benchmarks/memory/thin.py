"""The thinnest mappings over key-value stores that one would write by hand, one pickle an item."""

from __future__ import annotations

import dbm
import importlib
import importlib.util
import itertools
import pickle
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LMDB_MAP = 1 << 34
CACHE_MEBIBYTES = 16
"""What ours may take for its pages, and so may those that can be told."""

SQLITE_PRAGMAS = (
    "pragma locking_mode = exclusive",
    "pragma journal_mode = wal",
    "pragma synchronous = off",
    f"pragma cache_size = -{CACHE_MEBIBYTES << 10}",
)


class LmdbMapping:
    """A dict over lmdb: sorted by key, since that is what lmdb does."""

    def __init__(self, folder: Path) -> None:
        """Open the environment in `folder`."""
        import lmdb

        self._environment = lmdb.open(str(folder), map_size=LMDB_MAP, sync=False)
        self._write: Any = None
        self._read = self._environment.begin(buffers=True)
        self._get = self._read.get

    def _begin(self) -> Any:
        self._read.abort()
        self._write = self._environment.begin(write=True, buffers=True)
        self._get = self._write.get
        return self._write

    def commit(self) -> None:
        """Commit the write transaction, if there is one, and read what is committed."""
        if self._write is not None:
            self._write.commit()
            self._write = None
            self._read = self._environment.begin(buffers=True)
            self._get = self._read.get

    def __getitem__(self, key: str) -> Any:
        data = self._get(key.encode())
        if data is None:
            raise KeyError(key)
        return pickle.loads(data)

    def __setitem__(self, key: str, value: Any) -> None:
        (self._write or self._begin()).put(key.encode(), pickle.dumps(value, -1))

    def __delitem__(self, key: str) -> None:
        if not (self._write or self._begin()).delete(key.encode()):
            raise KeyError(key)

    def __contains__(self, key: str) -> bool:
        return self._get(key.encode()) is not None

    def __len__(self) -> int:
        return int((self._write or self._read).stat()["entries"])

    def items(self) -> Iterator[tuple[str, Any]]:
        """Go through all items, sorted by key."""
        loads = pickle.loads
        for key, data in (self._write or self._read).cursor():
            yield str(key, "utf-8"), loads(data)

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs` in C."""
        dumps = pickle.dumps
        encoded = [(key.encode(), dumps(value, -1)) for key, value in pairs]
        (self._write or self._begin()).cursor().putmulti(encoded)

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._environment.close()


class SqliteMapping:
    """A dict over a table of sqlite3, sorted by key."""

    def __init__(self, path: Path) -> None:
        """Open the table in `path`, making it where it is missing."""
        self._connection = sqlite3.connect(path)
        self._run = self._connection.execute
        for pragma in SQLITE_PRAGMAS:
            self._run(pragma)
        self._run("create table if not exists t (k text primary key, v blob) without rowid")
        self.commit = self._connection.commit

    def __getitem__(self, key: str) -> Any:
        row = self._run("select v from t where k = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return pickle.loads(row[0])

    def __setitem__(self, key: str, value: Any) -> None:
        self._run("insert or replace into t values (?, ?)", (key, pickle.dumps(value, -1)))

    def __delitem__(self, key: str) -> None:
        if not self._run("delete from t where k = ?", (key,)).rowcount:
            raise KeyError(key)

    def __contains__(self, key: str) -> bool:
        return self._run("select 1 from t where k = ?", (key,)).fetchone() is not None

    def __len__(self) -> int:
        return int(self._run("select count(*) from t").fetchone()[0])

    def items(self) -> Iterator[tuple[str, Any]]:
        """Go through all items, sorted by key."""
        loads = pickle.loads
        for key, data in self._run("select k, v from t"):
            yield key, loads(data)

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs` with one statement."""
        dumps = pickle.dumps
        encoded = [(key, dumps(value, -1)) for key, value in pairs]
        self._connection.executemany("insert or replace into t values (?, ?)", encoded)

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._connection.close()


class RocksMapping:
    """A dict over RocksDB, sorted by key; it does not know how many items it has."""

    def __init__(self, path: Path) -> None:
        """Open the database in `path`."""
        from rocksdict import Options, Rdict

        options = Options(raw_mode=True)
        options.optimize_for_point_lookup(CACHE_MEBIBYTES)
        self._store: Any = Rdict(str(path), options)

    def __getitem__(self, key: str) -> Any:
        return pickle.loads(self._store[key.encode()])

    def __setitem__(self, key: str, value: Any) -> None:
        self._store[key.encode()] = pickle.dumps(value, -1)

    def __delitem__(self, key: str) -> None:
        del self._store[key.encode()]

    def __contains__(self, key: str) -> bool:
        return key.encode() in self._store

    def __len__(self) -> int:
        return sum(1 for _ in self._store.keys())  # noqa: SIM118 -- it is no dict

    def items(self) -> Iterator[tuple[str, Any]]:
        """Go through all items, sorted by key."""
        loads = pickle.loads
        for key, data in self._store.items():
            yield key.decode(), loads(data)

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs` in one batch."""
        from rocksdict import WriteBatch

        batch, dumps = WriteBatch(raw_mode=True), pickle.dumps
        for key, value in pairs:
            batch.put(key.encode(), dumps(value, -1))
        self._store.write(batch)

    def close(self) -> None:
        """Flush and close; each write stands in the log at once, so that there is nothing to commit."""
        self._store.close()


def open_dbm(path: str) -> Any:
    """Open a dbm database: GNU's in its fast mode, which does not wait for the disk, or what there is."""
    if importlib.util.find_spec("_gdbm"):
        return importlib.import_module("dbm.gnu").open(path, "cf")
    return dbm.open(path, "c")


class Nothing:
    """A dict that keeps nothing but its length, and never answers right."""

    def __init__(self, length: int) -> None:
        """Start with as many items."""
        self.length = length

    def __getitem__(self, key: Any) -> Any:
        return 0

    def __setitem__(self, key: Any, value: Any) -> None:
        self.length += 1

    def __delitem__(self, key: Any) -> None:
        self.length -= 1

    def __contains__(self, key: str) -> bool:
        return False

    def __len__(self) -> int:
        return self.length

    def items(self) -> Iterator[Any]:
        """Go through as many as are asked for."""
        return itertools.repeat(None)

    def update(self, pairs: list[Any]) -> None:
        """Count them."""
        self.length += len(pairs)

    def close(self) -> None:
        """Do nothing."""


class NothingInOrder(Nothing):
    """A list that keeps nothing but its length, and never answers right."""

    def __getitem__(self, place: Any) -> Any:
        return ()

    def __setitem__(self, place: Any, item: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(None)

    def insert(self, _place: int, _item: Any) -> None:
        """Count it."""
        self.length += 1

    def append(self, _item: Any) -> None:
        """Count it."""
        self.length += 1

    def extend(self, items: list[Any]) -> None:
        """Count them."""
        self.length += len(items)

    def pop(self) -> Any:
        """Count it off."""
        self.length -= 1
        return ()
