"""``pyspeedup rm``: deletes stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pyspeedup.memory._storage.inspecting import find_folder, place_of, remove
from pyspeedup.memory._storage.replacing import discard_unfinished, work_folder
from pyspeedup.memory.commands.arguments import PROBLEM, add_json, add_location, refuse, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["rm"]


def rm(parser: argparse.ArgumentParser) -> None:
    """Delete stores, unless they are open elsewhere.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> rm(parser)
    >>> parser.parse_args(["words", "lines", "--yes"]).stores
    ['words', 'lines']
    """
    parser.add_argument("stores", nargs="+", metavar="store", help="a name, or a store's folder")
    add_location(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_json(parser)
    parser.set_defaults(run=_rm)


def _rm(arguments: argparse.Namespace) -> int:
    folders = [_folder(store, arguments.location) for store in arguments.stores]
    if not arguments.yes:
        if not sys.stdin.isatty():
            return refuse("rm", "nobody is there to be asked; pass --yes to delete without asking")
        if not _confirmed(folders):
            print("nothing was deleted", file=sys.stderr)
            return PROBLEM
    for folder in folders:
        if folder.is_dir():
            remove(folder)
        discard_unfinished(folder)
    tell(arguments, [str(folder) for folder in folders], f"{len(folders)} deleted")
    return 0


def _folder(store: str, location: str | None) -> Path:
    """Return the folder of a store that is there, or that a killed process had begun to build."""
    folder = place_of(store, location).folder
    return folder if work_folder(folder).is_dir() else find_folder(store, location)


def _confirmed(folders: Sequence[Path]) -> bool:
    for folder in folders:
        print(folder, file=sys.stderr)
    print(f"Delete {len(folders)} for good? [y/N] ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
