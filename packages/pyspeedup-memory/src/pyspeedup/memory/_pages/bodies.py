"""Turns one value into the bytes that a page keeps of it, its body, and back.

Under the pickle serializer a body is ``pickle.dumps(value, 3)`` without its two bytes of protocol and
its final STOP. Such bodies decode alone, and any number of them decode by one call of ``loads``.
Protocols 4 and 5 would not do: they number their memo implicitly, so that concatenating breaks them.
"""

from __future__ import annotations

import io
import pickle
import pkgutil
from typing import TYPE_CHECKING, Any, Protocol

from pyspeedup.core import PickleSerializer, SerializationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.core import Serializer

__all__ = [
    "Codec",
    "PickleCodec",
    "PlainKeyCodec",
    "SerializerCodec",
    "key_codec",
    "value_codec",
]

PROTOCOL = 3
ONE_VALUE = b"\x80\x03%b."
MANY_VALUES = b"\x80\x03(%bt."
"""The protocol is put back in front: without it the unpickler would translate Python 2's module names,
so that a class of somebody's module ``commands`` would be looked for in ``subprocess``."""

PRIVATE_PATHS = b"cpathlib._local\n"
"""How Python 3.13, and no other, begins the name of a class of `pathlib` in a pickle."""

PLAIN_KEYS = frozenset({str, int, float, bytes, bool, type(None)})


class Codec(Protocol):
    """What a column of a page needs."""

    concatenates: bool
    """Whether `decode_many` takes bodies that were joined already."""

    def encode(self, value: Any, /) -> bytes:
        """Return the body of `value`; `SerializationError` if it has none."""
        ...

    def decode(self, body: bytes, /) -> Any:
        """Return the value of `body`; `SerializationError` if it cannot be made."""
        ...

    def decode_many(self, bodies: Sequence[bytes], /) -> list[Any]:
        """Return the values of `bodies`, in one go where that is possible."""
        ...


class PickleCodec:
    """Bodies of the default serializer."""

    concatenates = True

    def encode(self, value: Any, /) -> bytes:
        """Return the body of `value`, in O(size)."""
        try:
            pickled = pickle.dumps(value, PROTOCOL)
            if PRIVATE_PATHS in pickled:
                pickled = _pickled_for_all_versions(value)
            return pickled[2:-1]
        except Exception as error:  # pickle lets through whatever an object's own methods raise
            raise SerializationError(
                f"a value of type {type(value).__qualname__} cannot be pickled: {error}"
            ) from error

    def decode(self, body: bytes, /) -> Any:
        """Return the value of `body`, in O(size)."""
        try:
            return self._load(ONE_VALUE % body)
        except Exception as error:  # a class may be gone, and its methods may raise anything
            raise _unreadable(len(body), error) from error

    def decode_many(self, bodies: Sequence[bytes], /) -> list[Any]:
        """Return the values of `bodies` by one call of ``loads``."""
        try:
            return list(self._load(MANY_VALUES % b"".join(bodies)))
        except Exception as error:  # as for one
            raise _unreadable(sum(map(len, bodies)), error) from error

    _load: Callable[[bytes], Any] = staticmethod(pickle.loads)


class _PublicNames(pickle.Pickler):
    """Names the classes of `pathlib` as every version finds them."""

    def reducer_override(self, obj: Any, /) -> Any:
        if isinstance(obj, type) and obj.__module__ == "pathlib._local":
            return pkgutil.resolve_name, (f"pathlib:{obj.__qualname__}",)
        return NotImplemented


def _pickled_for_all_versions(value: Any) -> bytes:
    file = io.BytesIO()
    _PublicNames(file, PROTOCOL).dump(value)
    return file.getvalue()


class PlainKeyCodec(PickleCodec):
    """Keys under a serializer other than pickle: plain types only, and reading them runs no code.

    >>> codec = PlainKeyCodec()
    >>> codec.decode(codec.encode(("a", 1)))
    ('a', 1)
    >>> codec.encode(frozenset())
    Traceback (most recent call last):
    pyspeedup.core.errors.SerializationError: a key of type frozenset can be kept by the pickle \
serializer only; the others take str, int, float, bytes, bool, None and tuples of them
    """

    def encode(self, value: Any, /) -> bytes:
        """Return the body of `value`, in O(size); only exact plain types have one."""
        pending = [value]
        while pending:
            part = pending.pop()
            if type(part) is tuple:
                pending.extend(part)
            elif type(part) not in PLAIN_KEYS:
                raise SerializationError(
                    f"a key of type {type(part).__qualname__} can be kept by the pickle serializer "
                    "only; the others take str, int, float, bytes, bool, None and tuples of them"
                )
        return super().encode(value)

    @staticmethod
    def _load(data: bytes) -> Any:
        return _PlainUnpickler(io.BytesIO(data)).load()


class _PlainUnpickler(pickle.Unpickler):
    """Refuses to import anything, without which a pickle can call nothing."""

    def find_class(self, module: str, name: str, /) -> Any:
        raise pickle.UnpicklingError(f"a plain key does not name {module}.{name}")


class SerializerCodec:
    """Bodies that any `Serializer` makes."""

    concatenates = False

    def __init__(self, serializer: Serializer) -> None:
        self._serializer = serializer

    def encode(self, value: Any, /) -> bytes:
        """Return the body of `value`, in what time the serializer takes."""
        try:
            body = self._serializer.dumps(value)
        except SerializationError:
            raise
        except Exception as error:  # somebody else's code raises what it likes
            raise SerializationError(
                f"a value of type {type(value).__qualname__} was refused by "
                f"{type(self._serializer).__qualname__}: {error}"
            ) from error
        if not isinstance(body, bytes):
            raise SerializationError(
                f"{type(self._serializer).__qualname__}.dumps returned "
                f"{type(body).__qualname__}, not bytes"
            )
        return body

    def decode(self, body: bytes, /) -> Any:
        """Return the value of `body`, in what time the serializer takes."""
        try:
            return self._serializer.loads(body)
        except SerializationError:
            raise
        except Exception as error:  # as in encode
            raise _unreadable(len(body), error) from error

    def decode_many(self, bodies: Sequence[bytes], /) -> list[Any]:
        """Return the values of `bodies`, one after the other."""
        return [self.decode(body) for body in bodies]


def value_codec(serializer: Serializer) -> Codec:
    r"""Return the codec of a column of values.

    >>> value_codec(PickleSerializer()).encode(7)
    b'K\x07'
    """
    if type(serializer) is PickleSerializer:
        return PickleCodec()
    return SerializerCodec(serializer)


def key_codec(serializer: Serializer) -> PickleCodec:
    """Return the codec of a column of keys.

    >>> type(key_codec(PickleSerializer())).__name__
    'PickleCodec'
    """
    if type(serializer) is PickleSerializer:
        return PickleCodec()
    return PlainKeyCodec()


def _unreadable(size: int, error: Exception) -> SerializationError:
    return SerializationError(f"{size} bytes cannot be read: {type(error).__name__}: {error}")
