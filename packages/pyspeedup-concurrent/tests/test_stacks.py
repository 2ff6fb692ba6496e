"""The stacks of a worker, one at a time, over a source that is a list."""

from unittest import mock

import pytest
from pyspeedup.concurrent._caching import stacks as stacks_module
from pyspeedup.concurrent._caching.stacks import MOST_STACKS, Stacks
from simulated_system import StuckError, System


class Source:
    """Hands out tasks, which are functions of the number of their stack; `news` is what has come."""

    def __init__(self, system, tasks):
        self.system, self.tasks, self.news, self.log = system, [*tasks], set(), []
        self.ran = set()

    def has_news(self, name):
        return name in self.news

    def next_task(self, *, parked, room):
        if self.tasks and room:
            return self.tasks.pop(0)
        self.log.append(("idle", parked, room))
        before = len(self.news)
        self.system.wait_until(lambda: len(self.news) > before)
        return None

    def run(self, task, stack):
        assert stack not in self.ran, "two on one stack"
        self.ran.add(stack)
        task(stack)
        self.ran.discard(stack)


@pytest.fixture
def serve():
    """Serve tasks until all wait, and return their source."""
    system = System(lambda number: 0)

    def run(*make_tasks):
        source = Source(system, [])
        stacks = Stacks(source)
        source.tasks = [make(stacks, source) for make in make_tasks]
        system.start_thread(stacks.serve)
        with pytest.raises(StuckError):
            system.run(lambda: False)
        return source, stacks

    names = {"SimpleQueue": system.queue, "start_thread": system.start_thread}
    run.system = system
    with mock.patch.multiple(stacks_module, **names):
        yield run
        system.end()


def plain(name):
    def make(stacks, source):
        return lambda stack: source.log.append((name, stack))

    return make


def waiting(name):
    """Make a task that waits for news, and says when it has begun and ended."""

    def make(stacks, source):
        def task(stack):
            source.log.append((f"{name} begins", stack))
            stacks.park(name)
            source.log.append((f"{name} ends", stack))

        return task

    return make


def publishing(name):
    def make(stacks, source):
        return lambda stack: source.news.add(name)

    return make


def test_one_after_the_other_has_the_same_stack(serve):
    source, stacks = serve(plain("a"), plain("b"))
    assert source.log == [("a", 0), ("b", 0), ("idle", False, True)]
    assert not stacks.any_parked


def test_while_one_waits_others_run_beside_it_and_it_goes_on_with_the_news(serve):
    source, stacks = serve(waiting("a"), plain("b"), publishing("a"), plain("c"))
    assert source.log[:2] == [("a begins", 0), ("b", 1)]
    assert source.log[2:4] == [("a ends", 0), ("c", 0)]
    assert not stacks.any_parked


def test_who_waits_first_goes_on_first_and_inner_ones_are_not_buried(serve):
    source, _ = serve(waiting("a"), waiting("b"), publishing("a"), publishing("b"))
    ends = [event for event in source.log if "ends" in event[0]]
    assert ends == [("a ends", 0), ("b ends", 1)]


def test_when_all_stacks_wait_no_task_is_asked_for(serve):
    source, _ = serve(*(waiting(f"{number}") for number in range(MOST_STACKS + 1)))
    begun = [event for event in source.log if "begins" in event[0]]
    assert begun == [(f"{number} begins", number) for number in range(MOST_STACKS)]
    assert source.log[-1] == ("idle", True, False)
    source.news.add("3")
    with pytest.raises(StuckError):
        serve.system.run(lambda: False)
    assert ("3 ends", 3) in source.log
    assert (f"{MOST_STACKS} begins", 3) in source.log


def test_a_thread_that_is_spare_is_used_again(serve):
    rounds = 20
    tasks = [
        make for number in range(rounds) for make in (waiting(f"{number}"), publishing(f"{number}"))
    ]
    source, _ = serve(*tasks)
    assert sum("ends" in event[0] for event in source.log) == rounds
    assert len(serve.system.threads) == 2
