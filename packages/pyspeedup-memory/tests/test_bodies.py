"""Bodies: the bytes that are kept of one value."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import math
import pickle
import subprocess
import sys
import textwrap
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import PickleSerializer, SerializationError
from pyspeedup.core.testing import strategies
from pyspeedup.memory._pages.bodies import (
    PickleCodec,
    PlainKeyCodec,
    SerializerCodec,
    key_codec,
    value_codec,
)
from pyspeedup.memory.serializers import JsonSerializer


class Named(NamedTuple):
    first: int
    second: object


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: float
    label: object = None


class Unreadable:
    """Can be pickled, and not be read again."""

    def __reduce__(self):
        return int, ("no number",)


# Bodies


def rich_values():
    shared = st.builds(lambda item: [item, item], st.lists(st.integers(), max_size=3))
    long_memo = st.builds(lambda n: [[i] for i in range(n)], st.integers(250, 300))
    special = st.sampled_from(
        [
            Point(1.5, [Point(2.0)]),
            Named(1, "a"),
            Colour.RED,
            decimal.Decimal("1.10"),
            dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
            collections.OrderedDict(a=[1]),
            "\ud800",
            2**2000,
            -0.0,
            bytearray(b"x"),
        ]
    )
    return st.one_of(strategies.values(), shared, special, long_memo)


@given(st.lists(rich_values(), max_size=8))
def test_pickle_bodies_decode_alone_and_together(values):
    codec = PickleCodec()
    bodies = [codec.encode(value) for value in values]
    assert [codec.decode(body) for body in bodies] == values
    assert codec.decode_many(bodies) == values
    assert [type(value) for value in codec.decode_many(bodies)] == list(map(type, values))


def test_parts_shared_within_a_value_stay_shared():
    part = []
    [value] = PickleCodec().decode_many([PickleCodec().encode([part, part])])
    assert value[0] is value[1]


def test_a_value_that_holds_itself_survives():
    value = []
    value.append(value)
    decoded = PickleCodec().decode(PickleCodec().encode(value))
    assert decoded[0] is decoded


def test_a_newer_protocol_would_not_survive_concatenation():
    """Why bodies are written by protocol 3, and that the tests above can fail."""
    first, second = ["x"], ["y"]
    bodies = [pickle.dumps([part, part], 4)[11:-1] for part in (first, second)]
    decoded = pickle.loads(b"\x80\x04(" + b"".join(bodies) + b"t.")
    assert decoded == ([first, first], [second, first])


def test_classes_of_modules_named_as_python_2_named_its_own_are_found(tmp_path):
    """The unpickler renames `commands` to `subprocess` unless it is told the protocol."""
    (tmp_path / "commands.py").write_text("class Command:\n    pass\n")
    script = textwrap.dedent("""
        import commands
        from pyspeedup.memory._pages.bodies import PickleCodec
        codec = PickleCodec()
        body = codec.encode(commands.Command())
        assert type(codec.decode(body)) is commands.Command
        assert type(codec.decode_many([body, body])[1]) is commands.Command
    """)
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)


@pytest.mark.parametrize("value", [lambda: None, [lambda: None], (i for i in ()), sys])
def test_what_cannot_be_pickled_is_refused_by_type(value):
    with pytest.raises(SerializationError, match=f"type {type(value).__qualname__} cannot"):
        PickleCodec().encode(value)


def test_what_cannot_be_read_says_why():
    codec = PickleCodec()
    body = codec.encode(Unreadable())
    with pytest.raises(SerializationError, match="ValueError: invalid literal"):
        codec.decode(body)
    with pytest.raises(SerializationError, match="ValueError: invalid literal"):
        codec.decode_many([codec.encode(1), body])


plain_keys = st.recursive(
    st.one_of(
        st.integers(), st.text(), st.floats(allow_nan=False), st.binary(), st.booleans(), st.none()
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)


@given(st.lists(plain_keys, max_size=5))
def test_plain_keys_have_bodies_under_every_serializer(keys):
    codec = key_codec(JsonSerializer())
    bodies = list(map(codec.encode, keys))
    assert [codec.decode(body) for body in bodies] == keys
    assert codec.decode_many(bodies) == keys
    assert list(map(type, codec.decode_many(bodies))) == list(map(type, keys))


def test_a_plain_key_keeps_nan():
    codec = PlainKeyCodec()
    assert math.isnan(codec.decode(codec.encode(math.nan)))


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("key", [frozenset(), Text("a"), ("a", Colour.RED), Named(1, 2), object()])
def test_other_keys_are_refused_by_other_serializers(key):
    with pytest.raises(SerializationError, match="can be kept by the pickle serializer only"):
        key_codec(JsonSerializer()).encode(key)


def test_reading_plain_keys_runs_no_code():
    body = pickle.dumps(Unreadable(), 3)[2:-1]
    with pytest.raises(SerializationError, match=r"does not name builtins\.int"):
        PlainKeyCodec().decode(body)


def test_the_default_serializer_has_concatenable_bodies():
    assert type(value_codec(PickleSerializer())) is PickleCodec
    assert type(key_codec(PickleSerializer())) is PickleCodec
    assert type(value_codec(JsonSerializer())) is SerializerCodec


class Odd:
    """A serializer that does what a plugin should not."""

    def dumps(self, obj):
        if obj is None:
            raise RuntimeError("broken")
        return "text"

    def loads(self, data):
        raise KeyError(data)


def test_errors_of_somebodys_serializer_become_ours():
    codec = value_codec(Odd())
    with pytest.raises(SerializationError, match="refused by Odd: broken") as caught:
        codec.encode(None)
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(SerializationError, match="returned str, not bytes"):
        codec.encode(1)
    with pytest.raises(SerializationError, match="3 bytes cannot be read: KeyError"):
        codec.decode(b"abc")


def test_paths_are_kept_under_names_that_every_version_finds():
    codec = PickleCodec()
    kept = {"paths": [PurePosixPath("a/b"), PureWindowsPath("c:/d")], "text": "cpathlib._local\n"}
    body = codec.encode(kept)
    assert b"cpathlib._local\nPure" not in body
    assert codec.decode(body) == kept
    assert codec.encode(codec.decode(body)) == body


def test_a_path_written_on_another_version_is_read():
    as_on_3_13 = b"cpkgutil\nresolve_name\nX\x15\x00\x00\x00pathlib:PurePosixPath\x85RX\x01\x00\x00\x00z\x85R"
    as_on_3_11 = b"cpathlib\nPurePosixPath\nX\x01\x00\x00\x00z\x85R"
    assert PickleCodec().decode(as_on_3_13) == PurePosixPath("z")
    assert PickleCodec().decode(as_on_3_11) == PurePosixPath("z")
