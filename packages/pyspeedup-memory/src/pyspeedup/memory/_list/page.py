"""A page of a list in RAM: its bodies, and the live objects of those rows that were touched.

A change is prepared first, and then made by stores with no call or loop among them: CPython looks for
signals, and changes threads, at those only. So an interrupted change is made or not.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Protocol

from pyspeedup.core import SerializationError
from pyspeedup.memory._list.plain import encode_many
from pyspeedup.memory._list.records import OwnPage, Records, encoded
from pyspeedup.memory._list.rows import (
    ABSENT,
    LATE,
    LATE_LENGTH,
    LATE_ROW_WEIGHT,
    LATE_WEIGHT,
    ROW_OVERHEAD,
    Rows,
    body_length,
    live_weight,
    row_weight,
    weight_of_rows,
    weight_of_scalars,
)
from pyspeedup.memory._pages.changes import may_change, may_change_any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pyspeedup.memory._list.own_pages import OwnPages
    from pyspeedup.memory._list.rows import Row
    from pyspeedup.memory._pages.bodies import Codec

__all__ = ["ListPage", "Surroundings"]

ATTEMPTS = 3
RUN = 32
RUN_BYTES = 4096
"""How many rows, and bytes of bodies, are decoded for whoever reads in order."""


class Surroundings(Protocol):
    """What a page asks of its pager."""

    codec: Codec
    own: OwnPages

    def body_of(self, value: Any, /) -> Row:
        """Return what the page is to keep of `value`."""
        ...

    weight: int
    """Bytes that the resident pages take that are not pinned."""

    def keep(self, page: ListPage, /) -> bool:
        """See that `page`, which is about to change, is resident; return whether `weight` counts it."""
        ...

    def grew(self) -> None:
        """Note that `weight` has grown."""
        ...


class ListPage:
    """Rows. Each method that takes a value encodes it first, or knows that it can be encoded."""

    __slots__ = (
        "__weakref__",
        "_around",
        "_bodies",
        "_live_weights",
        "_records",
        "_seed",
        "is_changed",
        "is_touched",
        "layout",
        "live",
        "number",
        "weight",
    )

    def __init__(
        self, around: Surroundings, number: int, seed: int, records: Records | None
    ) -> None:
        self._around = around
        self._seed = seed
        self._records = records  # as read; or else
        self._bodies: list[Row] = []
        self.live: list[Any] = [ABSENT] * (0 if records is None else len(records))
        """The live object of each row, or `ABSENT`. Whoever finds one may answer with it."""
        self._live_weights = 0  # the part of `weight` that live objects are
        self.is_touched = False  # whether one of the live objects may be one that can change
        self.layout = 0  # counts how often rows moved
        self.number = number
        self.weight = 0 if records is None else ROW_OVERHEAD * len(records) + records.size
        self.is_changed = records is None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.live)

    # What is read

    def value(self, row: int) -> Any:
        """Return the live object of a row, decoding it the first time."""
        value = self.live[row]
        if value is ABSENT:
            if not self.is_touched:
                self._decode_run(row)
                value = self.live[row]
            if value is ABSENT:
                body = self._body(row)
                value = self._around.codec.decode(self._around.own.fetch(body))
                is_touched = self.is_touched or may_change(value)
                self._make_live(row, [value], live_weight(body, value), is_touched=is_touched)
        return value

    def _decode_run(self, row: int) -> None:
        """Make live objects of rows about `row` that whoever reads in order asks for next.

        Not of such as could change, which would have to be watched.
        """
        start, stop = self._run_at(row)
        bodies = self.rows(start, stop).bodies
        if start == stop or sum(map(body_length, bodies)) > RUN_BYTES:
            return
        try:
            values = self._around.codec.decode_many(list(map(self._around.own.fetch, bodies)))  # type: ignore[arg-type]  # none is late
        except SerializationError:
            return  # one by one: the value that cannot be read is named once it is asked for
        if not may_change_any(values):
            grown = sum(map(live_weight, bodies, values))
            self._make_live(start, values, grown, is_touched=self.is_touched)

    def _run_at(self, row: int) -> tuple[int, int]:
        """Return which rows to decode with `row`: those behind a live one, or before one; else none."""
        live = self.live
        if row and live[row - 1] is not ABSENT:
            places = range(row + 1, min(row + RUN, len(live)))
            return row, next((place for place in places if live[place] is not ABSENT), places.stop)
        if row + 1 == len(live) or live[row + 1] is not ABSENT:
            places = range(row - 1, max(-1, row - RUN), -1)
            before = next((place for place in places if live[place] is not ABSENT), places.stop)
            return before + 1, row + 1
        return row, row

    def values(self, start: int, stop: int) -> list[Any]:
        """Return the values of some rows, decoded in one go.

        Those that could change become live objects, the others only if they were.
        """
        found = self.live[start:stop]
        missing = [place for place, value in enumerate(found) if value is ABSENT]
        if not missing:
            return found
        if len(missing) == len(found):
            found = decoded = self._decoded(start, stop)
        else:
            bodies = [self._around.own.fetch(self._body(start + place)) for place in missing]
            decoded = self._around.codec.decode_many(bodies)
            for place, value in zip(missing, decoded, strict=True):
                found[place] = value
        if may_change_any(decoded):
            grown = sum(live_weight(self._body(start + place), found[place]) for place in missing)
            self._make_live(start, found, grown, is_touched=True)
        return found

    def _decoded(self, start: int, stop: int) -> list[Any]:
        if self._records is not None:
            return self._records.decoded(start, stop, self._around.codec, self._around.own.fetch)
        bodies = [self._around.own.fetch(self._body(row)) for row in range(start, stop)]
        return self._around.codec.decode_many(bodies)

    def reach(self, row: int, size: int) -> int:
        """Return the end of the longest run of rows from `row` on that holds `size` bytes of bodies.

        It has one row at least. So a page of long values can be decoded in parts.
        """
        if self._records is not None:
            return self._records.reach(row, size)
        end = last = len(self.live)
        for end in range(row, last):
            size -= body_length(self._bodies[end])
            if size < 0:
                return max(row + 1, end)
        return last

    # What is written

    def set(self, row: int, value: Any) -> None:
        """Replace a row."""
        self._replace(row, self._around.body_of(value), value)

    def insert(self, row: int, value: Any) -> None:
        """Put a row before `row`; later ones move down."""
        body = self._around.body_of(value)
        self._came(row, body, value)

    def _came(self, row: int, body: Row, value: Any) -> None:
        if body is LATE:
            self._splice(row, row, [body], [value], LATE_ROW_WEIGHT, LATE_WEIGHT)
        else:
            self.is_touched = self.is_touched or may_change(value)
            live_grown = live_weight(body, value)
            self._splice(row, row, [body], [value], row_weight(body), live_grown)

    def append(self, value: Any) -> None:
        """Add a row at the end."""
        body = self._around.body_of(value)
        self._came(len(self.live), body, value)

    def append_late(self, values: list[Any]) -> None:
        """Add rows of values that are late, at the end."""
        end, count = len(self.live), len(values)
        bodies: list[Row] = [LATE] * count
        self._splice(end, end, bodies, values, LATE_ROW_WEIGHT * count, LATE_WEIGHT * count)

    def delete(self, row: int) -> None:
        """Remove a row; later ones move up."""
        body, value = self._taken_apart()[row], self.live[row]
        self._splice(row, row + 1, [], [], -row_weight(body), -live_weight(body, value))
        if type(body) is OwnPage:
            self._around.own.release([body])

    def rows(self, start: int, stop: int) -> Rows:
        """Return rows as `put` takes them; they stay here as well."""
        if self._records is not None:
            return Rows([*self._records.bodies(start, stop)], self.live[start:stop])
        return Rows(self._bodies[start:stop], self.live[start:stop])

    def take(self, start: int, stop: int) -> Rows:
        """Remove rows and return them; what is kept of them elsewhere stays for another page."""
        taken = self.rows(start, stop)
        self._splice(start, stop, [], [], -weight_of_rows(taken.bodies), -taken.weight())
        return taken

    def put(self, row: int, rows: Rows) -> None:
        """Put rows that were taken from another page before `row`."""
        self.is_touched = self.is_touched or may_change_any(
            [value for value in rows.live if value is not ABSENT]
        )
        grown, live_grown = weight_of_rows(rows.bodies), rows.weight()
        self._splice(row, row, rows.bodies, rows.live, grown, live_grown)

    # What the pager does with it

    def image(self) -> bytes:
        """Return the page as bytes."""
        if self._records is not None:
            return self._records.image
        self._encode_late()
        return encoded(self._bodies, self._seed)  # type: ignore[arg-type]  # none of them is late now

    def _encode_late(self) -> None:
        bodies = self._taken_apart()
        if type(LATE) not in set(map(type, bodies)):
            return
        bodies = bodies.copy()
        late = [row for row, body in enumerate(bodies) if body is LATE]
        values = [self.live[row] for row in late]
        made = encode_many(values) or [self._around.codec.encode(value) for value in values]
        grown = weight_of_scalars(made, values) - LATE_WEIGHT * len(late)
        for row, body in zip(late, made, strict=True):
            bodies[row] = body
        both = grown + sum(map(len, made)) - LATE_LENGTH * len(late)
        around = self._around
        is_counted = around.keep(self)
        self._bodies = bodies  # without a call from here on
        self._live_weights += grown
        self.weight += both
        if is_counted:
            around.weight += both
        around.grew()

    def own_pages(self) -> list[OwnPage]:
        """Return what is kept elsewhere."""
        if self._records is not None:
            return self._records.own_pages()
        return [body for body in self._bodies if type(body) is OwnPage]

    def changeable(self) -> list[int]:
        """Return the rows with a live object that can change, in O(1) where there never was one."""
        if not self.is_touched:
            return []
        live = enumerate(self.live)
        return [row for row, value in live if value is not ABSENT and may_change(value)]

    def lengths(self, rows: Iterable[int]) -> list[int]:
        """Return how long the bodies of `rows` are."""
        return [body_length(self._body(row)) for row in rows]

    def update(self) -> builtins.set[int]:
        """Make the bodies of live objects anew; return the rows of those that have none now.

        Making them runs code of the objects. Should that move rows of this page, it begins again.
        Errors are not returned: their frames would hold the values, which would count as held.
        """
        for _ in range(ATTEMPTS):
            layout = self.layout
            failed = builtins.set[int]()
            for row in self.changeable():
                try:
                    body = self.encode(row)
                except SerializationError:
                    failed.add(row)
                    continue
                if self.layout != layout:
                    break
                if body != self._around.own.fetch(self._body(row)):
                    self._replace(row, self._around.own.put_away(body), self.live[row])
            else:
                return failed
        raise RuntimeError("values move the items around them each time that they are serialized")

    def encode(self, row: int) -> bytes:
        """Return the body that a live object has now."""
        return self._around.codec.encode(self.live[row])

    def weigh(self) -> int:
        """Return what `weight` must be, in O(rows)."""
        rows = self.rows(0, len(self))
        assert self._live_weights == rows.weight()  # noqa: S101 -- what it is for
        return weight_of_rows(rows.bodies) + rows.weight()

    def shed(self, kept: Collection[int]) -> None:
        """Let go of all live objects but those of `kept`, in O(rows). None may be late."""
        live: list[Any] = [ABSENT] * len(self.live)
        for row in kept:
            live[row] = self.live[row]
        grown = sum(live_weight(self._body(row), live[row]) for row in kept) - self._live_weights
        self._make_live(0, live, grown, is_touched=bool(kept))

    def _body(self, row: int) -> Any:
        return self._bodies[row] if self._records is None else self._records.body(row)

    def _taken_apart(self) -> list[Row]:
        if self._records is not None:
            self._bodies = [*self._records.bodies(0, len(self._records))]
            self._records = None
        return self._bodies

    def _make_live(self, start: int, values: list[Any], grown: int, *, is_touched: bool) -> None:
        """Make `values` the live objects of rows from `start` on, or `ABSENT`; they grow by `grown`."""
        around, stop = self._around, start + len(values)
        is_counted = grown and around.keep(self)
        self.live[start:stop] = values  # without a call from here on
        self.is_touched = is_touched
        self._live_weights += grown
        self.weight += grown
        if is_counted:
            around.weight += grown
            around.grew()

    def _replace(self, row: int, body: Row, value: Any) -> None:
        around, bodies, live = self._around, self._taken_apart(), self.live
        old = bodies[row]
        if body is not LATE and not self.is_touched:
            self.is_touched = may_change(value)
        live_grown = live_weight(body, value) - live_weight(old, live[row])
        grown = row_weight(body) - row_weight(old) + live_grown
        is_counted = around.keep(self)
        bodies[row] = body  # without a call from here on
        live[row] = value
        self.is_changed = True
        self._live_weights += live_grown
        self.weight += grown
        if is_counted:
            around.weight += grown
        around.grew()
        if type(old) is OwnPage:
            around.own.release([old])

    def _splice(
        self, start: int, stop: int, new: list[Row], values: list[Any], *sizes: int
    ) -> None:
        """Put rows in place of those from `start` to `stop`; of `sizes`, rows and live objects grow by one each."""
        around, bodies, live = self._around, self._taken_apart(), self.live
        grown, live_grown = sizes
        both = grown + live_grown
        is_counted = around.keep(self)
        bodies[start:stop] = new  # without a call from here on
        live[start:stop] = values
        self.layout += 1
        self.is_changed = True
        self._live_weights += live_grown
        self.weight += both
        if is_counted:
            around.weight += both
        around.grew()
