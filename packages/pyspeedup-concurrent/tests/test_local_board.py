"""The board of threads: one claims, others wait, and no ring of waits closes."""

import pytest
from pyspeedup.concurrent._caching.board import Running, Wait
from pyspeedup.concurrent._caching.local_board import LocalBoard, Place


@pytest.fixture
def places():
    board = LocalBoard()
    return [Place(board, number) for number in range(4)]


def test_one_of_two_has_a_call(places):
    one, other, *_ = places
    assert one.claim("f", 0) is None
    assert one.claim("f", 0) == Running(0, 0, mine=True)
    assert other.claim("f", 3) == other.look("f") == Running(0, 0, mine=False)


def test_what_was_published_is_free_again_and_its_waiters_are_named_once(places):
    one, other, third, _ = places
    one.claim("f", 0)
    assert other.wait("f", 1) is third.wait("f", 2) is Wait.WAITING
    assert one.publish("f", "value", 0.1) == {1, 2}
    assert one.publish("f", "value", 0.1) == frozenset()
    assert other.wait("f", 1) is Wait.GONE
    assert other.look("f") is None
    assert other.claim("f", 1) is None


def test_who_would_wait_for_itself_is_told(places):
    one, other, third, _ = places
    one.claim("f", 0)
    other.claim("g", 0)
    third.claim("h", 0)
    assert one.wait("f", 0) is Wait.RING
    assert one.wait("g", 0) is other.wait("h", 0) is Wait.WAITING
    assert third.wait("f", 0) is Wait.RING
    assert third.wait("f", 1) is Wait.WAITING, "another stack of it is free to"


def test_who_waits_no_longer_closes_no_ring(places):
    one, other, *_ = places
    one.claim("f", 0)
    other.claim("g", 0)
    assert one.wait("g", 0) is Wait.WAITING
    one.unwait(0)
    assert other.wait("f", 0) is Wait.WAITING


def test_a_ring_of_others_is_not_followed_for_ever(places):
    one, other, third, fourth = places
    fourth.claim("k", 0)
    one.claim("x", 0)
    assert one.wait("k", 0) is other.wait("x", 0) is Wait.WAITING
    fourth.publish("k", None, 0.0)
    assert other.claim("k", 0) is None, "a late claim, while it waits"
    assert third.wait("x", 0) is Wait.WAITING
    assert one.wait("k", 0) is Wait.RING


def test_what_a_stack_leaves_behind_is_free_and_its_waiters_are_named(places):
    one, other, *_ = places
    one.claim("f", 0)
    one.claim("g", 1)
    other.wait("f", 0)
    assert one.abandon(0) == {1}
    assert one.look("f") is None
    assert one.look("g") == Running(0, 1, mine=True)
    assert one.abandon(0) == frozenset()
