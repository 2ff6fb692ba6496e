"""DiskDict beside a dict and other dicts on disk: fill, read and change at random, iterate, reopen."""

from __future__ import annotations

import pickle
import random
import shelve
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contest import PREPARED, Phases, contest, installed
from pyspeedup.memory import DiskDict

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def drive(mapping: MutableMapping[str, Any], size: int) -> Phases:
    """Do to any mapping what is done to all."""
    chance = random.Random(1)  # noqa: S311 -- to be repeated, not to be secret
    places = [chance.randrange(size) for _ in range(size)]
    yield PREPARED
    for n in range(size):
        mapping[f"key {n}"] = {"number": n, "text": f"value {n}"}
    yield "set", len(mapping)
    yield "get", sum(mapping[f"key {n}"]["number"] for n in places)
    yield "miss", sum(f"no key {n}" in mapping for n in places)
    for n in places[: size // 4]:
        mapping[f"key {n}"] = {"number": n, "text": "changed"}
    yield "overwrite", len(mapping)
    yield "iterate", sum(value["number"] for value in mapping.values())
    for n in range(0, size, 100):
        del mapping[f"key {n}"]
    yield "delete", len(mapping)


def plain_dict(size: int, _folder: str) -> Phases:
    """Use a dict."""
    content: dict[str, Any] = {}
    yield from drive(content, size)
    data = pickle.dumps(content)
    yield "save", len(content)
    yield "reopen", pickle.loads(data)["key 1"]["number"]


def disk_dict(size: int, folder: str) -> Phases:
    """Use a DiskDict."""
    content = DiskDict[str, Any]("bench", file_location=folder)
    yield from drive(content, size)
    left = len(content)
    content.close()
    yield "save", left
    with DiskDict[str, Any]("bench", file_location=folder) as again:
        yield "reopen", again["key 1"]["number"]


def shelf(size: int, folder: str) -> Phases:
    """Use the standard library's shelve."""
    path = str(Path(folder, "bench"))
    content = shelve.open(path)  # noqa: SIM115 -- closing it is measured
    yield from drive(content, size)
    left = len(content)
    content.close()
    yield "save", left
    with shelve.open(path) as again:
        yield "reopen", again["key 1"]["number"]


def sqlite(size: int, folder: str) -> Phases:
    """Use a table of the standard library's sqlite3, by hand, one transaction in all."""
    path = str(Path(folder, "bench.db"))
    table = SqliteTable(path)
    yield from drive(table, size)
    left = len(table)
    table.close()
    yield "save", left
    again = SqliteTable(path)
    yield "reopen", again["key 1"]["number"]
    again.close()


class SqliteTable(dict[str, Any]):
    """What one would write by hand: a table of keys and pickled values."""

    def __init__(self, path: str) -> None:
        """Open the table, making it where it is missing."""
        super().__init__()
        self._run = sqlite3.connect(path)
        self._run.execute("create table if not exists t (k text primary key, v blob) without rowid")

    def __setitem__(self, key: str, value: Any) -> None:
        self._run.execute("insert or replace into t values (?, ?)", (key, pickle.dumps(value)))

    def __getitem__(self, key: str) -> Any:
        row = self._run.execute("select v from t where k = ?", (key,)).fetchone()
        return pickle.loads(row[0])

    def __contains__(self, key: object) -> bool:
        return self._run.execute("select 1 from t where k = ?", (key,)).fetchone() is not None

    def __delitem__(self, key: str) -> None:
        self._run.execute("delete from t where k = ?", (key,))

    def __len__(self) -> int:
        return int(self._run.execute("select count(*) from t").fetchone()[0])

    def values(self) -> Any:
        """Iterate over the values."""
        return (pickle.loads(value) for (value,) in self._run.execute("select v from t"))

    def close(self) -> None:
        """Commit and close."""
        self._run.commit()
        self._run.close()


def lmdb_(size: int, folder: str) -> Phases:
    """Use lmdb, in one write transaction."""
    import lmdb

    environment = lmdb.open(folder, map_size=1 << 30)
    with environment.begin(write=True) as transaction:
        yield from drive(LmdbTable(transaction), size)
    yield "save", environment.stat()["entries"]
    environment.close()
    environment = lmdb.open(folder, map_size=1 << 30)
    with environment.begin() as transaction:
        yield "reopen", pickle.loads(transaction.get(b"key 1"))["number"]
    environment.close()


class LmdbTable(dict[str, Any]):
    """What one would write by hand over lmdb."""

    def __init__(self, transaction: Any) -> None:
        """Work in `transaction`."""
        super().__init__()
        self._transaction = transaction

    def __setitem__(self, key: str, value: Any) -> None:
        self._transaction.put(key.encode(), pickle.dumps(value))

    def __getitem__(self, key: str) -> Any:
        return pickle.loads(self._transaction.get(key.encode()))

    def __contains__(self, key: object) -> bool:
        return self._transaction.get(str(key).encode()) is not None

    def __delitem__(self, key: str) -> None:
        self._transaction.delete(key.encode())

    def __len__(self) -> int:
        return int(self._transaction.stat()["entries"])

    def values(self) -> Any:
        """Iterate over the values."""
        return (pickle.loads(value) for _, value in self._transaction.cursor())


def diskcache(size: int, folder: str) -> Phases:
    """Use diskcache's dict, in one transaction."""
    from diskcache import Index

    content = Index(folder)
    with content.transact():
        yield from drive(content, size)
        left = len(content)
    content.cache.close()
    yield "save", left
    again = Index(folder)
    yield "reopen", again["key 1"]["number"]
    again.cache.close()


def sqlitedict(size: int, folder: str) -> Phases:
    """Use sqlitedict, which commits when told to."""
    from sqlitedict import SqliteDict

    path = str(Path(folder, "bench.sqlite"))
    content = SqliteDict(path)
    yield from drive(content, size)
    left = len(content)
    content.commit()
    content.close()
    yield "save", left
    again = SqliteDict(path)
    yield "reopen", again["key 1"]["number"]
    again.close()


if __name__ == "__main__":
    here = {"dict": plain_dict, "DiskDict": disk_dict, "shelve": shelf, "sqlite3": sqlite}
    peers = {"lmdb": lmdb_, "diskcache": diskcache, "sqlitedict": sqlitedict}
    contest(__file__, here | installed(peers), 20_000, "items")
