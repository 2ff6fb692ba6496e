"""Ctrl-C at every place where CPython looks for it: an operation of a list is done or not, and all goes on."""

from __future__ import annotations

import contextlib
import sys

import pytest
from interrupting import SignalInterrupter, chosen_turns
from pyspeedup.memory.disklist import DiskList

PAGE = 8
OLD = [(number, f"v{number}") for number in range(8 * PAGE)]


def delete(place):
    return lambda items: items.__delitem__(place)


def put(place, value):
    return lambda items: items.__setitem__(place, value)


def commit(items):
    getattr(items, "sync", list)()


OPERATIONS = {
    "append": lambda items: items.append("new"),
    "append changeable": lambda items: items.append([1]),
    "append long": lambda items: items.append("long" * 300),
    "extend": lambda items: items.extend([1, "two", [3]] * 5),
    "insert": lambda items: items.insert(3, "new"),
    "insert in a full page": lambda items: items.insert(20, "new"),
    "get": lambda items: items[41],
    "get changeable": lambda items: items[30],
    "get slice": lambda items: items[35:47],
    "iterate": list,
    "set": put(42, "new"),
    "set changeable": put(41, [1]),
    "set appended": put(-1, [1]),
    "set slice": put(slice(3, 20), [1, [2], "long" * 300]),
    "set each": put(slice(3, 40, 9), [1, [2], 3, 4, "long" * 300]),
    "delete": delete(5),
    "delete a long one": delete(50),
    "delete slice": delete(slice(3, 40)),
    "delete each": delete(slice(None, None, 3)),
    "pop": lambda items: items.pop(),
    "pop first": lambda items: items.pop(0),
    "reverse": lambda items: items.reverse(),
    "sort": lambda items: items.sort(key=str),
    "repeat": lambda items: items.__imul__(2),
    "clear": lambda items: items.clear(),
    "sync": commit,
}
AGAIN = 4
"""How many places of an operation have a turn though they had one in others."""


@pytest.fixture(scope="module")
def committed():
    store = {}
    with DiskList("stored", PAGE, 2, page_store=store, ram_limit=16_000) as stored:
        stored.extend(OLD)
        stored[30] = ["changeable"]
        stored[50] = stored[44] = "other" * 300
        for number in range(PAGE):
            stored.insert(20, number)
    return store


def begin(committed):
    """Return a store, its list with items that wait, and the same as a plain list."""
    store = dict(committed)
    stored = DiskList("stored", page_store=store, max_pages=2, ram_limit=16_000)
    stored._content.most_incoming = 3 * PAGE
    before = list(stored)
    for place in (40, 61, 43, 62, 45, 44, 60):
        stored[place] = before[place] = f"set {place}"
    for number in range(3 * PAGE):
        stored.append(number)
        before.append(number)
    assert stored._content.pager.cold.waiting
    assert stored._content.incoming
    return store, stored, before


def go_on(stored, expected):
    """Use a list that is equal to `expected` in ways that need all of it to be right."""
    assert list(stored) == expected
    assert len(stored) == len(expected)
    assert [stored[place] for place in range(-len(stored), 0)] == expected
    for change in (OPERATIONS["append"], put(5, "later"), OPERATIONS["insert"], put(-4, "later")):
        for items in (stored, expected):
            if items:
                change(items) if len(items) > 5 else items.append("later")
    stored._content.pager.check()
    stored.sync()
    assert list(stored) == expected


def turns(operation, committed, known):
    """Return which places of an operation, counted from 1, are to be interrupted."""
    _, stored, _ = begin(committed)
    with SignalInterrupter(sys.maxsize) as counter:
        operation(stored)
    stored.close()
    return chosen_turns(counter.places, known, of="_list", again=AGAIN)


@pytest.fixture(scope="module")
def known():
    return set()


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="3.13 does not trace each step of new frames"
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_interrupted_operation_of_a_list_is_done_or_not(name, committed, known):
    operation = OPERATIONS[name]
    tried = interrupted = 0
    for at in turns(operation, committed, known):
        store, stored, before = begin(committed)
        after = before.copy()
        operation(after)
        interrupter = SignalInterrupter(at)
        with contextlib.suppress(KeyboardInterrupt), interrupter:  # places may be fewer, once warm
            operation(stored)
        tried += 1
        interrupted += not interrupter.left
        found = list(stored)
        assert found in (before, after), interrupter.where
        go_on(stored, found)
        stored.close()
        with DiskList("stored", page_store=store) as again:
            assert list(again) == found, interrupter.where
    assert not tried or interrupted >= tried // 2
