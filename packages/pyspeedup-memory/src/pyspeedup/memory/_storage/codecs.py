"""Which serializer a store uses: what was asked for, what is recorded, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.core import PickleSerializer, Serializer, serializers

if TYPE_CHECKING:
    from pyspeedup.core import SerializerFactory

__all__ = ["Record", "choose_serializer", "describe", "make_serializer", "runs_code"]

Record: TypeAlias = dict[str, Any]
"""What a header keeps of a serializer: ``{"name": ..., "options": ...}`` or ``{"class": ...}``."""

DEFAULT = "pickle"


def choose_serializer(
    requested: str | Serializer | None, recorded: Record | None
) -> tuple[Serializer, Record]:
    """Return the serializer to use and the record to keep of it.

    `recorded` is None for a new store. Raises `ValueError` where the request and the record
    differ, or where the record names a class that only the caller can bring.

    >>> choose_serializer(None, None)[1]
    {'name': 'pickle', 'options': {}}
    """
    if recorded is None:
        serializer = make_serializer(DEFAULT if requested is None else requested)
        return serializer, describe(serializer)
    if requested is None:
        return _remake(recorded), recorded
    if isinstance(requested, str):
        if requested != recorded.get("name"):
            raise ValueError(_differs(repr(requested), recorded))
        return _remake(recorded), recorded
    serializer = make_serializer(requested)
    if describe(serializer) != recorded:
        raise ValueError(_differs(_told(describe(serializer)), recorded))
    return serializer, recorded


def make_serializer(requested: str | Serializer | Record) -> Serializer:
    """Return the serializer of a registered name, of a record, or the object itself.

    `UnknownNameError` for a name that nothing is registered under, `TypeError` for an object that
    cannot serialize.
    """
    if isinstance(requested, str):
        return _factory(requested)()
    if isinstance(requested, dict):
        return _remake(requested)
    if isinstance(requested, type) or not isinstance(requested, Serializer):
        raise TypeError(
            f"serializer must be a name or an object with dumps and loads, not {requested!r}"
        )
    return requested


def describe(serializer: Serializer) -> Record:
    """Return what a header keeps of `serializer`, in O(registered names).

    Its registered name (its own ``name``, or that of the class where the class is the factory)
    with its ``options()``; the class's qualified name where it is not registered.
    """
    if type(serializer) is PickleSerializer:
        return {"name": DEFAULT, "options": {}}
    name = getattr(serializer, "name", None) or serializers.name_of(type(serializer))
    if isinstance(name, str) and _is_registered(name, type(serializer)):
        options = serializer.options() if hasattr(serializer, "options") else {}
        return {"name": name, "options": options}
    return {"class": f"{type(serializer).__module__}.{type(serializer).__qualname__}"}


def runs_code(serializer: Serializer) -> bool:
    """Tell whether `loads` could run code that the bytes name; so it is unless it says otherwise.

    >>> from pyspeedup.core import PickleSerializer
    >>> runs_code(PickleSerializer())
    True
    """
    return bool(getattr(serializer, "runs_code", True))


def _is_registered(name: str, kind: type) -> bool:
    """Tell whether `name` makes a serializer of class `kind`; any function may, and is believed."""
    try:
        factory = serializers.get(name)
    except LookupError:
        return False
    return not isinstance(factory, type) or issubclass(kind, factory)


def _remake(recorded: Record) -> Serializer:
    if "name" not in recorded:
        raise ValueError(
            f"it was written with {_told(recorded)}, which is not registered under a name: "
            "pass serializer= an object of that class"
        )
    return _factory(recorded["name"])(**recorded["options"])


def _factory(name: str) -> SerializerFactory:
    """Return what makes a serializer; the default is found without loading any plugin."""
    return PickleSerializer if name == DEFAULT else serializers.get(name)


def _differs(requested: str, recorded: Record) -> str:
    return f"serializer is {requested}, but it was written with {_told(recorded)}"


def _told(record: Record) -> str:
    if "class" in record:
        return f"a serializer of class {record['class']}"
    options = ", ".join(f"{key}={value!r}" for key, value in record["options"].items())
    return f"{record['name']!r}" + (f" ({options})" if options else "")
