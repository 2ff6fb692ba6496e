"""Lists on disk, each opened in its fastest fair mode."""

from __future__ import annotations

import itertools
import pickle
import sqlite3
from typing import TYPE_CHECKING, Any

from memory import thin
from memory.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ListPeer(Peer):
    """An opened store: `content` is used as a list is."""

    def iterate(self) -> Iterator[Any]:
        """Go through all items."""
        return iter(self.content)


class PlainList(ListPeer):
    """A list, pickled when it is closed: what stays in RAM altogether."""

    name = "list"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        self._path = folder / "list.pickle"
        self.content = pickle.loads(self._path.read_bytes()) if self._path.exists() else []

    def close(self) -> None:
        """Pickle it."""
        with self._path.open("wb") as file:
            pickle.dump(self.content, file, -1)


class Nothing(ListPeer):
    """Keeps nothing, each item is its place: what the benchmark itself costs, in memory above all."""

    name = "nothing"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        (folder / "nothing").touch()
        self.content = thin.Places()

    def iterate(self) -> Iterator[Any]:
        """Count."""
        return itertools.count()


class PySpeedup(ListPeer):
    """DiskList as it comes."""

    name = "pyspeedup"
    module = "pyspeedup.memory"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        from pyspeedup.memory import DiskList

        self.content = DiskList("bench", file_location=folder)

    def commit(self) -> None:
        """Commit."""
        self.content.sync()

    def wrote(self, operations: int) -> None:
        """Leave it to the list when to commit."""


class DiskCache(ListPeer):
    """diskcache's Deque, in transactions of 10,000 writes."""

    name = module = "diskcache"

    def __init__(self, folder: Path) -> None:
        from diskcache import Deque

        self.content = Deque(directory=str(folder))
        self._transaction = thin.Transaction(self.content.transact)

    def begin(self) -> None:
        """Enter a transaction."""
        self._transaction.enter()

    def commit(self) -> None:
        """End the transaction, and enter the next."""
        self._transaction.end()
        self._transaction.enter()

    def close(self) -> None:
        """End the transaction, and close."""
        self._transaction.end()
        self.content.cache.close()


class DriveLink(ListPeer):
    """The old library's successor, which needs names that Python 3.10 took out of collections."""

    name = module = "drivelink"

    @classmethod
    def load(cls) -> None:
        """Import it with those names put back."""
        thin.restore_collections()
        super().load()

    def __init__(self, folder: Path) -> None:
        from drivelink import List

        self.content = List("bench", file_location=str(folder))


class SqliteCollections(ListPeer):
    """sqlitecollections' List, with a write-ahead log and synchronous=OFF."""

    name = module = "sqlitecollections"

    def __init__(self, folder: Path) -> None:
        from sqlitecollections import List

        self._connection = sqlite3.connect(folder / "bench.db")
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")
        self.content = List[Any](connection=self._connection, table_name="items")

    def close(self) -> None:
        """Commit and close."""
        self._connection.commit()
        self._connection.close()


class TemporaryDiskList(ListPeer):
    """disklist, which is gone when it is closed: opening it anew means to fill it again."""

    name = module = "disklist"

    def __init__(self, folder: Path) -> None:
        from disklist import DiskList

        self._path = folder / "list.pickle"
        self.content = DiskList(tmp_dir=str(folder))
        if self._path.exists():
            for item in pickle.loads(self._path.read_bytes()):
                self.content.append(item)

    def iterate(self) -> Iterator[Any]:
        """Go through all items; its own iterator starts anew whenever it is asked for one."""
        yield from self.content

    def close(self) -> None:
        """Pickle it."""
        with self._path.open("wb") as file:
            pickle.dump(list(self.iterate()), file, -1)


class PySos(ListPeer):
    """pysos' List, whose lines are JSON."""

    name = module = "pysos"

    def __init__(self, folder: Path) -> None:
        from pysos import List

        self.content = List(str(folder / "bench.sos"))


PEERS: dict[str, type[ListPeer]] = {
    peer.name: peer
    for peer in (
        PlainList,
        PySpeedup,
        DiskCache,
        DriveLink,
        SqliteCollections,
        TemporaryDiskList,
        PySos,
        Nothing,
    )
}
