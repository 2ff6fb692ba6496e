"""When workers are told that somebody is idle, and when time goes by, on a clock that is set by hand."""

import pytest
from pyspeedup.concurrent._caching.vigil import TICK, YOUNG, Vigil


class Clock:
    """A clock."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def vigil(clock):
    return Vigil(clock)


def test_while_nothing_is_computed_nobody_is_woken(vigil, clock):
    vigil.look(computing=False, hungry=True)
    assert vigil.patience() is None
    clock.now += 10 * TICK
    vigil.look(computing=False, hungry=True)
    assert not any([vigil.is_to_show, vigil.is_to_tick, vigil.hunger_ended])


def test_hunger_is_shown_once_and_not_to_what_is_young(vigil, clock):
    vigil.look(computing=True, hungry=True)
    assert not vigil.is_to_show
    assert vigil.patience() == pytest.approx(YOUNG)
    clock.now += YOUNG
    vigil.look(computing=True, hungry=True)
    assert vigil.is_to_show
    vigil.look(computing=True, hungry=True)
    assert not vigil.is_to_show
    assert vigil.patience() == pytest.approx(TICK - YOUNG)


def test_hunger_is_shown_anew_once_somebody_has_helped(vigil, clock):
    vigil.look(computing=True, hungry=True)
    clock.now += YOUNG
    vigil.look(computing=True, hungry=True)
    vigil.show_again()
    vigil.look(computing=True, hungry=True)
    assert vigil.is_to_show


@pytest.mark.parametrize(
    "end", [{"computing": True, "hungry": False}, {"computing": False, "hungry": True}]
)
def test_the_end_of_hunger_that_was_shown_is_told_once(vigil, clock, end):
    vigil.look(computing=True, hungry=True)
    clock.now += YOUNG
    vigil.look(computing=True, hungry=True)
    vigil.look(**end)
    assert vigil.hunger_ended
    vigil.look(**end)
    assert not vigil.hunger_ended


def test_while_something_is_computed_there_is_a_tick_now_and_then(vigil, clock):
    ticks = 0
    vigil.look(computing=True, hungry=False)
    for _ in range(5):
        assert vigil.patience() == pytest.approx(TICK)
        clock.now += vigil.patience() + 0.000_001
        vigil.look(computing=True, hungry=False)
        ticks += vigil.is_to_tick
    assert ticks == 5


def test_what_begins_after_a_pause_is_young_again(vigil, clock):
    vigil.look(computing=True, hungry=True)
    clock.now += TICK
    vigil.look(computing=False, hungry=True)
    vigil.look(computing=True, hungry=True)
    assert not any([vigil.is_to_show, vigil.is_to_tick])


def test_who_is_late_does_not_wait(vigil, clock):
    vigil.look(computing=True, hungry=False)
    clock.now += 3 * TICK
    assert vigil.patience() == 0
