"""``pyspeedup verify``: which pages of a store are damaged, and, deeply, which items cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._storage.inspecting import find_folder, inspected
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory.commands.access import access_of
from pyspeedup.memory.commands.arguments import (
    PROBLEM,
    add_reading,
    tell,
)
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import changes_in_journal, opened, salvaged

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["verify"]


def verify(parser: argparse.ArgumentParser) -> None:
    """Check every page of a store against its checksum; exit status 1 if one is damaged.

    So it is where changes wait in a journal: nothing can read them but an opening for writing.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> verify(parser)
    >>> parser.parse_args(["words", "--deep"]).deep
    True
    """
    add_reading(parser)
    parser.add_argument(
        "--deep", action="store_true", help="read every item, too: this runs what pickles name"
    )
    parser.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    folder = find_folder(arguments.store, arguments.location)
    told = _pages(folder)
    lines = [f"page {page}: {reason}" for page, reason in told["damaged"].items()]
    found = [f"{len(told['damaged'])} of {told['pages']} pages are damaged"]
    lines += [f"{one['where']}: {one['reason']}" for one in told["journal"]]
    problems = len(told["damaged"]) + len(told["journal"])
    if arguments.deep and not told["journal"]:  # else it can't be read before that is taken up
        told.update(_items(folder, arguments))
        lines += [f"{one['where']}: {one['reason']}" for one in told["unreadable"]]
        found.append(f"{told['items']} items can be read")
        problems += len(told["unreadable"])
    tell(arguments, told, "\n".join([*lines, f"{folder}: {', '.join(found)}"]))
    return PROBLEM if problems else 0


def _pages(folder: Path) -> dict[str, Any]:
    with inspected(folder) as store:
        pages = shown(store.damage(), "verify", len(store.page_numbers), "pages")
        damaged = {page: reason for page, reason in pages if reason}
        return {
            "folder": str(folder),
            "pages": len(store.page_numbers),
            "damaged": damaged,
            "journal": [damage._asdict() for damage in changes_in_journal(store)],
        }


def _items(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    items = 0
    unreadable = []
    with opened(folder, access_of(arguments)) as structure:
        for found in shown(salvaged(structure), "verify", len(structure)):
            if isinstance(found, Damage):
                unreadable.append(found._asdict())
            else:
                items += 1
    return {"items": items, "unreadable": unreadable}
