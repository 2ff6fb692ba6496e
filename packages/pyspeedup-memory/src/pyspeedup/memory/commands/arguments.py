"""The arguments that several subcommands take, and how a result is told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pyspeedup.memory.commands.access import add_access

if TYPE_CHECKING:
    import argparse

__all__ = [
    "PROBLEM",
    "USAGE",
    "add_json",
    "add_location",
    "add_reading",
    "add_store",
    "refuse",
    "tell",
]

PROBLEM = 1
"""The exit status where something was found to be wrong."""
USAGE = 2
"""The exit status where the command cannot be meant as it was given."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add ``STORE`` and ``--location``."""
    parser.add_argument("store", help="a name, or a store's folder")
    add_location(parser)


def add_location(parser: argparse.ArgumentParser) -> None:
    """Add ``--location``, the folder that names are in."""
    parser.add_argument("--location", help="the folder that names are in (default: ~/.PySpeedup)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs to read")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that reads all values of a store: which one, how, and ``--json``.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_reading(parser)
    >>> sorted(vars(parser.parse_args(["words"])))
    ['json', 'key_file', 'location', 'serializer', 'store', 'trust']
    """
    add_store(parser)
    add_access(parser)
    add_json(parser)


def tell(arguments: argparse.Namespace, facts: Any, text: str) -> None:
    """Print `facts` as JSON where that was asked for, else `text`, with escapes for what no stdout takes."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = json.dumps(facts, indent=2) if arguments.json else text
    print(shown.encode(encoding, "backslashreplace").decode(encoding))


def refuse(command: str, reason: str) -> int:
    """Say why a command cannot be meant as it was given, and return the exit status for that."""
    print(f"pyspeedup {command}: {reason}", file=sys.stderr)
    return USAGE
