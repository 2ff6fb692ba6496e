"""``pyspeedup ls``: which stores are in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import StoreError
from pyspeedup.core.tables import format_table
from pyspeedup.memory._storage.inspecting import bytes_on_disk, store_name
from pyspeedup.memory._storage.location import find_place, store_folders
from pyspeedup.memory._storage.marker import read_marker
from pyspeedup.memory._storage.replacing import unfinished, work_folder
from pyspeedup.memory.commands.arguments import add_json, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ls"]

COLUMNS = ("name", "kind", "page store", "bytes")


def ls(parser: argparse.ArgumentParser) -> None:
    """List the stores in a folder: name, kind, page store and size.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> ls(parser)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     arguments = parser.parse_args([folder])
    ...     arguments.run(arguments)
    name  kind  page store  bytes
    0
    """
    parser.add_argument("location", nargs="?", help="the folder (default: ~/.PySpeedup)")
    add_json(parser)
    parser.set_defaults(run=_ls)


def _ls(arguments: argparse.Namespace) -> int:
    location = find_place("", arguments.location).location
    rows = list(_rows(location)) if location.is_dir() else []
    tell(arguments, rows, format_table(COLUMNS, [_cells(row) for row in rows]))
    return 0


def _cells(row: dict[str, Any]) -> list[Any]:
    return ["" if value is None else value for value in row.values()]


def _rows(location: Path) -> Iterator[dict[str, Any]]:
    """Yield what is told of each store that is not gone by then."""
    for folder in store_folders(location):
        if folder.is_dir():
            row = _row_of(folder)
            if folder.is_dir():
                yield row
    for folder in unfinished(location):
        work = work_folder(folder)
        row = _row(store_name(folder, None), "unfinished", "", work)
        if work.is_dir():
            yield row


def _row_of(folder: Path) -> dict[str, Any]:
    marker, kind = None, "damaged"
    try:
        marker = read_marker(folder)
    except StoreError:
        pass
    except OSError:
        kind = "unreadable"
    if marker is None:
        return _row(store_name(folder, None), kind, "", folder)
    return _row(store_name(folder, marker), marker.kind, marker.page_store, folder)


def _row(name: str, kind: str, page_store: str, folder: Path) -> dict[str, Any]:
    try:
        size: int | None = bytes_on_disk(folder)
    except OSError:
        size = None  # as what its owner alone may list
    return {"name": name, "kind": kind, "page store": page_store, "bytes": size}
