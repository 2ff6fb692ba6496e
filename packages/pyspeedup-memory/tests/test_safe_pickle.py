"""What safe-pickle reads runs nothing and changes nothing, whoever wrote it; and what it takes comes back."""

from __future__ import annotations

import collections
import copyreg
import datetime as dt
import enum
import io
import pickle
import sys
import uuid
from array import array
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from exploits import (
    A_FRACTION,
    ARGS,
    EXPLOITS,
    HARM,
    NONE,
    SLOTS,
    call,
    dictionary,
    maker,
    number,
    text,
    whole,
)
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import SerializationError, StoreError, UntrustedStoreError
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._storage.codecs import choose_serializer, describe, runs_code
from pyspeedup.memory.serializers import SafePickleSerializer, _plain, compressed
from pyspeedup.memory.serializers._careful import CarefulUnpickler


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Make this module one that is imported by its name, as the classes of a program are."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this_module())


def _this_module():
    module = type(sys)(__name__)
    vars(module).update(globals())
    return module


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: object
    y: object = None


@dataclass(frozen=True, slots=True)
class Frozen:
    x: object


class Slotted:
    __slots__ = ("a", "b")

    def __eq__(self, other):
        return type(other) is Slotted and self.a == other.a

    __hash__ = None


class Items(list):
    """A list with attributes, that equals by both."""

    def __eq__(self, other):
        return super().__eq__(other) and vars(self) == vars(other)

    __hash__ = None


class Table(dict):
    pass


class Group(set):
    pass


class Named(NamedTuple):
    first: int
    second: str


class Keywords:
    def __new__(cls, *, word):
        made = super().__new__(cls)
        made.word = word
        return made

    def __getnewargs_ex__(self):
        return (), {"word": self.word}

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None


@dataclass
class Reduced:
    parts: list = field(default_factory=list)

    def __reduce__(self):
        return remake, (Reduced, self.parts)


def remake(kind, parts):
    return kind(parts)


class ByName:
    def __reduce__(self):
        return "the_only_one"


class BySetter:
    def __reduce__(self):
        return BySetter, (), {"a": 1}, None, None, remake


class Stateful:
    calls = 0

    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        self.kept = state["kept"]

    def __eq__(self, other):
        return self.kept == other.kept

    __hash__ = None


ALLOWED = [
    *(Colour, Access, Point, Frozen, Slotted, Items, Named, Keywords, Reduced, remake, Stateful),
    *(Table, Group, collections.defaultdict, list, ValueError),
]


POINT = f"{__name__}:Point"


def new_of(kind):
    named = call(maker("named"), text(f"{__name__}:{kind}"))
    return call(maker("new"), named, ARGS, pickle.EMPTY_DICT)


A_POINT = new_of("Point")


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A module, and a place for files, that only an exploit would touch."""
    (tmp_path / "canary.py").write_text(
        "from pathlib import Path\nPath('sung').touch()\nanything = print\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "canary", raising=False)
    fingerprint = _fingerprint()
    yield
    assert "canary" not in sys.modules
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".pyspeedup") == [
        "canary.py"
    ]
    assert _fingerprint() == fingerprint


def _fingerprint():
    """Tell all that a pickle could have changed for everybody."""
    kinds = (*ALLOWED, Fraction, uuid.UUID, PurePosixPath, OrderedDict, Counter, _plain.Maker)
    attributes = [
        (kind, sorted(map(repr, vars(kind).items()))) for kind in kinds if kind is not remake
    ]
    makers = [(which, each._name, each._make) for which, each in _plain.MAKERS.items()]
    return attributes, makers, [vars(member) for member in Colour], dict(vars(remake))


@pytest.mark.parametrize("which", EXPLOITS)
def test_what_others_wrote_runs_nothing(canary, which):
    with pytest.raises(SerializationError, match="safe-pickle cannot read"):
        SafePickleSerializer().loads(EXPLOITS[which])


@pytest.mark.parametrize("which", EXPLOITS)
def test_it_runs_nothing_where_classes_are_allowed(canary, which):
    with pytest.raises(SerializationError, match="safe-pickle cannot read"):
        SafePickleSerializer(allow=ALLOWED).loads(EXPLOITS[which])


@pytest.mark.skipif(sys.platform == "win32", reason="they call a command of Unix")
def test_the_exploits_do_harm_to_a_pickle_that_is_not_safe(canary_free_folder):
    for which in ("os.system as text", "exec", "eval of Python 2", "INST"):
        pickle.loads(EXPLOITS[which])
        touched = [path for path in canary_free_folder.iterdir() if path.name in {"canary", "sung"}]
        assert touched, which
        for path in touched:
            path.unlink()
        sys.modules.pop("canary", None)


@pytest.fixture
def canary_free_folder(tmp_path, monkeypatch):
    (tmp_path / "canary.py").write_text("from pathlib import Path\nPath('sung').touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("canary", None)


NAMED_POINT = call(maker("named"), text(POINT))
NAMED_COLOUR = call(maker("named"), text(f"{__name__}:Colour"))
FILLING = pickle.MARK + dictionary(canary=number(1)) + pickle.EMPTY_LIST * 2 + pickle.TUPLE
WITH_CLASSES = {
    "another class": whole(call(maker("named"), text("canary:anything"))),
    "an attribute of an allowed one": whole(
        call(maker("named"), text(f"{POINT}.__init__.__globals__"))
    ),
    "a name that is no text": whole(call(maker("named"), ARGS)),
    "a call of what is not allowed": whole(call(maker("call"), maker("decimal"), text("1"))),
    "a call of an instance": whole(call(maker("call"), A_POINT)),
    "a new one of no class": whole(
        call(
            maker("new"), call(maker("named"), text(f"{__name__}:remake")), ARGS, pickle.EMPTY_DICT
        )
    ),
    "a new one of a maker": whole(call(maker("new"), maker("decimal"), ARGS, pickle.EMPTY_DICT)),
    "a call past the makers": whole(call(NAMED_POINT, number(1))),
    "NEWOBJ": whole(NAMED_POINT, ARGS, pickle.NEWOBJ),
    "BUILD of a class": whole(NAMED_POINT, SLOTS, pickle.BUILD),
    "BUILD of an instance": whole(A_POINT, dictionary(canary=number(1)), pickle.BUILD),
    "a filling of a class": whole(call(maker("fill"), NAMED_POINT, FILLING)),
    "a filling of a function": whole(
        call(maker("fill"), call(maker("named"), text(f"{__name__}:remake")), FILLING)
    ),
    "a filling of a member": whole(
        call(maker("fill"), call(maker("call"), NAMED_COLOUR, number(1)), FILLING)
    ),
    "a filling of what is not allowed": whole(call(maker("fill"), A_FRACTION, FILLING)),
    "a filling of a maker": whole(call(maker("fill"), maker("decimal"), FILLING)),
    "items of a class": whole(NAMED_POINT, text("a"), number(1), pickle.SETITEM),
    "items after an instance": whole(A_POINT, text("a"), pickle.APPEND),
    "items after a list of a class": whole(new_of("Items"), text("a"), pickle.APPEND),
    "items after a list of a class, many": whole(
        new_of("Items"), pickle.MARK, text("a"), pickle.APPENDS
    ),
    "items of a dict of a class": whole(new_of("Table"), text("a"), NONE, pickle.SETITEM),
    "items of a dict of a class, many": whole(
        new_of("Table"), pickle.MARK, text("a"), NONE, pickle.SETITEMS
    ),
    "items in a set of a class": whole(new_of("Group"), pickle.MARK, text("a"), pickle.ADDITEMS),
}


@pytest.mark.parametrize("which", WITH_CLASSES)
def test_classes_that_are_allowed_open_no_door(canary, which):
    with pytest.raises(SerializationError, match="safe-pickle cannot read"):
        SafePickleSerializer(allow=ALLOWED).loads(WITH_CLASSES[which])


def test_the_assembler_makes_pickles_that_are_read():
    allowing = SafePickleSerializer(allow=ALLOWED)
    filled = call(maker("fill"), A_POINT + pickle.MEMOIZE, FILLING) + pickle.POP
    assert allowing.loads(whole(A_FRACTION)) == Fraction(1, 2)
    assert allowing.loads(whole(NAMED_POINT)) is Point
    assert vars(allowing.loads(whole(A_POINT))) == {}
    assert vars(allowing.loads(whole(filled, pickle.BINGET + b"\0"))) == {"canary": 1}


def test_an_extension_that_the_program_registered_is_not_called(canary):
    copyreg.add_extension("builtins", "exec", 240)
    try:
        data = whole(call(pickle.EXT1 + bytes([240]), text("1")))
        assert pickle.loads(data) is None  # which keeps `exec` for whoever asks next
        with pytest.raises(SerializationError, match="no opcode"):
            SafePickleSerializer().loads(whole(call(pickle.EXT1 + bytes([240]), HARM)))
        assert SafePickleSerializer().loads(SafePickleSerializer().dumps([1, (2,)])) == [1, (2,)]
    finally:
        copyreg.clear_extension_cache()
        copyreg.remove_extension("builtins", "exec", 240)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    for serializer in (SafePickleSerializer(), SafePickleSerializer(allow=ALLOWED)):
        for pickled in (data, b"\x80\x05" + data + b"."):
            try:
                serializer.loads(pickled)
            except SerializationError:
                continue


@pytest.mark.parametrize("which", sorted(_plain.SAFE_FROM_OPCODES))
def test_what_is_made_where_build_is_has_no_attribute_to_set(which):
    """The C unpickler knows BUILD, so what it is let make must be out of its reach."""
    values = [value for value in PLAIN_VALUES if _maker_of(value) == which]
    assert values
    for value in values:
        assert not hasattr(value, "__dict__")
        assert not hasattr(value, "__setstate__")
        for attribute in (*dir(type(value)), "canary"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(value, attribute, None)


def _maker_of(value):
    kind = type(value)
    found = _plain.PLAIN_TYPES.get((kind.__module__, kind.__qualname__))
    return found and found.maker.__reduce__()


# What comes back


PLAIN_VALUES = [
    *(
        1 - 0.0j,
        complex("nan"),
        range(3),
        range(10**30, 0, -7),
        slice(1, [2], None),
        ...,
        NotImplemented,
    ),
    *(Decimal("1.50"), Decimal("-0"), Decimal("sNaN123"), Decimal("1e999999"), Fraction(-1, 3)),
    *(dt.date.max, dt.time(1, 2, 3, 4, fold=1), dt.timedelta(-1, 1, 1), dt.UTC),
    *(
        dt.timezone(dt.timedelta(minutes=7), "odd"),
        dt.datetime(2024, 2, 29, tzinfo=ZoneInfo("UTC")),
    ),
    *(
        dt.datetime.min.replace(tzinfo=dt.UTC),
        dt.datetime(2024, 1, 1, fold=1, tzinfo=dt.UTC),
        ZoneInfo("UTC"),
    ),
    *(
        uuid.UUID(int=0),
        uuid.uuid1(),
        PurePosixPath("/a/b"),
        PureWindowsPath("c:\\a"),
        PurePosixPath(),
    ),
    *(deque([1, 2], 2), deque(), OrderedDict([("b", 1), ("a", 2)]), Counter("aab")),
    *(array(code, [1, 2, 3]) for code in "bBhHiIlLqQfd"),
    *({1, (2, b"3")}, frozenset({None}), bytearray(b"abc"), {(): [{}]}, "\ud800", 1 << 5000),
]


@pytest.mark.parametrize("value", PLAIN_VALUES, ids=lambda value: f"{value!r:.40}")
def test_plain_values_come_back(value):
    given_back = SafePickleSerializer().loads(SafePickleSerializer().dumps([value, value]))
    assert type(given_back[0]) is type(value)
    assert repr(given_back) == repr([value, value])
    if isinstance(value, uuid.UUID):
        assert given_back[0].is_safe is value.is_safe


def test_paths_of_the_system_come_back(tmp_path):
    assert SafePickleSerializer().loads(SafePickleSerializer().dumps(tmp_path)) == tmp_path


def test_what_3_13_calls_its_paths_is_read_everywhere():
    data = SafePickleSerializer().dumps(PurePosixPath("a"))
    assert b"pathlib" not in data


def test_one_object_in_two_places_comes_back_as_one_and_a_knot_as_a_knot():
    shared, knot = [1], []
    knot.append((knot,))
    point = Point(1)
    point.y = point
    serializer = SafePickleSerializer(allow=[Point])
    first, second, knotted, myself = serializer.loads(
        serializer.dumps([shared, shared, knot, point])
    )
    assert first is second
    assert knotted[0][0] is knotted
    assert myself.y is myself


def test_a_container_that_could_not_be_remade_is_refused():
    loop = deque()
    loop.append(loop)
    attributed = OrderedDict()
    attributed.own = 1
    for value in (loop, attributed, ZoneInfo.no_cache("UTC")):
        with pytest.raises(SerializationError):
            SafePickleSerializer().dumps([value])


def test_the_same_bytes_are_read_without_c():
    for value in PLAIN_VALUES:
        data = SafePickleSerializer().dumps(value)
        assert repr(CarefulUnpickler(io.BytesIO(data), _plain.MAKERS).load()) == repr(value)


def test_they_are_pickles_that_pickle_reads():
    for value in PLAIN_VALUES:
        assert repr(pickle.loads(SafePickleSerializer().dumps(value))) == repr(value)


# Classes that are allowed


def slotted():
    made = Slotted()
    made.a = [1]
    return made


def items():
    made = Items([1, 2])
    made.label = "two"
    return made


def stateful():
    made = Stateful()
    made.kept = {1}
    return made


INSTANCES = [
    *(
        Colour.GREEN,
        Access.READ | Access.WRITE,
        Access(0),
        Point(1, [Point(2)]),
        Frozen((1,)),
        slotted(),
        items(),
    ),
    *(Named(1, "a"), Keywords(word="w"), Reduced([1]), stateful(), Colour, remake),
    *(collections.defaultdict(list, {1: [2]}), Table(a=1), Group({1}), {Colour.RED: Point(None)}),
]


@pytest.mark.parametrize("value", INSTANCES, ids=lambda value: f"{value!r:.40}")
def test_instances_of_allowed_classes_come_back(value):
    writer = SafePickleSerializer(allow=ALLOWED)
    reader = SafePickleSerializer(**writer.options())
    given_back = reader.loads(writer.dumps(value))
    assert type(given_back) is type(value)
    assert given_back == value
    with pytest.raises(SerializationError, match="allow="):
        SafePickleSerializer().dumps(value)
    with pytest.raises(SerializationError, match="not allowed"):
        SafePickleSerializer(allow=[Fraction]).loads(writer.dumps(value))


def test_an_exception_comes_back():
    serializer = SafePickleSerializer(allow=[ValueError])
    error = serializer.loads(serializer.dumps(ValueError("a", 1)))
    assert type(error) is ValueError
    assert error.args == ("a", 1)


def test_what_a_class_is_remade_by_must_be_allowed_too():
    with pytest.raises(SerializationError, match=r"what remakes a Reduced.*:remake"):
        SafePickleSerializer(allow=[Reduced]).dumps(Reduced())
    for value in (ByName(), BySetter()):
        with pytest.raises(SerializationError, match=r"name|by <function"):
            SafePickleSerializer(allow=[ByName, BySetter, remake]).dumps(value)


def test_a_subclass_of_an_allowed_class_is_not_allowed():
    class Sub(Point):
        pass

    with pytest.raises(SerializationError, match="Sub"):
        SafePickleSerializer(allow=[Point]).dumps(Sub(1))


def test_another_class_of_an_allowed_name_is_not_allowed():
    other = type("Point", (), {"__module__": __name__, "__qualname__": "Point"})
    for value in (other(), other):
        with pytest.raises(SerializationError, match="is not what is found as"):
            SafePickleSerializer(allow=[Point]).dumps(value)


@pytest.mark.parametrize(
    "allow",
    [
        [7],
        ["Point"],
        ["module:"],
        [":Point"],
        ["a b:c"],
        ["os:<locals>"],
        [lambda: None],
        [None],
        [slotted()],
    ],
)
def test_what_allow_cannot_mean_is_an_error(allow):
    with pytest.raises(ValueError, match="allow"):
        SafePickleSerializer(allow=allow)


def test_one_class_in_place_of_a_list_is_an_error():
    for wrong in (Point, POINT):
        with pytest.raises(TypeError, match="allow must be a list"):
            SafePickleSerializer(allow=wrong)


def test_an_allowed_class_is_not_imported_before_a_value_needs_it(canary):
    serializer = SafePickleSerializer(allow=["canary:anything"])
    assert serializer.loads(serializer.dumps([1, Decimal(1), Fraction(1)])) == [1, 1, 1]


def test_an_allowed_class_that_is_gone_is_named():
    serializer = SafePickleSerializer(allow=["no_such_module:Gone", f"{__name__}:Gone"])
    for gone in ("no_such_module:Gone", f"{__name__}:Gone"):
        with pytest.raises(SerializationError, match="Gone"):
            serializer.loads(whole(call(maker("named"), text(gone))))


# Stores


class Hostile(SafePickleSerializer):
    """Writes a call of what a store is made to say is allowed."""

    def dumps(self, obj):
        return whole(
            call(maker("call"), call(maker("named"), text("canary:anything")), text("sings"))
        )


def hostile_store(kind, folder):
    with kind("victim", 4, 2, folder, serializer=Hostile(allow=["canary:anything"])) as store:
        if kind is DiskDict:
            store["key"] = "value"
        else:
            store.append("value")
    return 0 if kind is DiskList else "key"


@pytest.mark.parametrize("kind", [DiskDict, DiskList])
@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes to tell who may write")
def test_what_a_store_says_is_allowed_is_not_believed(canary, tmp_path, kind):
    place = hostile_store(kind, tmp_path)
    (tmp_path / "victim.pyspeedup").chmod(0o777)
    with pytest.raises(UntrustedStoreError):
        kind("victim", file_location=tmp_path)
    for mine in ("safe-pickle", SafePickleSerializer(), SafePickleSerializer(allow=[Point])):
        with kind("victim", file_location=tmp_path, serializer=mine) as store:
            with pytest.raises(
                (SerializationError, StoreError), match=r"canary:anything.*not allowed"
            ):
                store[place]
            assert len(store) == 1


@pytest.mark.parametrize("kind", [DiskDict, DiskList])
def test_what_a_mapping_says_is_allowed_is_not_believed_either(canary, kind):
    pages = {}
    hostile = Hostile(allow=["canary:anything"])
    with kind("victim", page_store=pages, serializer=hostile) as store:
        store.update(key="value") if kind is DiskDict else store.append("value")
    refusal = pytest.raises((SerializationError, StoreError), match=r"canary:anything.*not allowed")
    with kind("victim", page_store=pages, serializer="safe-pickle") as store, refusal:
        store["key" if kind is DiskDict else 0]


@pytest.mark.parametrize("kind", [DiskDict, DiskList])
def test_a_store_of_my_own_remembers_what_i_allowed(tmp_path, kind):
    def first(store):
        return store[0]

    with kind("mine", 4, 2, tmp_path, serializer=SafePickleSerializer(allow=[Point])) as store:
        store.update({0: Point(1)}) if kind is DiskDict else store.append(Point(1))
    with kind("mine", file_location=tmp_path) as store:
        assert first(store) == Point(1)
    with kind(
        "mine", file_location=tmp_path, serializer=SafePickleSerializer([Point, Colour])
    ) as store:
        assert first(store) == Point(1)
        if kind is DiskDict:
            store[1] = Colour.RED
        else:
            store.append(Colour.RED)
        assert store[1] is Colour.RED


def test_a_record_is_remade_as_what_runs_code_and_an_object_wins_over_it():
    record = describe(SafePickleSerializer(allow=["canary:anything"]))
    assert runs_code(choose_serializer(None, record)[0])
    assert runs_code(
        choose_serializer(None, describe(compressed(SafePickleSerializer(["canary:anything"]))))[0]
    )
    mine = SafePickleSerializer(allow=[Point])
    assert choose_serializer(mine, record) == (mine, record)
    by_name, kept = choose_serializer("safe-pickle", record)
    assert (by_name.options(), runs_code(by_name), kept) == ({"allow": []}, False, record)
    assert not runs_code(choose_serializer(None, describe(SafePickleSerializer()))[0])
