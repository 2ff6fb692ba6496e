"""Ctrl-C at whichever moment of a dict's operation: it is done or not, and the dict can be saved."""

from __future__ import annotations

import contextlib
import sys

import pytest
from interrupting import SignalInterrupter, chosen_turns
from pyspeedup.memory import DiskDict

ENGINE = ("_dict", "_content.py", "diskdict.py")
AGAIN = 4
"""How many places of an operation have a turn though they had one in others."""


class Token:
    """A key that equals only itself."""

    def __reduce__(self):
        return Token, ()


TOKENS = [Token() for _ in range(6)]


def old():
    items = {number: number for number in range(30)}
    items |= {f"key {number}": [number] for number in range(30)}
    items |= dict.fromkeys(TOKENS, "token")
    return items


def opened(store):
    return DiskDict("d", 16, 4, page_store=store, sync_every=float("inf"))


def filled():
    """Return a store, and a dict in it of which some is committed, some written, and some waits."""
    store = {}
    d = opened(store)
    d.update(old())
    d.sync()
    for number in range(5):
        d[number] = [number, "waits"]
        d[f"key {number}"].append("changed")
        del d[f"key {number + 10}"]
        d[f"new {number}"] = number
    return store, d


def many_deleted():
    store, d = filled()
    for number in range(5, 30):
        del d[number]
    return store, d


OPERATIONS = {
    "set what waits as a body": (filled, lambda d: d.__setitem__(3, "plain")),
    "set a list": (filled, lambda d: d.__setitem__(29, [1])),
    "set a new key": (filled, lambda d: d.__setitem__("another", 1)),
    "delete what waits": (filled, lambda d: d.__delitem__(3)),
    "delete what is new": (filled, lambda d: d.__delitem__("new 3")),
    "delete what was changed in place": (filled, lambda d: d.__delitem__("key 2")),
    "delete what is written": (filled, lambda d: d.__delitem__("key 29")),
    "delete a token": (filled, lambda d: d.__delitem__(TOKENS[2])),
    "pop": (filled, lambda d: d.pop(4)),
    "popitem": (filled, lambda d: d.popitem()),
    "clear": (filled, lambda d: d.clear()),
    "look all up": (filled, lambda d: [d[key] for key in old() if key in d]),
    "go through all": (filled, lambda d: list(d.items())),
    "count": (filled, len),
    "compact": (many_deleted, lambda d: d._content.compact() if type(d) is DiskDict else None),
    "write": (filled, lambda d: d.sync() if type(d) is DiskDict else None),
}


@pytest.fixture(scope="module")
def known():
    return set()


def turns(make, operation, known):
    """Return which places of an operation, counted from 1, are to be interrupted."""
    for _ in range(2):  # from 3.12 on, code is traced step by step only at its next call
        _, d = make()
        with SignalInterrupter(sys.maxsize, *ENGINE) as counter:
            operation(d)
        d.close()
    return chosen_turns(counter.places, known, again=AGAIN)


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="3.13 does not trace each step of new frames"
)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_interrupted_operation_is_done_or_not(name, known):
    make, operation = OPERATIONS[name]
    _, d = make()
    before = d.copy()
    after = before.copy()
    operation(after)
    d.close()
    chosen = turns(make, operation, known)
    interrupted = 0
    for at in chosen:
        store, d = make()
        interrupter = SignalInterrupter(at, *ENGINE)
        with contextlib.suppress(KeyboardInterrupt), interrupter:  # places may be fewer, once warm
            operation(d)
        interrupted += not interrupter.left
        found = d.copy()
        assert found in (before, after), interrupter.where
        assert len(d) == len(found)
        assert list(d) == list(found)
        d["later"] = 1
        d.close()
        require_saved(store, found)
    assert interrupted >= len(chosen) // 2


def require_saved(store, found):
    """Hold what is opened to what there was before one key more was set and it was closed."""
    with opened(store) as d:
        assert len(d) == len(found) + 1
        for key, value in found.items():
            if type(key) is not Token:
                assert d[key] == value
        assert d["later"] == 1
