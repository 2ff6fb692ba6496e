"""Lists on disk, each opened in its fastest fair mode: commits every 10,000 writes, no fsync."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from memory import peer, thin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ListPeer(peer.Peer):
    """An opened store: `content` is used as a list is."""

    def iterate(self) -> Iterator[Any]:
        """Go through all items."""
        return iter(self.content)


PlainList, PySpeedup, DiskCache, DriveLink, Nothing = peer.with_both(
    ListPeer,
    plain=list,
    kinds={
        peer.PySpeedup: "DiskList",
        peer.DiskCache: "Deque",
        peer.DriveLink: "List",
        peer.Nothing: thin.NothingInOrder,
    },
)


class SqliteCollections(ListPeer):
    """sqlitecollections' List, with a write-ahead log and synchronous=OFF."""

    name = module = "sqlitecollections"
    slow = True

    def __init__(self, folder: Path) -> None:
        from sqlitecollections import List

        self._connection = sqlite3.connect(folder / "bench.db")
        for pragma in thin.SQLITE_PRAGMAS:
            self._connection.execute(pragma)
        self.content = List[Any](connection=self._connection, table_name="items")

    def close(self) -> None:
        """Commit and close."""
        self._connection.commit()
        self._connection.close()


class TemporaryDiskList(peer.Plain, ListPeer):
    """disklist, which is gone when it is closed: opening it anew means to fill it again."""

    name = module = "disklist"
    kind = list
    most = 2_000_000
    slow = True

    def __init__(self, folder: Path) -> None:
        from disklist import DiskList

        super().__init__(folder)
        kept, self.content = self.content, DiskList(tmp_dir=str(folder))
        for item in kept:
            self.content.append(item)

    def iterate(self) -> Iterator[Any]:
        """Go through all items; its own iterator starts anew whenever it is asked for one."""
        yield from self.content

    def close(self) -> None:
        """Pickle it as a list."""
        self.content = list(self.iterate())
        super().close()


class PySos(ListPeer):
    """pysos' List, whose lines are JSON."""

    name = module = "pysos"
    slow = True

    def __init__(self, folder: Path) -> None:
        from pysos import List

        self.content = List(str(folder / "bench.sos"))


PEERS: dict[str, type[ListPeer]] = {
    kind.name: kind
    for kind in (
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
