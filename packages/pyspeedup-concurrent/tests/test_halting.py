"""Each halt condition finds all that a sequence under its law holds, and stops where it can."""

from __future__ import annotations

import pickle
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent import halting
from pyspeedup.concurrent._processes import shipping
from pyspeedup.concurrent.halting import (
    absolutelyNonDecreasing,
    afterAttempts,
    afterSeconds,
    allOf,
    anyOf,
    uniformlyNonDecreasing,
    uniformlyNonIncreasing,
)
from pyspeedup.core import UnknownNameError
from pyspeedup.core.testing import HaltConditionContract

numbers = st.integers(-20, 20)


def search(sequence, item, condition, cached=1):
    """Search as `in` does; return the answer and how many values were looked at."""
    buffer = SimpleNamespace(cached=sequence[:cached])
    attempts = 0
    while item not in buffer.cached:
        if len(buffer.cached) == len(sequence) or condition(buffer, item, attempts):
            return False, len(buffer.cached)
        attempts += 1
        buffer.cached.append(sequence[len(buffer.cached)])
    return True, len(buffer.cached)


LAWS = {
    uniformlyNonDecreasing: sorted,
    uniformlyNonIncreasing: lambda values: sorted(values, reverse=True),
    absolutelyNonDecreasing: lambda values: sorted(values, key=abs),
}


@pytest.mark.parametrize("condition", LAWS)
@given(values=st.lists(numbers, min_size=1), item=numbers)
def test_finds_exactly_what_a_lawful_sequence_holds(condition, values, item):
    sequence = LAWS[condition](values)
    assert search(sequence, item, condition)[0] == (item in sequence)


@pytest.mark.parametrize("condition", LAWS)
@given(values=st.lists(numbers, min_size=1), item=numbers)
def test_stops_at_the_first_value_past_the_item(condition, values, item):
    sequence = LAWS[condition](values)
    past = {
        uniformlyNonDecreasing: lambda value: value >= item,
        uniformlyNonIncreasing: lambda value: value <= item,
        absolutelyNonDecreasing: lambda value: abs(value) > abs(item) or value == item,
    }[condition]
    needed = next((n for n, value in enumerate(sequence, 1) if past(value)), len(sequence))
    assert search(sequence, item, condition)[1] == needed


@given(st.integers(0, 30), st.integers(1, 10))
def test_after_attempts_takes_that_many_new_values(count, cached):
    assert search(list(range(100)), "absent", afterAttempts(count), cached) == (
        False,
        cached + count,
    )


@given(st.lists(numbers, min_size=1, max_size=8), numbers, st.integers(0, 10))
def test_any_of_stops_with_the_first_that_does(values, item, count):
    sequence = sorted(values)
    both = anyOf(afterAttempts(count), uniformlyNonDecreasing)
    alone = [search(sequence, item, each) for each in both.conditions]
    assert search(sequence, item, both) == min(alone, key=lambda answer: answer[1])


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(halting.time, "monotonic", lambda: now.time)
    return now


def test_after_seconds_starts_with_each_search(clock):
    condition = afterSeconds(5)
    for _ in range(2):
        assert not condition(None, None, 0)
        clock.time += 4.9
        assert not condition(None, None, 1)
        clock.time += 0.1
        assert condition(None, None, 2)
        clock.time += 100


def test_after_seconds_keeps_a_clock_a_thread(clock):
    condition = afterSeconds(5)
    assert not condition(None, None, 0)
    clock.time += 10
    answers = []
    thread = threading.Thread(target=lambda: answers.append(condition(None, None, 0)))
    thread.start()
    thread.join()
    assert answers == [False]
    assert condition(None, None, 1)


@pytest.mark.parametrize("ship", [pickle.dumps, lambda each: shipping.dumps(each, "it")])
@pytest.mark.parametrize(
    "condition",
    [
        afterAttempts(3),
        afterSeconds(2.5),
        anyOf(uniformlyNonDecreasing, afterAttempts(3)),
        allOf(uniformlyNonDecreasing, afterAttempts(3)),
    ],
)
def test_conditions_travel(condition, ship):
    assert repr(pickle.loads(ship(condition))) == repr(condition)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: afterAttempts(-1), ValueError, "count must be 0 or more, not -1"),
        (lambda: afterAttempts(1.5), TypeError, "count must be a whole number, not 1.5"),
        (lambda: afterSeconds(-1), ValueError, "seconds must be 0 or more, not -1"),
        (lambda: afterSeconds(float("nan")), ValueError, "seconds must be 0 or more, not nan"),
        (lambda: afterSeconds("1"), TypeError, "seconds must be a number, not '1'"),
        (anyOf, TypeError, "anyOf needs at least one"),
        (allOf, TypeError, "allOf needs at least one"),
        (lambda: allOf("noSuchCondition"), UnknownNameError, "noSuchCondition"),
        (lambda: anyOf(afterAttempts(1), 3), TypeError, "a condition must be callable.*not 3"),
        (lambda: anyOf("noSuchCondition"), UnknownNameError, "noSuchCondition"),
    ],
)
def test_bad_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


class TestUniformlyNonDecreasing(HaltConditionContract):
    def make_condition(self):
        return uniformlyNonDecreasing


class TestUniformlyNonIncreasing(HaltConditionContract):
    sequence_strategy = HaltConditionContract.sequence_strategy.map(lambda values: values[::-1])

    def make_condition(self):
        return uniformlyNonIncreasing


class TestAbsolutelyNonDecreasing(HaltConditionContract):
    sequence_strategy = st.lists(numbers, min_size=1).map(lambda values: sorted(values, key=abs))

    def make_condition(self):
        return absolutelyNonDecreasing


class TestAfterAttempts(HaltConditionContract):
    gives_up = True

    def make_condition(self):
        return afterAttempts(2)


class TestAnyOf(HaltConditionContract):
    gives_up = True

    def make_condition(self):
        return anyOf(uniformlyNonDecreasing, afterAttempts(2))


class TestAllOf(HaltConditionContract):
    gives_up = True

    def make_condition(self):
        return allOf(uniformlyNonDecreasing, afterAttempts(2))


@pytest.mark.parametrize(
    ("combine", "answers", "asked_later"),
    [(allOf, (True, False, True), 2), (anyOf, (False, True, False), 2)],
)
def test_all_are_asked_at_first_and_then_up_to_the_one_that_decides(combine, answers, asked_later):
    asked = []

    def answering(answer):
        return lambda *_: asked.append(answer) or answer

    combined = combine(*map(answering, answers))
    assert combined(None, None, 0) is (combine is anyOf)
    assert asked == [*answers]
    asked.clear()
    assert combined(None, None, 1) is (combine is anyOf)
    assert asked == [*answers[:asked_later]]


def test_all_of_stops_where_each_does():
    stops = lambda *_: True  # noqa: E731 -- said once
    assert all(allOf(stops, stops)(None, None, attempts) for attempts in (0, 1))


@pytest.mark.parametrize(
    ("combine", "decides"), [(allOf, lambda *_: False), (anyOf, lambda *_: True)]
)
def test_the_clock_of_each_search_is_its_own_in_combinations(combine, decides, clock):
    patience = afterSeconds(1)
    both = combine(decides, patience)
    patience(None, "one", 0)
    clock.time += 5
    both(None, "another", 0)  # which it has to hear of, though the other condition decides
    assert not patience(None, "another", 1)
    clock.time += 1
    assert patience(None, "another", 2)
