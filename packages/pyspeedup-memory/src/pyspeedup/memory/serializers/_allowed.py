"""The classes and functions that a safe pickle may name beside plain types: taken apart, and remade."""

from __future__ import annotations

import copyreg
import enum
import importlib
import re
import sys
from functools import reduce
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.core import SerializationError
from pyspeedup.memory.serializers import _plain
from pyspeedup.memory.serializers._plain import Maker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Allowed", "Named"]

Named: TypeAlias = "type | Callable[..., Any] | str"
"""What `allow` takes: a class or function, or its ``"module:qualname"``."""

NAME = re.compile(r"[^:\s]+:[^\W\d][\w.]*")
NAMED_THINGS = (type, FunctionType, BuiltinFunctionType)
PARTS = 6
"""Of what ``__reduce_ex__`` returns at most."""


class Allowed:
    """What `allow` names, found when a value first needs it; nothing is imported before.

    >>> import collections
    >>> allowed = Allowed([collections.ChainMap, "fractions:Fraction"])
    >>> allowed.names
    ['collections:ChainMap', 'fractions:Fraction']
    >>> Allowed(["Fraction"])
    Traceback (most recent call last):
    ValueError: allow takes what can be found again by module and name, as 'module:Class', not 'Fraction'
    """

    def __init__(self, allow: Iterable[Named]) -> None:
        """Keep the names; `TypeError` or `ValueError` shows one that is none."""
        if isinstance(allow, (str, type)):
            raise TypeError(f"allow must be a list of classes or names, not {allow!r}")
        self._found: dict[str, Any] = {}
        self.names: list[str] = []
        for each in allow:
            name = each if isinstance(each, str) else _name_of(each)
            if not NAME.fullmatch(name):
                raise ValueError(
                    "allow takes what can be found again by module and name, "
                    f"as 'module:Class', not {name!r}"
                )
            if not isinstance(each, str):
                self._remember(name, each)
            self.names.append(name)
        self.makers = {
            "named": Maker("named", self._find),
            "call": Maker("call", self._call),
            "new": Maker("new", self._new),
            "fill": Maker("fill", self._fill),
        }

    def _remember(self, name: str, given: Any) -> None:
        if _import(name) is not given:
            raise ValueError(f"allow: what is found as {name!r} is not {given!r}")
        self._found[name] = given

    # Reading: whatever arrives here may come from anybody

    def _find(self, name: Any) -> Any:
        if type(name) is not str or name not in self.names:
            raise ValueError(
                f"it names {name!r:.100}, which is not allowed: open the store with "
                f"serializer=SafePickleSerializer(allow=[..., {name!r:.100}]) if you trust it"
            )
        if name not in self._found:
            self._found[name] = _import(name)
        return self._found[name]

    def _is_allowed(self, found: Any) -> bool:
        return any(found is each for each in self._found.values())

    def _require_allowed(self, found: Any) -> None:
        if not self._is_allowed(found):
            raise ValueError(f"it calls {found!r:.100}, which is not allowed")

    def _call(self, function: Any, *args: Any) -> Any:
        self._require_allowed(function)
        return function(*args)

    def _new(self, kind: Any, args: Any, kwargs: Any) -> Any:
        self._require_allowed(kind)
        if not isinstance(kind, type):
            raise TypeError(f"it makes an instance of {kind!r:.100}, which is no class")
        return kind.__new__(kind, *args, **kwargs)

    def _fill(self, made: Any, parts: Any) -> None:
        """Set items and state as pickle does, but of an instance of its own only."""
        self._require_allowed(type(made))
        if isinstance(made, (type, enum.Enum)):
            raise ValueError(f"it changes {made!r:.100}, which all share")  # noqa: TRY004 -- as the rest
        state, items, pairs = parts
        if items:
            made.extend(items)
        for key, value in pairs:
            made[key] = value
        if state is not None:
            _set_state(made, state)

    # Writing

    def take(self, value: Any) -> tuple[Any, ...]:
        """Return how pickle is to write `value`; `SerializationError` unless all of it is allowed."""
        if isinstance(value, NAMED_THINGS):
            self._require_name(value, repr(value))
            return _plain.named, (_name_of(value),)
        kind = type(value)
        self._require_name(kind, f"a {kind.__qualname__}")
        if isinstance(value, enum.Enum):
            return _plain.call, (kind, value._value_)
        return self._taken_apart(value, kind)

    def _taken_apart(self, value: Any, kind: type) -> tuple[Any, ...]:
        registered: Callable[[Any], Any] | None = copyreg.dispatch_table.get(kind)
        reduced: Any = registered(value) if registered else value.__reduce_ex__(4)
        if isinstance(reduced, str):
            raise SerializationError(
                f"a {kind.__qualname__} is pickled by its name {reduced!r}, which safe-pickle does not do"
            )
        parts: list[Any] = [*reduced, *[None] * (PARTS - len(reduced))]
        function, args, state, items, pairs, setter = parts
        if setter is not None:
            raise SerializationError(f"safe-pickle sets no state by {setter!r}")
        head = self._head(function, args, kind)
        listed = list(items or ())
        paired = list(pairs or ())
        if state is None and not listed and not paired:
            return head
        return *head, (state, listed, paired), None, None, _plain.fill

    def _head(self, function: Any, args: tuple[Any, ...], kind: type) -> tuple[Any, ...]:
        name = getattr(function, "__name__", "")
        if name == "__newobj__":
            return _plain.new, (args[0], args[1:], {})
        if name == "__newobj_ex__":
            return _plain.new, args
        self._require_name(function, f"what remakes a {kind.__qualname__}")
        return _plain.call, (function, *args)

    def _require_name(self, named: Any, what: str) -> None:
        name = _name_of(named)
        if name not in self.names:
            hint = f": allow=[{name!r}] would take it" if NAME.fullmatch(name) else ""
            raise SerializationError(f"safe-pickle takes plain types, and {what} is none{hint}")
        if self._find(name) is not named:
            raise SerializationError(f"{what} is not what is found as {name!r}")


def _name_of(named: Any) -> str:
    module, qualname = getattr(named, "__module__", ""), getattr(named, "__qualname__", "")
    return f"{module}:{qualname}"


def _import(name: str) -> Any:
    module, _, qualname = name.partition(":")
    try:
        return reduce(getattr, qualname.split("."), importlib.import_module(module))
    except (AttributeError, ImportError) as error:
        raise ValueError(f"allow: nothing is found as {name!r}: {error}") from error


def _set_state(made: Any, state: Any) -> None:
    own = getattr(made, "__setstate__", None)
    if own is not None:
        own(state)
        return
    attributes, slots = state if type(state) is tuple else (state, None)
    for name, value in (attributes or {}).items():
        made.__dict__[sys.intern(name)] = value
    for name, value in (slots or {}).items():
        setattr(made, name, value)
