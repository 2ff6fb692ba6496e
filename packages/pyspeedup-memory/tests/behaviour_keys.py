"""Keys that test_reopen.py has not: subclasses of what has a stable hash, and ``slice``.

Each function takes a dict, in a process of its own, and returns how many keys it leaves.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import fractions
import pathlib
import sys
import uuid
from decimal import Decimal
from typing import NamedTuple


class Whole(int):
    pass


class Real(float):
    pass


class Raw(bytes):
    pass


class Row(tuple):
    __slots__ = ()


class Group(frozenset):
    __slots__ = ()


class Moment(dt.datetime):
    pass


class Day(dt.date):
    pass


class Price(Decimal):
    pass


class Part(fractions.Fraction):
    pass


class Word(enum.StrEnum):
    HELLO = "hello"


class Base(NamedTuple):
    x: int


class Place(Base):
    """A subclass of a named tuple."""


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: int


@dataclasses.dataclass(frozen=True)
class Named(Point):
    name: str


class Identity(uuid.UUID):
    pass


class Loose:
    """A key without a rule, whose hash is another in each process."""

    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, Loose) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


def make_keys():
    """Make the same keys, which are all different, anew each time."""
    return [
        *(Whole(7), Real(7.5), Raw(b"raw"), Row((1, "a")), Group({"a", "b"}), Place(3)),
        *(
            Moment(2024, 1, 2, 3, tzinfo=dt.UTC),
            Day(2024, 1, 2),
            Price("1.25"),
            Part(22, 7),
            Word.HELLO,
        ),
        *(
            Point(1, 2),
            Named(1, 2, "n"),
            Identity(int=9),
            False,
            True,
            "\0",
            "é" * 200,
            (),
            (None,),
        ),
        *(pathlib.Path("a/b"), pathlib.PurePath("c"), dt.UTC, type(None), type),
        *(Point, make_keys, print, str.upper, NotImplementedError, int | str, Word),
        *(Loose("a"), (Loose("a"), 1), frozenset({Loose("b")}), Loose("c" * 1000)),
        *((slice(1, 2), slice(None), (slice(1), "a")) if sys.version_info >= (3, 12) else ()),
    ]


ALSO = [
    *((7, Whole(7)), (fractions.Fraction(15, 2), Real(7.5)), (b"raw", Raw(b"raw"))),
    *(((1.0, "a"), Row((1, "a"))), (frozenset("ab"), Group({"a", "b"})), ((3,), Place(3))),
    *(
        (dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), Moment(2024, 1, 2, 3, tzinfo=dt.UTC)),
        (1.25, Price("1.25")),
    ),
    *(
        (dt.date(2024, 1, 2), Day(2024, 1, 2)),
        ("hello", Word.HELLO),
        (0, False),
        (1 + 0j, True),
    ),
]
"""Keys that equal one of the others, each with that."""


def write(d):
    for number, key in enumerate(make_keys()):
        d[key] = number
    return len(d)


def read(d):
    for number, key in enumerate(make_keys()):
        assert d[key] == number, key
    for key, same in ALSO:
        assert d[key] == d[same], key
    assert list(map(type, d)) == list(map(type, make_keys()))
    assert Loose("absent") not in d
    assert (Loose("a"), 2) not in d
    return len(d)


def delete_every_other(d):
    for key in make_keys()[::2]:
        del d[key]
    return len(d)


def read_the_rest(d):
    keys = make_keys()
    assert list(d.values()) == list(range(len(keys)))[1::2]
    assert [key in d for key in keys] == [number % 2 == 1 for number in range(len(keys))]
    return len(d)
