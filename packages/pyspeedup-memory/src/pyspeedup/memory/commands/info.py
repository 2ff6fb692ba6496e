"""``pyspeedup info``: what a store says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._storage.header import FORMAT
from pyspeedup.memory._storage.inspecting import (
    bytes_on_disk,
    find_folder,
    inspected,
    last_written,
    store_name,
)
from pyspeedup.memory.commands.arguments import add_json, add_store, tell
from pyspeedup.memory.commands.journals import waiting_changes
from pyspeedup.memory.commands.reading import number_of_items

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["info"]


def info(parser: argparse.ArgumentParser) -> None:
    """Tell what a store says of itself, without reading a value of it.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> info(parser)
    >>> parser.parse_args(["words"]).store
    'words'
    """
    add_store(parser)
    add_json(parser)
    parser.set_defaults(run=_info)


def _info(arguments: argparse.Namespace) -> int:
    told = _facts(find_folder(arguments.store, arguments.location))
    width = max(map(len, told))
    tell(arguments, told, "\n".join(f"{key:{width}}  {_shown(told[key])}" for key in told))
    return 0


def _facts(folder: Path) -> dict[str, Any]:
    with inspected(folder) as store:
        waiting = waiting_changes(store)
    items = number_of_items(folder, store.marker)
    size = bytes_on_disk(folder)
    serializer = store.header.serializer
    return {
        "name": store_name(folder, store.marker),
        "folder": str(folder),
        "kind": store.header.kind,
        "items": items,
        "items a page": store.header.page_size,
        "pages": len(store.page_numbers),
        "bytes on disk": size,
        "bytes an item": round(size / items, 1) if items else None,
        "page store": store.marker.page_store,
        "serializer": serializer.get("name") or serializer["class"],
        "keyed hash": bool(store.header.secret) if store.header.kind == "dict" else None,
        "journal": waiting.reason,
        "format": FORMAT,
        "identity": store.header.identity,
        "last written": datetime.fromtimestamp(last_written(folder), UTC).isoformat(
            sep=" ", timespec="seconds"
        ),
    }


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
