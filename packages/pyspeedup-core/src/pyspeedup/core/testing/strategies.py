"""What the machines draw from: keys that collide, values of many types, indexes at page edges."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Self, TypeVar

from hypothesis import strategies as st

from pyspeedup.core.testing._values import Box, Colour, Number, Point, Text

__all__ = [
    "EQUAL_BUT_DISTINCT",
    "ODD_VALUES",
    "RepeatedBytes",
    "any_values",
    "indexes",
    "json_values",
    "keys",
    "mutable_values",
    "of_machine",
    "page_bytes",
    "page_numbers",
    "scalars",
    "slices",
    "values",
]

T = TypeVar("T")

EQUAL_BUT_DISTINCT: tuple[Any, ...] = (
    *(0, False, 0.0, -0.0, Decimal(0)),
    *(1, True, 1.0, 1 + 0j, Fraction(1)),
    *("1", b"1", "", None),
    *((1, "a"), (True, "a"), (1.0, "a")),
    *(2**61, float(2**61)),
)
"""Keys of which some are equal although their types differ, so that a dict keeps the first."""


ODD_VALUES: tuple[Any, ...] = (
    *(Text("text"), Number(7), Colour.GREEN, Point(1, 2), {Text("key"): 1}, [Number(7)]),
    *((), (1, "a"), [(1,)], {"a": ()}, set(), {1, 2}, frozenset({1}), deque([1]), OrderedDict(a=1)),
    *({1: "a"}, {None: 1}, {1.5: 1}, {b"a": 1}, {(1, 2): 3}, {True: 1}, Counter("aab")),
    *(-0.0, float("nan"), float("inf"), [float("-inf")], 1j, Decimal("1.0"), Fraction(1, 2)),
    *(2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 1 << 14_200, float(2**64)),
    *(b"bytes", bytearray(b"more"), "\ud800", "\ud83d\ude00", "\0", array("i", [1, -2]), range(3)),
    *(slice(1, None), ..., NotImplemented, Box, len, PurePosixPath("a/b"), dt.date(2024, 2, 29)),
)
"""What tells formats apart: values that one or the other would give back as another, or not at all."""


def scalars() -> st.SearchStrategy[Any]:
    """Immutable values that pickle and JSON both give back: no NaN and no infinity.

    >>> from hypothesis import find
    >>> find(scalars(), lambda value: isinstance(value, str))
    ''
    """
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    )


def keys() -> st.SearchStrategy[Any]:
    """Hashable keys: mostly `EQUAL_BUT_DISTINCT` ones, else numbers, text and tuples.

    >>> from hypothesis import find
    >>> find(keys(), lambda key: key == 1 and type(key) is not int)
    True
    """
    others = st.one_of(st.integers(), st.text(max_size=5), st.tuples(st.integers(0, 3), st.text()))
    return st.one_of(st.sampled_from(EQUAL_BUT_DISTINCT), st.integers(0, 9), others)


def mutable_values() -> st.SearchStrategy[Any]:
    """Values that can change in place, or hold one that can, a tuple of lists among them.

    >>> from hypothesis import find
    >>> find(mutable_values(), lambda value: isinstance(value, list))
    []
    """
    lists = st.lists(scalars(), max_size=3)
    return st.one_of(
        lists,
        st.dictionaries(st.text(max_size=3), lists, max_size=2),
        st.sets(st.integers(0, 9), max_size=3),
        st.tuples(lists),
        st.lists(lists, max_size=2),
        st.builds(Box, lists),
        st.builds(bytearray, st.binary(max_size=4)),
    )


def values() -> st.SearchStrategy[Any]:
    """Any picklable value: `scalars`, bytes, tuples and `mutable_values`.

    >>> from hypothesis import find
    >>> find(values(), lambda value: isinstance(value, bytes))
    b''
    """
    immutable = st.one_of(
        scalars(),
        st.floats(allow_nan=False),
        st.binary(max_size=8),
        st.tuples(scalars(), scalars()),
    )
    return st.one_of(immutable, mutable_values())


def json_values() -> st.SearchStrategy[Any]:
    """Values that JSON gives back equal: `scalars`, lists, and dicts with str keys.

    >>> from hypothesis import find
    >>> find(json_values(), lambda value: isinstance(value, dict))
    {}
    """
    return st.recursive(
        scalars(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=5,
    )


def any_values() -> st.SearchStrategy[Any]:
    """Values of all that programs put together, which no format of plain data has all of.

    Each is equal to its pickled copy, which `same` tells; many are equal to values of another type.

    >>> from hypothesis import find
    >>> find(any_values(), lambda value: isinstance(value, bytes))
    b''
    """
    leaves = st.one_of(scalars(), _odd_scalars(), st.sampled_from(ODD_VALUES), _dates())
    hashable = leaves.filter(_is_hashable)
    keys = st.one_of(hashable, st.tuples(hashable, hashable), st.frozensets(st.integers(0, 3)))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.lists(inner, max_size=3).map(deque),
            st.dictionaries(keys, inner, max_size=3),
            st.dictionaries(keys, inner, max_size=3).map(OrderedDict),
            st.sets(keys, max_size=3),
            st.builds(Point, inner, inner),
            st.builds(Box, inner),
        ),
        max_leaves=6,
    )


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:  # bytearrays, arrays, signalling NaN
        return False
    return True


def _odd_scalars() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.floats(),
        st.complex_numbers(),
        st.decimals(),
        st.fractions(),
        st.binary(max_size=4),
        st.builds(bytearray, st.binary(max_size=4)),
        st.uuids(),
    )


def _dates() -> st.SearchStrategy[Any]:
    hours = st.integers(-23, 23).map(lambda hour: dt.timezone(dt.timedelta(hours=hour)))
    zones = st.one_of(st.none(), hours)
    return st.one_of(
        st.dates(), st.times(timezones=zones), st.datetimes(timezones=zones), st.timedeltas()
    )


def indexes(length: int, page_size: int) -> st.SearchStrategy[int]:
    """Indexes of a sequence of `length` items: its ends, page edges, and just out of range.

    >>> from hypothesis import find
    >>> find(indexes(8, 4), lambda index: index < -8)
    -9
    """
    ends = {0, 1, -1, -2, length - 1, length, length + 1, -length, -length - 1}
    pages = range(0, length + page_size, page_size)
    edges = {page + step for page in pages for step in (-1, 0, 1)}
    return st.one_of(
        st.sampled_from(sorted(ends | edges, key=lambda index: (abs(index), index))),
        st.integers(-length - 2, length + 2),
    )


def slices(length: int, page_size: int) -> st.SearchStrategy[slice]:
    """Slices of a sequence of `length` items, open and bounded, with steps of both signs.

    >>> from hypothesis import find
    >>> find(slices(8, 4), lambda piece: piece.step == -2)
    slice(None, None, -2)
    """
    index = indexes(length, page_size)
    bound = st.one_of(st.none(), index, index, index)  # open ones empty a sequence soon
    step = st.sampled_from([None, 1, -1, 2, -2, 3, page_size, -page_size, length + 1])
    return st.builds(slice, bound, bound, step)


def page_numbers() -> st.SearchStrategy[int]:
    """Page numbers: 0 and its neighbours mostly, and sparse ones that no array could hold.

    >>> from hypothesis import find
    >>> find(page_numbers(), lambda page: page > 2**32)
    1099511627776
    """
    return st.one_of(st.integers(0, 6), st.sampled_from([255, 256, 2**16, 2**31, 2**32, 2**40]))


class RepeatedBytes(bytes):
    r"""`length` bytes that repeat `pattern`, and look short in the report of a failure.

    >>> RepeatedBytes(b"ab", 5), bytes(RepeatedBytes(b"ab", 5))
    (RepeatedBytes(b'ab', 5), b'ababa')
    """

    pattern: bytes

    def __new__(cls, pattern: bytes, length: int) -> Self:
        """Repeat `pattern`, and remember it."""
        made = super().__new__(cls, (pattern * length)[:length])
        made.pattern = pattern
        return made

    def __repr__(self) -> str:
        return f"RepeatedBytes({self.pattern!r}, {len(self)})"


def page_bytes() -> st.SearchStrategy[bytes]:
    r"""Contents of pages: empty, short, and up to 300,000 bytes.

    >>> from hypothesis import find
    >>> find(page_bytes(), lambda data: len(data) > 100_000)
    RepeatedBytes(b'\x00', 300000)
    """
    big = st.builds(
        RepeatedBytes,
        st.binary(min_size=1, max_size=4),
        st.sampled_from([4095, 4096, 4097, 16_385, 65_536, 300_000]),
    )
    return st.one_of(st.binary(max_size=40), st.binary(max_size=40), big)


def of_machine(attribute: str) -> st.SearchStrategy[Any]:
    """Draw from the strategy that the running machine has as `attribute`.

    Rules use it so that a subclass can replace the strategy.

    >>> from hypothesis.stateful import RuleBasedStateMachine, rule
    >>> class Counting(RuleBasedStateMachine):
    ...     steps = st.integers(1, 3)
    ...     @rule(step=of_machine("steps"))
    ...     def count(self, step):
    ...         assert 1 <= step <= 3
    >>> Counting.TestCase("runTest").debug()
    """
    return st.runner().flatmap(lambda machine: getattr(machine, attribute))
