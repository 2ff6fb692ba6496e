"""Reads the folder of a `diskcache` Cache, Index or FanoutCache: a SQLite file, and large values beside it."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory.commands.sources.source import Source, Wanted, unpickled
from pyspeedup.memory.commands.sources.sqlite_files import opened_database, rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DATABASE", "open_diskcache", "shards_of"]

DATABASE = "cache.db"
RAW, BINARY, TEXT, PICKLE = 1, 2, 3, 4
"""How a value is kept: in its row, in a file of bytes, in a file of UTF-8, or as a pickle in either."""
QUERY = "SELECT key, raw, expire_time, mode, filename, value FROM Cache ORDER BY rowid"


@contextmanager
def open_diskcache(path: Path, _wanted: Wanted) -> Iterator[Source]:
    """Open the folder of a cache, or its database, or the folder of a FanoutCache.

    What has expired is left out, as the cache itself would. Tags and expiry times are not kept.
    """
    folders = shards_of(path)
    if not folders:
        raise ValueError(f"{path} is no folder of diskcache: there is no {DATABASE} in it")
    with ExitStack() as stack:
        shards = [
            (stack.enter_context(opened_database(folder / DATABASE)), folder) for folder in folders
        ]
        source = Source("dict", iter(()), sum(_length(connection) for connection, _ in shards))
        source.items = _items(shards, source)
        yield source


def shards_of(path: Path) -> list[Path]:
    """Return the folders with a database that `path` means; none where it is something else."""
    folder = path.parent if path.name == DATABASE else path
    if (folder / DATABASE).is_file():
        return [folder]
    return sorted(found.parent for found in folder.glob(f"[0-9][0-9][0-9]/{DATABASE}"))


def _length(connection: sqlite3.Connection) -> int:
    ((count,),) = rows(connection, "SELECT COUNT(*) FROM Cache")
    return int(count)


def _items(
    shards: list[tuple[sqlite3.Connection, Path]], source: Source
) -> Iterator[tuple[Any, Any]]:
    now = time.time()
    for connection, folder in shards:
        for key, raw, expires, *kept in rows(connection, QUERY):
            if expires is not None and expires < now:
                source.left_out += 1
                continue
            name = key if raw else unpickled(key, f"{folder}, a key")
            yield name, _value(folder, f"{folder}, key {name!r}", *kept)


def _value(folder: Path, where: str, mode: int, filename: str | None, value: Any) -> Any:
    if mode == RAW:
        return value
    data = value if filename is None else _content(folder / filename, where)
    if mode == BINARY:
        return data
    if mode == TEXT:
        return data.decode("utf-8")
    if mode == PICKLE:
        return unpickled(data, where)
    raise SerializationError(f"{where}: its value is kept in a way (mode {mode}) that is not known")


def _content(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SerializationError(f"{where}: the file of its value, {path.name}, is gone") from error
