"""``pyspeedup import``: makes a store of what another library, or a file of JSON lines, holds.

The new store is built aside, in one transaction, and put in place whole: an import that fails or is
killed leaves nothing under the name. With ``--append`` the transaction is one of the store itself.
"""

from __future__ import annotations

import errno
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._storage.inspecting import behind_link, place_of
from pyspeedup.memory._storage.marker import MARKER_FILE
from pyspeedup.memory._storage.moving_over import is_cut_short
from pyspeedup.memory._storage.replacing import (
    building_aside,
    finish_replacing,
    locked,
    put_in_place,
    replace,
)
from pyspeedup.memory.commands.access import access_of, add_access
from pyspeedup.memory.commands.arguments import (
    add_json,
    add_location,
    refuse,
    tell,
)
from pyspeedup.memory.commands.progress import shown
from pyspeedup.memory.commands.reading import add_all, class_of, recorded_serializer
from pyspeedup.memory.commands.sources import FORMATS, Wanted, detect

if TYPE_CHECKING:
    import argparse

    from pyspeedup.core import Serializer
    from pyspeedup.memory._storage.location import Place
    from pyspeedup.memory.commands.sources import Source

__all__ = ["import_"]


def import_(parser: argparse.ArgumentParser) -> None:
    """Make a store of a shelf, a sqlitedict file, a diskcache folder, or JSON lines.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> import_(parser)
    >>> parser.parse_args(["words.jsonl", "words"]).format
    'auto'
    """
    parser.add_argument("source", help="a file, or a folder of diskcache")
    parser.add_argument("store", help="the new store's name, or its folder")
    add_location(parser)
    parser.add_argument("--format", choices=["auto", *FORMATS], default="auto")
    parser.add_argument("--table", help="which table of a sqlitedict file, where it has several")
    parser.add_argument(
        "--lines",
        action="store_true",
        help="JSON lines: a list of the lines, whatever they look like",
    )
    there = parser.add_mutually_exclusive_group()
    there.add_argument("--force", action="store_true", help="replace a store of that name")
    there.add_argument("--append", action="store_true", help="add to a store of that name")
    parser.add_argument("--size-limit", type=int, metavar="ITEMS", help="items a page")
    parser.add_argument("--page-store", metavar="NAME", help="where pages are kept")
    parser.add_argument(
        "--keyed-hash", action="store_true", help="a dict whose keys strangers may choose"
    )
    add_access(parser)
    add_json(parser)
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    path = Path(arguments.source)
    name = detect(path) if arguments.format == "auto" else arguments.format
    if FORMATS[name].is_pickles and not arguments.trust:
        return refuse(
            "import",
            f"{path} holds pickles, and reading them runs code of whoever wrote them; "
            "pass --trust if you know who did",
        )
    place = behind_link(place_of(arguments.store, arguments.location))
    _require_free(place, arguments)
    wanted = Wanted(arguments.table, lines=arguments.lines, trust=arguments.trust)
    with FORMATS[name].open(path, wanted) as source:
        add = _append if arguments.append and place.folder.exists() else _make
        items = add(place, source, arguments)
    told = {
        "folder": str(place.folder),
        "kind": source.kind,
        "items": items,
        "source": str(path),
        "format": name,
        "left out": source.left_out,
    }
    tell(arguments, told, _report(place, source, items, f"{path} ({name})"))
    return 0


def _report(place: Place, source: Source, items: int, told: str) -> str:
    left_out = f"; {source.left_out:,} had expired and were left out" if source.left_out else ""
    return f"{place.folder}: a {source.kind} of {items:,} items, from {told}{left_out}"


def _require_free(place: Place, arguments: argparse.Namespace) -> None:
    if not place.folder.exists() or arguments.append:
        return
    if not arguments.force:
        raise FileExistsError(
            errno.EEXIST,
            "there is something already (--force replaces it, --append adds to it)",
            str(place.folder),
        )
    if not (place.folder / MARKER_FILE).exists() and not is_cut_short(place.folder):
        raise FileExistsError(
            errno.EEXIST, "it is not a store, and is left alone", str(place.folder)
        )


def _options(arguments: argparse.Namespace, serializer: Serializer | str | None) -> dict[str, Any]:
    options = {
        "size_limit": arguments.size_limit,
        "page_store": arguments.page_store,
        "serializer": serializer,
        "keyed_hash": arguments.keyed_hash or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _make(place: Place, source: Source, arguments: argparse.Namespace) -> int:
    kind = class_of(source.kind, place.folder)
    options = _options(arguments, access_of(arguments).serializer_for(None))
    with ExitStack() as stack:
        is_there = place.folder.exists()
        if is_there:
            stack.enter_context(locked(place.folder))
            finish_replacing(place)
        new = stack.enter_context(building_aside(place))
        with kind(new.name, file_location=new.location, **options) as made:
            with made.transaction():
                add_all(made, shown(source.items, "import", source.total))
            made.sync(durable=True)
            items = len(made)
        (replace if is_there else put_in_place)(new, place)
    return items


def _append(place: Place, source: Source, arguments: argparse.Namespace) -> int:
    """Add to a store that exists, all or nothing, and return how many items it has then."""
    access = access_of(arguments)
    serializer = recorded_serializer(place.folder, access)
    options = _options(arguments, serializer)
    with class_of(source.kind, place.folder)(
        place.name, file_location=place.location, trust=access.trust, **options
    ) as store:
        with store.transaction():
            add_all(store, shown(source.items, "import", source.total))
        store.sync(durable=True)
        return len(store)
