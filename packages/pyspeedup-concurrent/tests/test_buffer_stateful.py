"""A Buffer against the list of what its generator gives, in any order of use."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pyspeedup.concurrent import halting
from pyspeedup.concurrent.buffer import Buffer

MOST = 60
"""Indexes are drawn below this, and endless sequences are known to the model a little further."""

positions = st.integers(0, MOST)
maybe_positions = st.none() | positions
items = st.integers(-2, MOST // 2)


class BrokenError(Exception):
    """What a generator of the machine raises."""


def generator_of(values, ending):
    """Return a generator function that gives `values` and then ends as `ending` says."""

    def generate():
        yield from values
        if ending == "raises":
            raise BrokenError(len(values))
        while ending == "endless":
            values.append(values[-1] + 1 if values else 0)
            yield values[-1]

    return generate


class Model:
    """What a Buffer promises, for a sequence that is known beforehand."""

    def __init__(self, values, ending, halt):
        self.values = list(values)
        while ending == "endless" and len(self.values) <= 3 * MOST:
            self.values.append(self.values[-1] + 1 if self.values else 0)
        self.ending = ending
        self.halt = halt
        self.known = 0
        self.exhausted = self.closed = False

    @property
    def cached(self):
        return self.values[: self.known]

    def reach(self, position):
        if position < self.known or self.exhausted:
            return position < self.known
        if self.closed:
            raise ValueError
        self.known = min(position + 1, len(self.values))
        if position < self.known:
            return True
        if self.ending == "raises":
            raise BrokenError
        self.exhausted = True
        return False

    def item(self, position):
        if position < 0 and not self.exhausted:
            raise IndexError
        if position >= 0 and not self.reach(position):
            raise IndexError
        return self.cached[position]

    def slice(self, index):
        if not self.exhausted and index.step != 0:
            start, stop = index.start, index.stop
            downward = index.step is not None and index.step < 0
            if (start if downward else stop) is None or min(start or 0, stop or 0) < 0:
                raise IndexError
            wanted = list(range(3 * MOST))[: 1 + start if downward else stop][index]
            if wanted:
                self.reach(max(wanted))
        return self.cached[index]

    def take(self, number):
        taken = []
        while len(taken) < number and self.reach(len(taken)):
            taken.append(self.values[len(taken)])
        return taken

    def find(self, item):
        attempts = 0
        position = 0
        while True:
            if position == self.known:
                if self.exhausted or (position and self.halt(self, item, attempts)):
                    return None
                attempts += position > 0
                if not self.reach(position):
                    return None
            if self.values[position] == item:
                return position
            position += 1

    def index(self, item):
        found = self.find(item)
        if found is None:
            raise ValueError
        return found

    def need_end(self, function):
        if not self.exhausted:
            raise TypeError
        return function(self.cached)


def outcome(function, *arguments):
    """Return what a call returns, or the kind of what it raises."""
    try:
        return function(*arguments)
    except (ValueError, IndexError, TypeError, BrokenError) as error:
        return type(error)


class BufferMachine(RuleBasedStateMachine):
    """Every rule does the same to a Buffer and to its model."""

    @initialize(
        values=st.lists(st.integers(0, 3), max_size=30).map(itertools.accumulate).map(list),
        ending=st.sampled_from(["ends", "ends", "raises", "endless"]),
        buffersize=st.sampled_from([1, 2, 3, 16]),
        halt=st.sampled_from([halting.uniformlyNonDecreasing, halting.afterAttempts(3)]),
    )
    def begin(self, values, ending, buffersize, halt):
        self.model = Model(values, ending, halt)
        self.buffer = Buffer(generator_of(list(values), ending), buffersize, halt)

    def same(self, ours, models, *arguments):
        assert outcome(ours, *arguments) == outcome(models, *arguments)

    @rule(position=positions | st.integers(-3, MOST))
    def get(self, position):
        self.same(self.buffer.__getitem__, self.model.item, position)

    @rule(
        start=maybe_positions, stop=maybe_positions, step=st.sampled_from([None, 1, 2, -1, -3, 0])
    )
    def get_slice(self, start, stop, step):
        self.same(self.buffer.__getitem__, self.model.slice, slice(start, stop, step))

    @rule(start=st.integers(-4, 4), stop=st.integers(-4, 4))
    def get_slice_near_the_ends(self, start, stop):
        self.same(self.buffer.__getitem__, self.model.slice, slice(start, stop))

    @rule(number=positions)
    def iterate(self, number):
        self.same(
            lambda: list(itertools.islice(self.buffer, number)), lambda: self.model.take(number)
        )

    @rule(number=st.integers(0, 5))
    def generate_anew(self, number):
        generated = self.buffer()
        self.same(
            lambda: list(itertools.islice(generated, number)), lambda: self.model.take(number)
        )

    @precondition(lambda self: self.model.ending != "endless")
    @rule()
    def run_to_the_end(self):
        self.same(lambda: list(self.buffer), lambda: self.model.take(3 * MOST))

    @rule(item=items)
    def contains(self, item):
        self.same(self.buffer.__contains__, lambda item: self.model.find(item) is not None, item)

    @rule(item=items)
    def index(self, item):
        self.same(self.buffer.index, self.model.index, item)

    @rule(item=items)
    def count(self, item):
        self.same(
            self.buffer.count,
            lambda item: self.model.need_end(lambda values: values.count(item)),
            item,
        )

    @rule()
    def length(self):
        self.same(lambda: len(self.buffer), lambda: self.model.need_end(len))

    @rule()
    def backward(self):
        self.same(
            lambda: list(reversed(self.buffer)),
            lambda: self.model.need_end(lambda values: values[::-1]),
        )

    @rule()
    def truth(self):
        self.same(lambda: bool(self.buffer), lambda: self.model.reach(0))

    @precondition(lambda self: self.model.known > 20)
    @rule()
    def close(self):
        self.buffer.close()
        self.model.closed = True

    @invariant()
    def has_cached_what_was_asked_for(self):
        if hasattr(self, "buffer"):
            assert list(self.buffer.cached) == self.model.cached
            assert self.buffer.exhausted == self.model.exhausted

    def teardown(self):
        if hasattr(self, "buffer"):
            self.buffer.close()


class TestBuffer(BufferMachine.TestCase):
    pass


def test_the_machine_sees_a_buffer_that_forgets(monkeypatch):
    monkeypatch.setattr(
        Buffer,
        "__getitem__",
        lambda self, index: [*itertools.islice(self, index + 1)][-1] + (index == 9),
    )
    once = settings(phases=[Phase.generate], max_examples=200)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(BufferMachine, settings=once)
