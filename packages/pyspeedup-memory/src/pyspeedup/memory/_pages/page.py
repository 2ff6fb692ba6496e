"""A page in RAM: its bodies, and the live objects of those rows that were touched."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pyspeedup.core import SerializationError
from pyspeedup.memory._pages.changes import may_change, may_change_any
from pyspeedup.memory._pages.records import DEAD, Body, OwnPage, Table, body_length, body_weight

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pyspeedup.memory._pages.bodies import Codec

__all__ = ["ABSENT", "RecordPage", "Rows", "Surroundings"]

LIVE_OVERHEAD = 64
LIVE_FACTOR = 8
"""RAM of a live object: as long as its body for text and bytes, and this many times that for all
else. Lists of floats take 4 times their body, lists of ints 7, lists of small tuples 8."""


ATTEMPTS = 3


class _Absent:
    """Stands for a live object that there is none of."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


class Rows(NamedTuple):
    """Rows on their way from page to page: their fields' bodies, and live objects or `ABSENT`."""

    bodies: list[Body]
    live: list[Any]

    def __add__(self, other: Rows) -> Rows:  # type: ignore[override]  # as rows, not as a tuple
        """Return these rows and those."""
        return Rows(self.bodies + other.bodies, self.live + other.live)

    def extend(self, other: Rows) -> None:
        """Add rows to these."""
        self.bodies.extend(other.bodies)
        self.live.extend(other.live)

    def weight(self) -> int:
        """Return about how many bytes of RAM the values of these rows take once they are live."""
        lengths = map(body_length, self.bodies)
        return sum(map(_live_weight, self.live, lengths))

    def part(self, start: int, stop: int) -> Rows:
        """Return some of the rows, of one column."""
        return Rows(self.bodies[start:stop], self.live[start:stop])


class Surroundings(Protocol):
    """What a page asks of its pager."""

    @property
    def codecs(self) -> Sequence[Codec]:
        """One a column."""
        ...

    def put_away(self, body: bytes, /) -> Body:
        """Return what the page is to keep of `body`: itself, or where it is now."""
        ...

    def put_away_all(self, bodies: Iterable[bytes], /) -> list[Body]:
        """Do so with each of `bodies`, or with none."""
        ...

    def fetch(self, body: Body, /) -> bytes:
        """Return what was put away."""
        ...

    def release(self, bodies: Iterable[Body], /) -> None:
        """Forget what was put away."""
        ...

    def account(self, page: RecordPage, grown: int, /) -> None:
        """Note that `page` is in use and takes `grown` bytes more."""
        ...


class RecordPage:
    """Rows of fields. Each method that takes a value encodes it first: a refusal changes nothing."""

    __slots__ = (
        "__weakref__",
        "_around",
        "_live",
        "_live_weights",
        "_table",
        "is_changed",
        "is_touched",
        "layout",
        "number",
        "weight",
    )

    def __init__(
        self, around: Surroundings, number: int, table: Table, *, is_changed: bool
    ) -> None:
        self._around = around
        self._table = table
        self._live: list[Any] = [ABSENT] * (len(table) * table.columns)
        self._live_weights = 0  # the part of `weight` that live objects are
        self.is_touched = False  # whether one of the live objects may be one that can change
        self.layout = 0  # counts how often rows moved
        self.number = number
        self.weight = table.weight()
        self.is_changed = is_changed

    def __len__(self) -> int:
        """Return the number of rows, dead ones included."""
        return len(self._live) // self._table.columns

    # What is read

    def value(self, row: int, column: int = 0) -> Any:
        """Return the live object of a field, decoding it the first time. Not for a dead row."""
        field = row * self._table.columns + column
        value = self._live[field]
        if value is ABSENT:
            body = self._table[field]
            value = self._around.codecs[column].decode(self._around.fetch(body))
            self._live[field] = value
            self.is_touched = self.is_touched or may_change(value)
            self._live_grew(_live_weight(value, body_length(body)))
        return value

    def values(self, column: int = 0, start: int = 0, stop: int | None = None) -> list[Any]:
        """Return the values of the rows that are not dead, decoded in one go.

        Those that could change become live objects, the others only if they were.
        """
        columns = self._table.columns
        stop = len(self) if stop is None else stop
        fields = range(start * columns + column, stop * columns, columns)
        bodies = self._table.bodies(fields)
        found = self._live[fields.start : fields.stop : columns]
        missing = [
            place
            for place, value in enumerate(found)
            if value is ABSENT and bodies[place] is not DEAD
        ]
        if missing:
            fetched = [self._around.fetch(bodies[place]) for place in missing]
            decoded = self._around.codecs[column].decode_many(fetched)
            for place, value in zip(missing, decoded, strict=True):
                found[place] = value
            if may_change_any(decoded):
                self._remember({fields[place]: found[place] for place in missing})
        return [value for value in found if value is not ABSENT]

    def body(self, row: int, column: int = 0) -> bytes:
        """Return the bytes of a field as of the last write. Not for a dead row."""
        return self._around.fetch(self._table[row * self._table.columns + column])

    def is_dead(self, row: int) -> bool:
        """Return whether `kill` was called for the row."""
        return self._table[row * self._table.columns] is DEAD

    def reach(self, row: int, size: int) -> int:
        """Return the end of the longest run of rows from `row` on that holds `size` bytes of bodies.

        It has one row at least. So a page of long values can be decoded in parts.
        """
        columns = self._table.columns
        return max(row + 1, self._table.reach(row * columns, size) // columns)

    # What is written

    def set(self, row: int, column: int, value: Any) -> None:
        """Replace a field."""
        field = row * self._table.columns + column
        body = self._around.put_away(self._around.codecs[column].encode(value))
        self._replace(field, body, value)

    def append(self, *values: Any) -> int:
        """Add a row at the end and return its number."""
        row = len(self)
        self.insert(row, *values)
        return row

    def insert(self, row: int, *values: Any) -> None:
        """Put a row before `row`; later ones move down."""
        encoded = [
            codec.encode(value) for codec, value in zip(self._around.codecs, values, strict=True)
        ]
        self.put(row, Rows(self._around.put_away_all(encoded), list(values)))

    def delete(self, row: int, stop: int | None = None) -> None:
        """Remove a row, or those up to `stop`; later ones move up."""
        self._around.release(self.take(row, row + 1 if stop is None else stop).bodies)

    def kill(self, row: int) -> None:
        """Empty a row, which stays, dead."""
        for column in range(self._table.columns):
            self._replace(row * self._table.columns + column, DEAD, ABSENT)

    def rows(self, start: int, stop: int) -> Rows:
        """Return rows as `put` takes them; they stay here as well."""
        columns = self._table.columns
        fields = range(start * columns, stop * columns)
        return Rows(self._table.bodies(fields), self._live[fields.start : fields.stop])

    def take(self, start: int, stop: int) -> Rows:
        """Remove rows and return them; what is kept of them elsewhere stays for another page."""
        taken = self.rows(start, stop)
        fields = range(start * self._table.columns, stop * self._table.columns)
        self._table.remove(fields)
        del self._live[fields.start : fields.stop]
        self.layout += 1
        self._note_change(-_weigh(taken.bodies), -_weigh_live(taken))
        return taken

    def put(self, row: int, rows: Rows) -> None:
        """Put rows that were taken from another page before `row`."""
        field = row * self._table.columns
        self._table.insert(field, rows.bodies)
        self._live[field:field] = rows.live
        self.layout += 1
        self.is_touched = self.is_touched or may_change_any(rows.live)
        self._note_change(_weigh(rows.bodies), _weigh_live(rows))

    def split(self, row: int, into: RecordPage) -> None:
        """Move the rows from `row` on to the end of another page."""
        into.put(len(into), self.take(row, len(self)))

    # What the pager does with it

    def image(self) -> bytes:
        """Return the page as bytes."""
        return self._table.to_bytes()

    def own_pages(self) -> list[OwnPage]:
        """Return what is kept elsewhere."""
        return self._table.own_pages()

    def changeable(self) -> list[int]:
        """Return the fields with a live object that can change, in O(1) where there never was one."""
        if not self.is_touched:
            return []
        live = enumerate(self._live)
        return [field for field, value in live if value is not ABSENT and may_change(value)]

    def live(self, fields: Iterable[int]) -> list[Any]:
        """Return the live objects of `fields`."""
        return [self._live[field] for field in fields]

    def lengths(self, fields: Iterable[int]) -> list[int]:
        """Return how long the bodies of `fields` are."""
        return [body_length(self._table[field]) for field in fields]

    def update(self) -> builtins.set[int]:
        """Make the bodies of live objects anew; return the fields of those that have none now.

        Making them runs code of the objects. Should that move rows of this page, it begins again.
        Errors are not returned: their frames would hold the values, which would count as held.
        """
        for _ in range(ATTEMPTS):
            layout = self.layout
            failed = builtins.set[int]()
            for field in self.changeable():
                try:
                    body = self.encode(field)
                except SerializationError:
                    failed.add(field)
                    continue
                if self.layout != layout:
                    break
                if body != self._around.fetch(self._table[field]):
                    self._replace(field, self._around.put_away(body), self._live[field])
            else:
                return failed
        raise RuntimeError("values move the items around them each time that they are serialized")

    def encode(self, field: int) -> bytes:
        """Return the body that a live object has now."""
        return self._around.codecs[field % self._table.columns].encode(self._live[field])

    def weigh(self) -> int:
        """Return what `weight` must be, in O(fields)."""
        rows = self.rows(0, len(self))
        return _weigh(rows.bodies) + _weigh_live(rows)

    def shed(self, kept: Collection[int]) -> None:
        """Let go of all live objects but those of `kept`, in O(fields)."""
        live: list[Any] = [ABSENT] * len(self._live)
        for field in kept:
            live[field] = self._live[field]
        grown = self._live_weight(kept) - self._live_weights
        self._live = live
        self.is_touched = bool(kept)
        if grown:
            self._live_grew(grown)

    def _remember(self, values: dict[int, Any]) -> None:
        grown = 0
        for field, value in values.items():
            self._live[field] = value
            grown += _live_weight(value, body_length(self._table[field]))
        self.is_touched = True
        self._live_grew(grown)

    def _live_weight(self, fields: Iterable[int]) -> int:
        return sum(
            _live_weight(self._live[field], body_length(self._table[field])) for field in fields
        )

    def _live_grew(self, grown: int) -> None:
        self._live_weights += grown
        self._around.account(self, grown)

    def _replace(self, field: int, body: Body, value: Any) -> None:
        old = Rows([self._table[field]], [self._live[field]])
        new = Rows([body], [value])
        self._table[field] = body
        self._live[field] = value
        self.is_touched = self.is_touched or (value is not ABSENT and may_change(value))
        self._note_change(
            _weigh(new.bodies) - _weigh(old.bodies), _weigh_live(new) - _weigh_live(old)
        )
        self._around.release(old.bodies)

    def _note_change(self, grown: int, live_grown: int) -> None:
        self.is_changed = True
        self._live_weights += live_grown
        self._around.account(self, grown + live_grown)


def _weigh(bodies: Iterable[Body]) -> int:
    return sum(map(body_weight, bodies))


def _weigh_live(rows: Rows) -> int:
    return sum(
        _live_weight(value, body_length(body))
        for body, value in zip(rows.bodies, rows.live, strict=True)
        if value is not ABSENT
    )


def _live_weight(value: Any, length: int) -> int:
    return LIVE_OVERHEAD + (length if type(value) in (str, bytes) else LIVE_FACTOR * length)
