"""Pickles many plain values by one call: a third of what it costs to pickle each alone.

Plain are numbers, text, bytes, None, and flat tuples of them. They are pickled together, with a separator after each,
and cut apart; and without a memo, which only shows where a value refers to one object twice, and plain ones do
not tell. Such bodies decode as all others do.
"""

from __future__ import annotations

import io
import os
import pickle
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._pages.bodies import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SCALARS", "pack_plain"]

SCALARS = frozenset({str, int, bytes, float, bool, type(None)})
FEW_PARTS = 4
"""From so many parts on a tuple is pickled as a mark, its parts, and an end of one byte."""


def pack_plain(values: Sequence[Any]) -> list[bytes]:
    r"""Return the bodies of plain values, none of which needs a memo, in O(bytes).

    >>> pack_plain([1, ("one", None)])
    [b'K\x01', b'X\x03\x00\x00\x00oneN\x86']
    """
    separator = os.urandom(16)
    parts = tuple(chain.from_iterable(zip(values, repeat(separator), strict=False)))
    if len(parts) < FEW_PARTS:
        return list(map(_packed, values))
    bodies = _packed(parts)[1:-1].split(b"C\x10" + separator)
    if len(bodies) != len(values) + 1:  # a value holds these 16 bytes
        return list(map(_packed, values))
    del bodies[-1]
    return bodies


def _packed(value: Any) -> bytes:
    file = io.BytesIO()
    pickler = pickle.Pickler(file, PROTOCOL)
    pickler.fast = True
    pickler.dump(value)
    return file.getvalue()[2:-1]
