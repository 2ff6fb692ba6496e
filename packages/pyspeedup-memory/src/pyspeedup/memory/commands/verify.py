"""``pyspeedup verify``: which pages of a store are damaged, and, deeply, which items cannot be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._storage.inspecting import find_folder, inspected, marked
from pyspeedup.memory._storage.marker import JOURNAL_FILE
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory.commands.access import Access, access_of
from pyspeedup.memory.commands.arguments import (
    PROBLEM,
    add_reading,
    tell,
)
from pyspeedup.memory.commands.journals import Waiting, waiting_changes
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import (
    Structure,
    kept_from_writers,
    opened,
    opened_unlocked,
    salvaged,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["verify"]


def verify(parser: argparse.ArgumentParser) -> None:
    """Check every page of a store against its checksum; exit status 1 if one is damaged.

    Changes that wait in a journal are told of and are no damage. What is read deeply is as it was
    committed last, without them.

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
    told, journal = _pages(folder)
    lines = [f"page {page}: {reason}" for page, reason in told["damaged"].items()]
    found = [f"{len(told['damaged'])} of {told['pages']} pages are damaged"]
    if journal.reason:
        lines.append(f"{JOURNAL_FILE}: {journal.reason}")
    problems = len(told["damaged"]) + len(told["journal"])
    if arguments.deep:
        told.update(_items(folder, access_of(arguments), past_journal=bool(journal.reason)))
        lines += [f"{one['where']}: {one['reason']}" for one in told["unreadable"]]
        found.append(f"{told['items']} items can be read")
        problems += len(told["unreadable"])
    tell(arguments, told, "\n".join([*lines, f"{folder}: {', '.join(found)}"]))
    return PROBLEM if problems else 0


def _pages(folder: Path) -> tuple[dict[str, Any], Waiting]:
    with inspected(folder) as store:
        pages = shown(store.damage(), "verify", len(store.page_numbers), "pages")
        damaged = {page: reason for page, reason in pages if reason}
        journal = waiting_changes(store)
        told = {
            "folder": str(folder),
            "pages": len(store.page_numbers),
            "damaged": damaged,
            "journal": [damage._asdict() for damage in journal.damage],
            "waiting": len(journal.records),
        }
        return told, journal


def _items(folder: Path, access: Access, *, past_journal: bool) -> dict[str, Any]:
    items = 0
    unreadable = []
    with _committed(folder, access) if past_journal else opened(folder, access) as structure:
        for found in shown(salvaged(structure), "verify", len(structure)):
            if isinstance(found, Damage):
                unreadable.append(found._asdict())
            else:
                items += 1
    return {"items": items, "unreadable": unreadable}


@contextmanager
def _committed(folder: Path, access: Access) -> Iterator[Structure]:
    """Open what was committed last, of a store that cannot be opened for reading before its journal is."""
    with (
        kept_from_writers(folder),
        opened_unlocked(folder, marked(folder), access) as original,
    ):
        yield original.structure
