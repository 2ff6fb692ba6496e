"""What a DiskDict does, where an example says it best; test_diskdict_stateful.py says the rest."""

from __future__ import annotations

import contextlib
import copy
import gc
import json
import pickle
import threading
import types
from collections import OrderedDict, UserDict
from collections.abc import ItemsView, KeysView, MutableMapping, ValuesView

import pytest
from pyspeedup.core import SerializationError, StoreCorruptedError, StoreError
from pyspeedup.memory import MemoryStore
from pyspeedup.memory.diskdict import DiskDict
from users_keys import LikeStr


@pytest.fixture
def d():
    """Two items a page, one page resident."""
    with DiskDict("d", 2, 1, page_store={}) as made:
        yield made


def filled(d, count=10):
    d.update({number: str(number) for number in range(count)})
    return d


class Token:
    """Equals nothing but itself."""


class Failure(Exception):  # noqa: N818 -- it fails nobody
    pass


class BadEquality:
    def __eq__(self, other):
        raise Failure

    def __hash__(self):
        return 24


class BadHash:
    fails = False

    def __hash__(self):
        if BadHash.fails:
            raise Failure
        return 42


class BadRepr:
    def __repr__(self):
        raise Failure


class Unpickled:
    """Says itself whether it can be pickled."""

    refuses = True

    def __reduce__(self):
        if Unpickled.refuses:
            raise TypeError("not today")
        return Unpickled, ()


# ---- keys --------------------------------------------------------------------------------------


def test_the_first_of_equal_keys_stays_in_its_place(d):
    d[1] = "int"
    d[2] = "two"
    d[True] = "bool"
    d[1.0] = "float"
    assert [(key, type(key)) for key in d] == [(1, int), (2, int)]
    assert d[1] == "float"


def test_a_users_key_is_found_by_what_it_equals_and_the_other_way_round(d):
    filled(d)
    d["a"] = 1
    d[LikeStr("b")] = 2
    assert d[LikeStr("a")] == 1
    assert d["b"] == 2
    d["b"] = 3
    assert d[LikeStr("b")] == 3
    assert [type(key) for key in list(d)[-2:]] == [str, LikeStr]
    del d[LikeStr("a")]
    assert "a" not in d
    d["c"] = 4  # the index of own hashes is there by now, and must learn of it
    d.update(x=1, y=2, z=3)
    assert d[LikeStr("c")] == 4


def test_tuples_of_users_keys_are_found_alike(d):
    d[("a", 1)] = 1
    d[(LikeStr("b"), 1)] = 2
    assert d[(LikeStr("a"), 1)] == 1
    assert d[("b", 1)] == 2


def test_a_key_that_equals_only_itself_is_found_while_somebody_holds_it(d):
    tokens = [Token() for _ in range(10)]
    for number, token in enumerate(tokens):
        d[token] = number
    filled(d)
    assert [d[token] for token in tokens] == list(range(10))
    assert Token() not in d


def test_an_object_that_is_a_key_is_given_out_as_itself(d):
    token = Token()
    d[token] = 1
    filled(d)
    assert next(iter(d)) is token
    assert next(iter(d.items()))[0] is token
    for number in range(10):
        del d[number]
    assert d.popitem()[0] is token


def test_keys_that_nobody_holds_do_not_stay_in_ram():
    with DiskDict("d", 4, 2, page_store={}) as d:
        for number in range(3_000):
            d[LikeStr(str(number))] = number
        assert sum(1 for _ in d) == 3_000
        assert len(d._content._known) < 1_000
        for text in d:
            assert d[text] == int(text.text)
        assert len(d._content._known) < 1_000


def test_changes_in_place_are_committed_in_time_though_nothing_is_set():
    store = {}
    with DiskDict("d", 1, 1, page_store=store, sync_every=0) as d:
        d["a"] = []
        d["b"] = []
        d["c"] = []
        d.sync()
        before = dict(store)
        assert d["b"] == []
        d["a"].append(1)
        assert d["b"] == []
        assert d["c"] == []
        assert store != before


def test_a_nan_is_found_by_identity(d):
    nan = float("nan")
    d[nan] = 1
    assert d[nan] == 1
    assert float("nan") not in d  # noqa: PLW0177 -- another NaN than the one that is in
    d[float("nan")] = 2
    assert len(d) == 2
    assert d.popitem()[1] == 2
    assert d.popitem()[1] == 1


@pytest.mark.parametrize("use", ["d[key]", "key in d", "d.get(key)", "d.setdefault(key)"])
@pytest.mark.parametrize("key", [[], {}, ([],), bytearray()], ids=repr)
def test_an_unhashable_key_is_refused_in_the_words_of_dict(d, use, key):
    filled(d)
    with pytest.raises(TypeError) as expected:
        eval(use, {"d": {1: 1}, "key": key})
    with pytest.raises(TypeError) as found:
        eval(use, {"d": d, "key": key})
    assert str(found.value) == str(expected.value)


def test_a_key_that_cannot_be_pickled_is_missed_and_refused_by_name(d):
    filled(d)
    key = Unpickled()
    assert key not in d
    assert d.get(key) is None
    with pytest.raises(KeyError):
        d[key]
    with pytest.raises(SerializationError, match=r"the key <.*Unpickled object at .*not today"):
        d[key] = 1
    assert dict(d) == {number: str(number) for number in range(10)}
    d["after"] = 1
    assert len(d) == 11


def test_errors_of_a_keys_own_methods_come_through(d):
    key = BadHash()
    d[key] = 1
    d[BadEquality()] = 2
    with pytest.raises(KeyError):
        d[23]
    with pytest.raises(Failure):
        DiskDict.__eq__(d, {BadEquality(): 2, key: 1})
    BadHash.fails = True
    try:
        for use in (d.__getitem__, d.pop, d.get, d.setdefault, d.__delitem__, d.__contains__):
            with pytest.raises(Failure):
                use(key)
    finally:
        BadHash.fails = False
    assert d[key] == 1


def test_a_key_whose_comparison_changes_the_dict_is_found_or_missed_in_peace(d):
    class Meddling(LikeStr):
        def __eq__(self, other):
            if len(d) < 20:
                d[len(d)] = None
            return super().__eq__(other)

        __hash__ = LikeStr.__hash__

    d["a"] = 1
    assert d[Meddling("a")] == 1
    assert d.get(Meddling("b")) is None
    d._content.check()


def test_under_json_plain_keys_are_kept_and_others_refused_by_name():
    with DiskDict("d", 2, 1, page_store={}, serializer="json") as d:
        plain = ["a", 1, 1.5, b"b", None, ("a", (1, None))]
        for key in plain:
            d[key] = [key] if isinstance(key, str) else []
        assert list(d) == plain
        with pytest.raises(SerializationError, match="the key frozenset"):
            d[frozenset()] = 1
        with pytest.raises(SerializationError, match="the value of key 'bad'"):
            d["bad"] = (1, 2)
        assert list(d) == plain


# ---- values ------------------------------------------------------------------------------------


def test_a_refused_value_is_named_by_its_key_and_changes_nothing(d):
    filled(d)
    before = dict(d)
    for use in (
        lambda: d.__setitem__("new", Unpickled()),
        lambda: d.__setitem__(3, Unpickled()),
        lambda: d.setdefault("new", Unpickled()),
        lambda: d.update(new=Unpickled()),
    ):
        with pytest.raises(SerializationError, match=r"the value of key ('new'|3): .*not today"):
            use()
        assert dict(d) == before
        d._content.check()
    d["new"] = 1
    assert d.popitem() == ("new", 1)


def test_a_value_changed_in_place_is_seen_by_an_iteration_that_pushes_it_out_of_front():
    with DiskDict("d", 2, 1, page_store={}) as d:
        d.update({0: []})
        d.setdefault(1, []).append(None)
        assert list(d.values()) == [[], [None]]


def test_values_of_keys_of_every_kind_are_kept_as_they_are_changed():
    token = Token()
    keys = [("a", 1), 1.5, LikeStr("text"), token, frozenset({1}), None, "plain", 7]
    with DiskDict("d", 2, 1, page_store={}) as d:
        d.update((key, []) for key in keys)
        for number in range(3):
            for key in keys:
                d[key].append(number)
            if number == 1:
                d.sync()
        assert [d[key] for key in keys] == [[0, 1, 2]] * len(keys)
        assert list(d.values()) == [[0, 1, 2]] * len(keys)
        d._content.check()


def test_a_value_set_in_place_of_one_that_left_the_front_is_not_taken_for_it():
    with DiskDict("d", 1, 1, page_store={}) as d:
        d[0] = None
        d[1] = None
        d[0] = []
        assert list(d.items()) == [(0, []), (1, None)]


def test_a_refused_first_item_leaves_an_empty_dict(d):
    with pytest.raises(SerializationError):
        d[1] = Unpickled()
    assert d == {}
    d._content.check()
    d[1] = 2
    d.sync()
    assert d == {1: 2}


def test_values_changed_in_place_are_kept():
    store = {}
    with DiskDict("d", 2, 1, page_store=store) as d:
        for number in range(10):
            d[number] = [[number]]
        held = d[3]
        inner = d[4][0]
        filled_later = dict.fromkeys(range(100, 120))
        d.update(filled_later)
        held.append("held")
        inner.append("inner")
        assert d[3] is held
        d[5][0].append("at once")
        d.setdefault("new", []).append(1)
    with DiskDict("d", page_store=store) as d:
        assert d[3] == [[3], "held"]
        assert d[4] == [[4, "inner"]]
        assert d[5] == [[5, "at once"]]
        assert d["new"] == [1]


def test_a_value_changed_into_what_cannot_be_kept_is_named_and_can_be_mended():
    store = {}
    d = DiskDict("d", 2, 1, page_store=store)
    d["a"] = [1]
    d["b"] = [2]
    held = d["a"]
    held.append(Unpickled())
    with pytest.raises(SerializationError, match="'a' was changed in place"):
        d.sync()
    d["c"] = 3
    held.pop()
    d.close()
    with DiskDict("d", page_store=store) as d:
        assert d == {"a": [1], "b": [2], "c": 3}


def test_a_value_whose_class_is_gone_is_named_and_the_rest_stays_readable(monkeypatch):
    store = {}
    module = types.ModuleType("gone_soon")
    module.Gone = type("Gone", (), {"__module__": "gone_soon"})
    monkeypatch.setitem(__import__("sys").modules, "gone_soon", module)
    with DiskDict("d", 4, 1, page_store=store) as d:
        d["before"] = 1
        d["gone"] = module.Gone()
        d["after"] = 2
    del module.Gone
    with DiskDict("d", page_store=store) as d:
        assert (d["before"], d["after"]) == (1, 2)
        with pytest.raises(SerializationError, match="the value of key 'gone'"):
            d["gone"]
        found = iter(d.values())
        assert next(found) == 1
        with pytest.raises(SerializationError, match="the value of key 'gone'"):
            next(found)
        assert list(d) == ["before", "gone", "after"]
        d["gone"] = "mended"
        assert list(d.values()) == [1, "mended", 2]


def test_a_key_whose_class_is_gone_hides_no_other(monkeypatch):
    store = {}
    module = types.ModuleType("gone_soon")
    module.Gone = type("Gone", (LikeStr,), {"__module__": "gone_soon"})
    kept = module.Gone
    monkeypatch.setitem(__import__("sys").modules, "gone_soon", module)
    with DiskDict("d", 4, 1, page_store=store) as d:
        d[LikeStr("a")] = 1
        d[module.Gone("b")] = 2
        d["c"] = 3
    del module.Gone
    with DiskDict("d", page_store=store) as d:
        assert d["a"] == 1
        assert d[LikeStr("c")] == 3
        assert "b" not in d
        with pytest.raises(SerializationError):
            list(d)
        d._content.compact()
        assert d["a"] == 1
    module.Gone = kept
    with DiskDict("d", page_store=store) as d:
        assert [d[key] for key in "abc"] == [1, 2, 3]


# ---- as a dict ---------------------------------------------------------------------------------


def test_it_is_a_mutable_mapping_with_a_dicts_views(d):
    filled(d, 3)
    assert isinstance(d, MutableMapping)
    assert isinstance(d.keys(), KeysView)
    assert isinstance(d.values(), ValuesView)
    assert isinstance(d.items(), ItemsView)
    assert d.keys() | {7} == {0, 1, 2, 7}
    assert d.items() & {(1, "1"), (2, "x")} == {(1, "1")}
    assert d.keys() == {0: 0, 1: 1, 2: 2}.keys()
    assert {0: 0, 1: 1, 2: 2}.keys() == d.keys()
    assert d.items() == {0: "0", 1: "1", 2: "2"}.items()
    assert d.keys().isdisjoint([5, 6])
    assert [1, "1"] not in d.items()
    assert d.keys().mapping[1] == "1"
    assert repr(d.keys()) == "dict_keys([0, 1, 2])"
    assert repr(d.values()) == "dict_values(['0', '1', '2'])"
    assert repr(d.items()) == "dict_items([(0, '0'), (1, '1'), (2, '2')])"


def test_operators_give_plain_dicts(d):
    filled(d, 2)
    assert type(d | {5: 5}) is dict
    assert d | {1: "other"} == {0: "0", 1: "other"}
    assert {1: "other", 7: 7} | d == {1: "1", 7: 7, 0: "0"}
    assert list({1: "other", 7: 7} | d) == [1, 7, 0]
    assert type(OrderedDict(a=1) | d) is dict
    assert d | d == d
    plain = {5: 5}
    plain |= d
    assert plain == {5: 5, 0: "0", 1: "1"}
    for wrong in ([(1, 2)], 5, None):
        with pytest.raises(TypeError):
            d | wrong
        with pytest.raises(TypeError):
            wrong | d
    before = d
    d |= [(3, "3")]
    assert before is d
    assert d[3] == "3"


def test_equality_is_that_of_dicts(d):
    filled(d, 3)
    assert d == {2: "2", 1: "1", 0: "0"}
    assert d == OrderedDict([(2, "2"), (1, "1"), (0, "0")])
    assert d == UserDict(d)
    assert d != {0: "0", 1: "1"}
    assert d != {0: "0", 1: "1", 2: None}
    assert d != [(0, "0")]
    assert d != None  # noqa: E711 -- the operator is what is tried
    with pytest.raises(TypeError):
        d < {}  # noqa: B015 -- the operator is what is tried


def test_copies_are_plain_and_apart(d):
    d["a"] = [1]
    for copied in (d.copy(), copy.copy(d), dict(d), {**d}):
        assert type(copied) is dict
        assert copied == d
        assert copied["a"] is d["a"]
    deep = copy.deepcopy(d)
    assert deep == {"a": [1]}
    assert deep["a"] is not d["a"]


def test_it_cannot_be_hashed_or_pickled(d):
    with pytest.raises(TypeError, match="unhashable type: 'DiskDict'"):
        hash(d)
    with pytest.raises(TypeError, match=r"cannot pickle a DiskDict; pickle d.copy\(\)"):
        pickle.dumps(d)


def test_missing_is_asked_by_getitem_alone():
    class Counting(DiskDict):
        def __missing__(self, key):
            return f"no {key}"

    with Counting("counting", 2, 1, page_store={}) as d:
        assert d["a"] == "no a"
        assert d.get("a") is None
        assert "a" not in d
        assert len(d) == 0


def test_fromkeys_opens_what_it_is_told_to(tmp_path):
    with DiskDict.fromkeys("aba", 0, "counts", file_location=tmp_path) as d:
        assert list(d.items()) == [("a", 0), ("b", 0)]
        assert type(d) is DiskDict
    with pytest.raises(TypeError, match="file_basename"):
        DiskDict.fromkeys("ab")
    with pytest.raises(TypeError):
        DiskDict.fromkeys(5, 0, "counts", file_location=tmp_path)
    with DiskDict("counts", file_location=tmp_path) as d:
        assert len(d) == 2


def test_update_errors_are_those_of_dict(d):
    for wrong in (5, [1], ["ab", "c"], [(1, 2, 3)], None):
        with pytest.raises((TypeError, ValueError)) as expected:
            {}.update(wrong)
        with pytest.raises(expected.type):
            d.update(wrong)
    with pytest.raises(ValueError, match="element #1 has length 1; 2 is required"):
        d.update(["ab", "c"])
    assert d == {"a": "b"}
    d.update({"self": 1}, self=2, other=3)
    assert d == {"a": "b", "self": 2, "other": 3}


def test_pop_of_an_empty_dict_does_not_look_at_the_key(d):
    with pytest.raises(KeyError):
        d.pop([])
    assert d.pop([], 1) == 1
    with pytest.raises(KeyError, match=r"popitem\(\): dictionary is empty"):
        d.popitem()


def test_repr_is_that_of_a_dict_unless_large(d):
    assert repr(d) == "{}"
    filled(d, 3)
    assert repr(d) == repr(dict(d)) == str(d)
    filled(d, 1000)
    assert repr(d) == f"{repr(dict(list(d.items())[:10]))[:-1]}, ... and 990 more}}"
    d.clear()
    d["long"] = "x" * 100_000
    assert len(repr(d)) < 5_000


def test_repr_of_a_dict_that_holds_itself_ends(d):
    d[1] = []
    held = d[1]
    held.append(d)
    assert repr(d) == "{1: [{...}]}"
    held.clear()


def test_errors_of_a_values_repr_come_through(d):
    d[1] = BadRepr()
    with pytest.raises(Failure):
        repr(d)


def test_a_closed_dict_says_so(d):
    filled(d)
    iterator, values = iter(d), d.values()
    next(iterator)
    d.close()
    for use in (
        lambda: d[1],
        lambda: d.get(1),
        lambda: d.setdefault(1),
        lambda: d.pop(1),
        lambda: 1 in d,
        lambda: len(d),
        lambda: list(d),
        d.keys,
        d.clear,
        lambda: d.update(a=1),
        lambda: d | {},
        lambda: d == {},
        lambda: list(values),
        lambda: list(iterator),
    ):
        with pytest.raises(ValueError, match=r"DiskDict.*is closed"):
            use()
    assert repr(d) == "<closed DiskDict 'd'>"


def test_a_readonly_dict_can_be_read_and_refuses_changes():
    store = MemoryStore()
    with DiskDict("d", 2, 1, page_store=store) as d:
        filled(d)
        d[LikeStr("a")] = "text"
        for number in range(9):
            del d[number]
    with DiskDict("d", page_store=store, readonly=True) as d:
        assert list(d) == [9, LikeStr("a")]
        assert d["a"] == "text"
        for change in (
            lambda: d.__setitem__(1, 1),
            lambda: d.__setitem__(9, 1),
            lambda: d.setdefault("new", 1),
            lambda: d.pop(9),
            d.popitem,
            d.clear,
        ):
            with pytest.raises(StoreError, match="readonly=True"):
                change()
        assert d.setdefault(9, 1) == "9"
        assert len(d) == 2


# ---- iterating ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["keys", "values", "items"])
@pytest.mark.parametrize("turn", [iter, reversed])
def test_a_change_of_size_stops_an_iterator(d, view, turn):
    filled(d)
    iterator = turn(getattr(d, view)())
    next(iterator)
    d["new"] = 1
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        next(iterator)


def test_a_change_of_size_before_the_first_step_counts(d):
    filled(d)
    iterator = iter(d)
    del d[3]
    with pytest.raises(RuntimeError, match="changed size"):
        next(iterator)


def test_an_iterator_shows_values_as_they_are_when_it_comes_to_them(d):
    filled(d, 100)
    seen = []
    for key, value in d.items():
        seen.append(value)
        if key < 99:
            d[key + 1] = "changed"
    assert seen == ["0"] + ["changed"] * 99
    seen = [d.__setitem__(key, "again") or key for key in d]
    assert seen == list(range(100))


def test_an_iterator_goes_on_after_a_key_was_replaced(d):
    filled(d, 10)
    found = []
    for key in reversed(d):
        found.append(key)
        if key == 5:
            del d[2]
            d["new"] = 1
    assert found == [9, 8, 7, 6, 5, 4, 3, 1, 0]


def test_compaction_waits_for_iterators(d):
    filled(d, 20)
    for number in range(15):
        del d[number]
    iterator = iter(d)
    first = next(iterator)
    end = d._content.log.end
    d.sync()
    assert d._content.log.end == end
    assert [first, *iterator] == [15, 16, 17, 18, 19]
    d.sync()
    assert d._content.log.dead <= 5
    assert list(d) == [15, 16, 17, 18, 19]


def test_an_iterator_that_is_dropped_holds_nothing_up(d):
    filled(d)
    for _ in d:
        break
    gc.collect()
    assert not d._content.scans


# ---- room and RAM ------------------------------------------------------------------------------


def test_deleting_gives_pages_back(d):
    filled(d, 200)
    d.sync()
    for number in range(200):
        del d[number]
    d.sync()
    assert d._content.volume.pages() == []
    assert d._content.log.end == 0


def test_queues_and_stacks_do_not_grow(d):
    filled(d, 20)
    for number in range(20, 400):
        d[number] = str(number)
        del d[next(iter(d))]
    assert list(d) == list(range(380, 400))
    assert d._content.log.end < 3 * 20
    for number in range(1000):
        d["top"] = number
        assert d.popitem() == ("top", number)
    assert d._content.log.end < 3 * 20
    d._content.check()


def test_compaction_keeps_order_identity_and_long_values(d):
    for number in range(40):
        d[number] = [number, "x" * (20_000 if number % 10 == 5 else 1)]
    held = d[35]
    for number in range(30):
        del d[number]
    d._content.compact()
    assert d._content.log.dead == 0
    d._content.check()
    assert d[35] is held
    held.append("changed")
    d.sync()
    assert list(d) == list(range(30, 40))
    assert d[35][2] == "changed"
    used = len(d._content.volume.pages())
    d.clear()
    d.sync()
    assert used > 0
    assert d._content.volume.pages() == []


@contextlib.contextmanager
def full_disk(d):
    """Let nothing be written meanwhile."""
    volume = d._content.volume

    def refuse(*_):
        raise OSError(28, "no space left on device")

    volume.write = volume.append = refuse
    try:
        yield
    finally:
        del volume.write, volume.append


def agrees(d, expected):
    """Tell whether iteration, look-up, length and the last item are those of a dict."""
    d._content.check()
    found = [*d.items()] == [*expected.items()] and all(key in d for key in expected)
    return found and len(d) == len(expected)


def with_much_unwritten(d, expected):
    """Set keys until the next operation has to write them."""
    content = d._content
    number = 0
    while number < 3 or (0 < len(content._unwritten) < content._most_unwritten and number < 100):
        d[number] = expected[number] = [number]
        number += 1


def test_a_removal_that_a_full_disk_forbids_leaves_the_key_where_it_is_found():
    refused = 0
    with DiskDict("d", 3, 4, page_store={}) as d:
        expected = {number: [number] for number in range(300)}
        d.update(expected)
        for key in range(20, 220, 5):
            with_much_unwritten(d, expected)
            with full_disk(d):
                try:
                    del d[key]
                except OSError:
                    refused += 1
                else:
                    del expected[key]
            assert agrees(d, expected)
    assert refused


@pytest.mark.parametrize("ram_limit", [1, 2000, 1 << 20])
def test_taking_the_last_item_on_a_full_disk_is_done_or_not_at_all(ram_limit):
    with DiskDict("d", 1, 2, page_store={}, ram_limit=ram_limit) as d:
        expected = {}
        for number in range(40):
            d[number] = expected[number] = [number]
        for number in range(30, 39):
            del d[number], expected[number]
        refused = 0
        for _ in range(12):
            with_much_unwritten(d, expected)
            with full_disk(d):
                try:
                    assert d.popitem() == list(expected.items())[-1]
                except OSError:
                    refused += 1
                else:
                    expected.popitem()
            assert agrees(d, expected)
            assert d.popitem() == expected.popitem()
        assert refused


def test_an_insertion_that_a_full_disk_forbids_leaves_the_last_item_the_last():
    with DiskDict("d", 1, 2, page_store={}) as d:
        expected = {"a": 1, "b": 2, "c": 3}
        d.update(expected)
        d.sync()
        with_much_unwritten(d, expected)
        with full_disk(d), pytest.raises(OSError, match="no space"):
            d["long" * 600] = 4
        assert agrees(d, expected)
        assert d.popitem() == expected.popitem()
        assert agrees(d, expected)
        with full_disk(d), pytest.raises(OSError, match="no space"):
            d[("a key", "that is written at once")] = "long" * 6000
        assert agrees(d, expected)


@pytest.mark.parametrize("take", [lambda d: d.pop("a"), lambda d: d.popitem()[1]])
def test_what_is_taken_out_is_not_lost_where_an_automatic_commit_fails(take):
    with DiskDict("d", page_store={}, sync_every=0) as d:
        d["a"] = [1]
        with full_disk(d), pytest.raises(OSError, match="no space"):
            take(d)
        assert take(d) == [1]
        assert not d


def test_a_long_item_that_finds_no_room_leaves_no_page_behind(d):
    volume = d._content.volume
    with full_disk(d), pytest.raises(OSError, match="no space"):
        d["k" * 20_000, 1] = "v" * 20_000
    assert d == {}
    d["k" * 20_000] = "v" * 20_000
    with full_disk(d), pytest.raises(OSError, match="no space"):
        d.sync()
    assert d == {"k" * 20_000: "v" * 20_000}
    d.clear()
    d.sync()
    assert volume.pages() == []


def test_a_compaction_that_fails_changes_nothing_and_is_tried_again_later(d):
    filled(d, 40)
    for number in range(30):
        del d[number]
    d.sync()
    filled(d, 40)
    for number in range(31):
        del d[number]
    content = d._content
    with full_disk(d), pytest.raises(OSError, match="no space"):
        content.compact()
    assert list(d) == list(range(31, 40))
    content.check()
    content.compact()
    content.check()
    assert list(d) == list(range(31, 40))


def test_ram_holds_a_bounded_number_of_items():
    with DiskDict("d", 8, 3, page_store={}) as d:
        filled(d, 3_000)
        for number in range(0, 3_000, 7):
            assert d[number] == str(number)
        content = d._content
        assert 0 < len(content._front) <= 3 * 8
        assert len(content._unwritten) <= 3 * 8
        assert len(content.log.rows.waiting) <= 3 * 8


def test_ram_holds_a_bounded_number_of_bytes():
    with DiskDict("d", 1024, 16, page_store={}, ram_limit=100_000) as d:
        for number in range(1, 200):
            d["k" * 500 + str(number)] = "v" * 5_000
            d[number] = number, "w" * 5_000
            d[-number] = [number] * 1_000
        assert len(d._content._front) <= 20
        assert d["k" * 500 + "7"] == "v" * 5_000
        assert d[7] == (7, "w" * 5_000)
        assert d[-7] == [7] * 1_000
        in_front = len(d._content._front)
        for number in range(1, 200):
            assert d[number] == (number, "w" * 5_000)
        assert len(d._content._front) <= in_front + 20


# ---- what interrupts ---------------------------------------------------------------------------


def test_the_text_of_a_long_key_is_never_read_as_anything_else():
    opcodes = "cos\nsystem\n(Vexit\ntR0".ljust(322, "N")
    expected = {"a": "abcd", "k" * 297: 1, opcodes: 2, "b": 3, "k" * 255: 4}
    with DiskDict("d", page_store={}) as d:
        d.update(expected)
        d.sync()
        assert list(d.items()) == list(expected.items())
        assert list(reversed(d)) == list(reversed(expected))


def test_keys_with_a_nan_in_them_can_be_saved_and_are_found_by_identity():
    nan = float("nan")
    store = {}
    with DiskDict("d", 2, 1, page_store=store) as d:
        for key in (nan, (nan, 1), frozenset({nan})):
            d[key] = []
            d[key].append(1)
            d[key] = d[key]
            assert d[key] == [1]
        d.sync()
        assert len(d) == 3
    with DiskDict("d", 2, 1, page_store=store) as d:
        d["a"] = 1
        for value in d.values():
            if value != 1:
                value.append(2)
        filled(d)
        assert list(d.values())[:3] == [[1, 2]] * 3
        assert len(d) == 14


def test_a_change_made_while_a_value_leaves_the_front_is_not_lost():
    with DiskDict("d", 4, 1, page_store={}) as d:
        d["x"] = []
        references = [d["x"]]
        tracked = d._content._tracked
        held = tracked.held

        def another_thread_changes_it(*arguments):
            if references and "x" in d._content._front.gone:
                references.pop().append("changed")
            return held(*arguments)

        tracked.held = another_thread_changes_it
        for number in range(20):
            d[number] = [number]
        assert not references
        assert d["x"] == ["changed"]


def test_an_interruption_while_a_batch_is_written_makes_no_key_twice():
    with DiskDict("d", page_store={}) as d:
        d["z"] = 0
        d.sync()
        expected = {"z": 0} | {number: number for number in range(100)}
        for number in range(100):
            d[number] = number
        assert len(d) == 101
        unwritten = d._content._unwritten
        discard_many = unwritten.discard_many

        def interrupted(keys):
            discard_many(keys[: len(keys) // 2])
            raise KeyboardInterrupt

        unwritten.discard_many = interrupted
        with pytest.raises(KeyboardInterrupt):
            d.sync()
        assert 0 < len(unwritten) < 100
        unwritten.discard_many = discard_many
        d.sync()
        assert list(d.items()) == list(expected.items())
        assert len(d) == 101


def test_an_interruption_while_a_value_is_taken_up_leaves_it_as_it_is():
    store = {}
    with DiskDict("d", page_store=store) as d:
        d["a"] = [1, 2, 3]
    with DiskDict("d", page_store=store) as d:
        front = d._content._front
        keep = front.keep

        def interrupted(*_):
            raise KeyboardInterrupt

        front.keep = interrupted
        with pytest.raises(KeyboardInterrupt):
            d["a"]
        front.keep = keep
    with DiskDict("d", page_store=store) as d:
        assert d == {"a": [1, 2, 3]}


def test_an_interrupted_removal_of_a_page_removes_no_other():
    with DiskDict("d", page_store={}) as d:
        d[1] = "L" * 20_000
        d.sync()
        d[1] = "short"
        volume = d._content.volume
        delete = volume.delete

        def interrupted(page):
            delete(page)
            raise KeyboardInterrupt

        volume.delete = interrupted
        with pytest.raises(KeyboardInterrupt):
            d.sync()
        volume.delete = delete
        d[2] = "M" * 20_000
        d.sync()
        d.sync()
        assert d == {1: "short", 2: "M" * 20_000}


def test_a_compaction_whose_old_pages_cannot_be_deleted_leaves_every_key_findable():
    with DiskDict("d", page_store={}) as d:
        tokens = [Token() for _ in range(10)]
        filled(d, 40)
        d.update((token, number) for number, token in enumerate(tokens))
        d.sync()
        for number in range(40):
            del d[number]
        volume = d._content.volume

        def refuse(_page):
            raise OSError(5, "input/output error")

        volume.delete = refuse
        with pytest.raises(OSError, match="input"):
            d._content.compact()
        del volume.delete
        assert [d[token] for token in tokens] == list(range(10))
        d._content.check()


def test_a_value_that_uses_the_dict_while_it_is_pickled_breaks_nothing():
    with DiskDict("d", page_store={}) as d:
        filled(d, 40)
        keys = [(number + 0.5,) for number in range(60)]
        d.update((key, number) for number, key in enumerate(keys))
        d.sync()

        class Meddling:
            def __reduce__(self):
                for number in range(40):
                    d.pop(number, None)
                d._content.compact()
                return int, (7,)

        d[keys[3]] = Meddling()
        d.sync()
        d._content.check()
        assert list(d) == keys
        d._content._front.clear()
        assert [d[key] for key in keys] == [7 if number == 3 else number for number in range(60)]


def test_garbage_that_cannot_be_moved_away_is_not_looked_for_again_and_again():
    with DiskDict("d", 64, 4, page_store={}) as d:
        d.update(dict.fromkeys(range(512), "s" * 200))
        d.sync()
        d.update(dict.fromkeys(range(512), "L" * 17000))
        log = d._content.log
        tidy, calls = log.tidy, []
        log.tidy = lambda index: calls.append(index) or tidy(index)
        operations = 300
        for number in range(operations):
            d[number] = "M" * 17_000
        assert len(calls) <= operations * log.rows.page_count
        assert d[511] == "L" * 17_000


def test_overwriting_for_ever_takes_no_more_room():
    with DiskDict("d", 4, 2, page_store={}) as d:
        for number in range(20_000):
            d[number % 8] = number, "x" * 200
        d.sync()
        assert len(d._content.volume.state) < 60_000
        assert d._content.volume.page_count < 200


def test_a_look_up_does_not_tell_of_the_value_of_another_key():
    with DiskDict("d", 1, 1, page_store={}, sync_every=0) as d:
        filled(d)
        d["bad"] = [1]
        held = d["bad"]
        held.append(Unpickled())
        assert [d[number] for number in range(10)] == [str(number) for number in range(10)]
        with pytest.raises(SerializationError, match="'bad' was changed in place"):
            d.sync()
        del held[1]


def test_a_look_up_tells_of_damage_that_it_comes_upon():
    with DiskDict("d", 1, 1, page_store={}, sync_every=0) as d:
        filled(d)
        d["a"] = [1]
        volume = d._content.volume

        def refuse(*_, **__):
            raise StoreCorruptedError("a page is damaged")

        volume.commit = refuse
        with pytest.raises(StoreCorruptedError):
            [d[number] for number in range(10)]
        del volume.commit


def test_changed_values_that_left_the_front_do_not_pile_up_in_ram():
    with DiskDict("d", 16, 8, page_store={}, ram_limit=100_000) as d:
        d.update({number: [] for number in range(3_000)})
        most = 0
        for number in range(3_000):
            d[number].append("w" * 100)
            most = max(most, len(d._content._unwritten))
        assert 0 < most < 300
        assert all(value == ["w" * 100] for value in d.values())


# ---- transactions, threads ---------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing(d):
    filled(d, 6)
    d["list"] = [1]
    before = dict(d)
    with pytest.raises(Failure), d.transaction():  # noqa: PT012 -- all of it is to be taken back
        d["new"] = 1
        d[0] = "changed"
        d[LikeStr("user")] = 1
        assert d["user"] == 1
        del d[1]
        d.clear()
        d["only"] = 1
        raise Failure
    assert dict(d) == before
    assert "user" not in d
    assert list(d) == list(before)
    d._content.check()
    with pytest.raises(Failure), d.transaction():  # noqa: PT012 -- as above
        d[0] = "changed"
        raise Failure
    assert d[0] == "0"
    with d.transaction():
        del d[0]
        d["new"] = 1
    assert list(d) == [1, 2, 3, 4, 5, "list", "new"]


def test_threads_lose_no_update():
    with DiskDict("d", 4, 2, page_store={}) as d:

        def work(name):
            for number in range(200):
                d[name, number] = number
                d.setdefault(("shared", number % 10), []).append(name)
                assert d[name, number] == number

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(d) == 610
        assert sorted(map(len, (d["shared", number] for number in range(10)))) == [60] * 10
        d._content.check()


def test_two_handles_share_one_dict(tmp_path):
    with DiskDict("d", 2, 1, tmp_path) as first, DiskDict("d", 2, 1, tmp_path) as second:
        first["a"] = [1]
        assert second["a"] is first["a"]
        assert first == second
        iterator = iter(second)
        first["b"] = 2
        with pytest.raises(RuntimeError, match="changed size"):
            next(iterator)


def test_json_can_write_its_copy(d):
    d.update(a=1, b=[2])
    assert json.loads(json.dumps(d.copy())) == {"a": 1, "b": [2]}


# ---- batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16_385, 40_000, 65_537, 70_000])
def test_a_long_value_that_replaces_another_is_kept(size):
    """Its record may be as long as a page of records, or as the number that marks a long one."""
    store = {}
    with DiskDict("d", page_store=store) as d:
        d.update({number: number for number in range(2_500)})
        d["blob"] = b"short"
    for less in range(40):
        with DiskDict("d", page_store=store) as d:
            d["blob"] = b"v" * (size - less)
            d["other"] = less
            d.sync()
            if less % 8 == 0:
                d._content.check()
        with DiskDict("d", page_store=store) as d:
            assert d["blob"] == b"v" * (size - less)
            assert d["other"] == less


def test_changes_after_a_rollback_are_committed_in_time(monkeypatch):
    now = 1_000.0
    for place in ("_content.time", "_dict.content", "_dict.live_parts"):
        monkeypatch.setattr(f"pyspeedup.memory.{place}.monotonic", lambda: now)
    store = {}
    with DiskDict("d", page_store=store, sync_every=10) as d:
        with contextlib.suppress(ZeroDivisionError), d.transaction():
            d["a"] = 1 / 0
        with contextlib.suppress(ZeroDivisionError), d.transaction():
            d["a"] = 1
            raise ZeroDivisionError
        before = store.copy()
        d["b"] = 2
        now += 11
        assert store == before
        assert d.get("absent") is None
        assert store != before


class Moody:
    """A key that sometimes cannot be compared."""

    refuses = False

    def __hash__(self):
        return 1

    def __eq__(self, other):
        if Moody.refuses:
            raise ValueError("not now")
        return isinstance(other, Moody)


def test_what_another_key_raises_comes_before_anything_is_changed(monkeypatch):
    """To write what was changed in a value that leaves RAM its key is looked for."""
    with DiskDict("d", 2, 1, page_store={}) as d:
        d[Moody()] = [1]
        d["kept"] = 1
        d["also"] = [2]
        d.sync()
        d[Moody()].append(2)
        raised = 0
        for number in range(6):
            monkeypatch.setattr(Moody, "refuses", True)
            try:
                d[f"new {number}"] = [number]
            except ValueError:
                raised += 1
                monkeypatch.setattr(Moody, "refuses", False)
                assert f"new {number}" not in d
            monkeypatch.setattr(Moody, "refuses", False)
        assert raised
        assert d[Moody()] == [1, 2]
