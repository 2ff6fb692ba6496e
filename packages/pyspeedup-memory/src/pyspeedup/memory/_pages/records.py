"""The bytes of one page: a table of bodies with their places in front, so that each is found alone.

A page in bytes, little-endian:

    u32 rows | u8 columns | u8 width of an end | 2 bytes of zero
    u8  kind of each field: 0 here, 1 in a page of its own, 2 dead
    u32 or u64 end of each field, counted from the first body
    the bodies, one after the other

A field in a page of its own holds that page's number and its length, u64 each.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["DEAD", "Body", "OwnPage", "Table", "body_length", "body_weight"]

HEADER = struct.Struct("<IBB2x")
REFERENCE = struct.Struct("<QQ")
HERE, ELSEWHERE, GONE = range(3)
NARROW, WIDE = 4, 8
TYPECODES = {NARROW: "I", WIDE: "Q"}
FIELD_OVERHEAD = 48
"""RAM that a field takes besides its body: the header of a bytes object, and places in lists."""


class OwnPage(NamedTuple):
    """Where a body is that is too long to be kept among others."""

    page: int
    length: int


DEAD = None
"""Stands for the body of a row that was killed."""

Body: TypeAlias = bytes | OwnPage | None


class Table:
    """Bodies by field number (row * columns + column), read from bytes only as they are asked for.

    >>> table = Table(1)
    >>> table.insert(0, [b"spam", OwnPage(7, 20_000), DEAD])
    >>> again = Table.from_bytes(table.to_bytes(), 1)
    >>> again[0], again[1], again[2], len(again)
    (b'spam', OwnPage(page=7, length=20000), None, 3)
    """

    __slots__ = ("_bodies", "_ends", "_image", "_kinds", "_start", "columns")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._bodies: list[Body] | None = []
        self._image = self._kinds = b""
        self._ends: Sequence[int] = ()
        self._start = 0

    @classmethod
    def from_bytes(cls, image: bytes, columns: int) -> Table:
        """Return the table that `to_bytes` made `image` of; `ValueError` if it is none of that kind."""
        try:
            rows, found_columns, width = HEADER.unpack_from(image)
            typecode = TYPECODES[width]
        except (struct.error, KeyError):
            raise ValueError("it does not begin as a page of records") from None
        if found_columns != columns:
            raise ValueError(f"it has {found_columns} columns, not {columns}")
        self = cls(columns)
        fields = rows * columns
        ends_at = HEADER.size + fields
        self._start = ends_at + fields * width
        self._ends = _array_from(image[ends_at : self._start], typecode)
        self._kinds = image[HEADER.size : ends_at]
        if len(self._ends) != fields or len(image) != self._start + (self._ends or (0,))[-1]:
            raise ValueError("its length is not that of its records")
        self._image = image
        self._bodies = None
        return self

    def to_bytes(self) -> bytes:
        """Return all of it, in O(size)."""
        if self._bodies is None:
            return self._image
        if set(map(type, self._bodies)) <= {bytes}:
            kept, kinds = cast("list[bytes]", self._bodies), bytes(len(self._bodies))
        else:
            kept, kinds = list(map(_packed, self._bodies)), bytes(map(_kind_of, self._bodies))
        ends = list(accumulate(map(len, kept)))
        width = NARROW if not ends or ends[-1] < 1 << 32 else WIDE
        return b"".join(
            [
                HEADER.pack(len(self), self.columns, width),
                kinds,
                _array_to(ends, TYPECODES[width]),
                *kept,
            ]
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        fields = len(self._ends) if self._bodies is None else len(self._bodies)
        return fields // self.columns

    def __getitem__(self, field: int) -> Body:
        """Return one body, in O(its length)."""
        if self._bodies is not None:
            return self._bodies[field]
        kind = self._kinds[field]
        if kind == GONE:
            return DEAD
        begin = self._start + (self._ends[field - 1] if field else 0)
        body = self._image[begin : self._start + self._ends[field]]
        return body if kind == HERE else OwnPage(*REFERENCE.unpack(body))

    def bodies(self, fields: range) -> list[Body]:
        """Return the bodies of several fields, in O(their length)."""
        if self._bodies is not None:
            return self._bodies[fields.start : fields.stop : fields.step]
        if fields.step == 1 and not any(self._kinds[fields.start : fields.stop]):
            return list(self._all_here(fields))
        return [self[field] for field in fields]

    def _all_here(self, fields: range) -> Iterator[bytes]:
        """Cut a run of bodies out of the image, none of which is elsewhere or dead."""
        image = self._image
        begin = self._start + (self._ends[fields.start - 1] if fields.start else 0)
        for stop in self._ends[fields.start : fields.stop]:
            end = self._start + stop
            yield image[begin:end]
            begin = end

    def __setitem__(self, field: int, body: Body) -> None:
        """Replace one body."""
        self._taken_apart()[field] = body

    def insert(self, field: int, bodies: Iterable[Body]) -> None:
        """Put `bodies` before that field, in O(fields)."""
        self._taken_apart()[field:field] = bodies

    def remove(self, fields: range) -> None:
        """Take a run of fields out, in O(fields)."""
        del self._taken_apart()[fields.start : fields.stop]

    def weight(self) -> int:
        """Return about how many bytes of RAM the bodies take, in O(1) as read and O(fields) later."""
        if self._bodies is None:
            return len(self._image) - self._start + FIELD_OVERHEAD * len(self._ends)
        return sum(map(body_weight, self._bodies))

    def own_pages(self) -> list[OwnPage]:
        """Return the references to pages of their own, in O(fields)."""
        if self._bodies is None and ELSEWHERE not in self._kinds:
            return []
        every = self.bodies(range(len(self) * self.columns))
        return [body for body in every if type(body) is OwnPage]

    def reach(self, field: int, size: int) -> int:
        """Return the end of the longest run from `field` on whose bodies have at most `size` bytes.

        The run has one field at least. O(log fields) as read, O(length of the run) later.
        """
        if self._bodies is None and ELSEWHERE not in self._kinds:
            before = self._ends[field - 1] if field else 0
            return max(field + 1, bisect_right(self._ends, before + size))
        end = last = len(self) * self.columns
        for end in range(field, last):
            size -= body_length(self[end])
            if size < 0:
                return max(field + 1, end)
        return last

    def _taken_apart(self) -> list[Body]:
        if self._bodies is None:
            self._bodies = self.bodies(range(len(self._ends)))
            self._image = self._kinds = b""
            self._ends = ()
        return self._bodies


def body_length(body: Body) -> int:
    """Return how many bytes the value of a field has, wherever they are."""
    if body is None:
        return 0
    return body.length if type(body) is OwnPage else len(body)


def body_weight(body: Body) -> int:
    """Return about how many bytes of RAM a field takes."""
    if type(body) is bytes:
        return FIELD_OVERHEAD + len(body)
    return FIELD_OVERHEAD + (REFERENCE.size if body else 0)


def _kind_of(body: Body) -> int:
    if body is None:
        return GONE
    return HERE if type(body) is bytes else ELSEWHERE


def _packed(body: Body) -> bytes:
    if body is None:
        return b""
    return REFERENCE.pack(*body) if isinstance(body, OwnPage) else body


def _array_from(data: bytes, typecode: str) -> array[int]:
    numbers = array(typecode)
    numbers.frombytes(data[: len(data) // numbers.itemsize * numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _array_to(numbers: Iterable[int], typecode: str) -> bytes:
    made = array(typecode, numbers)
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()
