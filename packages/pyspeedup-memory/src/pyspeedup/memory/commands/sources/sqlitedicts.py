"""Reads what `sqlitedict` wrote: a table of text keys and pickled values."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory.commands.sources.source import Source, Wanted, unpickled
from pyspeedup.memory.commands.sources.sqlite_files import (
    columns_of,
    opened_database,
    quoted,
    rows,
    tables_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["open_sqlitedict"]

COLUMNS = {"key", "value"}


@contextmanager
def open_sqlitedict(path: Path, wanted: Wanted) -> Iterator[Source]:
    """Open a table of a file of sqlitedict; `ValueError` lists the tables where one has to be chosen."""
    with opened_database(path) as connection:
        table = quoted(_table(connection, path, wanted.table))
        ((total,),) = rows(connection, f"SELECT COUNT(*) FROM {table}")  # noqa: S608 -- quoted
        yield Source("dict", _items(connection, table, path), total)


def _table(connection: sqlite3.Connection, path: Path, wanted: str | None) -> str:
    tables = [name for name in tables_of(connection) if columns_of(connection, name) == COLUMNS]
    if wanted in tables:
        return str(wanted)
    if wanted is None and len(tables) == 1:
        return tables[0]
    told = ", ".join(map(repr, tables)) or "none of sqlitedict's"
    asked = "name one with --table" if wanted is None else f"there is no table {wanted!r}"
    raise ValueError(f"{path}: {asked}; its tables are: {told}")


def _items(connection: sqlite3.Connection, table: str, path: Path) -> Iterator[tuple[Any, Any]]:
    query = f"SELECT key, value FROM {table} ORDER BY rowid"  # noqa: S608 -- quoted
    for key, value in rows(connection, query):
        if not isinstance(value, bytes):
            raise SerializationError(
                f"{path}, key {key!r}: its value is no pickle, but what an encode= of the writer made"
            )
        yield key, unpickled(value, f"{path}, key {key!r}")
