"""``pyspeedup repair``: copies all that can be read of a damaged store into a new one."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._storage.inspecting import (
    find_folder,
    guessed_marker,
    inspected,
    marked,
    place_of,
    store_name,
)
from pyspeedup.memory._storage.marker import MARKER_FILE, Marker
from pyspeedup.memory._storage.replacing import building_aside, put_in_place
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory.commands.access import access_of
from pyspeedup.memory.commands.arguments import (
    PROBLEM,
    add_reading,
    tell,
)
from pyspeedup.memory.commands.journals import waiting_changes
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import (
    Structure,
    add_all,
    kept_from_writers,
    opened_unlocked,
    salvaged,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pyspeedup.memory._storage.location import Place

__all__ = ["repair"]

SUFFIX = " repaired"
EQUAL = "they equal others, as their classes are now; of equal keys the last value is saved"
SHOWN = 20
"""Damages that are told one by one where nobody asks for JSON."""


def repair(parser: argparse.ArgumentParser) -> None:
    """Copy all that can be read of a store into a new one, and tell what is lost; status 1 if any is.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> repair(parser)
    >>> parser.parse_args(["words", "--output", "saved"]).output
    'saved'
    """
    add_reading(parser)
    parser.add_argument("--output", help=f"the new store's name or path (default: NAME{SUFFIX})")
    parser.set_defaults(run=_repair)


def _repair(arguments: argparse.Namespace) -> int:
    folder = find_folder(arguments.store, arguments.location)
    marker, lost = _marker_of(folder)
    place = _output(folder, marker, arguments.output)
    if place.folder.exists():
        raise FileExistsError(
            errno.EEXIST, "there is something already; name another --output", str(place.folder)
        )
    with kept_from_writers(folder):
        items, changes = _copy(folder, marker, place, lost, arguments)
    told = {
        "folder": str(folder),
        "repaired": str(place.folder),
        "items": items,
        "journal": changes,
        "lost": [damage._asdict() for damage in lost],
    }
    tell(arguments, told, _report(folder, place.folder, items, changes, lost))
    return PROBLEM if lost else 0


def _marker_of(folder: Path) -> tuple[Marker, list[Damage]]:
    """Return the marker, a guessed one where that is damaged, and what is lost already."""
    try:
        return marked(folder), []
    except StoreCorruptedError as error:
        return guessed_marker(folder), [Damage(MARKER_FILE, str(error), 0)]
    except OSError:
        if (folder / MARKER_FILE).exists():
            raise
        return guessed_marker(folder), [Damage(MARKER_FILE, "it is missing", 0)]


def _output(folder: Path, marker: Marker, output: str | None) -> Place:
    if output is None:
        output = store_name(folder, marker) + SUFFIX
    return place_of(output, str(folder.parent))


def _copy(
    folder: Path,
    marker: Marker,
    place: Place,
    lost: list[Damage],
    arguments: argparse.Namespace,
) -> tuple[int, int]:
    """Build the new store with all that can be read, and add to `lost` what cannot.

    Return the number of items, and of changes from the journal.
    """
    with inspected(folder, marker) as store:
        journal = waiting_changes(store)
    with building_aside(place) as new:
        with (
            opened_unlocked(folder, marker, access_of(arguments), damaged=True) as original,
            original.make_empty(new) as copy,
        ):
            with copy.transaction():
                reading = _Reading(original.structure, lost)
                add_all(copy, reading.items())
                reading.compare(len(copy))
                is_whole = not any(damage.items != 0 for damage in lost)
                changes, left_out = journal.take_up_what_can_be(copy, is_whole=is_whole)
            copy.sync(durable=True)
            items = len(copy)
        lost += left_out
        put_in_place(new, place)
    return items, changes


class _Reading:
    """One reading of a damaged structure, which counts the items and adds to `lost` what is none."""

    def __init__(self, old: Structure, lost: list[Damage]) -> None:
        self._old = old
        self._lost = lost
        self.read = 0

    def items(self) -> Iterator[Any]:
        for found in shown(salvaged(self._old), "repair", len(self._old)):
            if isinstance(found, Damage):
                self._lost.append(found)
            else:
                self.read += 1
                yield found

    def compare(self, saved: int) -> None:
        """Count as lost what was read and is not among those that were saved."""
        if saved < self.read:
            self._lost.append(Damage("keys", EQUAL, self.read - saved))


def _report(folder: Path, repaired: Path, items: int, changes: int, lost: list[Damage]) -> str:
    lines = [f"lost: {damage.where}: {damage.reason}" for damage in lost[:SHOWN]]
    if len(lost) > SHOWN:
        lines.append(f"lost: {len(lost) - SHOWN} more; --json tells all")
    lines.append(f"{folder}: {_number_lost(lost)} items are lost")
    if changes:
        lines.append(f"{folder}: {changes:,} changes are taken up from its journal")
    lines.append(f"{repaired}: {items:,} items are saved")
    return "\n".join(lines)


def _number_lost(lost: Iterable[Damage]) -> str:
    counts = [damage.items for damage in lost]
    known = sum(count for count in counts if count)
    if None not in counts:
        return f"{known:,}"
    return f"at least {known:,}" if known else "nobody knows how many"
