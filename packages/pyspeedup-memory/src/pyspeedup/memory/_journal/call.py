"""The bytes of one recorded change: which it is, numbers, and bodies of keys and values."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Call"]

HEAD = struct.Struct("<BBI")
"""Which change it is, how many numbers, how many bodies."""


class Call(NamedTuple):
    r"""A change of a structure, as its journal keeps it.

    >>> call = Call(1, (7, -1), [b"key", b"value"])
    >>> Call.decode(call.encode()) == call
    True
    """

    change: int
    numbers: tuple[int, ...]
    bodies: Sequence[bytes]

    def encode(self) -> bytes:
        """Return the bytes of it, in O(bytes)."""
        numbers, bodies = self.numbers, self.bodies
        sizes = struct.pack(f"<{len(numbers)}q{len(bodies)}Q", *numbers, *map(len, bodies))
        head = HEAD.pack(self.change, len(numbers), len(bodies))
        return b"".join([head, sizes, *bodies])

    @classmethod
    def decode(cls, data: bytes) -> Call:
        """Return what `encode` was called on; the caller has checked that these are its bytes."""
        change, number_count, body_count = HEAD.unpack_from(data)
        sizes = struct.Struct(f"<{number_count}q{body_count}Q")
        found = sizes.unpack_from(data, HEAD.size)
        position = HEAD.size + sizes.size
        bodies = []
        for length in found[number_count:]:
            bodies.append(data[position : position + length])
            position += length
        return cls(change, found[:number_count], bodies)
