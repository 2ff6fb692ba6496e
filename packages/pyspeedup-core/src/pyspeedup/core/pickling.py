"""The default serializer: the standard library's pickle."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from pyspeedup.core.errors import SerializationError

if TYPE_CHECKING:
    from pyspeedup.core.protocols import BytesLike

__all__ = ["PickleSerializer"]

PROTOCOL = 5
"""Read by every Python that pyspeedup runs on; fixed, so that stores travel between them."""


class PickleSerializer:
    """Writes whatever pickle writes. Reading runs code that the bytes name: trust their writer.

    >>> PickleSerializer().loads(PickleSerializer().dumps({"a": (1, 2)}))
    {'a': (1, 2)}
    """

    def dumps(self, obj: Any, /) -> bytes:
        r"""Return `obj` pickled, in O(size); `SerializationError` if it cannot be.

        >>> PickleSerializer().dumps(None)
        b'\x80\x05N.'
        """
        try:
            return pickle.dumps(obj, PROTOCOL)
        except Exception as error:  # pickle lets through whatever an object's own methods raise
            message = f"a value of type {type(obj).__qualname__} cannot be pickled: {error}"
            raise SerializationError(message) from error

    def loads(self, data: BytesLike, /) -> Any:
        r"""Return the value pickled in `data`, in O(size); `SerializationError` if it cannot be.

        >>> PickleSerializer().loads(b"\x80\x05K\x07.")
        7
        """
        try:
            return pickle.loads(data)
        except Exception as error:  # damaged bytes raise anything, and a class may be gone
            message = f"{len(data)} bytes cannot be unpickled: {type(error).__name__}: {error}"
            raise SerializationError(message) from error
