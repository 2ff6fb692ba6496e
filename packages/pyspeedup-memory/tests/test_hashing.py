"""Keys that are equal hash equally, in every process and for every version of Python."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import fractions
import json
import math
import os
import pathlib
import subprocess
import sys
import textwrap
import uuid
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.memory._dict.hashing import (
    equals_by_identity,
    own_hash,
    register_stable_hash,
    stable_hash,
)
from users_keys import LikeStr


class Number(enum.IntEnum):
    ONE = 1


class Letter(enum.StrEnum):
    A = "a"


class OldLetter(str, enum.Enum):  # noqa: UP042 -- much code still writes it so
    A = "a"


class Colour(enum.Enum):
    RED = [1]  # noqa: RUF012 -- a member, not a default
    BLUE = "blue"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Name(str):
    __slots__ = ()


class CaseBlind(str):
    __slots__ = ()

    def __eq__(self, other):
        return str.lower(self) == str.lower(other)

    def __hash__(self):
        return hash(str.lower(self))


class Reshuffled(str):
    __slots__ = ()

    def __hash__(self):
        return 7


class Point(NamedTuple):
    x: object
    y: object


class Nothing(NamedTuple):
    pass


@dataclasses.dataclass(frozen=True)
class Place:
    x: int
    y: object
    note: str = dataclasses.field(default="", compare=False)


@dataclasses.dataclass(frozen=True)
class NamedPlace(Place):
    name: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class AsItsParent(Place):
    extra: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    x: int


@dataclasses.dataclass(frozen=True)
class FirstFieldOnly:
    x: int
    y: int

    def __eq__(self, other):
        return self.x == other.x

    def __hash__(self):
        return hash(self.x)


EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))

EQUAL_GROUPS = [
    [1, 1.0, True, 1 + 0j, Decimal(1), Decimal("1.00"), fractions.Fraction(1), Number.ONE],
    [0, 0.0, -0.0, False, Decimal("-0"), complex(-0.0, -0.0)],
    [0.5, Decimal("0.5"), fractions.Fraction(1, 2), complex(0.5)],
    [2**200, float(2**200), Decimal(2**200), fractions.Fraction(2**200)],
    [-(2**61), float(-(2**61))],
    [math.inf, Decimal("inf"), complex(math.inf, 0)],
    [complex(1, 2), complex(1.0, 2.0)],
    ["a", Letter.A, OldLetter.A, Name("a")],
    [b"ab", memoryview(b"ab")],
    [(1, "a"), (True, "a"), (1.0, Name("a")), Point(1, "a")],
    [(), Nothing()],
    [frozenset({1, "a"}), frozenset({"a", 1.0})],
    [range(0), range(3, 1), range(5, 5, -1)],
    [range(0, 5, 2), range(0, 6, 2)],
    [range(4, 5), range(4, 6, 2)],
    [range(2**100), range(0, 2**100, 1)],
    [
        dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC),
        dt.datetime(2024, 5, 1, 17, 30, tzinfo=EAST),
    ],
    [dt.datetime(2024, 5, 1, 2), dt.datetime(2024, 5, 1, 2, fold=1)],  # noqa: DTZ001 -- naive ones are keys as well
    [dt.time(12, tzinfo=dt.UTC), dt.time(17, 30, tzinfo=EAST)],
    [dt.time(3), dt.time(3, fold=1)],
    [dt.timedelta(days=1), dt.timedelta(hours=24)],
    [dt.date(2024, 5, 1), dt.date.fromordinal(739007)],
    [uuid.UUID(int=5), uuid.UUID("00000000-0000-0000-0000-000000000005")],
    [pathlib.PurePosixPath("a/b"), pathlib.PurePosixPath("a//b/.")],
    [pathlib.PureWindowsPath("C:/A"), pathlib.PureWindowsPath("c:\\a")],
    [pathlib.Path("c/d"), type(pathlib.PurePath())("c/d")],
    [Place(1, "y"), Place(1.0, "y", note="elsewhere")],
    [Slotted(1), Slotted(True)],
    [Colour.RED, Colour["RED"]],
    [Access.READ | Access.WRITE, Access(3)],
    [None],
    [...],
    [NotImplemented],
    [dict, dict],
    [json.loads, json.loads],
    [len],
    ["\ud800"],
]


@pytest.mark.parametrize("group", EQUAL_GROUPS, ids=lambda group: repr(group[0])[:40])
def test_equal_keys_hash_equally(group):
    assert all(key == group[0] for key in group), "the example is wrong"
    hashes = {stable_hash(key) for key in group}
    assert len(hashes) == 1
    assert 0 <= hashes.pop() < 2**32


def test_different_keys_mostly_hash_differently():
    firsts = [stable_hash(group[0]) for group in EQUAL_GROUPS]
    assert len(set(firsts)) == len(firsts)


@pytest.mark.parametrize("bits", [0, 4, 16])
@pytest.mark.parametrize("make", [int, float, "user:{:08d}".format, str, lambda n: (n, n)])
def test_neighbours_spread_over_any_four_bits(make, bits):
    counts = collections.Counter(stable_hash(make(number)) >> bits & 15 for number in range(4_096))
    assert len(counts) == 16
    assert max(counts.values()) < 2 * 256


NANS = [math.nan, float("nan"), Decimal("nan"), complex(math.nan, 0), complex(0, math.nan)]


@pytest.mark.parametrize("nan", NANS, ids=repr)
def test_every_nan_has_a_hash_that_can_be_kept(nan):
    again = json.loads("NaN") if isinstance(nan, float) else type(nan)(str(nan).strip("()"))
    assert stable_hash((nan, 1)) == stable_hash((again, 1))


def test_a_slice_hashes_by_its_parts():
    assert stable_hash(slice(1, None, True)) == stable_hash(slice(1.0, None, 1))
    assert stable_hash(slice(1)) != stable_hash(slice(2))


UNKNOWN = [
    LikeStr("a"),
    object(),
    CaseBlind("a"),
    Reshuffled("a"),
    FirstFieldOnly(1, 2),
    (1, LikeStr("a")),
    frozenset({1, LikeStr("a")}),
    slice(LikeStr("a")),
    Place(1, LikeStr("a")),
    complex,
]


@pytest.mark.parametrize("key", UNKNOWN[:-1], ids=lambda key: type(key).__name__)
def test_a_key_without_a_rule_has_no_stable_hash(key):
    assert stable_hash(key) is None


def test_own_hash_follows_equality_across_types():
    assert own_hash(LikeStr("a")) == own_hash("a") == own_hash(Name("a"))


def test_which_keys_equal_nothing_but_themselves():
    assert equals_by_identity(object)
    assert not any(map(equals_by_identity, (LikeStr, str, tuple, Place, float)))


def test_a_dataclass_that_inherits_its_comparison_hashes_by_what_that_compares():
    assert AsItsParent(1, 2, extra=3) == AsItsParent(1, 2, extra=4)
    assert stable_hash(AsItsParent(1, 2, extra=3)) == stable_hash(AsItsParent(1, 2, extra=4))
    assert stable_hash(NamedPlace(1, 2, name="a")) != stable_hash(NamedPlace(1, 2, name="b"))


numbers = st.one_of(
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.complex_numbers(allow_nan=False),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 2.5, Decimal("2.5"), fractions.Fraction(5, 2)]),
)


@given(numbers, numbers)
def test_numbers_that_are_equal_hash_equally(left, right):
    if left == right:
        assert stable_hash(left) == stable_hash(right)


@given(st.integers(-(2**70), 2**70), st.integers(0, 60))
def test_one_number_in_all_its_types(numerator, shift):
    number = fractions.Fraction(numerator, 2**shift)
    as_float = float(number)
    candidates = [number, fractions.Fraction(number), complex(as_float), as_float]
    candidates += [int(number)] if number.denominator == 1 else []
    hashes = {stable_hash(value) for value in candidates if value == number}
    assert len(hashes) == 1


atoms = st.one_of(numbers, st.text(max_size=3), st.binary(max_size=3), st.none())
keys = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner), st.frozensets(inner, max_size=3), st.builds(Place, inner, inner)
    ),
    max_leaves=6,
)


@given(keys, keys)
def test_keys_that_are_equal_hash_equally(left, right):
    if left == right:
        assert stable_hash(left) == stable_hash(right)


def rebuilt(key):
    """Return an equal key made of other objects and, where there is a choice, other types."""
    if isinstance(key, tuple):
        return tuple(map(rebuilt, key))
    if isinstance(key, frozenset):
        return frozenset(rebuilt(item) for item in sorted(key, key=repr, reverse=True))
    if isinstance(key, Place):
        return Place(rebuilt(key.x), rebuilt(key.y), note="rebuilt")
    if isinstance(key, int) and float(min(key, 2**1000)) == key:
        return float(key)
    return key


@given(keys)
def test_a_key_rebuilt_of_other_types_hashes_equally(key):
    twin = rebuilt(key)
    assert twin == key
    assert stable_hash(twin) == stable_hash(key)


@given(st.datetimes(timezones=st.timezones()), st.timezones())
def test_one_instant_in_two_zones(moment, zone):
    try:
        elsewhere = moment.astimezone(zone)
    except OverflowError:
        return
    if elsewhere == moment:
        assert stable_hash(elsewhere) == stable_hash(moment)


# ---- other processes ---------------------------------------------------------------------------

GOLDEN_HASHES = {
    "1": 2654435769,
    "-1": 3281063053,
    "2**200": 4084399764,
    "1.5": 3996613049,
    "float('nan')": 1810114945,
    "float('inf')": 4036718120,
    "1j": 2849884872,
    "'spam'": 1138425661,
    "''": 0,
    "b'spam'": 1138425661,
    "None": 3751981041,
    "...": 3823528337,
    "NotImplemented": 1305431353,
    "(1, 'a', None)": 2181361812,
    "()": 921712784,
    "frozenset({1, 'a'})": 3235665865,
    "range(0, 10, 3)": 1901965909,
    "Decimal('0.1')": 292370488,
    "Fraction(1, 3)": 3768069314,
    "UUID(int=7)": 1084454007,
    "date(2024, 5, 1)": 2351207233,
    "time(1, 2, 3)": 3617591839,
    "time(1, 2, 3, tzinfo=timezone.utc)": 587455122,
    "datetime(2024, 5, 1, 2, 3)": 4266012076,
    "datetime(2024, 5, 1, 2, 3, tzinfo=timezone.utc)": 1093885341,
    "timedelta(1, 2, 3)": 1860049962,
    "PurePosixPath('a/b')": 1503899150,
    "PureWindowsPath('C:/A')": 340636083,
    "dict": 147803955,
    "loads": 634253456,
    "len": 202127595,
    "HTTPStatus.OK": 2606176491,
    "SafeUUID.safe": 3742644293,
    "RegexFlag.I": 1013904242,
    "slice(1, 2)": 3635499885,
}
"""What stores on disk were indexed by: a change here makes every one of them unreadable."""

PRELUDE = textwrap.dedent("""
    from datetime import date, datetime, time, timedelta, timezone
    from decimal import Decimal
    from fractions import Fraction
    from http import HTTPStatus
    from json import loads
    from pathlib import PurePosixPath, PureWindowsPath
    from re import RegexFlag
    from uuid import UUID, SafeUUID
    from pyspeedup.memory._dict.hasher import Hasher
    from pyspeedup.memory._dict.hashing import stable_hash
""")


def hashes_in_a_new_process(seed, code="stable_hash"):
    """Return the golden keys' hashes, by `code`, as a process with this hash seed makes them."""
    script = PRELUDE + textwrap.dedent(f"""
        import json, sys
        print(json.dumps({{text: {code}(eval(text)) for text in json.load(sys.stdin)}}))
    """)
    finished = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(list(GOLDEN_HASHES)),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_hashes_stay_what_they_were_whatever_the_hash_seed(seed):
    assert hashes_in_a_new_process(seed) == GOLDEN_HASHES


# ---- registering -------------------------------------------------------------------------------


def fresh_class():
    class Word:
        def __init__(self, text):
            self.text = text

        def __eq__(self, other):
            return self.text == getattr(other, "text", other)

        def __hash__(self):
            return hash(self.text)

    return Word


def test_a_registered_type_hashes_as_what_stands_for_it():
    word = fresh_class()
    assert stable_hash(word("a")) is None
    register_stable_hash(word, lambda key: key.text)
    assert stable_hash(word("a")) == stable_hash("a")
    assert stable_hash((word("a"), 1)) == stable_hash(("a", 1))


def test_a_registration_holds_for_subclasses_that_compare_alike():
    word = fresh_class()
    register_stable_hash(word, lambda key: key.text)

    class Alike(word):
        pass

    class Otherwise(word):
        def __eq__(self, other):
            return self is other

        __hash__ = object.__hash__

    assert stable_hash(Alike("a")) == stable_hash("a")
    assert stable_hash(Otherwise("a")) is None


def test_what_stands_for_a_key_must_have_a_stable_hash():
    word = fresh_class()
    register_stable_hash(word, lambda _key: object())
    with pytest.raises(TypeError, match=r"Word returned <object object.*made of plain types"):
        stable_hash(word("a"))
    register_stable_hash(word, lambda key: key)
    with pytest.raises(TypeError, match="Word returned"):
        stable_hash(word("a"))


def test_bad_registrations_are_refused_by_name():
    with pytest.raises(TypeError, match="kind must be a class, not 'str'"):
        register_stable_hash("str", len)
    with pytest.raises(TypeError, match="function must be callable with a LikeStr, not 7"):
        register_stable_hash(LikeStr, 7)
    with pytest.raises(ValueError, match="kind str has a stable hash already"):
        register_stable_hash(str, len)


def test_numpy_scalars_hash_as_what_they_equal():
    numpy = pytest.importorskip("numpy")
    for scalar in (numpy.int64(7), numpy.float32(0.5), numpy.bool_(1), numpy.str_("a")):
        assert stable_hash(scalar) == stable_hash(scalar.item())
