"""Items are what they were when they were yielded, in whichever kind of frame they travel."""

from __future__ import annotations

import collections
import enum
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent._buffering import items, ring
from pyspeedup.concurrent._buffering.loans import Loan

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
nested = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.frozensets(atoms, max_size=3)
        | inner.map(lambda value: collections.OrderedDict(a=value))
    ),
    max_leaves=6,
)


def decoded(load, count, skip=0):
    kind, parts, size = load
    payload = b"".join(parts)
    assert len(payload) == size
    with memoryview(payload) as view:
        return items.decode(kind, count, view, skip)


def spelt(value):
    """Return what tells apart what is equal only, as 1 and True."""
    if isinstance(value, list | tuple):
        return type(value), [*map(spelt, value)]
    if isinstance(value, dict):
        return type(value), [(spelt(key), spelt(each)) for key, each in value.items()]
    if isinstance(value, frozenset):
        return type(value), sorted(map(repr, value))
    return type(value), repr(value)


@given(st.lists(nested, min_size=1, max_size=8), st.integers(0, 3))
def test_a_run_is_read_as_it_was_written(values, skip):
    got, failure = decoded(items.run([items.body(value) for value in values]), len(values), skip)
    assert failure is None
    assert spelt(got) == spelt(values[skip:])


@given(st.lists(atoms, min_size=1), st.integers(0, 3))
def test_atoms_are_read_as_they_were_written(values, skip):
    got, failure = decoded(items.together(values), len(values), skip)
    assert failure is None
    assert spelt(got) == spelt(values[skip:])


@given(nested)
def test_what_is_kept_is_equal_and_cannot_change(value):
    before = spelt(value)
    kept = items.kept(value)
    if kept is not None:
        assert spelt(kept) == before
        if isinstance(value, dict):
            value["another"] = 1
        elif isinstance(value, list):
            value.append(1)
        assert spelt(kept) == before


@pytest.mark.parametrize("value", [{"a": 1}, {}, [1, "b"], []])
def test_what_can_be_changed_is_copied(value):
    kept = items.kept(value)
    assert kept == value
    assert kept is not value


class Colour(enum.IntEnum):
    RED = 1


class Marked(int):
    pass


@pytest.mark.parametrize(
    "value",
    [
        {"a": []},
        [[1]],
        ([],),
        {(): 1},
        collections.OrderedDict(a=1),
        [Colour.RED],
        (Marked(1),),
        {"a": np.float64(1)},
        bytearray(b"a"),
        list(range(items.FEW + 1)),
        dict.fromkeys(range(items.FEW + 1)),
    ],
    ids=repr,
)
def test_what_could_change_inside_or_is_large_is_not_kept(value):
    assert items.kept(value) is None
    assert type(value) not in items.ATOMIC


def test_a_subclass_of_an_atom_is_none():
    assert Marked not in items.ATOMIC
    assert Colour not in items.ATOMIC


def not_readable():
    raise LookupError("on purpose")


class Unreadable:
    def __reduce__(self):
        return not_readable, ()


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_what_stands_before_an_unreadable_item_stays_readable(skip):
    run = items.run([items.body(value) for value in ("a", {"b": 1}, Unreadable(), "d")])
    got, failure = decoded(run, 4, skip)
    assert got == ["a", {"b": 1}][skip:]
    assert isinstance(failure, LookupError)


def test_what_was_applied_already_is_not_read_again():
    assert decoded(items.alone(Unreadable(), None), 1, skip=1) == ([], None)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("size", [10, 10_000, 1_000_000])
def test_an_array_owns_its_memory_and_can_be_written_to(size, order):
    array = np.arange(2 * size, dtype=np.float64).reshape((2, size), order=order)
    kind, parts, total = items.alone(array, None)
    payload = bytearray(b"".join(parts))
    with memoryview(payload) as view:
        (got,), failure = items.decode(kind, 1, view, 0)
    payload[:] = bytes(total)  # the ring is used again
    assert failure is None
    assert np.array_equal(got, array)
    assert got.flags == array.flags or got.flags.writeable
    got[0, 0] = -1
    assert kind == ring.ALONE


def test_without_numpy_large_buffers_are_ordinary_memory(monkeypatch):
    array = np.arange(items.NUMPYS)
    load = items.alone([array, b"x"], None)
    monkeypatch.setitem(sys.modules, "numpy", None)
    kind, parts, _ = load
    monkeypatch.undo()
    with memoryview(b"".join(parts)) as view, monkeypatch.context() as patch:
        patch.setattr(items, "sys", type("NoModules", (), {"modules": {}}))
        (got,), failure = items.decode(kind, 1, view, 0)
    assert failure is None
    assert np.array_equal(got[0], array)
    assert got[0].flags.writeable


def test_a_read_only_array_stays_so():
    array = np.arange(100_000)
    array.flags.writeable = False
    (got,), _ = decoded(items.alone(array, None), 1)
    assert not got.flags.writeable


def test_several_buffers_find_their_places():
    value = {n: np.full(n, n % 251, dtype=np.uint8) for n in (1, 4095, 4096, 4097, 70_001)}
    (got,), _ = decoded(items.alone(value, None), 1)
    assert all(np.array_equal(got[n], value[n]) for n in value)


def test_what_pickle_cannot_send_goes_by_value():
    def by_value(item):
        return pickle.dumps(("by value", type(item).__name__))

    got, _ = decoded(items.alone(lambda: 1, by_value), 1)
    assert got == [("by value", "function")]


def test_a_loan_tells_how_far_its_iterator_is():
    loan = Loan(5, list("abc"))
    assert loan.reached() == 5
    assert next(loan.iterator) == "a"
    assert loan.reached() == 6
    assert list(loan.iterator) == ["b", "c"]
    assert loan.reached() == 8
