"""``pyspeedup backup``: copies a store to another folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyspeedup.memory._storage.inspecting import bytes_on_disk, find_folder
from pyspeedup.memory._storage.location import find_place
from pyspeedup.memory.commands.access import access_of
from pyspeedup.memory.commands.arguments import (
    add_reading,
    tell,
)
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import opened

if TYPE_CHECKING:
    import argparse

__all__ = ["backup"]


def backup(parser: argparse.ArgumentParser) -> None:
    """Copy a store to another folder, page by page, each checked; the copy outlasts a loss of power.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> backup(parser)
    >>> parser.parse_args(["words", "/media/safe"]).destination
    '/media/safe'
    """
    add_reading(parser)
    parser.add_argument("destination", help="the folder that the copy is to be in")
    parser.add_argument("--name", help="the copy's name (default: the store's)")
    parser.set_defaults(run=_backup)


def _backup(arguments: argparse.Namespace) -> int:
    folder = find_folder(arguments.store, arguments.location)
    destination = os.fspath(arguments.destination)
    with opened(folder, access_of(arguments)) as structure:
        name = structure.name if arguments.name is None else arguments.name
        items = len(structure)
        structure.backup(
            destination, name, progress=lambda pages: shown(pages, "backup", len(pages), "pages")
        )
    copy = find_place(name, destination).folder
    size = bytes_on_disk(copy)
    told = {"folder": str(folder), "backup": str(copy), "items": items, "bytes": size}
    tell(arguments, told, f"{copy}: {items:,} items in {size:,} bytes")
    return 0
