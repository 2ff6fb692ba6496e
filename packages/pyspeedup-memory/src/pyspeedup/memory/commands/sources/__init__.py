"""What ``pyspeedup import`` can read: a module a format, and how a format is recognized."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.memory._storage.location import SUFFIX
from pyspeedup.memory.commands.json_lines import kind_of
from pyspeedup.memory.commands.sources.diskcaches import open_diskcache, shards_of
from pyspeedup.memory.commands.sources.jsonl import open_lines
from pyspeedup.memory.commands.sources.shelves import database_path, open_shelf
from pyspeedup.memory.commands.sources.source import Source, Wanted
from pyspeedup.memory.commands.sources.sqlite_files import (
    columns_of,
    is_sqlite_file,
    opened_database,
    tables_of,
)
from pyspeedup.memory.commands.sources.sqlitedicts import open_sqlitedict

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["FORMATS", "Format", "Source", "Wanted", "detect"]

SHELF_TABLE = "Dict"
"""The only table of a database that `dbm.sqlite3` (Python 3.13) made."""


class Format(NamedTuple):
    """How a format is opened, and whether it is one of pickles."""

    open: Callable[[Path, Wanted], AbstractContextManager[Source]]
    is_pickles: bool


FORMATS = {
    "jsonl": Format(open_lines, is_pickles=False),
    "shelve": Format(open_shelf, is_pickles=True),
    "sqlitedict": Format(open_sqlitedict, is_pickles=True),
    "diskcache": Format(open_diskcache, is_pickles=True),
}


def detect(path: Path) -> str:
    """Return the name of the format at `path`, reading no item.

    `FileNotFoundError` where nothing is there, `ValueError` where it is none of them.
    """
    if path.is_dir():
        if shards_of(path):
            return "diskcache"
        hint = "; to copy a store of ours, use backup" if path.suffix == SUFFIX else ""
        raise ValueError(f"{path} is a folder, and not one of diskcache{hint}")
    if path.is_file() and is_sqlite_file(path):
        return _detect_in_database(path)
    if database_path(path):
        return "shelve"
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is nothing to import", str(path))
    return _detect_in_text(path)


def _detect_in_database(path: Path) -> str:
    with opened_database(path) as connection:
        tables = tables_of(connection)
        if {"Cache", "Settings"} <= set(tables):
            return "diskcache"
        if tables == [SHELF_TABLE] and columns_of(connection, SHELF_TABLE) == {"key", "value"}:
            return "shelve"
    return "sqlitedict"


def _detect_in_text(path: Path) -> str:
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"null")
    try:
        kind_of(first)
    except ValueError as error:
        raise ValueError(
            f"{path} is in none of the formats {', '.join(FORMATS)}; name its --format"
        ) from error
    return "jsonl"
