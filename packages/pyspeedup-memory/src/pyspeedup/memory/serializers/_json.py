"""JSON: text that any language reads."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory.serializers._plain_data import PlainData

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["JsonSerializer"]

LONGEST_INT = 14_000
"""Bits. `int` reads 4,300 decimal digits unless a program sets that limit anew, which the reader of
a store need not have done."""

PLAIN = PlainData(
    "json",
    {
        str: None,
        bool: None,
        type(None): None,
        int: lambda value: value.bit_length() <= LONGEST_INT,
        float: math.isfinite,
    },
    keys={str},
)


class JsonSerializer:
    """Writes JSON, readable anywhere; reading runs no code.

    Takes what JSON gives back equal and of the same type: None, bool, int up to 14,000 bits, finite
    float, str, list, and dict with str keys, at most 200 of them in each other. All else is refused at the
    write: tuples, subclasses, other keys.

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
            PLAIN.require(obj)
            text = json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode("utf-8", "surrogatepass")
        except SerializationError:
            raise
        except (MemoryError, OverflowError, RecursionError, ValueError) as error:
            raise SerializationError(f"json cannot write it: {error}") from error

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` holds, in O(size); `SerializationError` if it is not JSON.

        >>> JsonSerializer().loads(b'[1, "a"]')
        [1, 'a']
        """
        try:
            return json.loads(str(data, "utf-8", "surrogatepass"))
        except (MemoryError, RecursionError, ValueError) as error:
            raise SerializationError(f"{len(data)} bytes are not JSON: {error}") from error

    def options(self) -> dict[str, Any]:
        """Return what the factory takes to make an equal one: nothing.

        >>> JsonSerializer().options()
        {}
        """
        return {}
