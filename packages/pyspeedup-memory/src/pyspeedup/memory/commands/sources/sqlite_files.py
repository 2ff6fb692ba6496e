"""Reading SQLite files of others, without changing them."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["columns_of", "is_sqlite_file", "opened_database", "quoted", "rows", "tables_of"]

MAGIC = b"SQLite format 3\0"


def is_sqlite_file(path: Path) -> bool:
    """Tell whether the file begins as SQLite's do."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def opened_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, as it is now; `ValueError` where SQLite cannot read it."""
    import sqlite3  # 5 ms, and few commands need it

    if not path.is_file():
        raise FileNotFoundError(2, "there is no such file", str(path))
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            connection.isolation_level = None
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"{path}: SQLite cannot read it: {error}") from error


def rows(connection: sqlite3.Connection, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query."""
    yield from connection.execute(query, values)


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """Return the names of all tables, sorted."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    return [name for (name,) in rows(connection, query) if not name.startswith("sqlite_")]


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of the columns of `table`."""
    return {row[1] for row in rows(connection, f"PRAGMA table_info({quoted(table)})")}


def quoted(name: str) -> str:
    """Return `name` as SQL has it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
