"""Arrays of numbers as bytes that are the same on every machine."""

from __future__ import annotations

import struct
import sys
from array import array

__all__ = ["pack_arrays", "unpack_arrays"]

LENGTH = struct.Struct("<Q")


def pack_arrays(*columns: array[int]) -> bytes:
    """Return the bytes of several arrays, each with its length in front.

    >>> [list(column) for column in unpack_arrays(pack_arrays(array("Q", [1, 2])), "Q")]
    [[1, 2]]
    """
    parts = []
    for column in columns:
        parts += [LENGTH.pack(len(column)), _little_endian(column).tobytes()]
    return b"".join(parts)


def unpack_arrays(data: bytes, codes: str) -> list[array[int]]:
    """Return the arrays that `pack_arrays` was given, whose type codes are `codes`."""
    columns = []
    start = 0
    for code in codes:
        column = array(code)
        (length,) = LENGTH.unpack_from(data, start)
        start += LENGTH.size
        stop = start + length * column.itemsize
        column.frombytes(data[start:stop])
        columns.append(_little_endian(column))
        start = stop
    return columns


def _little_endian(column: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return column
    turned = column[:]
    turned.byteswap()
    return turned
