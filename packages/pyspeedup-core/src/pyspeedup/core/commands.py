"""The subcommand that core brings: ``pyspeedup plugins``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyspeedup.core import engines, halt_conditions, page_stores, serializers
from pyspeedup.core.tables import format_table

if TYPE_CHECKING:
    import argparse

__all__ = ["plugins"]

COLUMNS = ("kind", "name", "distribution", "version", "source", "plugin")


def plugins(parser: argparse.ArgumentParser) -> None:
    """List every halt condition, serializer, page store and engine, and who brings it."""
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")
    parser.set_defaults(run=_list_plugins)


def _list_plugins(arguments: argparse.Namespace) -> int:
    rows = [
        (
            registry.kind,
            registration.name,
            registration.owner.distribution or "",
            registration.owner.version or "",
            registration.owner.source,
            registration.owner.plugin,
        )
        for registry in (halt_conditions, serializers, page_stores, engines)
        for registration in registry
    ]
    if arguments.json:
        print(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], indent=2))
    else:
        print(format_table(COLUMNS, rows))
    return 0
