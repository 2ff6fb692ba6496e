"""Values changed in place are kept, through whichever reference, whatever left RAM in between."""

from __future__ import annotations

import array
import collections
import dataclasses
import gc

import pytest
from pyspeedup.memory import DiskDict, DiskList

SIZES = [(1, 1), (4, 2), (1024, 16)]
OTHERS = 30
"""How many items of others are enough to make every page leave that may."""


@dataclasses.dataclass
class Box:
    content: object


class Node:
    """An object of a user's class, with attributes and another node."""

    def __init__(self, name, after=None):
        self.name, self.after = name, after

    def __eq__(self, other):
        return isinstance(other, Node) and vars(self) == vars(other)

    __hash__ = None


CHANGES = {
    "list": (lambda: [1], lambda v: v.append(2)),
    "dict": (lambda: {"a": 1}, lambda v: v.update(b=2)),
    "set": (lambda: {1}, lambda v: v.add(2)),
    "bytearray": (lambda: bytearray(b"a"), lambda v: v.extend(b"b")),
    "array": (lambda: array.array("i", [1]), lambda v: v.append(2)),
    "deque": (lambda: collections.deque([1]), lambda v: v.appendleft(0)),
    "counter": (lambda: collections.Counter("aab"), lambda v: v.update("b")),
    "defaultdict": (lambda: collections.defaultdict(list), lambda v: v["x"].append(1)),
    "ordered dict": (lambda: collections.OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
    "object": (lambda: Node("a"), lambda v: setattr(v, "name", "b")),
    "dataclass": (lambda: Box(1), lambda v: setattr(v, "content", [2])),
    "list in a tuple": (lambda: (1, [1]), lambda v: v[1].append(2)),
    "list in a dict in a list": (lambda: [{"a": [1]}], lambda v: v[0]["a"].append(2)),
    "object in an object": (lambda: Node("a", Node("b")), lambda v: setattr(v.after, "name", "c")),
    "long list": (lambda: list(range(9000)), lambda v: v.append("end")),
    "same length": (lambda: [1, 2, 3], lambda v: v.__setitem__(1, 9)),
}


class InDict:
    """A value under a key of a dict, with others around it."""

    def __init__(self, store, sizes):
        self.d = DiskDict("d", *sizes, page_store=store, ram_limit=1 << 18)

    def put(self, value):
        self.d["value"] = value

    def get(self):
        return self.d["value"]

    def push_out(self):
        for number in range(OTHERS):
            self.d[number] = [number] * 50
        for number in range(OTHERS):
            assert self.d[number][0] == number

    def sync(self):
        self.d.sync()

    def close(self):
        self.d.close()


class InList(InDict):
    """An item of a list, which others move to and fro."""

    def __init__(self, store, sizes):
        self.d = DiskList("l", *sizes, page_store=store, ram_limit=1 << 18)

    def put(self, value):
        self.d.append(value)

    def get(self):
        return self.d[-1]

    def push_out(self):
        for number in range(OTHERS):
            self.d.insert(number // 2, [number] * 50)
        assert len(list(self.d)) == len(self.d)


@pytest.fixture(params=[InDict, InList])
def place_class(request):
    return request.param


@pytest.fixture(params=SIZES, ids=str)
def make(request, place_class):
    """Return what opens the same store each time."""
    store = {}
    return lambda: place_class(store, request.param)


def each_change():
    for name, (new, change) in CHANGES.items():
        expected = new()
        change(expected)
        yield name, new, change, expected


def test_a_change_through_what_was_taken_out_is_kept(place_class):
    for sizes in SIZES:
        for name, new, change, expected in each_change():
            store = {}
            place = place_class(store, sizes)
            place.put(new())
            place.push_out()
            held = place.get()
            place.push_out()
            change(held)
            assert place.get() == expected, (name, sizes)
            place.push_out()
            assert place.get() is held, (name, sizes)
            del held
            place.push_out()
            assert place.get() == expected, (name, sizes)
            place.close()
            place = place_class(store, sizes)
            assert place.get() == expected, (name, sizes)
            place.close()


def test_a_change_at_once_is_kept(place_class):
    for name, new, change, expected in each_change():
        store = {}
        place = place_class(store, (2, 1))
        place.put(new())
        place.sync()
        change(place.get())
        place.push_out()
        assert place.get() == expected, name
        place.close()
        place = place_class(store, (2, 1))
        change(place.get())
        place.close()
        change(expected)
        place = place_class(store, (2, 1))
        assert place.get() == expected, name
        place.close()


def test_what_was_put_in_stays_the_same_object_while_it_is_held(make):
    mine = [1, {"inner": [2]}]
    place = make()
    place.put(mine)
    place.push_out()
    mine.append("late")
    assert place.get() is mine
    place.sync()
    mine[1]["inner"].append("after the sync")
    place.close()
    place = make()
    assert place.get() == [1, {"inner": [2, "after the sync"]}, "late"]
    place.close()


def test_an_inner_object_that_is_held_is_still_the_values_own(make):
    place = make()
    place.put({"a": [1, [2]], "b": (3, {"c": [4]})})
    inner, deeper = place.get()["a"][1], place.get()["b"][1]["c"]
    for turn in range(3):
        place.push_out()
        gc.collect()
        inner.append(turn)
        deeper.append(-turn)
        assert place.get()["a"][1] is inner
        assert place.get()["b"][1]["c"] is deeper
        place.sync()
    place.close()
    place = make()
    assert place.get() == {"a": [1, [2, 0, 1, 2]], "b": (3, {"c": [4, 0, -1, -2]})}
    place.close()


def test_an_iterator_over_a_value_holds_it(make):
    place = make()
    place.put([[1], [2], [3]])
    for part in place.get():
        place.push_out()
        part.append("seen")
    place.close()
    place = make()
    assert place.get() == [[1, "seen"], [2, "seen"], [3, "seen"]]
    place.close()


def test_a_bound_method_holds_its_value(make):
    place = make()
    place.put([])
    append = place.get().append
    for number in range(4):
        append(number)
        place.push_out()
    place.close()
    place = make()
    assert place.get() == [0, 1, 2, 3]
    place.close()


def test_a_change_after_a_sync_is_in_the_next_one(make):
    place = make()
    place.put([])
    held = place.get()
    for number in range(5):
        held.append(number)
        place.sync()
        place.push_out()
    del held
    place.close()
    place = make()
    assert place.get() == [0, 1, 2, 3, 4]
    place.close()


def test_a_value_that_was_replaced_is_nobodys_any_more():
    with DiskDict("d", 2, 1, page_store={}) as d:
        d["a"] = [1]
        old = d["a"]
        d["a"] = [2]
        old.append("lost")
        d.update(dict.fromkeys(range(OTHERS), 0))
        assert d["a"] == [2]
        taken = d.pop("a")
        taken.append("mine")
        d.update(dict.fromkeys(range(OTHERS), 1))
        assert "a" not in d
        assert taken == [2, "mine"]


def test_held_items_follow_their_place_while_a_list_is_changed():
    store = {}
    with DiskList("l", 2, 1, page_store=store) as stored:
        stored.extend([number] for number in range(20))
        held = stored[7]
        stored.reverse()
        held.append("reversed")
        stored.sort(key=lambda item: item[0])
        held.append("sorted")
        stored[0:5] = []
        held.append("moved")
        stored.insert(0, "first")
        stored.extend(stored)
        assert stored[3] is held
        held.append("repeated")
    with DiskList("l", page_store=store) as stored:
        assert stored[3] == [7, "reversed", "sorted", "moved", "repeated"]


def test_default_factories_written_by_hand_work_as_with_a_dict():
    store = {}
    words = ["the", "cat", "and", "the", "dog", "and", "the", "bird"]
    expected = {}
    with DiskDict("d", 1, 1, page_store=store) as d:
        for index in (d, expected):
            for place, word in enumerate(words):
                index.setdefault(word, []).append(place)
                index[word][0] += 1
                index.setdefault(len(word), {}).setdefault(word[0], set()).add(place)
        assert d == expected
    with DiskDict("d", page_store=store) as d:
        assert d == expected


def test_values_from_every_view_are_the_dicts_own():
    store = {}
    with DiskDict("d", 2, 1, page_store=store) as d:
        d.update({number: [number] for number in range(20)})
        for value in d.values():
            value.append("values")
        for key, value in d.items():
            value.append(f"item {key}")
        for value in reversed(d.values()):
            value.append("backwards")
        d.get(5).append("get")
        d.setdefault(5).append("setdefault")
        all_held = list(d.values())
        d.update(dict.fromkeys(range(100, 140), 0))
        for value in all_held:
            value.append("held")
    with DiskDict("d", page_store=store) as d:
        assert all(d[n][:4] == [n, "values", f"item {n}", "backwards"] for n in range(20))
        assert d[5][4:] == ["get", "setdefault", "held"]
        assert all(d[n][-1] == "held" for n in range(20))


class Meddler:
    """An object whose pickling may do something else: at the n-th time, what `does` says."""

    left = 0
    does = None

    def __reduce__(self):
        Meddler.left -= 1
        if Meddler.left == 0:
            Meddler.does()
        return Meddler, ()


def test_a_held_object_whose_pickling_changes_the_list_stays_in_it_with_what_it_put_there():
    for at in range(1, 50):
        held = Meddler()
        with DiskList("x", 4, 1, page_store={}) as stored:
            expected = [held, [1], [2], 3, *([number] for number in range(12))]
            stored.extend(expected)
            stored.sync()
            assert stored[0] is held
            Meddler.left, Meddler.does = at, lambda: stored.insert(0, "inserted")
            for index in (10, 14, 6, 0, 9, 1, 12):
                assert stored[index] is not None
            was_inserted, Meddler.left = Meddler.left <= 0, 0
            expected = ["inserted"] * was_inserted + expected
            assert list(stored) == expected, at
            assert stored[was_inserted] is held
            stored.sync()
            assert list(stored) == expected
        if not was_inserted:
            break
    assert at > 6


@pytest.mark.parametrize(
    "does", [lambda d: d.update(inserted="inserted"), lambda d: list(d.items()), lambda d: d[3]]
)
def test_a_held_object_whose_pickling_uses_the_dict_stays_in_it(does):
    for at in range(1, 50):
        held = Meddler()
        with DiskDict("x", 4, 1, page_store={}) as d:
            expected = {"held": held, **{number: [number] for number in range(12)}}
            d.update(expected)
            d.sync()
            assert d["held"] is held
            Meddler.left, Meddler.does = at, lambda: does(d)
            for number in range(12):
                d[number].append("changed")
                expected[number].append("changed")
            d.sync()
            was_used, Meddler.left = Meddler.left <= 0, 0
            if was_used:
                does(expected)
            assert d["held"] is held
            assert dict(d) == expected, at
            d.sync()
            assert dict(d) == expected
        if not was_used:
            break
    assert at > 6


class Curious:
    """An object whose pickling looks into the dict that it is in."""

    home = None

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        if Curious.home is not None:
            assert Curious.home[5 - self.number].number == 5 - self.number
        return Curious, (self.number,)


def test_objects_whose_pickling_looks_each_other_up_are_kept():
    with DiskDict("x", 4, 1, page_store={}) as d:
        Curious.home = {number: Curious(number) for number in range(6)}
        d.update(Curious.home)
        Curious.home = d
        for number in range(6):
            assert d[number].number == number
        d[3].extra = "changed"
        for _ in range(3):
            d.update((number, number) for number in range(10, 30))
            assert [d[number].number for number in range(6)] == list(range(6))
        d.sync()
        Curious.home = None
