"""Cache against the plain function: random graphs of sub-problems, every way to call, and kills."""

import os
import signal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._pool import _pools
from pyspeedup.concurrent.engines import Processes, Serial, Threads

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
        if value is None:
            raise ValueError(f"no value at {n}")
        return value + sum((rank + 1) * cached(need) for rank, need in enumerate(needs)) + twist

    return cached


calls = st.integers(0, MOST - 1)
nodes = st.tuples(
    st.lists(calls, max_size=3),
    st.sampled_from(["none", "apply", "batch", "wrongly"]),
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

    def expect(self, which, n, call):
        try:
            expected = plain(self.graphs[which], n)
        except ValueError as error:
            expected = str(error)
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


class ProcessesMachine(CacheMachine):
    """The same with a worker that is killed at any time."""

    def make_engine(self):
        return Processes(workers=2)

    killed = False

    @precondition(lambda self: not self.killed)
    @rule(number=st.integers(0, 1))
    def kill_a_worker(self, number):
        """Once, for two deaths that come one upon the other may answer a call with an error."""
        for pool in list(_pools):
            if number < len(pool._hands):
                os.kill(pool._hands[number].child.pid, signal.SIGKILL)
                self.killed = True

    def teardown(self):
        if hasattr(self, "engine"):
            for which in (0, 1):
                self.call_all(which)
        super().teardown()


class SerialMachine(CacheMachine):
    """The yardstick is held to the function too."""

    def make_engine(self):
        return Serial()


class ThreadsMachine(CacheMachine):
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
