"""The thinnest mappings over key-value stores that one would write by hand, one pickle an item."""

from __future__ import annotations

import collections
import collections.abc
import pickle
import sqlite3
from typing import TYPE_CHECKING, Any

from memory import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

LMDB_MAP = 1 << 34
KEY_DIGITS = slice(5, 13)


class LmdbMapping:
    """A dict over lmdb: sorted by key, since that is what lmdb does."""

    def __init__(self, folder: Path) -> None:
        """Open the environment in `folder`."""
        import lmdb

        self._environment = lmdb.open(str(folder), map_size=LMDB_MAP, sync=False)
        self._write: Any = None
        self._read = self._environment.begin()
        self._get = self._read.get

    def _begin(self) -> Any:
        self._read.abort()
        self._write = self._environment.begin(write=True)
        self._get = self._write.get
        return self._write

    def commit(self) -> None:
        """Commit the write transaction, if there is one, and read what is committed."""
        if self._write is not None:
            self._write.commit()
            self._write = None
            self._read = self._environment.begin()
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
            yield key.decode(), loads(data)

    def put_many(self, pairs: list[tuple[str, Any]]) -> None:
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
        self._run("pragma journal_mode = wal")
        self._run("pragma synchronous = off")
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

    def put_many(self, pairs: list[tuple[str, Any]]) -> None:
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

        self._store: Any = Rdict(str(path), Options(raw_mode=True))

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

    def put_many(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs` in one batch."""
        from rocksdict import WriteBatch

        batch, dumps = WriteBatch(raw_mode=True), pickle.dumps
        for key, value in pairs:
            batch.put(key.encode(), dumps(value, -1))
        self._store.write(batch)

    def commit(self) -> None:
        """Do nothing: each write stands in the log at once."""

    def close(self) -> None:
        """Flush and close."""
        self._store.close()


class Nothing:
    """Keeps nothing but its length: the answer is in the key."""

    def __init__(self) -> None:
        """Start empty."""
        self.length = 0

    def __getitem__(self, key: str) -> Any:
        return plan.value(int(key[KEY_DIGITS]))

    def __setitem__(self, key: str, value: Any) -> None:
        self.length += 1

    def __delitem__(self, key: str) -> None:
        self.length -= 1

    def __contains__(self, key: str) -> bool:
        return not key.endswith("?")

    def __len__(self) -> int:
        return self.length

    def close(self) -> None:
        """Do nothing."""


class Places:
    """A list that keeps nothing but its length: each item is its place."""

    def __init__(self) -> None:
        """Start empty."""
        self.length = 0

    def __getitem__(self, place: Any) -> Any:
        return range(LMDB_MAP)[place]

    def __setitem__(self, place: int, item: Any) -> None:
        pass

    def __delitem__(self, place: int) -> None:
        self.length -= 1

    def __len__(self) -> int:
        return self.length

    def append(self, _item: Any) -> None:
        """Count it."""
        self.length += 1

    def extend(self, items: list[Any]) -> None:
        """Count them."""
        self.length += len(items)

    def close(self) -> None:
        """Do nothing."""


class Transaction:
    """A transaction of diskcache, which is entered and ended by hand."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Take what makes a transaction."""
        self._make = make
        self._open: Any = None

    def enter(self) -> None:
        """Enter one, unless one is open."""
        if self._open is None:
            self._open = self._make()
            self._open.__enter__()

    def end(self) -> None:
        """End the open one, if there is one."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None


def restore_collections() -> None:
    """Put back the names that collections had before Python 3.10."""
    names: Iterable[str] = collections.abc.__all__
    for name in names:
        setattr(collections, name, getattr(collections.abc, name))
