"""Cache against the plain function: random graphs of sub-problems, every way to call, and kills."""

import functools
import os
import signal
import threading
import time
from collections import Counter
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching import pool as pool_module
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher
from pyspeedup.concurrent._caching.messages import BatchCall
from pyspeedup.concurrent._processes import shipping
from pyspeedup.concurrent.engines import Processes, Serial, Threads
from pyspeedup.core import WorkerError

MOST = 12


def plain(graph, n):
    """The function itself, without a memory: slow and right."""
    needs, _, value = graph[n]
    if value is None:
        raise ValueError(f"no value at {n}")
    return value + sum((rank + 1) * plain(graph, need) for rank, need in enumerate(needs))


def make_cached(graph, **options):
    @Cache(**options)
    def cached(n, *, twist=0):
        needs, hint, value = graph[n]
        if hint == "apply":
            for need in needs:
                cached.apply_async(need)
        elif hint == "batch":
            cached.batch_async(*((need,) for need in needs))
        elif hint == "wrongly":  # a hint that nobody asked for, and that may fail
            cached.apply_async(max(n - 1, 0))
        elif hint == "slow":
            time.sleep(0.002)
        if value is None:
            raise ValueError(f"no value at {n}")
        return value + sum((rank + 1) * cached(need) for rank, need in enumerate(needs)) + twist

    return cached


calls = st.integers(0, MOST - 1)
nodes = st.tuples(
    st.lists(calls, max_size=3),
    st.sampled_from(["none", "apply", "batch", "wrongly", "slow"]),
    st.one_of(st.integers(), st.integers(), st.integers(), st.none()),
)
graphs = st.lists(nodes, min_size=MOST, max_size=MOST).map(
    lambda found: tuple(
        (tuple(need for need in needs if need < n), hint, value)
        for n, (needs, hint, value) in enumerate(found)
    )
)


class CacheMachine(RuleBasedStateMachine):
    """Two Caches over one engine, whose functions are random graphs."""

    def make_engine(self):
        raise NotImplementedError

    @initialize(graph=graphs, other=graphs)
    def begin(self, graph, other):
        self.engine = self.make_engine()
        self.graphs = (graph, other)
        self.caches = [make_cached(g, engine=self.engine) for g in self.graphs]

    def outcome(self, which, n):
        try:
            return plain(self.graphs[which], n)
        except ValueError as error:
            return str(error)

    def expect(self, which, n, call):
        expected = self.outcome(which, n)
        try:
            found = call()
        except ValueError as error:
            found = str(error)
        assert found == expected

    @rule(which=st.integers(0, 1), n=calls)
    def call(self, which, n):
        self.expect(which, n, lambda: self.caches[which](n))

    @rule(which=st.integers(0, 1), n=calls)
    def call_by_name(self, which, n):
        self.expect(which, n, lambda: self.caches[which](n=n, twist=0))

    @rule(which=st.integers(0, 1), n=calls)
    def apply_async(self, which, n):
        self.caches[which].apply_async(n)

    @rule(which=st.integers(0, 1), ns=st.lists(calls, max_size=MOST))
    def batch_async(self, which, ns):
        self.caches[which].batch_async(*((n,) for n in ns))

    @rule(which=st.integers(0, 1), n=calls)
    def submit(self, which, n):
        self.expect(which, n, lambda: self.caches[which].submit(n).result())

    @rule(which=st.integers(0, 1), ns=st.lists(calls, max_size=5))
    def submit_and_cancel(self, which, ns):
        for future in [self.caches[which].submit(n) for n in ns]:
            future.cancel()

    @rule(which=st.integers(0, 1))
    def call_all(self, which):
        for n in range(MOST):
            self.expect(which, n, lambda n=n: self.caches[which](n))

    @rule(which=st.integers(0, 1))
    def clear(self, which):
        self.caches[which].cache_clear()
        assert tuple(self.caches[which].cache_info()) == (0, 0, None, 0)

    @invariant()
    def remembers_no_more_than_there_is(self):
        if hasattr(self, "caches"):
            assert all(cache.cache_info().currsize <= MOST for cache in self.caches)

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.close()


class Witness(Dispatcher):
    """Counts, from nothing but the messages, the workers that died having begun a call."""

    def __init__(self, deaths, *args):
        super().__init__(*args)
        self.deaths = deaths
        self.begun = {}
        self.last = {}

    def seen(self, actions):
        for action in actions:
            if isinstance(action, Begin):
                self.last[action.worker] = action.call
                self.begun.setdefault(action.worker, set()).add(action.call)
        return actions

    def add_worker(self, worker):
        return self.seen(super().add_worker(worker))

    def submit(self, call):
        return self.seen(super().submit(call))

    def give(self, worker, call):
        return self.seen(super().give(worker, call))

    def park(self, worker):
        return self.seen(super().park(worker))

    def finish(self, worker, call, outcome, *, listening):
        self.begun[worker].remove(call)
        return self.seen(super().finish(worker, call, outcome, listening=listening))

    def remove_worker(self, worker, outcome, *, heard):
        begun = self.begun.pop(worker, set())
        if not heard:
            begun.discard(self.last[worker])
        for task in begun:
            arguments = shipping.loads(task.call.arguments)
            keys = arguments if isinstance(task.call, BatchCall) else [arguments[0]]
            self.deaths.update((task.call.number, key[0]) for key in keys)
        return self.seen(super().remove_worker(worker, outcome, heard=heard))


class ProcessesMachine(CacheMachine):
    """The same with workers that are killed at any time, one after the other or together."""

    def make_engine(self):
        self.deaths = Counter()
        self.killed_young = 0
        self.patch = mock.patch.object(
            pool_module, "Dispatcher", functools.partial(Witness, self.deaths)
        )
        self.patch.start()
        return Processes(workers=2)

    def expect(self, which, n, call):
        try:
            super().expect(which, n, call)
        except WorkerError as error:
            self.check_excuse(which, n, error)

    def check_excuse(self, which, n, error):
        """A call may fail if two had begun it, or one it needs, when they died; or if nobody is left."""
        message = str(error)
        assert error.exitcode == -signal.SIGKILL, message
        if "in a row had ended before they were ready" in message:
            assert self.killed_young >= pool_module.MOST_STILLBORN, message
            return
        number = self.caches[which]._evaluator()[1]
        needed = {n}
        for m in range(n, -1, -1):
            if m in needed:
                needed.update(self.graphs[which][m][0])
        assert any(self.deaths[number, m] >= 2 for m in needed), message

    def kill_one(self, number):
        pool = self.engine._pool
        hands = [] if pool is None else [*pool._hands]
        if number >= len(hands):
            return
        try:
            pid = hands[number].child.pid
            if pid:
                self.killed_young += not hands[number].ready
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, ValueError):
            """It has been buried meanwhile."""

    @rule(number=st.integers(0, 1))
    def kill_a_worker(self, number):
        self.kill_one(number)

    @rule()
    def kill_both_workers(self):
        self.kill_one(0)
        self.kill_one(1)

    @rule(
        which=st.integers(0, 1),
        shots=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), max_size=4),
    )
    def call_all_under_fire(self, which, shots):
        never = threading.Event()

        def fire():
            for number, milliseconds in shots:
                never.wait(milliseconds / 1000)
                self.kill_one(number)

        self.caches[which].cache_clear()
        shooter = threading.Thread(target=fire)
        shooter.start()
        self.call_all(which)
        shooter.join()

    def teardown(self):
        if hasattr(self, "engine"):
            for which in (0, 1):
                self.call_all(which)
            for which in (0, 1):  # nobody has been killed since: no more excuses
                for n in range(MOST):
                    super().expect(which, n, lambda n=n, which=which: self.caches[which](n))
            self.patch.stop()
        super().teardown()


class MappingMachine(CacheMachine):
    """Maps besides, up to the first error, or left before they end."""

    @rule(
        which=st.integers(0, 1),
        ns=st.lists(calls, max_size=MOST),
        size=st.none() | st.integers(1, 4),
        read=st.integers(0, MOST),
    )
    def map(self, which, ns, size, read):
        results = self.caches[which].map(ns, chunksize=size, buffersize=size)
        for n in ns[:read]:
            self.expect(which, n, lambda: next(results))
            if not isinstance(self.outcome(which, n), int):
                break
        results.close()

    @rule(which=st.integers(0, 1), ns=st.lists(calls, max_size=MOST))
    def map_in_any_order(self, which, ns):
        right = [n for n in ns if isinstance(self.outcome(which, n), int)]
        found = sorted(self.caches[which].map(right, ordered=False))
        assert found == sorted(plain(self.graphs[which], n) for n in right)


class SerialMachine(MappingMachine):
    """The yardstick is held to the function too."""

    def make_engine(self):
        return Serial()


class ThreadsMachine(MappingMachine):
    """Nested hints run beside one another in one process."""

    def make_engine(self):
        return Threads(workers=3)


def few(machine):
    """Return the test of a machine that starts processes, so with fewer examples."""
    test = machine.TestCase
    examples = max(5, settings.default.max_examples // 4)
    test.settings = settings(settings.default, max_examples=examples)
    return test


TestSerial = SerialMachine.TestCase
TestThreads = ThreadsMachine.TestCase
TestProcesses = few(ProcessesMachine)
