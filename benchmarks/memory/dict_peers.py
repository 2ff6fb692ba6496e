"""Dicts on disk, each opened in its fastest fair mode: commits every 10,000 writes, no fsync."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import pickle
import shelve
from typing import TYPE_CHECKING, Any, ClassVar

from memory import plan, thin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COMMIT_EVERY = 10_000
ITSELF = "dict"
DUMB_AT_MOST = 20_000
"""Items beyond which shelve over dbm.dumb, which rewrites an index, is left out."""


class Peer:
    """A store of a peer, opened: `content` is used as a dict is."""

    name: ClassVar[str]
    module: ClassVar[str] = "pickle"
    most: ClassVar[int] = 2_000_000
    content: Any
    _pending = 0

    @classmethod
    def installed(cls) -> bool:
        """Return whether it can take part here."""
        return importlib.util.find_spec(cls.module.partition(".")[0]) is not None

    @classmethod
    def load(cls) -> None:
        """Import what it needs, off the watch."""
        importlib.import_module(cls.module)

    def __init__(self, folder: Path) -> None:
        raise NotImplementedError

    def begin(self) -> None:
        """Get ready to write."""

    def commit(self) -> None:
        """Make what was written permanent."""

    def wrote(self, operations: int) -> None:
        """Commit, where that many more writes make it due."""
        self._pending += operations
        if self._pending >= COMMIT_EVERY:
            self.commit()
            self._pending = 0

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs`, in whatever way is the fastest."""
        self.content.update(pairs)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Go through all items."""
        return self.content.items()  # type: ignore[no-any-return]  # each peer has its own type

    def count(self) -> int:
        """Return how many items there are."""
        return len(self.content)

    def close(self) -> None:
        """Close it, with everything kept."""
        self.content.close()


class PlainDict(Peer):
    """A dict, pickled when it is closed: what stays in RAM altogether."""

    name = ITSELF
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        self._path = folder / "dict.pickle"
        self.content = pickle.loads(self._path.read_bytes()) if self._path.exists() else {}

    def close(self) -> None:
        """Pickle it."""
        with self._path.open("wb") as file:
            pickle.dump(self.content, file, -1)


class Nothing(Peer):
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


class PySpeedup(Peer):
    """DiskDict as it comes."""

    name = "pyspeedup"
    module = "pyspeedup.memory"
    most = 10_000_000

    def __init__(self, folder: Path) -> None:
        from pyspeedup.memory import DiskDict

        self.content = DiskDict("bench", file_location=str(folder))

    def commit(self) -> None:
        """Commit."""
        self.content.sync()

    def wrote(self, operations: int) -> None:
        """Leave it to the dict when to commit."""


class ThinPeer(Peer):
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


class DiskCache(Peer):
    """diskcache's Index, in transactions of 10,000 writes."""

    name = module = "diskcache"
    _open: Any = None

    def __init__(self, folder: Path) -> None:
        from diskcache import Index

        self.content = Index(str(folder))

    def begin(self) -> None:
        """Enter a transaction."""
        if self._open is None:
            self._open = self.content.transact()
            self._open.__enter__()

    def commit(self) -> None:
        """End the transaction, and enter the next."""
        self._end()
        self.begin()

    def close(self) -> None:
        """End the transaction, and close."""
        self._end()
        self.content.cache.close()

    def _end(self) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None


class SqliteDict(Peer):
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


class Shelve(Peer):
    """The standard library's shelve, over the best dbm that there is."""

    name = module = "shelve"
    most = 2_000_000 if importlib.util.find_spec("_gdbm") else DUMB_AT_MOST

    def __init__(self, folder: Path) -> None:
        self.content = shelve.open(str(folder / "bench"), protocol=-1)  # noqa: SIM115 -- closed below


class DriveLink(Peer):
    """The old library's successor, which needs names that Python 3.10 took out of collections."""

    name = module = "drivelink"

    @classmethod
    def load(cls) -> None:
        """Import it with those names put back."""
        thin.restore_collections()
        super().load()

    def __init__(self, folder: Path) -> None:
        from drivelink import Dict

        self.content = Dict("bench", file_location=str(folder))


PEERS: dict[str, type[Peer]] = {
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
