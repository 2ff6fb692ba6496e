"""The arguments that several subcommands take, and how a result is told."""

from __future__ import annotations

import json
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._storage.codecs import make_serializer

if TYPE_CHECKING:
    import argparse

    from pyspeedup.core import Serializer

__all__ = [
    "PROBLEM",
    "USAGE",
    "add_json",
    "add_location",
    "add_reading",
    "add_serializer",
    "add_store",
    "add_trust",
    "refuse",
    "serializer_of",
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


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust``, as the constructor has it."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="read it though others could have written it: pickles run code of whoever wrote them",
    )


def add_serializer(parser: argparse.ArgumentParser) -> None:
    """Add ``--serializer``, a registered name or where an object is found."""
    parser.add_argument(
        "--serializer",
        metavar="NAME|MODULE:OBJECT",
        help="a registered name, or where to import a serializer from that has none",
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add what a command takes that reads all values of a store: which one, how, and ``--json``.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_reading(parser)
    >>> sorted(vars(parser.parse_args(["words"])))
    ['json', 'location', 'serializer', 'store', 'trust']
    """
    add_store(parser)
    add_serializer(parser)
    add_trust(parser)
    add_json(parser)


def serializer_of(arguments: argparse.Namespace) -> Serializer | str | None:
    """Return what ``--serializer`` means; `ValueError` where there is no such thing to import.

    >>> from types import SimpleNamespace
    >>> serializer_of(SimpleNamespace(serializer="json"))
    'json'
    >>> given = SimpleNamespace(serializer="pyspeedup.memory:JsonSerializer")
    >>> type(serializer_of(given)).__name__
    'JsonSerializer'
    """
    text: str | None = arguments.serializer
    if text is None or ":" not in text:
        return text
    try:
        found = pkgutil.resolve_name(text)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"--serializer {text}: it cannot be imported: {error}") from error
    return make_serializer(found() if isinstance(found, type) else found)


def tell(arguments: argparse.Namespace, facts: Any, text: str) -> None:
    """Print `facts` as JSON where that was asked for, else `text`, with escapes for what no stdout takes."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = json.dumps(facts, indent=2) if arguments.json else text
    print(shown.encode(encoding, "backslashreplace").decode(encoding))


def refuse(command: str, reason: str) -> int:
    """Say why a command cannot be meant as it was given, and return the exit status for that."""
    print(f"pyspeedup {command}: {reason}", file=sys.stderr)
    return USAGE
