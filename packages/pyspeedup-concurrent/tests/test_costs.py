"""What calls cost, by numbers made up: when a function is dear, and when it is looked at."""

from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent._caching.costs import CHEAP, DEAR, PART, SAMPLE, Costs


def costs_after(*seconds):
    costs = Costs()
    for each in seconds:
        costs.add(each)
    return costs


def test_a_function_is_dear_until_it_is_known():
    costs = costs_after(*[0.0] * (SAMPLE - 1))
    assert costs.dear
    assert costs.claims
    assert not costs.proven_dear
    costs.add(0.0)
    assert not costs.dear
    assert not costs.claims


def test_one_dear_call_in_some_makes_a_dear_function():
    dear_ones = SAMPLE // PART
    assert costs_after(*[0.0] * (SAMPLE - dear_ones), *[1.0] * dear_ones).proven_dear
    assert not costs_after(*[0.0] * (SAMPLE - dear_ones + 1), *[1.0] * (dear_ones - 1)).dear


def test_one_that_was_interrupted_does_not_speak_for_all():
    assert not costs_after(*[0.0] * (SAMPLE - 1), 100.0).dear


def test_between_the_bounds_it_stays_as_it_is():
    between = [(CHEAP + DEAR) / 2] * SAMPLE
    assert costs_after(*between).dear
    assert not costs_after(*[0.0] * SAMPLE, *between).dear


def test_watching_ends_once_enough_have_begun_and_begins_again_with_a_sample():
    costs = Costs()
    assert [costs.begin() for _ in range(SAMPLE)] == [False] * (SAMPLE - 1) + [True]
    assert not costs.watched
    assert not costs.begin()
    costs.sample()
    assert costs.watched


def test_one_that_is_proven_dear_is_watched_for_good():
    costs = costs_after(*[1.0] * SAMPLE)
    assert not any(costs.begin() for _ in range(10 * SAMPLE))
    assert costs.watched


def test_one_that_is_of_no_interest_is_neither_dear_nor_watched():
    costs = Costs.of_no_interest()
    assert (costs.dear, costs.watched, costs.claims) == (False, False, False)


@given(
    st.lists(st.lists(st.sampled_from([0.0, CHEAP, DEAR, 1.0]), min_size=SAMPLE, max_size=SAMPLE))
)
def test_each_sample_judges_and_says_whether_watching_has_changed(samples):
    costs, dear = Costs(), True
    for sample in samples:
        costs.sample()
        watched = costs.watched
        told = [costs.add(each) for each in sample]
        bound = CHEAP if dear else DEAR
        dear = sum(each >= bound for each in sample) * PART >= SAMPLE
        assert costs.dear is costs.watched is dear
        assert told == [False] * (SAMPLE - 1) + [watched != dear]
