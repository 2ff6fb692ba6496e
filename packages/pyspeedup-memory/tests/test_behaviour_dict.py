"""Every method of ``dict``, called rightly and wrongly: a DiskDict does, returns and raises the same."""

from __future__ import annotations

import itertools
import operator

import pytest
from behaviour import differences, methods, signature_differences
from pyspeedup.memory import DiskDict

CONTENT = {"a": 1, "b": [2], 3: "three", (4, "x"): None}
CALLS = [
    *((arguments, {}) for arguments in itertools.product(["a", "absent", 3.0, None], repeat=1)),
    *((arguments, {}) for arguments in itertools.product(["a", "absent", []], [1, None], repeat=1)),
    *((([],), {}), (({},), {}), (({1},), {}), ((([],),), {}), ((1, 2, 3), {}), ((1, 2, 3, 4), {})),
    *(((), {}), ((5,), {}), (("",), {}), (("ab",), {}), ((["ab", "cd"],), {}), (([1],), {})),
    *((([(1, 2, 3)],), {}), (([(1,)],), {}), (([([], 1)],), {}), (([("n", 1), 5],), {})),
    *((({"a": 9, "n": 1},), {}), (([("a", 9), ("n", 1)],), {}), ((CONTENT,), {})),
    *(((), {"a": 1}), ((), {"key": "a"}), (("a",), {"default": 1}), (({"a": 9},), {"b": 1})),
    *(((), {"self": 1, "other": 2}), (([("a", 9)],), {"n": 1}), ((5,), {"n": 1})),
]
LEFT_OUT = {
    "__class_getitem__": "a class's, and gives a type",
    "fromkeys": "a class's, and needs to know where to; see test_diskdict.py",
    "__hash__": "none of both has one",
}
NAMES = [name for name in methods(dict, LEFT_OUT) if not name.startswith("__")]


def make(content):
    d = DiskDict("d", 2, 1, page_store={})
    d.update(content)
    return d


def test_every_attribute_of_a_dict_is_there():
    assert {name for name in dir(dict) if not hasattr(DiskDict, name)} == set()


def test_methods_take_their_arguments_alike():
    assert signature_differences(dict, DiskDict, NAMES) == {}


def test_every_call_does_what_it_does_to_a_dict():
    names = methods(dict, LEFT_OUT)
    assert len(names) * len(CALLS) > 200
    assert differences(CONTENT, make, names, CALLS) == {}


def test_every_call_of_an_empty_one_does_what_it_does_to_an_empty_dict():
    assert differences({}, make, methods(dict, LEFT_OUT), CALLS) == {}


@pytest.mark.parametrize("view", ["keys", "values", "items"])
def test_views_meet_others_as_a_dicts_do(view):
    content, found = {"a": 1, "b": 2, 3: "three", (4, "x"): None}, {}
    operators = [operator.and_, operator.or_, operator.sub, operator.xor, operator.contains]
    operators += [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
    others = [{"a", 3}, {3, ("a", 1)}, [("a", 1)], {"a": 1}.keys(), {"a": 1}.items(), {}.values()]
    others += [5, None, (), "a", ("a", 1), ("b", 2), [], {"a": 1}, set(content)]
    with make(content) as stored:
        pair = [getattr(content, view)(), getattr(stored, view)()]
        for apply, other, swap in itertools.product(operators, others, [False, True]):
            expected, ours = (
                tried(apply, *((other, each) if swap else (each, other))) for each in pair
            )
            if expected != ours:
                found[apply.__name__, str(other), swap] = expected, ours
        assert repr(pair[0]) == repr(pair[1])
        assert list(reversed(pair[0])) == list(reversed(pair[1]))
    assert found == {}


def tried(apply, left, right):
    try:
        return apply(left, right)
    except Exception as error:  # noqa: BLE001 -- the view of a dict says which
        return type(error)


class Last:
    """Changes the dict when it is forgotten, as a value with a ``__del__`` may."""

    change = None

    def __reduce__(self):
        return Last, ()

    def __del__(self):
        change, Last.change = Last.change, None
        if change is not None:
            change()
            Last.change = change


@pytest.mark.parametrize("sizes", [(2, 1), (1024, 16)])
@pytest.mark.parametrize(
    "change", [lambda d: d.__setitem__("b", 5), lambda d: d.clear(), lambda d: d and d.popitem()]
)
def test_values_that_change_the_dict_when_they_go_harm_nothing(sizes, change):
    store = {}
    with DiskDict("d", *sizes, page_store=store) as d:
        for key in "abcdefghijklmnopqr":
            d[key] = Last()
        Last.change = lambda: change(d)
        for key in "abcdefghijklmnopqr":
            d[key] = key
        Last.change = None
        items = list(d.items())
        assert len(d) == len(items)
        assert all(d[key] is value or d[key] == value for key, value in items)
        assert d.setdefault("new", 1) == 1
        keys = list(d)
    with DiskDict("d", page_store=store) as d:
        assert list(d) == keys
