"""``pyspeedup export``: writes a store as JSON lines."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pyspeedup.memory import DiskDict
from pyspeedup.memory._storage.inspecting import find_folder
from pyspeedup.memory.commands.access import access_of
from pyspeedup.memory.commands.arguments import (
    add_reading,
    refuse,
    tell,
)
from pyspeedup.memory.commands.json_lines import item_lines, value_lines
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import Structure, opened

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

__all__ = ["export"]


def export(parser: argparse.ArgumentParser) -> None:
    """Write a store as JSON lines: ``{"key": ..., "value": ...}`` or ``{"value": ...}`` an item.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> export(parser)
    >>> parser.parse_args(["words", "-o", "words.jsonl"]).output
    'words.jsonl'
    """
    add_reading(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: stdout)")
    parser.add_argument("--format", choices=["jsonl"], default="jsonl", help="JSON lines, so far")
    parser.add_argument(
        "--pickle", action="store_true", help="pickle, in base64, what JSON would not give back"
    )
    parser.add_argument("--force", action="store_true", help="replace a FILE that exists")
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.json and arguments.output is None:
        return refuse("export", "--json would mix with the items on stdout; name a file with -o")
    folder = find_folder(arguments.store, arguments.location)
    with opened(folder, access_of(arguments)) as structure:
        items = len(structure)
        lines = _lines(structure, pickles=arguments.pickle)
        if arguments.output is None:
            sys.stdout.flush()
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            return 0
        output = Path(arguments.output)
        with _new_file(output, force=arguments.force) as file:
            file.writelines(lines)
    told = {"folder": str(folder), "file": str(output), "items": items}
    tell(arguments, told, f"{output}: {items:,} items")
    return 0


def _lines(structure: Structure, *, pickles: bool) -> Iterable[bytes]:
    items = len(structure)
    if isinstance(structure, DiskDict):
        return item_lines(shown(structure.items(), "export", items), pickles=pickles)
    return value_lines(shown(structure, "export", items), pickles=pickles)


@contextmanager
def _new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that takes the name `path` once it is whole, and is removed if it is not to be."""
    if path.exists() and not force:
        raise FileExistsError(errno.EEXIST, "there is something already (--force)", str(path))
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with beside.open("xb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
