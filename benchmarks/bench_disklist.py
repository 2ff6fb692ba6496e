"""DiskList beside a list and lists on disk made by hand: append, read, slice, insert, reopen."""

from __future__ import annotations

import pickle
import random
import shelve
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contest import PREPARED, Phases, contest, installed
from pyspeedup.memory import DiskList

if TYPE_CHECKING:
    from collections.abc import MutableSequence

INSERTS = 100


def item(n: int) -> str:
    """Return the item number `n`."""
    return f"line {n} of a text that is neither long nor short"


def places(size: int, how_many: int) -> list[int]:
    """Return places at random, the same for all."""
    chance = random.Random(1)  # noqa: S311 -- to be repeated, not to be secret
    return [chance.randrange(size) for _ in range(how_many)]


def drive(sequence: MutableSequence[str], size: int) -> Phases:
    """Do to any sequence what is done to all."""
    some = places(size, size // 4)
    yield PREPARED
    for n in range(size):
        sequence.append(item(n))
    yield "append", len(sequence)
    yield "get in order", sum(len(sequence[n]) for n in range(size))
    yield "get at random", sum(len(sequence[n]) for n in some)
    yield "iterate", sum(map(len, sequence))


def drive_as_list(sequence: MutableSequence[str], size: int) -> Phases:
    """Do what only lists can besides."""
    yield from drive(sequence, size)
    yield "slices", sum(len(sequence[n : n + 100]) for n in places(size - 100, 100))
    for n in places(size, INSERTS):
        sequence.insert(n, "inserted")
    yield "insert", len(sequence)


def plain_list(size: int, _folder: str) -> Phases:
    """Use a list."""
    content: list[str] = []
    yield from drive_as_list(content, size)
    data = pickle.dumps(content)
    yield "save", len(content)
    yield "reopen", pickle.loads(data)[-1]


def disk_list(size: int, folder: str) -> Phases:
    """Use a DiskList."""
    content = DiskList[str]("bench", file_location=folder)
    yield from drive_as_list(content, size)
    left = len(content)
    content.close()
    yield "save", left
    with DiskList[str]("bench", file_location=folder) as again:
        yield "reopen", again[-1]


def shelf(size: int, folder: str) -> Phases:
    """Use a shelf whose keys are the places; it can't insert."""
    with shelve.open(str(Path(folder, "bench"))) as content:
        yield from drive(ByPlace(content), size)


def sqlite(size: int, folder: str) -> Phases:
    """Use a table of sqlite3, by hand, in one transaction; it can't insert."""
    connection = sqlite3.connect(Path(folder, "bench.db"))
    connection.execute("create table t (n integer primary key, v text)")
    yield from drive(ByRow(connection), size)
    connection.commit()
    connection.close()


class ByPlace(list[str]):
    """A list over a mapping from str(place)."""

    def __init__(self, mapping: Any) -> None:
        """Keep the items in `mapping`."""
        super().__init__()
        self._mapping, self._length = mapping, 0

    def append(self, value: str) -> None:
        """Put it at the next place."""
        self._mapping[str(self._length)] = value
        self._length += 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        return self._mapping[str(place)]

    def __iter__(self) -> Any:
        return (self[n] for n in range(self._length))


class ByRow(list[str]):
    """A list over a table of numbered rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Keep the items in the table t of `connection`."""
        super().__init__()
        self._run, self._length = connection.execute, 0

    def append(self, value: str) -> None:
        """Put it in the next row."""
        self._run("insert into t values (?, ?)", (self._length, value))
        self._length += 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        return self._run("select v from t where n = ?", (place,)).fetchone()[0]

    def __iter__(self) -> Any:
        return (value for (value,) in self._run("select v from t order by n"))


def diskcache(size: int, folder: str) -> Phases:
    """Use diskcache's deque, in one transaction: indexes count from the nearer end."""
    from diskcache import Deque

    content = Deque(directory=folder)
    with content.transact():
        for n in range(size):
            content.append(item(n))
        yield "append", len(content)
    content.cache.close()


if __name__ == "__main__":
    here = {"list": plain_list, "DiskList": disk_list, "shelve": shelf, "sqlite3": sqlite}
    contest(__file__, here | installed({"diskcache": diskcache}), 50_000, "items")
