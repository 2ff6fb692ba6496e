"""The serializers that memory brings, held to the contract of all."""

from __future__ import annotations

import enum
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import PickleSerializer, SerializationError, serializers
from pyspeedup.core.testing import SerializerContract
from pyspeedup.memory import CompressedSerializer, JsonSerializer, compressed
from pyspeedup.memory._storage.codecs import choose_serializer, describe, make_serializer, runs_code

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class PlainContract(SerializerContract):
    """The contract for what takes plain values only: no infinity, no bytes."""

    value_strategy = PLAIN


class TestJson(PlainContract):
    def make_serializer(self):
        return JsonSerializer()


class TestCompressedPickle(SerializerContract):
    def make_serializer(self):
        return compressed("pickle", "zlib")

    def remake(self, options):
        return compressed(**options)


class TestCompressedJson(PlainContract):
    def make_serializer(self):
        return compressed(JsonSerializer())

    def remake(self, options):
        return compressed(**options)


class Text(str):
    __slots__ = ()


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        (1, 2), {1: "a"}, {None: 1}, {True: 1}, {1.5: 1}, {"a": (1,)}, [[(1,)]], math.nan, math.inf,
        -math.inf, Text("a"), {Text("a"): 1}, Colour.RED, b"bytes", {1}, frozenset(), 1j, object(), ...,
    ],
)  # fmt: skip
def test_json_refuses_what_it_would_not_give_back(value):
    with pytest.raises(SerializationError, match="json"):
        JsonSerializer().dumps(value)


def test_json_refuses_what_is_too_deep_or_refers_to_itself():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    knot = []
    knot.append(knot)
    for value in (deep, knot):
        with pytest.raises(SerializationError):
            JsonSerializer().dumps(value)
    while deep:
        deep = deep[0]


def test_json_keeps_minus_zero_and_big_numbers():
    for value in (-0.0, 10**30, 1e308, 5e-324, 0.1):
        assert repr(JsonSerializer().loads(JsonSerializer().dumps(value))) == repr(value)


@given(PLAIN)
def test_what_json_writes_is_json(value):
    assert json.loads(JsonSerializer().dumps(value).decode("utf-8", "surrogatepass")) == value


def test_compression_compresses():
    assert len(compressed().dumps("a" * 100_000)) < 1000
    with pytest.raises(ValueError, match=r"codec.*'zlop'"):
        compressed("json", "zlop")
    with pytest.raises(LookupError, match="json"):
        compressed("jsn")


def test_records_name_what_is_registered_and_the_class_of_what_is_not():
    assert describe(PickleSerializer()) == {"name": "pickle", "options": {}}
    assert describe(compressed("json")) == {
        "name": "compressed",
        "options": {"inner": {"name": "json", "options": {}}, "codec": "zlib"},
    }

    class Own(PickleSerializer):
        pass

    assert list(describe(Own())) == ["class"]
    with pytest.raises(ValueError, match="Own"):
        choose_serializer(None, describe(Own()))
    mine = Own()
    assert choose_serializer(mine, describe(Own()))[0] is mine


def test_a_record_can_go_through_json_and_makes_an_equal_serializer():
    nested = compressed(compressed("json"))
    record = json.loads(json.dumps(describe(nested)))
    again = make_serializer(record)
    assert isinstance(again, CompressedSerializer)
    assert again.loads(nested.dumps({"a": [1]})) == {"a": [1]}
    with pytest.raises(ValueError, match=r"compressed.*json"):
        choose_serializer(compressed("pickle"), record)


def test_what_runs_code_is_known():
    assert runs_code(PickleSerializer())
    assert not runs_code(JsonSerializer())
    assert runs_code(compressed("pickle"))
    assert not runs_code(compressed("json"))
    assert runs_code(object())


def test_they_are_registered_by_their_names():
    assert serializers.get("json") is JsonSerializer
    assert serializers.get("compressed") is compressed
