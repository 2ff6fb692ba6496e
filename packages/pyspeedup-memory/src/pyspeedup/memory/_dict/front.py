"""What may be answered from a plain dict in front of the pages: short, plain, and unchanging."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["MOST_IN_FRONT", "front_weight"]

MOST_IN_FRONT = 512
"""Bytes of RAM that a key, or a value, may take in front."""
ENTRY_WEIGHT = 60
"""Bytes for a place in a dict, the pair in it, and the entry's number."""
UNFIT = 1 << 30

SIZED = frozenset({str, bytes, int})
SMALL = frozenset({bool, float, type(None)})


def front_weight(thing: Any) -> int:
    """Return the bytes of RAM that `thing` takes, or far more than may be, in O(its length).

    Fit are exact plain types and tuples of them: they cannot change, and equal things can stand for
    each other. A NaN is unfit, since it equals nothing.

    >>> front_weight("spam") <= MOST_IN_FRONT, front_weight([]) <= MOST_IN_FRONT
    (True, False)
    """
    kind = type(thing)
    if kind in SIZED:
        return ENTRY_WEIGHT + sys.getsizeof(thing)
    if kind in SMALL:
        return ENTRY_WEIGHT if thing == thing else UNFIT  # noqa: PLR0124 -- tells a NaN
    if kind is tuple and len(thing) * ENTRY_WEIGHT <= 8 * MOST_IN_FRONT:
        return ENTRY_WEIGHT + sum(map(front_weight, thing))
    return UNFIT
