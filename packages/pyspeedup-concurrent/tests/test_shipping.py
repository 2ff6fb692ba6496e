"""What travels arrives equal, references mean what they should where they arrive, and the rest is named."""

from __future__ import annotations

import pickle
import threading

import pytest
from pyspeedup.concurrent._processes import shipping


class Box:
    """A structure as a Buffer or a Cache is one: it travels as a reference."""

    made = 0

    def __init__(self, content):
        self.content = content
        self.identity = shipping.register(self)

    def __reduce__(self):
        return shipping.reference(Box, self.identity, lambda: self.content)

    @classmethod
    def _shell(cls, identity):
        cls.made += 1
        shell = cls.__new__(cls)
        shell.identity = identity
        return shell

    @classmethod
    def _fill(cls, shell, definition):
        shell.content = definition


def forget(*boxes):
    """Make this process one that has never seen `boxes`."""
    for box in boxes:
        shipping._living.pop(box.identity)


@pytest.fixture(autouse=True)
def no_meanings_left(monkeypatch):
    monkeypatch.setattr(shipping, "_meanings", {})
    monkeypatch.setattr(shipping, "_references", {})
    Box.made = 0


def test_functions_closures_and_classes_travel_by_value():
    base = 40

    class Local:
        value = 2

    function = shipping.loads(shipping.dumps(lambda: base + Local.value, "a function"))
    assert function() == 42


def test_a_structure_is_itself_where_it_was_made():
    box = Box(1)
    assert shipping.loads(shipping.dumps(box, "a box")) is box
    assert pickle.loads(pickle.dumps(box)) is box


def test_elsewhere_it_is_made_from_its_definition_once():
    box = Box([1, 2])
    data = shipping.dumps([box, box], "boxes")
    forget(box)
    first, second = shipping.loads(data)
    assert first is second is not box
    assert first.content == [1, 2]
    assert shipping.loads(data)[0] is first
    assert Box.made == 1


def test_plain_pickle_carries_what_only_cloudpickle_can():
    box = Box(lambda: 7)
    data = pickle.dumps(box)
    forget(box)
    assert pickle.loads(data).content() == 7


def test_a_meaning_goes_before_what_lives_here():
    box = Box(1)
    shipping.set_meaning(box.identity, "the inside view")
    assert shipping.loads(shipping.dumps(box, "a box")) == "the inside view"


def test_a_structure_that_holds_itself_arrives_holding_itself():
    box = Box(None)
    box.content = [box]
    data = shipping.dumps(box, "a box")
    forget(box)
    arrived = shipping.loads(data)
    assert arrived.content[0] is arrived


def test_two_structures_that_hold_each_other_arrive_so():
    one, other = Box(None), Box(None)
    one.content, other.content = other, one
    data = shipping.dumps(one, "a box")
    forget(one, other)
    arrived = shipping.loads(data)
    assert arrived.content.content is arrived
    assert Box.made == 2


def test_known_definitions_stay_at_home():
    box = Box("x" * 10_000)
    data = shipping.dumps(lambda: box, "a function", known=(box.identity,))
    assert len(data) < 2_000
    forget(box)
    shipping.set_meaning(box.identity, "inside")
    assert shipping.loads(data)() == "inside"


def test_known_is_over_when_the_shipping_is():
    box = Box("x" * 10_000)
    shipping.dumps(1, "a number", known=(box.identity,))
    with pytest.raises(TypeError):
        shipping.dumps(threading.Lock(), "a lock", known=(box.identity,))
    assert len(shipping.dumps(box, "a box")) > 10_000


def test_an_unknown_reference_without_definition_is_an_error():
    box = Box(1)
    data = shipping.dumps(box, "a box", known=(box.identity,))
    forget(box)
    with pytest.raises(LookupError, match="unknown Box"):
        shipping.loads(data)


def test_a_definition_that_cannot_be_read_leaves_nothing_half_made(monkeypatch):
    box = Box(1)
    data = shipping.dumps(box, "a box")
    forget(box)
    with monkeypatch.context() as patch:
        patch.setattr(Box, "_fill", classmethod(lambda *_: 1 / 0))
        with pytest.raises(ZeroDivisionError):
            shipping.loads(data)
    assert shipping.loads(data).content == 1


def test_a_plain_function_that_stands_for_a_structure_is_shipped_as_a_reference():
    box = Box("definition")

    def stand_in():
        return "computed here"

    shipping.set_meaning(box.identity, stand_in, (Box, box.identity, lambda: "definition"))
    data = shipping.dumps([stand_in], "a worker's callable")
    assert shipping.loads(data)[0] is stand_in
    del shipping._meanings[box.identity]
    forget(box)
    assert shipping.loads(data)[0].content == "definition"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda lock: lambda: lock, "because of its variable 'lock'"),
        (lambda lock: lambda a=lock: a, "because of a default argument"),
        (lambda lock: lock, "the thing cannot be sent to another process: cannot pickle"),
    ],
)
def test_what_cannot_travel_is_named(make, message):
    with pytest.raises(TypeError, match=message) as caught:
        shipping.dumps(make(threading.Lock()), "the thing")
    assert "has to be made inside it" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_global_that_cannot_travel_is_named():
    scope = {"lock": threading.Lock()}
    exec("def outer():\n    return [lock for _ in range(1)]", scope)
    with pytest.raises(TypeError, match="because of the global variable 'lock'"):
        shipping.dumps(scope["outer"], "outer")


def test_a_forked_child_can_resolve_though_another_thread_was_resolving(monkeypatch):
    box = Box(1)
    data = shipping.dumps(box, "a box")
    monkeypatch.setattr(shipping, "_lock", threading.RLock())
    thread = threading.Thread(target=shipping._lock.acquire)
    thread.start()
    thread.join()  # gone as in a forked child, with the lock still locked
    shipping._forget_lock()
    assert shipping.loads(data) is box
