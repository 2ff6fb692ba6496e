"""``pyspeedup compact``: rewrites a store without what it no longer needs.

All items go to a new store beside the old one, which is locked meanwhile, and whose place it then takes
in one step: a process that is killed leaves the old store or the new one. Changes that a killed process
left in a journal are in the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._storage.inspecting import (
    behind_link,
    bytes_on_disk,
    find_folder,
    inspected,
    marked,
    place_of,
)
from pyspeedup.memory._storage.replacing import (
    building_aside,
    finish_replacing,
    locked,
    replace,
)
from pyspeedup.memory.commands.access import Access, access_of
from pyspeedup.memory.commands.arguments import (
    add_reading,
    tell,
)
from pyspeedup.memory.commands.journals import waiting_changes
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import add_all, items_of, opened_unlocked

if TYPE_CHECKING:
    import argparse

    from pyspeedup.memory._storage.location import Place

__all__ = ["compact"]


def compact(parser: argparse.ArgumentParser) -> None:
    """Rewrite a store, so that the room of what was deleted or replaced is given back.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> compact(parser)
    >>> parser.parse_args(["words"]).store
    'words'
    """
    add_reading(parser)
    parser.set_defaults(run=_compact)


def _compact(arguments: argparse.Namespace) -> int:
    place = behind_link(place_of(str(find_folder(arguments.store, arguments.location)), None))
    folder = place.folder
    with locked(folder):
        finish_replacing(place)
        before = bytes_on_disk(folder)
        items = _rewrite(place, arguments)
        after = bytes_on_disk(folder)
    told = {"folder": str(folder), "items": items, "bytes before": before, "bytes after": after}
    tell(arguments, told, f"{folder}: {items:,} items, {before:,} bytes before, {after:,} now")
    return 0


def _rewrite(place: Place, arguments: argparse.Namespace) -> int:
    with building_aside(place) as new:
        try:
            items = _copy(place, new, access_of(arguments))
        except (StoreCorruptedError, SerializationError) as error:
            raise StoreCorruptedError(
                f"{place.folder} stays as it was, since not all of it can be read "
                f"(pyspeedup repair tells what can): {error}"
            ) from error
        replace(new, place)
    return items


def _copy(place: Place, new: Place, access: Access) -> int:
    """Put all items into a store at `new`, with what waits in a journal, durably; return how many."""
    marker = marked(place.folder)
    with inspected(place.folder, marker) as store:
        journal = waiting_changes(store)
    with (
        opened_unlocked(place.folder, marker, access) as original,
        original.make_empty(new) as copy,
    ):
        old = original.structure
        with copy.transaction():
            add_all(copy, shown(items_of(old), "compact", len(old)))
            if len(copy) != len(old):
                raise StoreCorruptedError(f"{len(old)} items became {len(copy)}")
            journal.take_up(copy)
        copy.sync(durable=True)
        return len(copy)
