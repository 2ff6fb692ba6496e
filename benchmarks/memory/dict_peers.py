"""Dicts on disk, each opened in its fastest fair mode: commits every 10,000 writes, no fsync."""

from __future__ import annotations

import importlib.util
import itertools
import pickle
import shelve
from typing import TYPE_CHECKING, Any, ClassVar

from memory import plan, thin
from memory.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DUMB_AT_MOST = 20_000
"""Items beyond which shelve over dbm.dumb, which writes its index anew, is left out."""


class DictPeer(Peer):
    """An opened store: `content` is used as a dict is."""

    ordered: ClassVar[bool] = True
    """Whether items come in the order in which they were inserted, or, as these keys do, sorted."""

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs`, in whatever way is the fastest."""
        self.content.update(pairs)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Go through all items."""
        return self.content.items()  # type: ignore[no-any-return]  # each peer has its own type


class PlainDict(DictPeer):
    """A dict, pickled when it is closed: what stays in RAM altogether."""

    name = "dict"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        self._path = folder / "dict.pickle"
        self.content = pickle.loads(self._path.read_bytes()) if self._path.exists() else {}

    def close(self) -> None:
        """Pickle it."""
        with self._path.open("wb") as file:
            pickle.dump(self.content, file, -1)


class Nothing(DictPeer):
    """Keeps nothing and answers from the key: what the benchmark itself costs, in memory above all."""

    name = "nothing"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        (folder / "nothing").touch()
        self.content = thin.Nothing()

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Count them."""
        self.content.length += len(pairs)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Go through all that there could be."""
        return ((plan.key(n), plan.value(n)) for n in itertools.count())


class PySpeedup(DictPeer):
    """DiskDict as it comes."""

    name = "pyspeedup"
    module = "pyspeedup.memory"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        from pyspeedup.memory import DiskDict

        self.content = DiskDict("bench", file_location=folder)

    def commit(self) -> None:
        """Commit."""
        self.content.sync()

    def wrote(self, operations: int) -> None:
        """Leave it to the dict when to commit."""


class ThinPeer(DictPeer):
    """A mapping of `memory.thin`, which commits and sets many by itself."""

    def commit(self) -> None:
        """Commit."""
        self.content.commit()

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs` as the mapping can."""
        self.content.put_many(pairs)


class Lmdb(ThinPeer):
    """A thin mapping over lmdb: transactions of 10,000 writes, sync=False."""

    name = module = "lmdb"

    def __init__(self, folder: Path) -> None:
        self.content = thin.LmdbMapping(folder)


class Sqlite(ThinPeer):
    """A thin mapping over sqlite3: write-ahead log, synchronous=OFF."""

    name = module = "sqlite3"

    def __init__(self, folder: Path) -> None:
        self.content = thin.SqliteMapping(folder / "bench.db")


class RocksDict(ThinPeer):
    """rocksdict with raw bytes, pickled here; its write batch for update."""

    name = module = "rocksdict"

    def __init__(self, folder: Path) -> None:
        self.content = thin.RocksMapping(folder / "bench")


class DiskCache(DictPeer):
    """diskcache's Index, in transactions of 10,000 writes."""

    name = module = "diskcache"

    def __init__(self, folder: Path) -> None:
        from diskcache import Index

        self.content = Index(str(folder))
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


class SqliteDict(DictPeer):
    """sqlitedict, with a write-ahead log and a commit every 10,000 writes."""

    name = module = "sqlitedict"

    def __init__(self, folder: Path) -> None:
        from sqlitedict import SqliteDict

        path = str(folder / "bench.sqlite")
        self.content = SqliteDict(path, autocommit=False, journal_mode="WAL")

    def commit(self) -> None:
        """Commit."""
        self.content.commit()

    def close(self) -> None:
        """Commit and close."""
        self.content.commit()
        self.content.close()


class Shelve(DictPeer):
    """The standard library's shelve, over the best dbm that there is."""

    name = module = "shelve"
    ordered = False
    most = 2_000_000 if importlib.util.find_spec("_gdbm") else DUMB_AT_MOST

    def __init__(self, folder: Path) -> None:
        self.content = shelve.open(str(folder / "bench"), protocol=-1)  # noqa: SIM115 -- closed below


class DriveLink(DictPeer):
    """The old library's successor, which needs names that Python 3.10 took out of collections."""

    name = module = "drivelink"
    ordered = False

    @classmethod
    def load(cls) -> None:
        """Import it with those names put back."""
        thin.restore_collections()
        super().load()

    def __init__(self, folder: Path) -> None:
        from drivelink import Dict

        self.content = Dict("bench", file_location=str(folder))


PEERS: dict[str, type[DictPeer]] = {
    peer.name: peer
    for peer in (
        PlainDict,
        PySpeedup,
        Lmdb,
        Sqlite,
        RocksDict,
        DiskCache,
        SqliteDict,
        Shelve,
        DriveLink,
        Nothing,
    )
}
