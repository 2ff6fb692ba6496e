"""How items become the payload of frames, and items again.

Three kinds of frames, by what is dearest for each kind of item:

- `TOGETHER`: what nobody can change, numbers and strings, and what is copied sooner than pickled, such as a
  small dict of them. It is kept as it is and pickled together, as one list.
- `RUN`: anything else that is small. Each is pickled on its own, before the generator goes on and may change
  it; the bodies, without head and tail, stand in one list, which is read in one go. That needs a
  protocol that numbers what it remembers explicitly, as 3 does and 4 and 5 do not.
- `ALONE`: one item; its large buffers (arrays) travel as they are, beside the pickle.
"""

from __future__ import annotations

import pickle
import struct
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyspeedup.concurrent._buffering.ring import ALONE, RUN, TOGETHER

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ATOMIC", "KINDS", "LARGE", "Load", "alone", "body", "decode", "kept", "run", "together"]

ATOMIC: Final = frozenset({int, float, bool, complex, str, bytes, type(None)})
"""The types, not their subclasses, of values that nobody can change."""
FEW: Final = 64
"""The most values in a container that is kept."""

KINDS: Final = frozenset({TOGETHER, RUN, ALONE})

CONCATENABLE: Final = 3
NEWEST: Final = 5
LARGE: Final = 1 << 16
"""Bytes from which on an item travels alone."""
BESIDE: Final = 1 << 12
"""Bytes from which on a buffer travels beside the pickle of its item."""
ALIGNMENT: Final = 64
NUMPYS: Final = 1 << 22
"""Bytes from which on memory from numpy, if that is loaded, is touched faster than ordinary memory."""

OPENING, CLOSING = b"\x80\x03](", b"e."
"""The pickle of a list: protocol, an empty list and a mark; the items; append them all and stop."""

Part: TypeAlias = bytes | memoryview
Load: TypeAlias = tuple[int, Sequence[Part], int]
"""What a frame is to carry: its kind, the parts of its payload, and their bytes."""


def kept(item: Any) -> Any | None:
    """Return `item`, or a copy, as it will be for ever; None if only pickling preserves it.

    >>> kept({"a": 1}), kept((1, 2.5)), kept([None, "b"]), kept({"a": []}), kept([[]])
    ({'a': 1}, (1, 2.5), [None, 'b'], None, None)
    """
    kind = type(item)
    if kind is dict:
        return item.copy() if _is_plain(item) else None
    if kind is tuple or kind is list:
        plain = len(item) <= FEW and ATOMIC.issuperset(map(type, item))
        return item[:] if plain else None
    return None


def _is_plain(mapping: dict[Any, Any]) -> bool:
    if len(mapping) > FEW:
        return False
    for key, value in mapping.items():
        if type(value) not in ATOMIC or type(key) not in ATOMIC:
            return False
    return True


def together(items: Sequence[Any]) -> Load:
    """Return kind, payload and its size of items that were kept."""
    data = pickle.dumps(items, NEWEST)
    return TOGETHER, [data], len(data)


def body(item: Any) -> bytes:
    """Return an item pickled, as it can stand between others; raises what pickle raises."""
    return pickle.dumps(item, CONCATENABLE)[2:-1]


def run(bodies: Sequence[bytes]) -> Load:
    """Return kind, payload and its size of items pickled one by one."""
    lengths = array("I", map(len, bodies)).tobytes()
    joined = b"".join(bodies)
    size = len(lengths) + len(OPENING) + len(joined) + len(CLOSING)
    return RUN, [lengths, OPENING, joined, CLOSING], size


def alone(item: Any, by_value: Callable[[Any], bytes]) -> Load:
    """Return kind, payload and its size of one item; its buffers are not copied yet.

    `by_value` pickles what the ordinary pickle cannot; it may raise.
    """
    buffers: list[memoryview] = []

    def beside(buffer: pickle.PickleBuffer) -> bool:
        """Take a buffer that is worth it out; True leaves it where it was."""
        raw = buffer.raw()
        if raw.nbytes < BESIDE:
            return True
        buffers.append(raw)
        return False

    try:
        data = pickle.dumps(item, NEWEST, buffer_callback=beside)
    except Exception:  # noqa: BLE001 -- any class's code may fail here; then it goes by value, or that says why not
        buffers.clear()
        data = by_value(item)
    return ALONE, *_laid_out([memoryview(data), *buffers])


def _laid_out(pieces: list[memoryview]) -> tuple[list[Part], int]:
    """Return pieces with a table of their lengths before them, each at a multiple of 64 bytes."""
    table = struct.pack(f"<{len(pieces) + 1}Q", len(pieces), *(piece.nbytes for piece in pieces))
    parts: list[Part] = []
    size = 0
    for piece in (memoryview(table), *pieces):
        parts += [piece, bytes(-len(piece) % ALIGNMENT)]
        size += len(piece) + len(parts[-1])
    return parts, size


def decode(
    kind: int, count: int, payload: memoryview, skip: int
) -> tuple[list[Any], Exception | None]:
    """Return a frame's items after the first `skip`, and what stopped it if one cannot be read."""
    if skip >= count:
        return [], None
    try:
        if kind == ALONE:
            return [_read_alone(payload)], None
        start = 0 if kind == TOGETHER else 4 * count
        with payload[start:] as data:
            items = pickle.loads(data)
    except Exception as error:  # noqa: BLE001 -- a class's own code runs; it is raised at the item's place
        if kind != RUN:
            return [], error
        return _one_by_one(count, payload, skip)
    return items[skip:] if skip else items, None


def _read_alone(payload: memoryview) -> Any:
    (pieces,) = struct.unpack_from("<Q", payload)
    lengths = struct.unpack_from(f"<{pieces}Q", payload, 8)
    places = accumulate(
        (8 * (pieces + 1), *lengths),
        lambda at, size: at + size + -(at + size) % ALIGNMENT,
        initial=0,
    )
    starts = list(places)[1:]
    buffers = []
    for start, length in zip(starts[1:], lengths[1:], strict=False):
        with payload[start : start + length] as shared:
            buffers.append(_owned(shared))
    with payload[starts[0] : starts[0] + lengths[0]] as data:
        return pickle.loads(data, buffers=buffers)


def _owned(shared: memoryview) -> Any:
    """Return a copy of bytes for a value to keep and write to: it is cached, and outlives the ring.

    The first touch of fresh memory costs more than the copy; numpy asks the system for large pages.
    """
    empty = getattr(sys.modules.get("numpy"), "empty", None)
    if empty is None or shared.nbytes < NUMPYS:
        return bytearray(shared)
    copy = memoryview(empty(shared.nbytes, "B"))
    copy[:] = shared
    return copy


def _one_by_one(count: int, payload: memoryview, skip: int) -> tuple[list[Any], Exception | None]:
    """Read what cannot be read in one go, up to the item that is to blame."""
    values: list[Any] = []
    with payload[: 4 * count] as table:
        lengths = table.cast("I").tolist()
    at = 4 * count + len(OPENING) + sum(lengths[:skip])
    for length in lengths[skip:]:
        try:
            values.append(pickle.loads(bytes(payload[at : at + length]) + CLOSING[-1:]))
        except Exception as error:  # noqa: BLE001 -- as above
            return values, error
        at += length
    return values, None
