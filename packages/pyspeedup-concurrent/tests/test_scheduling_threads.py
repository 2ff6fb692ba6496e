"""The scheduling of the engine of threads, in any order that hypothesis chooses, and without waiting in earnest."""

import contextlib
import functools
import random
from collections import Counter
from types import SimpleNamespace
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent._caching import desk, local_board, vigil
from pyspeedup.concurrent.engines import threads
from simulated_system import Instead, System
from simulated_workers import MODULUS, NodeError, expected, outcome_of

SECONDS = (0.000_001, 0.001, 0.03)


class World:
    """An engine of simulated threads; nodes are what they need, what they hint at, seconds, and whether they fail."""

    def __init__(self, nodes, seed):
        self.nodes = nodes
        self.system = System(random.Random(seed).randrange)
        self.begun, self.seen = Counter(), Counter()

    @contextlib.contextmanager
    def running(self, workers):
        system = self.system
        names = {"Thread": system.thread_class, "Lock": system.lock, "RLock": system.rlock}
        clock = {"time": SimpleNamespace(perf_counter=system.clock)}
        steps = {name: self.as_a_step(name) for name in ("claim", "publish", "wait", "unwait")}
        with (
            mock.patch.multiple(
                threads,
                threading=Instead(threads.threading, **names),
                SimpleQueue=system.queue,
                Vigil=functools.partial(vigil.Vigil, clock=system.time),
            ),
            mock.patch.multiple(desk, threading=Instead(desk.threading, **names), **clock),
            mock.patch.multiple(local_board, threading=Instead(local_board.threading, **names)),
            mock.patch.multiple(local_board.Place, **steps),
        ):
            self.engine = threads.Threads(workers=workers)
            self.number = self.engine.define(self.evaluate, "f")
            try:
                yield
            finally:
                system.end()

    def as_a_step(self, name):
        method = getattr(local_board.Place, name)

        def stepped(place, *args):
            self.system.step()
            found = method(place, *args)
            self.seen[name, getattr(found, "name", type(found).__name__)] += 1
            return found

        return stepped

    def evaluate(self, number):
        needs, hints, seconds, fails = self.nodes[number]
        self.begun[number] += 1
        local = self.engine.local(self.number)
        self.system.compute(seconds / 2)
        for hint in hints:
            local.apply_async(hint)
        total = number + 1
        for need in needs:
            total = (31 * total + local(need)) % MODULUS
        self.system.compute(seconds / 2)
        if fails:
            raise NodeError(number)
        return total

    def check(self, workers):
        with self.running(workers):
            futures = [self.engine.submit(self.number, (n,), {}) for n in range(len(self.nodes))]
            self.system.run(lambda: all(future.done() for future in futures))
            while self.system.run_step():
                pass
            plain = [SimpleNamespace(needs=needs, fails=fails) for needs, _, _, fails in self.nodes]
            for number, future in enumerate(futures):
                right = outcome_of(functools.partial(expected, plain, number))
                assert outcome_of(future.result) == right
            board = self.engine._pool.board
            assert (board.running, board.waiting, board.awaited) == ({}, {}, {})
            self.engine.close()


@st.composite
def graphs(draw, *, fails):
    size = draw(st.integers(2, 10))
    return [
        (
            draw(st.lists(st.integers(0, number - 1), max_size=3)) if number else [],
            draw(st.lists(st.integers(0, size - 1), max_size=2)),
            draw(st.sampled_from(SECONDS)),
            fails and draw(st.integers(0, 5)) == 0,
        )
        for number in range(size)
    ]


@given(graphs(fails=False), st.integers(1, 3), st.integers(0, 999))
def test_threads_compute_each_call_once(nodes, workers, seed):
    world = World(nodes, seed)
    world.check(workers)
    assert set(world.begun.values()) == {1}


@given(graphs(fails=True), st.integers(1, 3), st.integers(0, 999))
def test_threads_answer_though_calls_fail(nodes, workers, seed):
    World(nodes, seed).check(workers)


def test_threads_do_wait_for_each_other():
    nodes = [([0] * bool(number), [], 0.03, False) for number in range(6)]
    seen = Counter()
    for seed in range(10):
        world = World(nodes, seed)
        world.check(3)
        seen += world.seen
    assert seen["wait", "WAITING"]
