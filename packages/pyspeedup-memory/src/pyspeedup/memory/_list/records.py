"""The bytes of a page of a list: places and checks of its rows in front, so that one is read alone.

A page in bytes, all numbers u32 and little-endian:

    2**31 where a value may be in a page of its own, else 0 | rows
    for each row: the end of its body, counted from the first body, + 2**31 where the value is
        in a page of its own | the CRC-32 of the body
    the bodies, one after the other

The CRC of a row begins with a number of its page and store, its *seed*, and is inverted where the
value is in a page of its own. Such a body is that page's number and the length, u64 each.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pyspeedup.memory._pages.bodies import Codec

__all__ = [
    "INVERTED",
    "REFERENCE",
    "ROW_SIZE",
    "SPREAD",
    "Body",
    "OwnPage",
    "Records",
    "encoded",
    "peek_bodies",
    "peek_body",
    "seed_of",
]

REFERENCE = struct.Struct("<QQ")
ROW = struct.Struct("<IIII")
"""What stands before a row, and the row: where it begins, and its end and check."""
ROW_SIZE = 8
FLAGS = (b"\0\0\0\0", b"\0\0\0\x80")
ELSEWHERE = 1 << 31
PLACE = ELSEWHERE - 1
INVERTED = 0xFFFFFFFF
SPREAD = 2654435761
"""Odd, so that no two pages of a store have one seed before there are 2**32."""


class OwnPage(NamedTuple):
    """Where a body is that is too long to be kept among others."""

    page: int
    length: int


Body: TypeAlias = bytes | OwnPage


def seed_of(store_seed: int, page: int) -> int:
    """Return what the checks of a page's rows begin with: other pages and stores have others."""
    return (store_seed + page * SPREAD) & INVERTED


def encoded(bodies: Sequence[Body], seed: int) -> bytes:
    """Return the bytes of a page with these rows, in O(size); they are less than 2 GiB.

    >>> page = Records(encoded([b"spam", OwnPage(7, 20_000)], seed=1))
    >>> page.bodies(0, 2), len(page)
    ([b'spam', OwnPage(page=7, length=20000)], 2)
    """
    own: list[int] = []
    kept = bodies
    if OwnPage in set(map(type, bodies)):
        own = [row for row, body in enumerate(bodies) if type(body) is OwnPage]
        kept = [_packed(body) for body in bodies]
    table = array("I", bytes(ROW_SIZE * (len(bodies) + 1)))
    table[0], table[1] = ELSEWHERE if own else 0, len(bodies)
    table[2::2] = array("I", accumulate(map(len, kept)))
    table[3::2] = array("I", map(zlib.crc32, kept, repeat(seed)))  # type: ignore[arg-type]  # packed
    for row in own:
        table[2 * row + 2] |= ELSEWHERE
        table[2 * row + 3] ^= INVERTED
    return b"".join([_little_endian(table).tobytes(), *kept])  # type: ignore[list-item]  # packed


class Records:
    """The rows of a page, cut out of its bytes as they are asked for."""

    __slots__ = ("_begin", "_ends", "_has_own", "_head", "ends", "together")

    def __init__(self, image: bytes) -> None:
        """Take what `encoded` made, checked already; `ValueError` if it cannot have made it."""
        rows = int.from_bytes(image[4:ROW_SIZE], "little")
        self._begin = ROW_SIZE * (rows + 1)
        if len(image) < self._begin or image[:4] not in FLAGS:
            raise ValueError("it does not begin as a page of records")
        self._head = image[: self._begin]
        self._ends = _little_endian(array("I", self._head))[::2]  # the first one 0, or a flag
        if len(image) != self._begin + (self._ends[-1] & PLACE if rows else 0):
            raise ValueError("its length is not that of its records")
        self._has_own = image[:4] == FLAGS[1]
        self.ends = None if self._has_own else self._ends
        """Row ``r`` is from ``ends[r]`` to ``ends[r + 1]`` in `together`; None if some are elsewhere."""
        self.together = image[self._begin :]
        """All bodies that are here."""

    @property
    def image(self) -> bytes:
        """The bytes of the page."""
        return self._head + self.together

    @property
    def size(self) -> int:
        """How many bytes the bodies have that are here."""
        return len(self.together)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._ends) - 1

    def body(self, row: int) -> Body:
        """Return one body, in O(its length)."""
        before, end = self._ends[row], self._ends[row + 1]
        body = self.together[before & PLACE : end & PLACE]
        return OwnPage(*REFERENCE.unpack(body)) if end & ELSEWHERE else body

    def bodies(self, start: int, stop: int) -> list[Body]:
        """Return the bodies of several rows, in O(their length)."""
        if start >= stop:
            return []
        if self._has_own:
            return [self.body(row) for row in range(start, stop)]
        together = self.together
        return [together[a:b] for a, b in pairwise(self._ends[start : stop + 1])]

    def decoded(
        self, start: int, stop: int, codec: Codec, fetch: Callable[[Body], bytes]
    ) -> list[Any]:
        """Return the values of several rows, in one go where `codec` can do it; some, but no empty run."""
        if self._has_own or not codec.concatenates:
            return codec.decode_many([fetch(body) for body in self.bodies(start, stop)])
        return codec.decode_many([self.together[self._ends[start] : self._ends[stop]]])

    def own_pages(self) -> list[OwnPage]:
        """Return the references to pages of their own."""
        return self.own_pages_of(range(len(self)))

    def own_pages_of(self, rows: Iterable[int]) -> list[OwnPage]:
        """Return the references of some rows to pages of their own, in O(1) where no row has one."""
        if not self._has_own:
            return []
        return [body for body in map(self.body, rows) if type(body) is OwnPage]

    def reach(self, row: int, size: int) -> int:
        """Return the end of the longest run from `row` on with at most `size` bytes.

        It has one row at least. O(log rows), or O(length of the run) where values are elsewhere.
        """
        if not self._has_own:
            return max(row + 1, bisect_right(self._ends, self._ends[row] + size) - 1)
        for end in range(row, len(self)):
            body = self.body(end)
            size -= body.length if type(body) is OwnPage else len(body)
            if size < 0:
                return max(row + 1, end)
        return len(self)

    def patched(self, changes: Mapping[int, bytes], seed: int) -> bytes:
        """Return the page with other bodies at some rows, in O(size) but little for what stays."""
        if self._has_own:
            return self.rebuilt(changes, seed)
        table = _little_endian(array("I", self._head))
        together, ends = bytearray(self.together), self._ends
        others: dict[int, bytes] = {}
        checks = map(zlib.crc32, changes.values(), repeat(seed))
        for (row, body), check in zip(changes.items(), checks, strict=True):
            before, end = ends[row], ends[row + 1]
            if end - before == len(body):
                together[before:end] = body
                table[2 * row + 3] = check
            else:
                others[row] = body
        image = _little_endian(table).tobytes() + together
        return Records(image).rebuilt(others, seed) if others else image

    def rebuilt(self, changes: Mapping[int, bytes], seed: int) -> bytes:
        """Return the page with bodies of any length at some rows."""
        table = _little_endian(array("I", self._head))
        pieces = [b""]
        taken, moved, done = 0, 0, 0
        for row in sorted(changes):
            _move(table, done, row, moved)
            begin, end = self._ends[row] & PLACE, self._ends[row + 1] & PLACE
            body = changes[row]
            pieces += (self.together[taken:begin], body)
            moved += len(body) - (end - begin)
            table[2 * row + 2] = end + moved
            table[2 * row + 3] = zlib.crc32(body, seed)
            taken, done = end, row + 1
        _move(table, done, len(self), moved)
        pieces[0] = _little_endian(table).tobytes()
        return b"".join([*pieces, self.together[taken:]])


def peek_body(
    peek: Callable[[int, int, int], bytes], page: int, rows: int, row: int, seed: int
) -> Body:
    """Return the body of a row of a page that has `rows`, reading it alone.

    `ValueError` if its check does not match.
    """
    at = ROW_SIZE * row
    try:
        before, _, end, check = ROW.unpack(peek(page, at, at + 2 * ROW_SIZE))
    except struct.error:
        raise ValueError("it is cut short") from None
    begin = ROW_SIZE * (rows + 1)
    body = peek(page, begin + (before & PLACE), begin + (end & PLACE))
    if end < ELSEWHERE and zlib.crc32(body, seed) == check:
        return body
    return _checked(body, end, check, seed)


def peek_bodies(
    peek: Callable[[int, int, int], bytes],
    page: int,
    rows: int,
    places: range,
    seed: int,
) -> list[Body]:
    """Return the bodies of several rows, one after the other, of a page, reading them alone."""
    at = ROW_SIZE * places.start
    data = peek(page, at, ROW_SIZE * (places.stop + 1))
    if len(data) != ROW_SIZE * (len(places) + 1):
        raise ValueError("it is cut short")
    table = _little_endian(array("I", data))
    ends = [end & PLACE for end in table[::2]]
    begin = ROW_SIZE * (rows + 1)
    together = peek(page, begin + ends[0], begin + ends[-1])
    bodies = [together[a - ends[0] : b - ends[0]] for a, b in pairwise(ends)]
    if list(map(zlib.crc32, bodies, repeat(seed))) == table[3::2].tolist():
        return list(bodies)
    checks = zip(bodies, table[2::2], table[3::2], strict=True)
    return [_checked(body, end, check, seed) for body, end, check in checks]


def _checked(body: bytes, end: int, check: int, seed: int) -> Body:
    if zlib.crc32(body, seed) ^ (INVERTED if end & ELSEWHERE else 0) != check:
        raise ValueError("the check of a row does not match; it is damaged, or of another page")
    return OwnPage(*REFERENCE.unpack(body)) if end & ELSEWHERE else body


def _move(table: array[int], start: int, stop: int, moved: int) -> None:
    """Add to the ends of the rows from `start` to `stop`."""
    if moved and start < stop:
        places = slice(2 * start + 2, 2 * stop + 2, 2)
        table[places] = array("I", [end + moved for end in table[places]])


def _packed(body: Body) -> bytes:
    return REFERENCE.pack(*body) if isinstance(body, OwnPage) else body


def _little_endian(table: array[int]) -> array[int]:
    if sys.byteorder == "big":
        table.byteswap()
    return table
