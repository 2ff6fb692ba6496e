"""How many calls go to a worker at a time, against made-up durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent._caching.pacing import AIM, GROWTH, Pacer


def run(pacer, seconds_a_call, chunks):
    """Let each chunk take what its calls take, and return the sizes."""
    sizes = []
    for _ in range(chunks):
        sizes.append(pacer.size())
        pacer.taken(sizes[-1])
        pacer.measured(sizes[-1], sizes[-1] * seconds_a_call)
    return sizes


def test_it_begins_with_one_call_a_chunk():
    assert Pacer(workers=2, most=1000).size() == 1
    assert Pacer(workers=2, most=1000, length=10**6).size() == 1


@pytest.mark.parametrize("seconds", [1e-6, 1e-5, 2e-4, 2e-3])
def test_chunks_come_to_take_what_they_should(seconds):
    assert run(Pacer(workers=2, most=10**6), seconds, 20)[-1] == pytest.approx(AIM / seconds, abs=1)


@pytest.mark.parametrize("seconds", [0.01, 1.0, 600.0])
def test_long_calls_go_one_by_one(seconds):
    assert run(Pacer(workers=2, most=1000), seconds, 5) == [1] * 5


def test_a_chunk_never_grows_by_more_than_so_much():
    sizes = run(Pacer(workers=2, most=10**6), 0.0, 8)
    assert sizes == [GROWTH**step for step in range(8)]


def test_calls_that_become_long_are_noticed_at_once():
    pacer = Pacer(workers=2, most=1000)
    run(pacer, 1e-5, 10)
    pacer.measured(pacer.size(), pacer.size() * 1e-2)
    assert pacer.size() <= 2


def test_the_end_is_left_to_all_workers():
    pacer = Pacer(workers=2, most=1000, length=400)
    run(pacer, 1e-6, 4)
    left = 400 - 85
    for _ in range(3):
        size = pacer.size()
        assert size == -(-left // 4)
        pacer.taken(size)
        left -= size


def test_a_chunk_has_a_call_even_if_there_are_more_than_was_said():
    pacer = Pacer(workers=2, most=1000, length=3)
    pacer.taken(10)
    assert pacer.size() == 1


@pytest.mark.parametrize(("fixed", "most", "size"), [(7, 100, 7), (7, 3, 3)])
def test_who_knows_better_is_obeyed(fixed, most, size):
    pacer = Pacer(workers=2, most=most, length=10, fixed=fixed)
    assert set(run(pacer, 1.0, 3)) == {size}


@given(
    workers=st.integers(1, 64),
    most=st.integers(1, 10**5),
    length=st.none() | st.integers(0, 10**6),
    measured=st.lists(
        st.tuples(st.integers(1, 1000), st.floats(-1, 1e6, allow_nan=False)), max_size=20
    ),
)
def test_a_size_is_always_within_bounds(workers, most, length, measured):
    pacer = Pacer(workers=workers, most=most, length=length)
    for calls, seconds in measured:
        assert 1 <= pacer.size() <= most
        pacer.taken(calls)
        pacer.measured(calls, seconds)
    assert 1 <= pacer.size() <= most
