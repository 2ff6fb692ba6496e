"""A serializer that writes Python literals: text that people read, and that runs no code."""

import ast
import math
from typing import Any

from pyspeedup.core import BytesLike, SerializationError

SCALARS = {type(None), bool, int, str, bytes}
CONTAINERS = {list, tuple, set}


class LiteralSerializer:
    """Writes None, bool, int, float, str, bytes, and lists, tuples, sets and dicts of them.

    >>> LiteralSerializer().dumps({"primes": (2, 3, 5)})
    b"{'primes': (2, 3, 5)}"
    """

    runs_code = False  # so that a store that others could write may be opened

    def dumps(self, obj: Any) -> bytes:
        """Return `obj` as a literal; `SerializationError` for what would not come back equal."""
        try:
            if _comes_back(obj):
                return repr(obj).encode()
        except (RecursionError, ValueError) as error:  # too deep; an int of too many digits
            raise SerializationError(f"no literal can be written: {error}") from error
        raise SerializationError(f"there is no literal for {obj!r}")

    def loads(self, data: BytesLike) -> Any:
        """Return the value of a literal; `SerializationError` for any other text."""
        try:
            return ast.literal_eval(bytes(data).decode())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
            raise SerializationError(f"{len(data)} bytes are no literal: {error}") from error


def _comes_back(obj: Any) -> bool:
    if type(obj) is float:
        return math.isfinite(obj)
    if type(obj) is dict:
        return all(_comes_back(part) for item in obj.items() for part in item)
    return type(obj) in SCALARS or (type(obj) in CONTAINERS and all(map(_comes_back, obj)))
