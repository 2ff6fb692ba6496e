"""Serializers that memory brings: JSON, and compression around any other.

>>> from pyspeedup.memory.serializers import JsonSerializer, compressed
>>> packed = compressed("json", "zlib")
>>> packed.loads(packed.dumps(["a"] * 1000)) == ["a"] * 1000
True
"""

from __future__ import annotations

import json
import math
import zlib
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._storage.codecs import describe, make_serializer, runs_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.core import BytesLike, Serializer

__all__ = ["CompressedSerializer", "JsonSerializer", "compressed"]


class JsonSerializer:
    """Writes JSON, readable anywhere; reading runs no code.

    Takes what JSON gives back equal and of the same type: None, bool, int, finite float, str, list,
    and dict with str keys. All else is refused at the write: tuples, subclasses, other keys.

    >>> JsonSerializer().dumps({"a": [1, None]})
    b'{"a":[1,null]}'
    >>> JsonSerializer().dumps((1, 2))
    Traceback (most recent call last):
    pyspeedup.core.errors.SerializationError: json would not give a tuple back: (1, 2)
    """

    name = "json"
    runs_code = False

    def dumps(self, obj: Any, /) -> bytes:
        r"""Return `obj` as JSON in UTF-8, in O(size); `SerializationError` if it would come back other.

        >>> JsonSerializer().dumps("ü")
        b'"\xc3\xbc"'
        """
        try:
            _require_plain(obj)
            text = json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode("utf-8", "surrogatepass")
        except (RecursionError, ValueError) as error:
            if isinstance(error, SerializationError):
                raise
            raise SerializationError(f"json cannot write it: {error}") from error

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` holds, in O(size); `SerializationError` if it is not JSON.

        >>> JsonSerializer().loads(b'[1, "a"]')
        [1, 'a']
        """
        try:
            return json.loads(str(data, "utf-8", "surrogatepass"))
        except (RecursionError, ValueError) as error:
            raise SerializationError(f"{len(data)} bytes are not JSON: {error}") from error

    def options(self) -> dict[str, Any]:
        """Return what the factory takes to make an equal one: nothing.

        >>> JsonSerializer().options()
        {}
        """
        return {}


def _require_plain(value: Any) -> None:
    kind = type(value)
    if kind in {str, int, bool, type(None)}:
        return
    if kind is float and math.isfinite(value):
        return
    if kind is list:
        for item in value:
            _require_plain(item)
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise SerializationError(
                    f"json would not give a {type(key).__name__} key back: {key!r}"
                )
            _require_plain(item)
    else:
        raise SerializationError(f"json would not give a {kind.__name__} back: {value!r}")


CODECS: dict[str, tuple[Callable[[BytesLike], bytes], Callable[[BytesLike], bytes]]] = {
    "zlib": (lambda data: zlib.compress(data, 1), zlib.decompress),
}
"""Name of a compression to its two functions."""


class CompressedSerializer:
    """Compresses what another serializer writes; made by `compressed`.

    Costs 0.1 us a byte or so when written and a fifth of that when read. It pays for large values.

    >>> CompressedSerializer(JsonSerializer(), "zlib").options()
    {'inner': {'name': 'json', 'options': {}}, 'codec': 'zlib'}
    """

    name = "compressed"

    def __init__(self, inner: Serializer, codec: str) -> None:
        """Wrap `inner`; `ValueError` names a `codec` that is not known."""
        if codec not in CODECS:
            raise ValueError(f"codec must be one of {sorted(CODECS)}, not {codec!r}")
        self.inner = inner
        self.codec = codec
        self.runs_code = runs_code(inner)
        self._compress, self._decompress = CODECS[codec]

    def dumps(self, obj: Any, /) -> bytes:
        """Return `obj` written by the inner serializer and compressed.

        >>> len(compressed("json").dumps("a" * 1000)) < 50
        True
        """
        return self._compress(self.inner.dumps(obj))

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` was made from; `SerializationError` for damage.

        >>> compressed("json").loads(compressed("json").dumps([1]))
        [1]
        """
        try:
            plain = self._decompress(data)
        except zlib.error as error:
            raise SerializationError(
                f"{len(data)} bytes are not {self.codec} data: {error}"
            ) from error
        return self.inner.loads(plain)

    def options(self) -> dict[str, Any]:
        """Return the keywords that make an equal one by `compressed`.

        >>> compressed("pickle").options()["codec"]
        'zlib'
        """
        return {"inner": describe(self.inner), "codec": self.codec}


def compressed(
    inner: str | Serializer | dict[str, Any] = "pickle", codec: str = "zlib"
) -> CompressedSerializer:
    """Return a serializer that compresses what `inner`, a registered name or an object, writes.

    `codec` is ``"zlib"``. `UnknownNameError` for an unknown name, `ValueError` for an unknown codec.

    >>> squeezed = compressed("json")
    >>> squeezed.loads(squeezed.dumps({"a": 1}))
    {'a': 1}
    """
    return CompressedSerializer(make_serializer(inner), codec)
