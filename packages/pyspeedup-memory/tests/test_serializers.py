"""The serializers that memory brings, held to the contract of all."""

from __future__ import annotations

import enum
import json
import math
import sys
import threading
from collections import Counter, OrderedDict, deque
from fractions import Fraction
from importlib.util import find_spec
from pathlib import PurePosixPath
from random import randbytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import PickleSerializer, SerializationError, serializers
from pyspeedup.core.testing import Box, SerializerContract
from pyspeedup.memory._storage.codecs import choose_serializer, describe, make_serializer, runs_code
from pyspeedup.memory.serializers import (
    CompressedSerializer,
    JsonSerializer,
    MsgpackSerializer,
    SafePickleSerializer,
    SignedSerializer,
    compressed,
    signed,
)

KEY = b"a key of the tests, 32 bytes it is"
needs_msgspec = pytest.mark.skipif(not find_spec("msgspec"), reason="needs the extra msgpack")
CODECS = [
    "zlib",
    pytest.param("zstd", marks=pytest.mark.skipif(not find_spec("zstandard"), reason="extra zstd")),
    pytest.param("lz4", marks=pytest.mark.skipif(not find_spec("lz4"), reason="extra lz4")),
]


def plain(leaves, keys):
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=10,
    )


TEXT = st.text(st.characters())
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = plain(st.none() | st.booleans() | st.integers() | FINITE | TEXT, TEXT)

PACKABLE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
PACKABLE_ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    PACKABLE_TEXT,
    st.binary(),
)
PACKABLE = plain(PACKABLE_ATOMS, PACKABLE_ATOMS)

HASHABLE = st.one_of(
    *(PACKABLE_ATOMS, TEXT, st.integers(), st.complex_numbers(), st.decimals(allow_nan=False)),
    *(
        st.fractions(),
        st.dates(),
        st.times(),
        st.datetimes(timezones=st.timezones()),
        st.timedeltas(),
    ),
    *(st.uuids(), st.sampled_from([range(3), PurePosixPath("a/b"), ..., NotImplemented])),
)
SAFE = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(tuple, st.lists(inner, max_size=3)),
        st.builds(deque, st.lists(inner, max_size=3), st.none() | st.integers(0, 4)),
        st.dictionaries(HASHABLE, inner, max_size=3),
        st.builds(OrderedDict, st.dictionaries(HASHABLE, inner, max_size=3)),
        st.sets(HASHABLE, max_size=3),
        st.frozensets(HASHABLE, max_size=3),
        st.builds(slice, inner, inner, inner),
        st.builds(bytearray, st.binary()),
    ),
    max_leaves=8,
)


class TestSafePickle(SerializerContract):
    value_strategy = SAFE

    def make_serializer(self):
        return SafePickleSerializer()


class TestSafePickleThatAllowsClasses(SerializerContract):
    """All that the contract draws by default, among it instances of `Box`."""

    def make_serializer(self):
        return SafePickleSerializer(allow=[Box])


class TestJson(SerializerContract):
    value_strategy = PLAIN

    def make_serializer(self):
        return JsonSerializer()


@needs_msgspec
class TestMsgpack(SerializerContract):
    value_strategy = PACKABLE

    def make_serializer(self):
        return MsgpackSerializer()


class TestCompressedPickle(SerializerContract):
    def make_serializer(self):
        return compressed("pickle", "zlib")

    def remake(self, options):
        return compressed(**options)


class TestCompressedSafePickle(SerializerContract):
    value_strategy = SAFE

    def make_serializer(self):
        return compressed(SafePickleSerializer(), level=9)

    def remake(self, options):
        return compressed(**options)


class TestSignedPickle(SerializerContract):
    def make_serializer(self):
        return signed("pickle", KEY)

    def remake(self, options):
        return signed(make_serializer(options["inner"]), KEY)


@needs_msgspec
class TestSignedCompressedMsgpack(SerializerContract):
    value_strategy = PACKABLE

    def make_serializer(self):
        return signed(compressed("msgpack"), KEY)

    def remake(self, options):
        return signed(make_serializer(options["inner"]), KEY)


@pytest.mark.parametrize("codec", CODECS[1:])
class TestCompressedByExtras:
    def test_keeps_the_contract(self, codec):
        class Contract(SerializerContract):
            value_strategy = st.lists(st.sampled_from(["spam" * 40, "eggs" * 50, 7]), max_size=4)

            def make_serializer(self):
                return compressed(JsonSerializer(), codec)

            def remake(self, options):
                return compressed(**options)

        for name in dir(Contract):
            if name.startswith("test_"):
                getattr(Contract(), name)()


# What is refused


class Text(str):
    __slots__ = ()


class Flags(enum.Flag):
    A = 1
    B = 2


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


def test_json_takes_no_deeper_value_than_it_can_always_read():
    value = 1
    for _ in range(200):
        value = {"a": [value]} if isinstance(value, list) else [value]
    with pytest.raises(SerializationError, match="at most 200"):
        JsonSerializer().dumps([value])
    value = 1
    for _ in range(200):
        value = [value]
    assert JsonSerializer().loads(JsonSerializer().dumps(value)) == value


def test_json_takes_no_integer_that_another_program_would_not_read():
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(SerializationError, match="this int"):
            JsonSerializer().dumps(1 << 15_000)
    finally:
        sys.set_int_max_str_digits(digits)
    assert JsonSerializer().loads(JsonSerializer().dumps(1 << 13_999)) == 1 << 13_999


def test_json_keeps_text_that_is_no_unicode():
    for text in ("\ud800", "\ud83d\ude00", "\U0001f600", "\0", "\ufeff"):
        assert JsonSerializer().loads(JsonSerializer().dumps([text])) == [text]


def test_json_keeps_minus_zero_and_big_numbers():
    for value in (-0.0, 10**30, 1e308, 5e-324, 0.1):
        assert repr(JsonSerializer().loads(JsonSerializer().dumps(value))) == repr(value)


@given(PLAIN)
def test_what_json_writes_is_json(value):
    assert json.loads(JsonSerializer().dumps(value).decode("utf-8", "surrogatepass")) == value


@needs_msgspec
@pytest.mark.parametrize(
    "value",
    [
        (1, 2), {(1, 2): 3}, {Text("a"): 1}, {"a": (1,)}, Text("a"), Colour.RED, {1}, frozenset(), 1j, object(), ...,
        2**64, -(2**63) - 1, [2**64], {2**64: 1}, "\ud800", ["\ud800"], bytearray(b"a"), Fraction(1, 2),
    ],
)  # fmt: skip
def test_msgpack_refuses_what_it_would_not_give_back(value):
    with pytest.raises(SerializationError, match="msgpack"):
        MsgpackSerializer().dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        Text("a"), Colour.RED, Flags.A | Flags.B, Box(1), Box, len, object(), int, [Text("a")], {Text("a"): 1},
        Counter, memoryview(b"a"), lambda: None, ValueError(), type("Decimal", (), {"__module__": "decimal"})(),
    ],
)  # fmt: skip
def test_safe_pickle_refuses_what_it_would_not_read(value):
    with pytest.raises(SerializationError, match="safe-pickle"):
        SafePickleSerializer().dumps(value)


def test_a_buffer_of_pickle_is_refused_rather_than_read_as_bytes():
    import pickle

    with pytest.raises(SerializationError, match="PickleBuffer"):
        SafePickleSerializer().dumps([pickle.PickleBuffer(b"a")])


# Compression


def test_compression_compresses():
    assert len(compressed().dumps("a" * 100_000)) < 1000
    with pytest.raises(ValueError, match=r"codec.*'zlop'"):
        compressed("json", "zlop")
    with pytest.raises(LookupError, match="json"):
        compressed("jsn")


@pytest.mark.parametrize("codec", CODECS)
def test_a_value_that_would_not_become_shorter_costs_one_byte(codec):
    for value in (b"", b"short", bytes(range(200))):
        plainly = PickleSerializer().dumps(value)
        assert len(compressed("pickle", codec).dumps(value)) <= len(plainly) + 1


@pytest.mark.parametrize("codec", CODECS)
def test_what_would_fill_ram_is_not_decompressed(codec):
    bomb = compressed("pickle", codec).dumps(bytes(10_000_000))
    assert len(bomb) < 100_000
    assert compressed("pickle", codec).loads(bomb) == bytes(10_000_000)
    with pytest.raises(SerializationError, match="max_size"):
        compressed("pickle", codec, max_size=1_000_000).loads(bomb)
    with pytest.raises(SerializationError, match="max_size"):
        compressed("pickle", codec, max_size=1_000_000).dumps(bytes(10_000_000))


@pytest.mark.parametrize("codec", CODECS)
def test_no_more_than_max_size_is_ever_allocated(codec):
    import tracemalloc

    bomb = compressed("pickle", codec).dumps(bytes(50_000_000))
    reader = compressed("pickle", codec, max_size=1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(SerializationError):
            reader.loads(bomb)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("codec", CODECS)
def test_a_level_is_taken_and_checked(codec):
    value = [f"some text {number % 77}" for number in range(3000)]
    sizes = [len(compressed("json", codec, level=level).dumps(value)) for level in (1, 9)]
    assert sizes[1] <= sizes[0]
    for wrong in (99, -99, "9", True, 1.5):
        with pytest.raises(ValueError, match=rf"level of {codec}"):
            compressed("json", codec, level=wrong)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="max_size"):
            compressed("json", codec, max_size=wrong)


def test_bytes_that_are_cut_or_go_on_are_refused():
    serializer = compressed("json", "zlib")
    data = serializer.dumps("a" * 1000)
    for damaged in (b"", b"\0", b"\1", b"\2" + data[1:], data[:-1], data + b"more", data[:5]):
        with pytest.raises(SerializationError):
            serializer.loads(damaged)


@pytest.mark.parametrize("codec", CODECS)
def test_one_serializer_serves_threads_at_the_same_time(codec):
    serializer = compressed("pickle", codec)
    values = [b"%d spam %d" % (number, number) * 10_000 + randbytes(50_000) for number in range(4)]
    wrong = []

    def go_there_and_back(value):
        wrong.extend(value for _ in range(20) if serializer.loads(serializer.dumps(value)) != value)

    threads = [threading.Thread(target=go_there_and_back, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_each_thread_has_contexts_of_its_own():
    """Two threads in one of zstd's end the interpreter, now and then."""
    pytest.importorskip("zstandard")
    compression = compressed("json", "zstd")._compression
    elsewhere = []
    thread = threading.Thread(target=lambda: elsewhere.append(compression._compressor))
    thread.start()
    thread.join()
    assert elsewhere[0] is not compression._compressor


class NotInstalled:
    """Finds that libraries are not there, as the import system would."""

    names = ("msgspec", "zstandard", "lz4")

    def find_spec(self, name, path, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (MsgpackSerializer, "msgpack"),
        (lambda: compressed("json", "zstd"), "zstd"),
        (lambda: compressed("json", "lz4"), "lz4"),
    ],
)
def test_a_missing_extra_is_answered_with_the_command(monkeypatch, make, extra):
    for name in [name for name in sys.modules if name.partition(".")[0] in NotInstalled.names]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NotInstalled(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match=rf'pip install "pyspeedup-memory\[{extra}\]"'):
        make()


# Signatures


def test_what_was_changed_or_signed_with_another_key_is_refused():
    serializer = signed("json", KEY)
    data = serializer.dumps(["value"])
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        with pytest.raises(SerializationError, match="signature"):
            serializer.loads(changed)
    for damaged in (b"", data[:-1], data[:16], data[:10], data + b" "):
        with pytest.raises(SerializationError, match="signature"):
            serializer.loads(damaged)
    with pytest.raises(SerializationError, match="signature"):
        signed("json", KEY[::-1]).loads(data)


def test_nothing_is_unpickled_before_its_signature_is_checked():
    serializer = signed("pickle", KEY)
    exploit = b"cbuiltins\nexec\n(S'raise SystemExit'\ntR."
    with pytest.raises(SerializationError, match="signature"):
        serializer.loads(bytes(16) + exploit)
    with pytest.raises(SystemExit):
        serializer.loads(serializer._sign(exploit) + exploit)


def test_bytes_that_were_signed_as_another_format_are_refused():
    class Text:
        name = "text"

        def dumps(self, obj):
            return obj.encode("latin-1")

        def loads(self, data):
            return str(data, "latin-1")

    chosen_by_a_stranger = signed(Text(), KEY).dumps(PickleSerializer().dumps(7).decode("latin-1"))
    assert signed(Text(), KEY).loads(chosen_by_a_stranger)
    with pytest.raises(SerializationError, match="signature"):
        signed("pickle", KEY).loads(chosen_by_a_stranger)
    with pytest.raises(SerializationError, match="signature"):
        signed(compressed("pickle"), KEY).loads(signed("pickle", KEY).dumps(7))


def test_the_key_is_long_bytes_and_shown_nowhere():
    with pytest.raises(TypeError, match="key must be bytes, not str"):
        signed("json", "0123456789abcdef")
    with pytest.raises(ValueError, match=r"16 bytes long, not 5: .*token_bytes") as refusal:
        signed("json", b"short")
    assert "short" not in str(refusal.value)
    for key in (KEY, bytes(16), bytes(1000)):
        serializer = signed("json", key)
        assert serializer.loads(serializer.dumps([1])) == [1]
        shown = f"{serializer!r} {serializer.options()} {vars(serializer)}"
        assert str(key)[2:-1] not in shown
        assert key.hex() not in shown


def test_a_signed_store_is_reopened_by_its_key_only():
    record = json.loads(json.dumps(describe(signed("json", KEY))))
    for without in (None, "signed"):
        with pytest.raises(ValueError, match=r"needs its key.*serializer=signed"):
            choose_serializer(without, record)
    with pytest.raises(ValueError, match="key_id"):
        choose_serializer(signed("json", KEY[::-1]), record)
    with pytest.raises(ValueError, match="pickle"):
        choose_serializer(signed("pickle", KEY), record)
    mine = signed("json", KEY)
    assert choose_serializer(mine, record) == (mine, record)
    with pytest.raises(ValueError, match="needs its key"):
        make_serializer("signed")


# Records, and what they lead to


def test_records_name_what_is_registered_and_the_class_of_what_is_not():
    assert describe(PickleSerializer()) == {"name": "pickle", "options": {}}
    assert describe(compressed("json")) == {
        "name": "compressed",
        "options": {"inner": {"name": "json", "options": {}}, "codec": "zlib", "level": 1},
    }
    assert describe(SafePickleSerializer(allow=[Fraction])) == {
        "name": "safe-pickle",
        "options": {"allow": ["fractions:Fraction"]},
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


def test_any_level_and_any_bound_reads_what_another_wrote():
    record = describe(compressed(compressed("json"), level=9))
    mine = compressed(compressed("json", level=3), level=2, max_size=1000)
    assert choose_serializer(mine, record) == (mine, record)
    assert choose_serializer(None, record)[0].options() == record["options"]


@pytest.mark.parametrize(
    "record",
    [
        {"name": "json"},
        {"name": "json", "options": {"surprise": 1}},
        {"name": "json", "options": None},
        {"name": "compressed", "options": {"inner": {"name": "json"}}},
        {"name": "compressed", "options": {"codec": "zlop"}},
        {"name": "compressed", "options": {"level": 10**9}},
        {"name": "compressed", "options": {"max_size": 2**62, "inner": {"class": "a.B"}}},
        {"name": "safe-pickle", "options": {"allow": 7}},
        {"name": "safe-pickle", "options": {"allow": ["no name"]}},
        {"name": "signed", "options": {}},
    ],
)
def test_a_record_that_nobody_wrote_is_refused(record):
    with pytest.raises(ValueError, match=r"\w"):
        choose_serializer(None, record)
    assert not runs_code(JsonSerializer())
    with pytest.raises(ValueError, match="but it was written with"):
        choose_serializer(PickleSerializer(), {"options": {}, "class": "another", **record})


def test_what_runs_code_is_known():
    assert runs_code(PickleSerializer())
    assert not runs_code(JsonSerializer())
    assert runs_code(compressed("pickle"))
    assert not runs_code(compressed("json"))
    assert runs_code(object())
    assert not runs_code(SafePickleSerializer(allow=[Fraction]))
    assert not runs_code(signed("pickle", KEY))
    assert not runs_code(compressed(SafePickleSerializer()))


def test_they_are_registered_by_their_names():
    assert serializers.get("json") is JsonSerializer
    assert serializers.get("compressed") is compressed
    assert serializers.get("safe-pickle") is SafePickleSerializer
    assert serializers.get("signed") is SignedSerializer


@needs_msgspec
def test_msgpack_is_registered_where_its_library_is():
    assert serializers.get("msgpack") is MsgpackSerializer
