"""The stable hash of a key: the same in every process, and equal for keys that Python calls equal.

Python's own ``hash`` of a str changes with each process, so that an index kept on disk cannot use
it. `stable_hash` can be kept, and follows ``==`` as ``hash`` does: 1, 1.0, True and Decimal(1) are
one key. A key of a type without a rule has none (None is returned): it is found by its own ``hash``,
which must then be taken anew in each process.

Text and bytes, wherever in a key they are, are hashed by one function, the *leaf*, that each rule is
given: CRC-32, or a keyed hash where strangers choose the keys (`Hasher` in `hasher`).

A rule belongs to the class that defines ``__eq__``, and holds for its subclasses as long as they
change neither ``__eq__`` nor ``__hash__``. Rules are found by the name of that class, so that no
module is imported for the sake of keys that nobody uses.
"""

from __future__ import annotations

import enum
import struct
import sys
import weakref
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from zlib import crc32

if TYPE_CHECKING:
    import dataclasses
    import datetime as dt
    import uuid

    from pyspeedup.core import BytesLike

__all__ = ["RULES", "Leaf", "own_hash", "register_stable_hash", "rule_of", "stable_hash"]

Key = TypeVar("Key")
Leaf: TypeAlias = "Callable[[BytesLike], int]"
Rule: TypeAlias = Callable[[Any, Leaf], int | None]

GOLDEN = 0x9E3779B97F4A7C15
"""Two to the 64 over the golden ratio: multiplying by it spreads neighbours far apart."""
MASK_32 = 0xFFFF_FFFF
MASK_64 = 0xFFFF_FFFF_FFFF_FFFF
MICROSECONDS_A_DAY = 86_400_000_000


def stable_hash(key: Any) -> int | None:
    """Return 32 bits that are equal for equal keys in every process; None if `key` has no rule.

    Costs O(size of the key). `key` must be hashable; that it is, ``hash(key)`` tells.

    >>> stable_hash(1) == stable_hash(1.0) == stable_hash(True)
    True
    >>> stable_hash("spam")
    1138425661
    >>> stable_hash(object()) is None
    True
    """
    rule = RULES.get(type(key)) or rule_of(type(key))
    return rule(key, crc32)


def own_hash(key: Any) -> int:
    """Return 32 bits of ``hash(key)``, good for this process only.

    >>> own_hash(2**40) == own_hash(float(2**40))
    True
    """
    return _spread(hash(key))


def register_stable_hash(kind: type[Key], function: Callable[[Key], object]) -> None:
    """Let keys of type `kind` be found in a reopened `DiskDict` without being visited one by one.

    ``function(key)`` returns what stands for the key: any value made of plain types, the same for
    equal keys. Where a key may equal one of another type, it returns that one. It holds for the
    subclasses that change neither ``__eq__`` nor ``__hash__``. Without it the type works as well;
    each process that opens the store looks at such keys once. Costs O(1).

    Raises `TypeError` if `kind` is no class or `function` cannot be called, and `ValueError` if it
    is a built-in type that has a stable hash already.

    >>> class Word:
    ...     def __init__(self, text):
    ...         self.text = text
    ...     def __eq__(self, other):
    ...         return self.text == getattr(other, "text", other)
    ...     def __hash__(self):
    ...         return hash(self.text)
    >>> stable_hash(Word("spam")) is None
    True
    >>> register_stable_hash(Word, lambda word: word.text)
    >>> stable_hash(Word("spam")) == stable_hash("spam")
    True
    """
    if not isinstance(kind, type):
        raise TypeError(f"kind must be a class, not {kind!r}")
    if kind in RULES:
        raise ValueError(f"kind {kind.__qualname__} has a stable hash already")
    if not callable(function):
        raise TypeError(f"function must be callable with a {kind.__qualname__}, not {function!r}")

    def rule(key: Key, leaf: Leaf) -> int:
        standing_in = function(key)
        result = None if type(standing_in) is kind else code_of(standing_in, leaf)
        if result is None:
            raise TypeError(
                f"the function registered for {kind.__qualname__} returned {standing_in!r}, "
                "which has no stable hash; return a value made of plain types"
            )
        return result

    _registered[kind] = rule
    _found.clear()


def equals_by_identity(kind: type) -> bool:
    """Tell whether a key of type `kind` equals nothing but itself.

    >>> equals_by_identity(object), equals_by_identity(str)
    (True, False)
    """
    return _owner(kind, "__eq__") is object


# ---- combining ---------------------------------------------------------------------------------


def _spread(number: int) -> int:
    return ((number * GOLDEN & MASK_64) >> 32) & MASK_32


def _text(text: str, leaf: Leaf) -> int:
    return leaf(str.encode(text, "utf-8", "surrogatepass"))


def code_of(key: Any, leaf: Leaf) -> int | None:
    """Return the stable hash of a part of a key, given by `leaf` as that of the key is."""
    rule = RULES.get(type(key)) or rule_of(type(key))
    return rule(key, leaf)


def _combined(tag: bytes, hashes: list[int | None], leaf: Leaf) -> int | None:
    """Return one hash of many in their order; None if one of them is."""
    if None in hashes:
        return None
    return leaf(tag + struct.pack(f"<{len(hashes)}I", *hashes))


def _together(tag: bytes, leaf: Leaf, *parts: object) -> int | None:
    return _combined(tag, [code_of(part, leaf) for part in parts], leaf)


# ---- rules -------------------------------------------------------------------------------------


def _no_rule(_key: object, _leaf: Leaf) -> None:
    return None


def _integer(key: int, _leaf: Leaf) -> int:
    return ((hash(key) * GOLDEN & MASK_64) >> 32) & MASK_32


def _real(key: Any, leaf: Leaf) -> int:
    """Hash a float, Decimal or Fraction: Python promises that their hashes agree with int's."""
    return _text("nan", leaf) if key != key else _spread(hash(key))  # noqa: PLR0124 -- NaN hashes by identity


def _complex(key: complex, leaf: Leaf) -> int | None:
    return (
        _real(key.real, leaf) if key.imag == 0 else _together(b"complex", leaf, key.real, key.imag)
    )


def _numpy_scalar(key: Any, leaf: Leaf) -> int | None:
    plain = key.item()
    return code_of(plain, leaf) if type(plain) in {bool, int, float, complex, str, bytes} else None


def _tuple(key: tuple[Any, ...], leaf: Leaf) -> int | None:
    return _combined(b"tuple", [code_of(item, leaf) for item in tuple.__iter__(key)], leaf)


def _frozenset(key: frozenset[Any], leaf: Leaf) -> int | None:
    hashes = [code_of(item, leaf) for item in frozenset.__iter__(key)]
    known = [item for item in hashes if item is not None]
    return _combined(b"frozenset", sorted(known), leaf) if len(known) == len(hashes) else None  # type: ignore[arg-type]  # a list of int serves


def _range(key: range, leaf: Leaf) -> int | None:
    span = key.stop - key.start
    length = max(0, -(-span // key.step))  # len() overflows above sys.maxsize
    if length > 1:
        return _together(b"range", leaf, length, key.start, key.step)
    return _together(b"range", leaf, length, key.start) if length else _together(b"range", leaf, 0)


def _slice(key: slice, leaf: Leaf) -> int | None:
    return _together(b"slice", leaf, key.start, key.stop, key.step)


def _date(key: dt.date, leaf: Leaf) -> int | None:
    return _together(b"date", leaf, key.toordinal())


def _time(key: dt.time, leaf: Leaf) -> int | None:
    offset = key.replace(fold=0).utcoffset()
    if offset is None:
        return _together(b"naive time", leaf, _microseconds(key))
    return _together(b"aware time", leaf, _microseconds(key) - _duration(offset))


def _datetime(key: dt.datetime, leaf: Leaf) -> int | None:
    instant = key.toordinal() * MICROSECONDS_A_DAY + _microseconds(key)
    offset = key.replace(fold=0).utcoffset()
    if offset is None:
        return _together(b"naive datetime", leaf, instant)
    return _together(b"aware datetime", leaf, instant - _duration(offset))


def _timedelta(key: dt.timedelta, leaf: Leaf) -> int | None:
    return _together(b"timedelta", leaf, _duration(key))


def _microseconds(key: dt.time | dt.datetime) -> int:
    return ((key.hour * 60 + key.minute) * 60 + key.second) * 1_000_000 + key.microsecond


def _duration(key: dt.timedelta) -> int:
    return (key.days * 86_400 + key.seconds) * 1_000_000 + key.microseconds


def _uuid(key: uuid.UUID, leaf: Leaf) -> int | None:
    return _together(b"uuid", leaf, key.int)


def _path(key: object, leaf: Leaf) -> int | None:
    windows = any(kind.__name__ == "PureWindowsPath" for kind in type(key).__mro__)
    return _together(b"path", leaf, str(key).lower() if windows else str(key))


def _named(key: Any, leaf: Leaf) -> int:
    """Hash a class or a function by where it is found."""
    return _text(f"{getattr(key, '__module__', None)}:{key.__qualname__}", leaf)


def _enum_member(key: enum.Enum, leaf: Leaf) -> int | None:
    return _together(b"enum", leaf, _named(type(key), leaf), key._name_)


def _flag(key: enum.Flag, leaf: Leaf) -> int | None:
    return _together(b"flag", leaf, _named(type(key), leaf), key._value_)


def _dataclass_rule(names: list[str]) -> Rule:
    def rule(key: object, leaf: Leaf) -> int | None:
        return _together(
            b"dataclass", leaf, _named(type(key), leaf), *[getattr(key, name) for name in names]
        )

    return rule


RULES: dict[type, Rule] = {
    str: _text,
    int: _integer,
    bool: _integer,
    float: _real,
    complex: _complex,
    bytes: lambda key, leaf: leaf(key),
    tuple: _tuple,
    frozenset: _frozenset,
    range: _range,
    slice: _slice,
    memoryview: lambda key, leaf: leaf(key.tobytes()),
    type(None): lambda _key, leaf: _text("None", leaf),
    type(Ellipsis): lambda _key, leaf: _text("Ellipsis", leaf),
    type(NotImplemented): lambda _key, leaf: _text("NotImplemented", leaf),
    type: _named,
    FunctionType: _named,
    BuiltinFunctionType: lambda key, leaf: _text(key.__qualname__, leaf),
}
"""What a key of exactly one of these types is hashed by."""

RULES_BY_NAME: dict[str, Rule] = {
    "decimal.Decimal": _real,
    "fractions.Fraction": _real,
    "datetime.date": _date,
    "datetime.time": _time,
    "datetime.datetime": _datetime,
    "datetime.timedelta": _timedelta,
    "uuid.UUID": _uuid,
    "pathlib.PurePath": _path,
    "pathlib._local.PurePath": _path,
}
"""The same for types whose modules may never be imported."""

# ---- finding the rule of a type ----------------------------------------------------------------

_registered: dict[type, Rule] = {}
_found: weakref.WeakKeyDictionary[type, Rule] = weakref.WeakKeyDictionary()


def rule_of(kind: type) -> Rule:
    """Return what keys of type `kind` are hashed by, where `RULES` does not say it, in O(1) after the first."""
    rule = _found.get(kind)
    if rule is None:
        rule = _found[kind] = _find_rule(kind)
    return rule


def _find_rule(kind: type) -> Rule:
    registered = _inherited_registration(kind)
    if registered is not None:
        return registered
    owner = _owner(kind, "__eq__")
    if owner is object:
        return _rule_by_identity(kind)
    rule = RULES.get(owner) or RULES_BY_NAME.get(f"{owner.__module__}.{owner.__qualname__}")
    if rule is not None:
        return rule if _same_equality(kind, owner) else _no_rule
    if _is_numpy_scalar(kind):
        return _numpy_scalar
    names = _compared_fields(owner)
    return _no_rule if names is None else _dataclass_rule(names)


def _inherited_registration(kind: type) -> Rule | None:
    for parent in kind.__mro__:
        rule = _registered.get(parent)
        if rule is not None and _same_equality(kind, parent):
            return rule
    return None


def _rule_by_identity(kind: type) -> Rule:
    if issubclass(kind, type):
        return _named
    if issubclass(kind, enum.Flag):
        return _flag
    return _enum_member if issubclass(kind, enum.Enum) else _no_rule


def _is_numpy_scalar(kind: type) -> bool:
    numpy = sys.modules.get("numpy")
    return kind.__module__ == "numpy" and numpy is not None and issubclass(kind, numpy.generic)


def _compared_fields(owner: type) -> list[str] | None:
    """Return the fields that a dataclass compares; None unless it compares as dataclasses do.

    A method written by hand may stand where one would have been generated, and nothing but its code
    tells; so it is held against the code generated for a class with the same fields.
    """
    fields: dict[str, dataclasses.Field[Any]] | None = owner.__dict__.get("__dataclass_fields__")
    if fields is None:
        return None
    import dataclasses

    names = [field.name for field in dataclasses.fields(owner) if field.compare]
    generated = dataclasses.make_dataclass("Generated", names).__dict__["__eq__"].__code__
    code = getattr(owner.__dict__["__eq__"], "__code__", None)
    if code is None or (code.co_code, code.co_names) != (generated.co_code, generated.co_names):
        return None
    return names


def _same_equality(kind: type, parent: type) -> bool:
    return all(
        _owner(kind, name).__dict__[name] is _owner(parent, name).__dict__[name]
        for name in ("__eq__", "__hash__")
    )


def _owner(kind: type, name: str) -> type:
    """Return the class in which `kind` finds its method `name`."""
    return next(parent for parent in kind.__mro__ if name in parent.__dict__)
