"""Dicts on disk, each opened in its fastest fair mode: commits every 10,000 writes, no fsync."""

from __future__ import annotations

import importlib.util
import shelve
from typing import TYPE_CHECKING, Any, ClassVar

from memory import peer, thin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DUMB_AT_MOST = 20_000
"""Items beyond which shelve over dbm.dumb, which writes its index anew, is left out."""


class DictPeer(peer.Peer):
    """An opened store: `content` is used as a dict is."""

    ordered: ClassVar[bool] = True
    """Whether items come in the order in which they were inserted, or, as these keys do, sorted."""

    def update(self, pairs: list[tuple[str, Any]]) -> None:
        """Set all of `pairs`, in whatever way is the fastest."""
        self.content.update(pairs)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Go through all items."""
        return self.content.items()  # type: ignore[no-any-return]  # each peer has its own type


PlainDict, PySpeedup, DiskCache, DriveLink, Nothing = peer.with_both(
    DictPeer,
    plain=dict,
    kinds={
        peer.PySpeedup: "DiskDict",
        peer.DiskCache: "Index",
        peer.DriveLink: "Dict",
        peer.Nothing: thin.Nothing,
    },
)
DriveLink.ordered = False


class CommittingPeer(DictPeer):
    """A store whose `content` commits when it is told to."""

    def commit(self) -> None:
        """Commit."""
        self.content.commit()


class Lmdb(CommittingPeer):
    """A thin mapping over lmdb: transactions of 10,000 writes, sync=False."""

    name = module = "lmdb"

    def __init__(self, folder: Path) -> None:
        self.content = thin.LmdbMapping(folder)


class Sqlite(CommittingPeer):
    """A thin mapping over sqlite3: write-ahead log, synchronous=OFF, as much RAM as ours."""

    name = module = "sqlite3"

    def __init__(self, folder: Path) -> None:
        self.content = thin.SqliteMapping(folder / "bench.db")


class RocksDict(DictPeer):
    """rocksdict with raw bytes, pickled here, tuned for look-ups; its write batch for update."""

    name = module = "rocksdict"

    def __init__(self, folder: Path) -> None:
        self.content = thin.RocksMapping(folder / "bench")


class SqliteDict(CommittingPeer):
    """sqlitedict: write-ahead log, a commit every 10,000 writes, and no stack traced at each call."""

    name = module = "sqlitedict"
    slow = True

    def __init__(self, folder: Path) -> None:
        from sqlitedict import SqliteDict

        path = str(folder / "bench.sqlite")
        mode = {"autocommit": False, "journal_mode": "WAL", "outer_stack": False}
        self.content = SqliteDict(path, **mode)

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self.content.close()


class Shelve(DictPeer):
    """The standard library's shelve, over GNU dbm where Python has it."""

    name = module = "shelve"
    ordered = False
    most = 2_000_000 if importlib.util.find_spec("_gdbm") else DUMB_AT_MOST

    def __init__(self, folder: Path) -> None:
        self.content = shelve.Shelf(thin.open_dbm(str(folder / "bench")), protocol=-1)


PEERS: dict[str, type[DictPeer]] = {
    kind.name: kind
    for kind in (
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
