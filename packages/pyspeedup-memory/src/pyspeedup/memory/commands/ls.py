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
    folders = store_folders(location) if location.is_dir() else []
    rows = [_row_of(folder) for folder in folders if folder.is_dir()]
    if location.is_dir():
        rows += [_row_of_unfinished(folder) for folder in unfinished(location)]
    tell(arguments, rows, format_table(COLUMNS, [list(row.values()) for row in rows]))
    return 0


def _row_of_unfinished(folder: Path) -> dict[str, Any]:
    size = bytes_on_disk(work_folder(folder))
    return {
        "name": store_name(folder, None),
        "kind": "unfinished",
        "page store": "",
        "bytes": size,
    }


def _row_of(folder: Path) -> dict[str, Any]:
    try:
        marker = read_marker(folder)
    except StoreError:
        marker = None
    return {
        "name": store_name(folder, marker),
        "kind": marker.kind if marker else "damaged",
        "page store": marker.page_store if marker else "",
        "bytes": bytes_on_disk(folder),
    }
