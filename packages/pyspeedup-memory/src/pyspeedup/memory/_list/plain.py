"""Values of plain types: they are never refused, so they may be encoded late, many by one call."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspeedup.memory._pages.packing import SCALARS, pack_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["LARGEST_LATE", "encode_many", "is_late"]

TEXTS = frozenset({str, bytes})
FLAT = SCALARS | {tuple}
LONGEST_LATE = 128
"""Characters, or bytes, of a value that may wait in RAM for being encoded."""
LONGEST_PART = 32
MOST_PARTS = 6
"""Characters of a part, and parts, of a tuple that may wait."""
LARGEST_LATE = 1 << 256
AT_ONCE = 256
TEXT_AT_ONCE = 1 << 18
"""How many values, and characters of theirs, are encoded by one call."""


def is_late(value: Any) -> bool:
    """Return whether `value` may be kept for a while before it is encoded: it is plain, and small.

    >>> is_late(7), is_late("text"), is_late((7,)), is_late("long" * 1000)
    (True, True, True, False)
    """
    kind = type(value)
    if kind is tuple:
        return len(value) <= MOST_PARTS and _are_small(value)
    if kind is int:
        return bool(-LARGEST_LATE < value < LARGEST_LATE)
    return len(value) <= LONGEST_LATE if kind in TEXTS else kind in SCALARS


def _are_small(parts: tuple[Any, ...]) -> bool:
    for part in parts:
        kind = type(part)
        if kind is int:
            if not -LARGEST_LATE < part < LARGEST_LATE:
                return False
        elif kind not in SCALARS or (kind in TEXTS and len(part) > LONGEST_PART):
            return False
    return True


def encode_many(values: Sequence[Any]) -> list[bytes] | None:
    r"""Return the bodies that pickle makes of `values`, or None where they must be made one by one.

    0.1 us a scalar and 0.2 us a short tuple of scalars, a third of what single calls cost. A body
    differs from that of a single call only in that nothing is remembered for a second use.

    >>> encode_many([7, ("a", None)])
    [b'K\x07', b'X\x01\x00\x00\x00aN\x86']
    >>> encode_many([7, []]) is None
    True
    """
    if not _is_flat(values):
        return None
    bodies: list[bytes] = []
    for start in range(0, len(values), AT_ONCE):
        bodies += pack_plain(values[start : start + AT_ONCE])
    return bodies


def _is_flat(values: Sequence[Any]) -> bool:
    types = set(map(type, values))
    if not types <= FLAT:
        return False
    parts: Collection[Any] = values
    if tuple in types:
        parts = list(chain.from_iterable(value for value in values if type(value) is tuple))
        inner = set(map(type, parts))
        if not inner <= SCALARS:
            return False
        parts = [*parts, *values] if types & TEXTS else parts
        types |= inner
    if not types & TEXTS:
        return True
    text = sum(len(part) for part in parts if type(part) in TEXTS)
    return text * AT_ONCE <= TEXT_AT_ONCE * max(AT_ONCE, len(values))
