"""The subcommands that memory brings: ``pyspeedup ls``, ``info``, ``verify`` and ``rm``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyspeedup.core import StoreError
from pyspeedup.core.tables import format_table
from pyspeedup.memory._storage.header import FORMAT
from pyspeedup.memory._storage.inspecting import (
    bytes_on_disk,
    find_folder,
    inspected,
    remove,
    store_name,
)
from pyspeedup.memory._storage.location import find_place, store_folders
from pyspeedup.memory._storage.marker import read_marker

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["info", "ls", "rm", "verify"]


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
    _add_json(parser)
    parser.set_defaults(run=_ls)


def info(parser: argparse.ArgumentParser) -> None:
    """Tell what a store says of itself, without reading a value of it.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> info(parser)
    >>> parser.parse_args(["words"]).store
    'words'
    """
    _add_store(parser)
    _add_json(parser)
    parser.set_defaults(run=_info)


def verify(parser: argparse.ArgumentParser) -> None:
    """Check every page of a store against its checksum; exit status 1 if one is damaged.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> verify(parser)
    >>> parser.parse_args(["words", "--json"]).json
    True
    """
    _add_store(parser)
    _add_json(parser)
    parser.set_defaults(run=_verify)


def rm(parser: argparse.ArgumentParser) -> None:
    """Delete stores, unless they are open elsewhere.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> rm(parser)
    >>> parser.parse_args(["words", "lines"]).stores
    ['words', 'lines']
    """
    parser.add_argument("stores", nargs="+", metavar="store", help="a name, or a store's folder")
    _add_location(parser)
    _add_json(parser)
    parser.set_defaults(run=_rm)


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", help="a name, or a store's folder")
    _add_location(parser)


def _add_location(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--location", help="the folder that names are in (default: ~/.PySpeedup)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _ls(arguments: argparse.Namespace) -> int:
    location = find_place("", arguments.location).location
    folders = store_folders(location) if location.is_dir() else []
    rows = [_row_of(folder) for folder in folders]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        header = ["name", "kind", "page store", "bytes"]
        print(format_table(header, [[row[key] for key in header] for row in rows]))
    return 0


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


def _info(arguments: argparse.Namespace) -> int:
    folder = find_folder(arguments.store, arguments.location)
    with inspected(folder) as store:
        serializer = store.header.serializer
        told = {
            "name": store_name(folder, store.marker),
            "folder": str(folder),
            "kind": store.header.kind,
            "items a page": store.header.page_size,
            "pages": len(store.page_numbers),
            "bytes on disk": bytes_on_disk(folder),
            "page store": store.marker.page_store,
            "serializer": serializer.get("name") or serializer["class"],
            "format": FORMAT,
            "identity": store.header.identity,
        }
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(f"{key:14} {value}" for key, value in told.items()))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    folder = find_folder(arguments.store, arguments.location)
    with inspected(folder) as store:
        found = list(store.damage())
    damaged = {page: reason for page, reason in found if reason}
    if arguments.json:
        print(
            json.dumps({"folder": str(folder), "pages": len(found), "damaged": damaged}, indent=2)
        )
    else:
        lines = [f"page {page}: {reason}" for page, reason in damaged.items()]
        print("\n".join([*lines, f"{folder}: {len(damaged)} of {len(found)} pages are damaged"]))
    return 1 if damaged else 0


def _rm(arguments: argparse.Namespace) -> int:
    folders = [find_folder(store, arguments.location) for store in arguments.stores]
    for folder in folders:
        remove(folder)
    if arguments.json:
        print(json.dumps([str(folder) for folder in folders]))
    return 0
