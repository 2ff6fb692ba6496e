"""Which keys and values of a dict are plain, what they weigh, and the bytes of a plain key."""

from __future__ import annotations

import struct
from itertools import chain
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._pages.packing import SCALARS, pack_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "PLAIN_KEYS",
    "TEXT",
    "TEXT_MARK",
    "are_plain",
    "key_image",
    "plain_weight",
    "rough_weight",
]

PLAIN_KEYS = frozenset({str, int, bytes, bool, type(None)})
"""Types of keys that have a stable hash, equal themselves, and are never refused."""
SMALL = frozenset({float, bool, type(None)})
INT_64 = 1 << 63
LONGEST_TUPLE = 64
TEXT = struct.Struct("<BI")
TEXT_MARK = ord("X")
"""What a str begins with, before its length: pickle's opcode BINUNICODE."""


def plain_weight(value: Any) -> int:
    """Return the bytes of RAM that `value` takes if it is plain, else 0.

    Plain is what `pack_plain` packs: it cannot change, nor be refused.

    >>> plain_weight((1, "one", None)) > 0, plain_weight((1, [])), plain_weight(((1,),))
    (True, 0, 0)
    """
    kind = type(value)
    if kind is not tuple:
        return getsizeof(value) if kind in SCALARS else 0
    if len(value) > LONGEST_TUPLE:
        return 0
    weight = 60
    for part in value:
        kind = type(part)
        if kind is str or kind is bytes:
            weight += 60 + len(part)
        elif kind is int:
            weight += 40 if -INT_64 < part < INT_64 else getsizeof(part)
        elif kind in SMALL:
            weight += 32
        else:
            return 0
    return weight


def rough_weight(value: Any) -> int:
    """Return about how many bytes of RAM a value takes that cannot change, in O(its parts).

    >>> rough_weight(((1, 2), "text")) > rough_weight("text")
    True
    """
    parts = value if type(value) in {tuple, frozenset} else ()
    return getsizeof(value) + sum(map(rough_weight, parts))


def are_plain(values: Sequence[Any]) -> bool:
    """Return whether all of `values` are plain; 50 ns a part."""
    kinds = set(map(type, values))
    if kinds <= SCALARS:
        return True
    if kinds == {tuple}:
        return SCALARS.issuperset(map(type, chain.from_iterable(values)))
    return all(map(plain_weight, values))


def key_image(key: Any) -> bytes | None:
    r"""Return the bytes that a key of type str, int or bytes is known by, None for any other.

    They are what `pack_plain` makes of it. Two keys of these types are equal if their images are.

    >>> key_image("key")
    b'X\x03\x00\x00\x00key'
    """
    kind = type(key)
    if kind is str:
        encoded: bytes = key.encode("utf-8", "surrogatepass")
        return TEXT.pack(TEXT_MARK, len(encoded)) + encoded
    if kind is int or kind is bytes:
        return pack_plain([key])[0]
    return None
