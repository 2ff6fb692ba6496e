"""What a safe pickle may name: one maker for each plain type that pickle has no opcode for.

A store keeps the name of this module and of the makers in it, so neither may ever change. Reading makes
nothing else: a maker checks what it is given, as it may come from anybody.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAKERS", "PLAIN_TYPES", "SAFE_FROM_OPCODES", "Maker", "PlainType"]


class Maker:
    """The only callable that a safe pickle can name, and one that no opcode can change.

    >>> MAKERS["decimal"]("1.5")
    Decimal('1.5')
    >>> MAKERS["decimal"].__setstate__({})
    Traceback (most recent call last):
    TypeError: nothing sets the state of a maker
    """

    __slots__ = ("_make", "_name")

    def __init__(self, name: str, make: Callable[..., Any]) -> None:
        """Make by `make`; a pickle calls it `name`."""
        self._name = name
        self._make = make

    def __call__(self, *args: Any) -> Any:
        """Return what `args` say, or raise whatever the type does."""
        return self._make(*args)

    def __reduce__(self) -> str:
        """Be pickled as a name of this module."""
        return self._name

    def __setstate__(self, state: Any) -> NoReturn:
        """Stand in the way of pickle's BUILD, which otherwise sets attributes."""
        raise TypeError("nothing sets the state of a maker")


class PlainType(NamedTuple):
    """One plain type: how it is taken apart, and what puts it together again."""

    maker: Maker
    take: Callable[[Any], tuple[Any, ...]]
    module: str
    qualname: str

    def is_type(self, kind: type) -> bool:
        """Tell whether `kind` is the type itself, not another of that name."""
        return (
            kind in NAMELESS or getattr(sys.modules.get(self.module), self.qualname, None) is kind
        )


NAMELESS = (type(Ellipsis), type(NotImplemented))
"""Types that their module does not hold."""

MAKERS: dict[str, Maker] = {}
"""By the names that pickles call them."""

PLAIN_TYPES: dict[tuple[str, str], PlainType] = {}
"""By module and name of the type, since most programs never import most of them."""

SAFE_FROM_OPCODES: set[str] = set()
"""Makers of what C made unchangeable, or changes only as the type's own methods do. Instances of the others
have attributes that pickle's BUILD could set, so they are made where there is no BUILD."""


def _plain(
    type_name: str,
    name: str,
    make: Callable[..., Any],
    take: Callable[[Any], tuple[Any, ...]],
    *,
    safe: bool = True,
) -> Maker:
    module, _, qualname = type_name.partition(":")
    maker = MAKERS.setdefault(name, Maker(name, make))
    PLAIN_TYPES[module, qualname] = PlainType(maker, take, module, qualname)
    if safe:
        SAFE_FROM_OPCODES.add(name)
    return maker


def _require(value: Any, *kinds: type) -> None:
    if type(value) not in kinds:
        raise TypeError(f"a pickle of ours holds {kinds[0].__name__} here, not {value!r:.50}")


def _reduced(value: Any) -> tuple[Any, ...]:
    """Return the arguments by which a type pickles itself."""
    args: tuple[Any, ...] = value.__reduce_ex__(4)[1]
    return args


def _without_attributes(value: Any) -> None:
    if vars(value):
        raise ValueError(f"it has attributes of its own: {', '.join(vars(value))}")


def _from(module: str, name: str) -> Any:
    """Return a type that is not imported before it is needed."""
    return getattr(importlib.import_module(module), name)


# Numbers


def _make_complex(real: Any, imaginary: Any) -> complex:
    _require(real, float)
    _require(imaginary, float)
    return complex(real, imaginary)


def _make_decimal(text: Any) -> Any:
    _require(text, str)
    return _from("decimal", "Decimal")(text)


def _make_fraction(numerator: Any, denominator: Any) -> Any:
    _require(numerator, int)
    _require(denominator, int)
    return _from("fractions", "Fraction")(numerator, denominator)


complex_ = _plain("builtins:complex", "complex_", _make_complex, lambda z: (z.real, z.imag))
decimal = _plain("decimal:Decimal", "decimal", _make_decimal, lambda number: (str(number),))
fraction = _plain(
    "fractions:Fraction",
    "fraction",
    _make_fraction,
    lambda number: (number.numerator, number.denominator),
    safe=False,
)


# Dates: their bytes are believed by the types, so `replace` is asked to look at each field


def _make_date(data: Any) -> Any:
    _require(data, bytes)
    return _from("datetime", "date")(data).replace()


def _make_time(data: Any, *zone: Any) -> Any:
    _require(data, bytes)
    return _from("datetime", "time")(data, *zone).replace()


def _make_datetime(data: Any, *zone: Any) -> Any:
    _require(data, bytes)
    return _from("datetime", "datetime")(data, *zone).replace()


def _make_timedelta(days: Any, seconds: Any, microseconds: Any) -> Any:
    for part in (days, seconds, microseconds):
        _require(part, int)
    return _from("datetime", "timedelta")(days, seconds, microseconds)


def _make_timezone(offset: Any, *name: Any) -> Any:
    return _from("datetime", "timezone")(offset, *name)


def _make_zone(key: Any) -> Any:
    _require(key, str)
    return _from("zoneinfo", "ZoneInfo")(key)


def _take_zone(zone: Any) -> tuple[str]:
    if zone.key is None or _make_zone(zone.key) is not zone:
        raise ValueError("a zone is kept by its key, and this one is not the zone of one")
    return (zone.key,)


date = _plain("datetime:date", "date", _make_date, _reduced)
time = _plain("datetime:time", "time", _make_time, _reduced)
datetime = _plain("datetime:datetime", "datetime", _make_datetime, _reduced)
timedelta = _plain(
    "datetime:timedelta",
    "timedelta",
    _make_timedelta,
    lambda delta: (delta.days, delta.seconds, delta.microseconds),
)
timezone = _plain(
    "datetime:timezone", "timezone", _make_timezone, lambda zone: zone.__getinitargs__()
)
zone = _plain("zoneinfo:ZoneInfo", "zone", _make_zone, _take_zone)


# Constants, and what slices and counts


def _parts(value: Any) -> tuple[Any, Any, Any]:
    return value.start, value.stop, value.step


range_ = _plain("builtins:range", "range_", range, _parts)
slice_ = _plain("builtins:slice", "slice_", slice, _parts)
ellipsis = _plain("builtins:ellipsis", "ellipsis", lambda: Ellipsis, lambda _: ())
not_implemented = _plain(
    "builtins:NotImplementedType", "not_implemented", lambda: NotImplemented, lambda _: ()
)


# Containers


def _make_deque(items: Any, length: Any) -> Any:
    _require(items, list)
    return _from("collections", "deque")(items, length)


def _make_array(typecode: Any, size: Any, data: Any) -> Any:
    """Make an array of little-endian `data`, unless its items take another number of bytes here."""
    _require(typecode, str)
    _require(data, bytes)
    if typecode not in NUMBERS:
        raise ValueError(f"an array of type {typecode!r} is not one of numbers")
    made = _from("array", "array")(typecode)
    if made.itemsize != size:
        raise ValueError(f"an item of type {typecode!r} takes {made.itemsize} bytes, not {size}")
    made.frombytes(data)
    return _little_endian(made)


def _take_array(value: Any) -> tuple[str, int, bytes]:
    if value.typecode not in NUMBERS:
        raise ValueError(f"an array of type {value.typecode!r} is not one of numbers")
    return value.typecode, value.itemsize, _little_endian(value[:]).tobytes()


def _little_endian(own: Any) -> Any:
    """Swap the bytes of an array where the machine has them the other way round."""
    if sys.byteorder == "big":
        own.byteswap()
    return own


NUMBERS = "bBhHiIlLqQfd"


def _make_ordered(items: Any) -> Any:
    _require(items, list)
    return _from("collections", "OrderedDict")(items)


def _take_ordered(value: Any) -> tuple[list[tuple[Any, Any]]]:
    _without_attributes(value)
    return (list(value.items()),)


def _make_counter(counts: Any) -> Any:
    _require(counts, dict)
    return _from("collections", "Counter")(counts)


def _take_counter(value: Any) -> tuple[dict[Any, Any]]:
    _without_attributes(value)
    return (dict(value),)


deque = _plain("collections:deque", "deque", _make_deque, lambda items: (list(items), items.maxlen))
array = _plain("array:array", "array", _make_array, _take_array)
ordered = _plain("collections:OrderedDict", "ordered", _make_ordered, _take_ordered, safe=False)
counter = _plain("collections:Counter", "counter", _make_counter, _take_counter, safe=False)


# Names of things


def _make_uuid(data: Any, is_safe: Any) -> Any:
    _require(data, bytes)
    safety = _from("uuid", "SafeUUID")(is_safe)
    return _from("uuid", "UUID")(bytes=data, is_safe=safety)


def _make_path(flavour: Any, path: Any) -> Any:
    _require(path, str)
    if flavour not in PATHS:
        raise ValueError(f"there is no kind of path called {flavour!r:.50}")
    return _from("pathlib", flavour)(path)


PATHS = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")

uuid = _plain(
    "uuid:UUID", "uuid", _make_uuid, lambda value: (value.bytes, value.is_safe.value), safe=False
)
for _flavour in PATHS:
    for _module in ("pathlib", "pathlib._local"):  # the second is what 3.13 calls it
        path = _plain(
            f"{_module}:{_flavour}",
            "path",
            _make_path,
            lambda value: (type(value).__name__, str(value)),
            safe=False,
        )


# What the classes that a serializer allows are remade by; without one, nothing is allowed


def _nothing_is_allowed(*_args: Any) -> NoReturn:
    raise ValueError("it holds classes, which only a SafePickleSerializer with allow= reads")


named, call, new, fill = (
    Maker(name, _nothing_is_allowed) for name in ("named", "call", "new", "fill")
)
MAKERS.update(named=named, call=call, new=new, fill=fill)
