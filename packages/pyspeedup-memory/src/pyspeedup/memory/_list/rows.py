"""Rows of a list on their way from page to page, and what they weigh in RAM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pyspeedup.memory._list.records import REFERENCE, OwnPage

if TYPE_CHECKING:
    from pyspeedup.memory._list.records import Body

__all__ = [
    "ABSENT",
    "LATE",
    "LATE_LENGTH",
    "LATE_ROW_WEIGHT",
    "LATE_WEIGHT",
    "ROW_OVERHEAD",
    "Row",
    "Rows",
    "body_length",
    "live_weight",
    "row_weight",
    "weight_of_rows",
    "weight_of_scalars",
]

ROW_OVERHEAD = 48
"""RAM that a row takes besides its body: the header of a bytes object, and places in lists."""
LIVE_OVERHEAD = 64
LIVE_FACTOR = 8
"""RAM of a live object: as long as its body for text and bytes, and this many times that for all
else. Lists of floats take 4 times their body, lists of ints 7, lists of small tuples 8."""
LATE_LENGTH = 24
"""How long a body is taken to be that is not made yet."""
LATE_WEIGHT = 256
"""What the live object of such a row is taken to weigh."""
LATE_ROW_WEIGHT = ROW_OVERHEAD + LATE_LENGTH
TEXTS = frozenset({str, bytes})


class Mark:
    """Stands for something that there is none of."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ABSENT = Mark("ABSENT")
"""In place of a live object: there is none."""
LATE = Mark("LATE")
"""In place of the body of a live object: it will be encoded later, which cannot fail."""

Row: TypeAlias = "Body | Mark"
"""A body, or `LATE`."""


class Rows(NamedTuple):
    """Bodies, and as many live objects."""

    bodies: list[Row]
    live: list[Any]

    def __add__(self, other: Rows) -> Rows:  # type: ignore[override]  # as rows, not as a tuple
        """Return these rows and those."""
        return Rows(self.bodies + other.bodies, self.live + other.live)

    def extend(self, other: Rows) -> None:
        """Add rows to these."""
        self.bodies.extend(other.bodies)
        self.live.extend(other.live)

    def weight(self) -> int:
        """Return about how many bytes of RAM the live objects of these rows take."""
        if {Mark}.issuperset(map(type, self.live)):
            return 0
        return sum(map(live_weight, self.bodies, self.live))

    def part(self, start: int, stop: int) -> Rows:
        """Return some of the rows."""
        return Rows(self.bodies[start:stop], self.live[start:stop])


def body_length(body: Row) -> int:
    """Return how many bytes a body has, wherever they are."""
    if type(body) is bytes:
        return len(body)
    return body.length if type(body) is OwnPage else LATE_LENGTH


def row_weight(body: Row) -> int:
    """Return about how many bytes of RAM a row takes without its live object."""
    if type(body) is bytes:
        return ROW_OVERHEAD + len(body)
    return ROW_OVERHEAD + (REFERENCE.size if type(body) is OwnPage else LATE_LENGTH)


def weight_of_rows(bodies: list[Row]) -> int:
    """Return the sum of `row_weight`."""
    if {bytes}.issuperset(map(type, bodies)):
        return ROW_OVERHEAD * len(bodies) + sum(map(len, bodies))  # type: ignore[arg-type]  # bytes
    return sum(map(row_weight, bodies))


def weight_of_scalars(bodies: list[bytes], values: list[Any]) -> int:
    """Return the sum of `live_weight` of values of plain types."""
    lengths = sum(map(len, bodies))
    texts = 0
    if not TEXTS.isdisjoint(map(type, values)):
        pairs = zip(bodies, values, strict=True)
        texts = sum(len(body) for body, value in pairs if type(value) in TEXTS)
    return LIVE_OVERHEAD * len(bodies) + LIVE_FACTOR * (lengths - texts) + texts


def live_weight(body: Row, value: Any) -> int:
    """Return about how many bytes of RAM a live object takes, as long as `body` says it is."""
    if value is ABSENT:
        return 0
    if body is LATE:
        return LATE_WEIGHT
    length = len(body) if type(body) is bytes else body_length(body)
    return LIVE_OVERHEAD + (length if type(value) in TEXTS else LIVE_FACTOR * length)
