"""MessagePack: JSON's types and bytes, shorter and faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory.serializers._extras import import_extra
from pyspeedup.memory.serializers._plain_data import PlainData

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["MsgpackSerializer"]

ATOMS: set[type] = {str, bytes, bool, int, float, type(None)}
PLAIN = PlainData("msgpack", dict.fromkeys(ATOMS), keys=ATOMS)
"""The encoder itself refuses ints beyond 64 bits, and text that UTF-8 has no bytes for."""


class MsgpackSerializer:
    """Writes MessagePack by msgspec (extra ``msgpack``); reading runs no code.

    Takes what comes back equal and of the same type: None, bool, int from -2**63 to 2**64 - 1, float,
    str without lone surrogates, bytes, list, and dict with such keys, at most 200 of them in each
    other. All else is refused at the write: tuples, sets, dates, subclasses. `ModuleNotFoundError` without msgspec.

    >>> serializer = MsgpackSerializer()
    >>> serializer.loads(serializer.dumps({b"key": [1, 2.5, None]}))
    {b'key': [1, 2.5, None]}
    >>> serializer.dumps({"a": {1, 2}})
    Traceback (most recent call last):
    pyspeedup.core.errors.SerializationError: msgpack would not give a set back: {1, 2}
    """

    name = "msgpack"
    runs_code = False

    def __init__(self) -> None:
        """Bring msgspec in; `ModuleNotFoundError` tells how to install it."""
        msgspec = import_extra("msgspec", "msgpack", "serializer 'msgpack'")
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode
        self._errors = (msgspec.MsgspecError, MemoryError, RecursionError, TypeError, ValueError)

    def dumps(self, obj: Any, /) -> bytes:
        r"""Return `obj` as MessagePack, in O(size); `SerializationError` if it would come back other.

        >>> MsgpackSerializer().dumps([1, "a"])
        b'\x92\x01\xa1a'
        """
        try:
            PLAIN.require(obj)
            data: bytes = self._encode(obj)
        except SerializationError:
            raise
        except (*self._errors, OverflowError) as error:
            raise SerializationError(f"msgpack cannot write it: {error}") from error
        return data

    def loads(self, data: BytesLike, /) -> Any:
        r"""Return the value that `data` holds, in O(size); `SerializationError` if it holds none.

        >>> MsgpackSerializer().loads(b"\x92\x01\xa1a")
        [1, 'a']
        """
        try:
            return self._decode(data)
        except self._errors as error:
            raise SerializationError(f"{len(data)} bytes are not MessagePack: {error}") from error

    def options(self) -> dict[str, Any]:
        """Return what the factory takes to make an equal one: nothing.

        >>> MsgpackSerializer().options()
        {}
        """
        return {}
