"""Which serializer a store uses: what was asked for, what is recorded, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.core import PickleSerializer, Serializer, serializers

if TYPE_CHECKING:
    from pyspeedup.core import SerializerFactory

__all__ = ["Record", "agrees", "choose_serializer", "describe", "make_serializer", "runs_code"]

Record: TypeAlias = dict[str, Any]
"""What a header keeps of a serializer: ``{"name": ..., "options": ...}`` or ``{"class": ...}``."""

DEFAULT = "pickle"


def choose_serializer(
    requested: str | Serializer | None, recorded: Record | None
) -> tuple[Serializer, Record]:
    """Return the serializer to use and the record to keep of it.

    `recorded` is None for a new store. Raises `ValueError` where the request and the record
    differ, or where the record names what only the caller can bring: a class, a key. A record may be
    anybody's: where it says what may be run (`safe-pickle` with `allow`), a request by name or with an
    object is not given more than the caller asked for.

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
        if not hasattr(_factory(requested), "remake"):
            return _remake(recorded), recorded
    serializer = make_serializer(requested)
    if not agrees(serializer, recorded):
        raise ValueError(_differs(_told(describe(serializer)), recorded))
    return serializer, recorded


def agrees(serializer: Serializer, recorded: Any) -> bool:
    """Tell whether `serializer` reads what the recorded one wrote: it says so, or is an equal one.

    `recorded` may be anything: it was read from a store.

    >>> agrees(PickleSerializer(), {"name": "pickle", "options": {}})
    True
    """
    own = describe(serializer)
    if own == recorded:
        return True
    if not (isinstance(recorded, dict) and own.get("name", "") == recorded.get("name")):
        return False
    options = recorded.get("options")
    return isinstance(options, dict) and hasattr(serializer, "reads") and serializer.reads(options)


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
    factory = _factory(recorded["name"])
    try:
        made: Serializer = getattr(factory, "remake", factory)(**recorded["options"])
    except (KeyError, RecursionError, TypeError) as error:  # the record is not one that we wrote
        raise ValueError(
            f"the recorded options of its serializer {recorded['name']!r} do not fit: {error!r}"
        ) from error
    return made


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
