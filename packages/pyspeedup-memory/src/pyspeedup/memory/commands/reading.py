"""Opening a store for a command, whether it holds a dict or a list."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pyspeedup.core import StoreError
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._dict.salvage import salvage_entries
from pyspeedup.memory._list.salvage import salvage_items
from pyspeedup.memory._storage.codecs import choose_serializer, runs_code
from pyspeedup.memory._storage.folder_lock import FileLock
from pyspeedup.memory._storage.inspecting import inspected, marked, pages_of, store_name
from pyspeedup.memory._storage.location import find_place
from pyspeedup.memory._storage.marker import LOCK_FILE
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory._storage.trust import require_trusted
from pyspeedup.memory.commands.access import Access
from pyspeedup.memory.commands.whole_pages import with_peeks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pyspeedup.core import Serializer
    from pyspeedup.memory._storage.location import Place
    from pyspeedup.memory._storage.marker import Marker

__all__ = [
    "Original",
    "Structure",
    "add_all",
    "class_of",
    "items_of",
    "kept_from_writers",
    "number_of_items",
    "opened",
    "opened_unlocked",
    "recorded_serializer",
    "salvaged",
]

Structure: TypeAlias = DiskDict[Any, Any] | DiskList[Any]

CLASSES: dict[str, type[Structure]] = {"dict": DiskDict, "list": DiskList}


def class_of(kind: str, name: object) -> type[Structure]:
    """Return the class that opens a store of `kind`; `ValueError` says that `name` has another."""
    if kind not in CLASSES:
        raise ValueError(f"{name} holds a {kind}, which this command does not know")
    return CLASSES[kind]


@contextmanager
def opened(folder: Path, access: Access) -> Iterator[Structure]:
    """Open the store in `folder` for reading, as a program would; raises what the constructor does."""
    marker = marked(folder)
    place = find_place(store_name(folder, marker), folder.parent)
    if place.folder.name != folder.name:
        raise StoreError(
            f"{folder} is not called as the store in it, {marker.name!r}: "
            f"name the folder {place.folder.name!r}"
        )
    structure = class_of(marker.kind, folder)(
        place.name,
        file_location=place.location,
        readonly=True,
        trust=access.trust,
        serializer=recorded_serializer(folder, access),
    )
    with structure:
        yield structure


def recorded_serializer(folder: Path, access: Access) -> Serializer | str | None:
    """Return what the store in `folder` is opened with; what it records matters to that."""
    with inspected(folder) as store:
        return access.serializer_for(store.header.serializer)


class Original(NamedTuple):
    """A store that was opened to be written anew, and what the new one has to have of it."""

    structure: Structure
    page_size: int
    page_store: str
    serializer: Serializer
    keyed_hash: bool

    def make_empty(self, place: Place) -> Structure:
        """Open a new store at `place` that is like this one, but holds nothing."""
        return type(self.structure)(
            place.name,
            self.page_size,
            file_location=place.location,
            serializer=self.serializer,
            page_store=self.page_store,
            keyed_hash=self.keyed_hash,
        )


@contextmanager
def opened_unlocked(
    folder: Path,
    marker: Marker,
    access: Access,
    *,
    damaged: bool = False,
) -> Iterator[Original]:
    """Open the pages in `folder` for reading, past the folder's own lock, which the caller holds.

    `marker` may be a guessed one. With `damaged`, what is whole in a damaged page can be read.
    """
    with inspected(folder, marker) as told:
        header = told.header
    asked = access.serializer_for(header.serializer)
    serializer, _ = choose_serializer(asked, header.serializer)
    if runs_code(serializer) and not access.trust:
        require_trusted(folder)
    kind = class_of(header.kind, folder)
    pages = with_peeks(pages_of(folder, marker)) if damaged else pages_of(folder, marker)
    with kind(marker.name, page_store=pages, readonly=True, serializer=serializer) as structure:
        yield Original(
            structure, header.page_size, marker.page_store, serializer, bool(header.secret)
        )


@contextmanager
def kept_from_writers(folder: Path) -> Iterator[None]:
    """Keep writers away; a folder without a lock file, which may be read-only, does without."""
    with ExitStack() as afterwards:
        with suppress(FileNotFoundError):
            lock = FileLock(folder / LOCK_FILE, exclusive=False, name=str(folder))
            afterwards.callback(lock.release)
        yield


def number_of_items(folder: Path, marker: Marker) -> int | None:
    """Return how many items a store holds, reading none; None where its kind or serializer is unknown."""
    if marker.kind not in CLASSES:
        return None
    try:
        with opened_unlocked(folder, marker, Access(trust=True)) as original:
            return len(original.structure)
    except (LookupError, ValueError):
        return None


def items_of(structure: Structure) -> Iterable[Any]:
    """Return what `add_all` takes: pairs of a dict, values of a list."""
    return structure.items() if isinstance(structure, DiskDict) else structure


def add_all(structure: Structure, items: Iterable[Any]) -> None:
    """Add pairs to a dict, or values to a list."""
    if isinstance(structure, DiskDict):
        structure.update(items)
    else:
        structure.extend(items)


def salvaged(structure: Structure) -> Iterator[Any | Damage]:
    """Yield what `items_of` has on disk as far as it can be read, and a `Damage` for what cannot."""
    if isinstance(structure, DiskDict):
        yield from salvage_entries(structure._content.log)  # noqa: SLF001 -- no method reads past damage
        return
    for found in salvage_items(structure._content):  # noqa: SLF001 -- as above
        yield found if isinstance(found, Damage) else found[1]
