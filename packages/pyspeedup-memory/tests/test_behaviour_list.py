"""Every method of ``list``, called rightly and wrongly: a DiskList does, returns and raises the same."""

from __future__ import annotations

import itertools
import operator

from behaviour import differences, methods, signature_differences
from pyspeedup.memory import DiskList

CONTENT = [3, 1, "a", [2], None, 1.0, (4,)]
NUMBERS = [0, 3, -1, -7, 7, -8, True, 1.0, "a", None, [], object]
PIECES = [slice(1, 3), slice(5, 1), slice(None, None, 2), slice(None, None, -1), slice(9, 99)]
BAD_PIECES = [slice(None, None, 0), slice("a"), slice(None, None, 1.5)]
VALUES = [[7, 8], [], (7,), range(3), "xy", {7: 8}, 5, None]
CALLS = [
    *((arguments, {}) for arguments in itertools.product([*NUMBERS, *PIECES, *BAD_PIECES])),
    *((arguments, {}) for arguments in itertools.product([0, -1, 7, "a"], ["new", 0])),
    *((arguments, {}) for arguments in itertools.product([*PIECES, *BAD_PIECES], VALUES)),
    *(((value,), {}) for value in VALUES),
    *(((), {}), ((1, 0, 3), {}), ((1, "a", 3), {}), ((1, 2, 3, 4), {}), (([3, 1, "b"],), {})),
    *(((), {"reverse": True}), ((), {"key": str}), ((), {"key": str, "reverse": 1})),
    *(((), {"key": 5}), ((), {"cmp": str}), ((), {"key": None})),
    *(((str,), {}), ((), {"index": 0}), ((0,), {"value": 1}), ((), {"iterable": []})),
]
HUGE = [((number,), {}) for number in (2**70, -(2**70))]
LEFT_OUT = {
    "__add__": "a number is asked what it says to that; the operators below tell",
    "__class_getitem__": "a class's, and gives a type",
    "__hash__": "none of both has one",
}
NAMES = [name for name in methods(list) if not name.startswith("__")]


def make(content):
    stored = DiskList("l", 2, 1, page_store={})
    stored.extend(content)
    return stored


def test_every_attribute_of_a_list_is_there():
    assert {name for name in dir(list) if not hasattr(DiskList, name)} == set()


def test_methods_take_their_arguments_alike():
    assert signature_differences(list, DiskList, NAMES) == {}


def test_every_call_does_what_it_does_to_a_list():
    names = methods(list, LEFT_OUT)
    assert len(names) * len(CALLS) > 200
    assert differences(CONTENT, make, names, CALLS) == {}


def test_every_call_of_an_empty_one_does_what_it_does_to_an_empty_list():
    assert differences([], make, methods(list, LEFT_OUT), CALLS) == {}


def test_numbers_that_no_list_has_an_index_of_are_errors_alike():
    names = [name for name in methods(list, LEFT_OUT) if name not in {"pop", "__imul__"}]
    assert differences(CONTENT, make, names, HUGE) == {}


def test_every_operator_does_what_it_does_to_a_list():
    operators = [operator.add, operator.mul, operator.lt, operator.eq, operator.ge]
    others = [[7], (7,), 2, -1, 1.5, "a", None, {}, CONTENT, CONTENT[:3]]
    with make(CONTENT) as stored:
        for apply, other in itertools.product(operators, others):
            for swapped in (False, True):
                results = [
                    tried(apply, *((other, each) if swapped else (each, other)))
                    for each in (CONTENT, stored)
                ]
                assert results[0] == results[1], (apply, other, swapped)


def tried(apply, left, right):
    try:
        return apply(left, right)
    except Exception as error:  # noqa: BLE001 -- the list says which
        return type(error)
