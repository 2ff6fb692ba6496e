"""Reads what `shelve` wrote: pickles in whatever database `dbm` has."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pyspeedup.memory.commands.sources.source import Source, Wanted, unpickled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["database_path", "open_shelf"]

SUFFIXES = {".db", ".dat", ".dir", ".pag"}
"""What some modules of `dbm` add to the name that a shelf is opened by."""


@contextmanager
def open_shelf(path: Path, _wanted: Wanted) -> Iterator[Source]:
    """Open a shelf, named as for `shelve.open` or by its file; its keys are in RAM meanwhile.

    `ValueError` where no module of `dbm` can read it.
    """
    with closing(_opened(path)) as database:
        keys = list(database.keys())
        yield Source("dict", _items(database, keys, path), len(keys))


def _opened(path: Path) -> Any:
    import dbm  # 4 ms, and only shelves need it

    try:
        return dbm.open(str(database_path(path) or path), "r")
    except dbm.error as error:
        raise ValueError(f"{path} cannot be read as a shelf: {error}") from error


def database_path(path: Path) -> Path | None:
    """Return the name that `dbm` knows the database at `path` by, None where it knows none."""
    import dbm  # as above

    names = [path, path.with_suffix("")] if path.suffix in SUFFIXES else [path]
    return next((name for name in names if dbm.whichdb(str(name))), None)


def _items(database: Any, keys: list[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    for data in keys:
        key = data.decode("utf-8")
        yield key, unpickled(database[data], f"{path}, key {key!r}")
