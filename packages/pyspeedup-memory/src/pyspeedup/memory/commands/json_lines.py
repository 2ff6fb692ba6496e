"""JSON lines: how a dict and a list are written as text, an item a line, and read back.

An item of a dict is ``{"key": ..., "value": ...}``, one of a list ``{"value": ...}``. What JSON would not
give back equal stands, where that is asked for, as a pickle in base64 under ``"key_pickle"`` or
``"value_pickle"`` instead. A file whose first line is none of these holds a list of what its lines say.
"""

from __future__ import annotations

import base64
import json
import pickle
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, UntrustedStoreError
from pyspeedup.memory.serializers import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["item_lines", "kind_of", "read_items", "value_lines"]

PROTOCOL = 4
"""Of the pickles: all supported interpreters read it."""
MEMBERS = {
    frozenset({"key", "value"}): "dict",
    frozenset({"key", "value_pickle"}): "dict",
    frozenset({"key_pickle", "value"}): "dict",
    frozenset({"key_pickle", "value_pickle"}): "dict",
    frozenset({"value"}): "list",
    frozenset({"value_pickle"}): "list",
}
JSON = JsonSerializer()


def item_lines(items: Iterable[tuple[Any, Any]], *, pickles: bool) -> Iterator[bytes]:
    r"""Yield the lines of a dict's items.

    `SerializationError` names the key of what JSON would not give back equal, unless `pickles`.

    >>> list(item_lines({"a": [1]}.items(), pickles=False))
    [b'{"key":"a","value":[1]}\n']
    """
    for key, value in items:
        try:
            line = b"{%s,%s}\n" % (
                _member("key", key, pickles=pickles),
                _member("value", value, pickles=pickles),
            )
        except SerializationError as error:
            raise SerializationError(f"key {key!r}: {error}; --pickle keeps it") from error
        yield line


def value_lines(values: Iterable[Any], *, pickles: bool) -> Iterator[bytes]:
    r"""Yield the lines of a list's values; `SerializationError` names the index.

    >>> list(value_lines(["a", (1,)], pickles=True))
    [b'{"value":"a"}\n', b'{"value_pickle":"gASVBQAAAAAAAABLAYWULg=="}\n']
    """
    for index, value in enumerate(values):
        try:
            line = b"{%s}\n" % _member("value", value, pickles=pickles)
        except SerializationError as error:
            raise SerializationError(f"index {index}: {error}; --pickle keeps it") from error
        yield line


def _member(name: str, value: Any, *, pickles: bool) -> bytes:
    try:
        text = JSON.dumps(value)
    except SerializationError:
        if not pickles:
            raise
        packed = base64.b64encode(_pickled(value))
        return b'"%s_pickle":"%s"' % (name.encode(), packed)
    try:
        text.decode()
    except UnicodeDecodeError:  # half of a surrogate pair: no UTF-8 can say that, but an escape can
        text = json.dumps(value).encode()
    return b'"%s":%s' % (name.encode(), text)


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value, PROTOCOL)
    except Exception as error:  # pickle lets through whatever an object's own methods raise
        raise SerializationError(f"it cannot be pickled: {error}") from error


def kind_of(line: bytes) -> str | None:
    """Return whether `line` is an item of a dict or of a list, None if it is not one of ours.

    `ValueError` where it is not even JSON. One that nests too deep to be read is none, as `read_items` tells.

    >>> kind_of(b'{"key": 1, "value": 2}'), kind_of(b'{"name": "Ada"}')
    ('dict', None)
    """
    try:
        found = json.loads(line)
    except RecursionError:
        return None
    return MEMBERS.get(frozenset(found)) if isinstance(found, dict) else None


def read_items(
    lines: Iterable[bytes], kind: str | None, name: object, *, trust: bool
) -> Iterator[Any]:
    """Yield the items of a dict, the values of a list, or, with `kind` None, what each line says.

    `SerializationError` names a line that is none of these, `UntrustedStoreError` one with a pickle
    where `trust` is false.

    >>> list(read_items([b'{"key": 1, "value": 2}'], "dict", "lines", trust=False))
    [(1, 2)]
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{name}, line {number}"
            try:
                found = json.loads(line)
            except ValueError as error:
                raise SerializationError(f"{where}: it is not JSON: {error}") from error
            except RecursionError as error:
                raise SerializationError(f"{where}: it nests too deep: {error}") from error
            yield found if kind is None else _item(found, kind, where, trust=trust)


def _item(found: Any, kind: str, where: str, *, trust: bool) -> Any:
    if not isinstance(found, dict) or MEMBERS.get(frozenset(found)) != kind:
        raise SerializationError(f"{where}: it is no item of a {kind}, as the first line is")
    if not trust and not found.keys() <= {"key", "value"}:
        raise UntrustedStoreError(
            f"{where} has a pickle, and reading it runs code of whoever wrote it; "
            "pass --trust if you know who did"
        )
    value = _value_of(found, "value", where)
    if kind == "list":
        return value
    key = _value_of(found, "key", where)
    if isinstance(key, list | dict):
        raise SerializationError(f"{where}: a {type(key).__name__} cannot be a key")
    return key, value


def _value_of(found: dict[str, Any], name: str, where: str) -> Any:
    if name in found:
        return found[name]
    try:
        return pickle.loads(base64.b64decode(found[f"{name}_pickle"], validate=True))
    except Exception as error:  # a class may be gone, and its methods may raise anything
        raise SerializationError(
            f"{where}: its {name} cannot be unpickled: {type(error).__name__}: {error}"
        ) from error
