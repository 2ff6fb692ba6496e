"""Pickles that can make plain types and what the caller allowed, and run nothing else."""

from __future__ import annotations

import copyreg
import io
import pickle
from typing import TYPE_CHECKING, Any, Self

from pyspeedup.core import SerializationError
from pyspeedup.memory.serializers import _plain
from pyspeedup.memory.serializers._allowed import Allowed
from pyspeedup.memory.serializers._careful import CarefulUnpickler
from pyspeedup.memory.serializers._plain import MAKERS, PLAIN_TYPES, SAFE_FROM_OPCODES, Maker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspeedup.core import BytesLike
    from pyspeedup.memory.serializers._allowed import Named

__all__ = ["SafePickleSerializer"]

PROTOCOL = 5
"""The first with opcodes for all of bytearray, set and frozenset; fixed, so that stores travel."""

EXTENSIONS: dict[int, Any] = copyreg._extension_cache  # type: ignore[attr-defined]  # noqa: SLF001 -- no other way to know
"""What the program has registered by `copyreg.add_extension` and read once: the unpickler in C hands it
out without asking `find_class`."""


class SafePickleSerializer:
    """Writes pickles of plain types and of classes in `allow`; reading can make nothing else.

    Plain are None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range,
    slice, Ellipsis, NotImplemented; date, time, datetime, timedelta, timezone, ZoneInfo; Decimal, Fraction,
    UUID, paths of `pathlib`; deque, OrderedDict, Counter, and `array.array` of numbers. Anything else, a subclass
    of these too, is refused at the write unless `allow` names it.

    `allow` takes classes, the functions that remake their instances (where they have such), or names as
    ``"module:qualname"``; subclasses are not included. **Reading may call each of them with any arguments**, so
    allow what does no harm by that. A store records the names for who opens it without saying
    what is allowed, and that counts as little as with pickle: only in a folder that nobody else can write.

    >>> from decimal import Decimal
    >>> serializer = SafePickleSerializer()
    >>> serializer.loads(serializer.dumps({Decimal("1.50"): {(2, b"3")}}))
    {Decimal('1.50'): {(2, b'3')}}
    >>> serializer.dumps(ValueError("not plain"))
    Traceback (most recent call last):
    pyspeedup.core.errors.SerializationError: safe-pickle takes plain types, and a ValueError is \
none: allow=['builtins:ValueError'] would take it
    >>> allowing = SafePickleSerializer(allow=[ValueError])
    >>> allowing.loads(allowing.dumps(ValueError("now it is")))
    ValueError('now it is')
    """

    name = "safe-pickle"

    def __init__(self, allow: Iterable[Named] = ()) -> None:
        """Take `allow`; `TypeError` or `ValueError` shows what is no class, function or name."""
        self._allowed = Allowed(allow)
        self.runs_code = False

    def dumps(self, obj: Any, /) -> bytes:
        r"""Return `obj` pickled, in O(size); `SerializationError` for what is not allowed.

        >>> SafePickleSerializer().dumps(None)
        b'\x80\x05N.'
        """
        file = io.BytesIO()
        try:
            _SafePickler(file, self._allowed).dump(obj)
        except SerializationError:
            raise
        except Exception as error:  # an object's own methods raise anything
            raise SerializationError(
                f"safe-pickle cannot write a {type(obj).__qualname__}: {error}"
            ) from error
        return file.getvalue()

    def loads(self, data: BytesLike, /) -> Any:
        r"""Return the value pickled in `data`, in O(size).

        `SerializationError` for damage, and for a name that is not allowed, before anything is called.

        >>> SafePickleSerializer().loads(b"\x80\x05K\x07.")
        7
        >>> try:
        ...     SafePickleSerializer().loads(b"cos\nsystem\n(S'echo harm'\ntR.")
        ... except SerializationError as refusal:
        ...     print(refusal.__cause__)
        a safe pickle does not name 'os.system'
        """
        try:
            if not EXTENSIONS:
                try:
                    return _FastUnpickler(io.BytesIO(data)).load()
                except _NeedsCareError:
                    pass  # it names what attributes could be set of
            return CarefulUnpickler(io.BytesIO(data), MAKERS | self._allowed.makers).load()
        except Exception as error:  # damaged bytes raise anything, as does an allowed class
            raise SerializationError(
                f"safe-pickle cannot read {len(data)} bytes: {type(error).__name__}: {error}"
            ) from error

    def options(self) -> dict[str, Any]:
        """Return the names that are allowed.

        >>> SafePickleSerializer(allow=["fractions:Fraction"]).options()
        {'allow': ['fractions:Fraction']}
        """
        return {"allow": list(self._allowed.names)}

    def reads(self, options: dict[str, Any]) -> bool:  # noqa: ARG002 -- others ask what is in them
        """Tell whether it reads what one with these recorded `options` wrote: as far as it allows it.

        >>> SafePickleSerializer().reads({"allow": ["os:system"]})
        True
        """
        return True

    @classmethod
    def remake(cls, allow: Iterable[Named] = ()) -> Self:
        """Return one that allows what a store says, and so runs code, since the store says which.

        >>> SafePickleSerializer.remake(allow=["os:system"]).runs_code
        True
        """
        made = cls(allow)
        made.runs_code = bool(made.options()["allow"])
        return made


class _SafePickler(pickle.Pickler):
    """Writes no name but those of our makers, whatever an object says of itself."""

    def __init__(self, file: io.BytesIO, allowed: Allowed) -> None:
        super().__init__(file, PROTOCOL, buffer_callback=_refuse)
        self._allowed = allowed

    def reducer_override(self, obj: Any, /) -> Any:
        """Be asked about all that pickle has no opcodes for."""
        kind = type(obj)
        if kind is Maker:
            return obj.__reduce__()
        plain = PLAIN_TYPES.get((kind.__module__, kind.__qualname__))
        if plain is not None and plain.is_type(kind):
            return plain.maker, plain.take(obj)
        return self._allowed.take(obj)


def _refuse(buffer: Any) -> Any:
    raise SerializationError(f"safe-pickle takes plain types, and {buffer!r} is none")


class _NeedsCareError(Exception):
    """A pickle names what is not safe from every opcode."""


class _FastUnpickler(pickle.Unpickler):
    """Reads, in C, what names nothing but makers of types that no opcode could change."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Return a maker, or leave it to the careful one; refuse any other name."""
        if module != _plain.__name__ or name not in MAKERS:
            raise pickle.UnpicklingError(f"a safe pickle does not name {f'{module}.{name}'!r:.100}")
        if name not in SAFE_FROM_OPCODES:
            raise _NeedsCareError
        return MAKERS[name]
