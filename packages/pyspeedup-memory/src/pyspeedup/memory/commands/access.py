"""How the values of a store are read: with which serializer, with which key, on whose word."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.memory._storage.codecs import make_serializer
from pyspeedup.memory.commands.key_file import read_key

if TYPE_CHECKING:
    import argparse

    from pyspeedup.core import Serializer
    from pyspeedup.memory._storage.codecs import Record

__all__ = ["Access", "access_of", "add_access"]

SIGNED = "signed"


class Access(NamedTuple):
    """What the arguments say of reading and writing values."""

    serializer: Serializer | str | None = None
    key: bytes | None = None
    trust: bool = False

    def serializer_for(self, recorded: Record | None) -> Serializer | str | None:
        """Return what a store is opened with that has `recorded` in its header; None for a new one.

        With a key it is a signed one, of the serializer named, or of the one that the store names.
        `ValueError` where there is a key, and the store is not signed, or none, and it is.

        >>> Access("json").serializer_for(None)
        'json'
        >>> Access("json", b"0123456789abcdef").serializer_for(None).options()["inner"]
        {'name': 'json', 'options': {}}
        """
        if self.key is None:
            name = self.serializer or (recorded or {}).get("name")
            if name == SIGNED:
                raise ValueError("a signed store needs its key: --key-file names the file it is in")
            return self.serializer
        from pyspeedup.memory.serializers import signed  # few commands are given a key

        if self.serializer not in {None, SIGNED}:
            assert self.serializer is not None  # noqa: S101 -- tells the type checker what was tested
            return signed(self.serializer, self.key)
        return signed("pickle" if recorded is None else _inner_of(recorded), self.key)


def _inner_of(recorded: Record) -> Serializer:
    if recorded.get("name") != SIGNED:
        told = recorded.get("name") or recorded.get("class")
        raise ValueError(
            f"--key-file is for a store that is signed, and this one was written with {told!r}"
        )
    try:
        return make_serializer(recorded["options"]["inner"])
    except (KeyError, TypeError) as error:  # the record is not one that we wrote
        raise ValueError(f"the recorded options of its serializer do not fit: {error!r}") from error


def add_access(parser: argparse.ArgumentParser) -> None:
    """Add ``--serializer``, ``--key-file`` and ``--trust``."""
    parser.add_argument(
        "--serializer",
        metavar="NAME|MODULE:OBJECT",
        help="a registered name, or where to import a serializer from that has none",
    )
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        help="the key of a signed store: the bytes of a file that nobody else can read",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="read it though others could have written it: pickles run code of whoever wrote them",
    )


def access_of(arguments: argparse.Namespace) -> Access:
    """Return what the arguments of `add_access` mean, reading the key.

    `ValueError` where there is no such serializer to import, and what `read_key` raises.

    >>> from types import SimpleNamespace
    >>> access_of(SimpleNamespace(serializer="json", key_file=None, trust=True))
    Access(serializer='json', key=None, trust=True)
    >>> given = SimpleNamespace(
    ...     serializer="pyspeedup.memory:JsonSerializer", key_file=None, trust=False
    ... )
    >>> type(access_of(given).serializer).__name__
    'JsonSerializer'
    """
    key = None if arguments.key_file is None else read_key(arguments.key_file)
    return Access(_serializer(arguments.serializer), key, arguments.trust)


def _serializer(text: str | None) -> Serializer | str | None:
    if text is None or ":" not in text:
        return text
    try:
        found = pkgutil.resolve_name(text)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"--serializer {text}: it cannot be imported: {error}") from error
    return make_serializer(found() if isinstance(found, type) else found)
