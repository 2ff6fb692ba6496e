"""The dispatcher by itself: random graphs of calls, hand-outs, gifts and deaths, without a process.

The model is a set of workers that do what workers do, one step at a time, in an order that
hypothesis chooses. Calls are numbers, and each needs some lower ones.
"""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyspeedup.concurrent._caching.dispatcher import (
    MOST_LOSSES,
    Begin,
    Dispatcher,
    Reply,
    Resolve,
    Verdict,
)

MOST_CALLS = 10
DEATH = "death"


class Frame:
    """One call on a stack: what it still needs, and whether somebody is to be told of it."""

    def __init__(self, call, needs, *, told):
        self.call = call
        self.needs = list(needs)
        self.told = told
        self.failed = False


class ModelWorker:
    """What a worker knows, its stacks, and the message that is on its way to it."""

    def __init__(self):
        self.known = set()
        self.given = set()
        self.stacks = {}
        self.running = None
        self.message = None
        self.listening = True


class Model:
    """Workers around one dispatcher."""

    def __init__(self, graph, workers, stacks, remembered):
        self.graph = graph
        self.stacks = stacks
        self.dispatcher = Dispatcher(stacks=stacks, remembered=remembered)
        self.workers = {}
        self.hired = 0
        self.kills = 0
        self.deaths = Counter()
        self.losses = Counter()
        self.wanted = Counter()
        self.resolved = Counter()
        self.computed = Counter()
        for _ in range(workers):
            self.hire()

    def hire(self):
        self.hired += 1
        self.workers[self.hired] = ModelWorker()
        self.perform(self.dispatcher.add_worker(self.hired))

    def submit(self, call):
        self.wanted[call] += 1
        self.perform(self.dispatcher.submit(call))

    def perform(self, actions, *, failed=()):
        for action in actions:
            if isinstance(action, Resolve):
                if action.outcome == DEATH:
                    assert (
                        action.call in failed
                        or self.deaths[action.call] >= 2
                        or self.losses[action.call] >= MOST_LOSSES
                    ), "a call is given up only when two who had begun it died"
                else:
                    assert action.outcome == f"value of {action.call}"
                assert self.wanted[action.call] > self.resolved[action.call], "nobody wants it"
                self.resolved[action.call] = self.wanted[action.call]
            else:
                worker = self.workers[action.worker]
                assert worker.listening, "written to while it does not listen"
                worker.listening = False
                worker.message = action

    def runnable(self):
        return [
            name
            for name, worker in self.workers.items()
            if worker.message is not None or worker.running is not None
        ]

    def step(self, name, choice):
        worker = self.workers[name]
        message, worker.message = worker.message, None
        if isinstance(message, Begin):
            assert len(worker.stacks) < self.stacks
            worker.stacks[message.stack] = []
            worker.running = message.stack
            self.call(worker, message.call, told=True)
        elif isinstance(message, Reply):
            worker.running = message.stack
            self.go_on(worker, message)
        else:
            self.compute(worker, choice)

    def call(self, worker, call, *, told):
        frames = worker.stacks[worker.running]
        assert all(frame.call > call for frame in frames), "a stack is not pure"
        frames.append(Frame(call, self.graph[call], told=told))

    def go_on(self, worker, reply):
        top = worker.stacks[reply.stack][-1]
        if reply.verdict is Verdict.ANSWER:
            worker.known.add(top.needs.pop(0))
            top.failed = top.failed or reply.outcome == DEATH
        else:
            told = reply.verdict is Verdict.COMPUTE_AND_TELL
            self.call(worker, top.needs[0], told=told)

    def compute(self, worker, choice):
        top = worker.stacks[worker.running][-1]
        top.needs = [need for need in top.needs if need not in worker.known]
        if top.failed or not top.needs:
            self.leave(worker)
        elif choice == "give" and len(top.needs) > 1 and top.needs[-1] not in worker.given:
            worker.given.add(top.needs[-1])
            self.perform(self.dispatcher.give(worker.running, [top.needs[-1]]))
        elif choice == "ask" or top.needs[0] in worker.given:
            worker.given.discard(top.needs[0])
            stack, worker.running = worker.running, None
            worker.listening = True
            self.perform(self.dispatcher.ask(stack, top.needs[0]))
        else:
            self.call(worker, top.needs[0], told=False)

    def leave(self, worker):
        stack = worker.running
        frames = worker.stacks[stack]
        top = frames.pop()
        self.computed[top.call] += 1
        if top.failed and frames:
            frames[-1].failed = True
        if not top.failed:
            worker.known.add(top.call)
        if not frames:
            del worker.stacks[stack]
            worker.running = None
            worker.listening = True
        if top.told:
            outcome = DEATH if top.failed else f"value of {top.call}"
            actions = self.dispatcher.finish(stack, top.call, outcome, failed=top.failed)
            del self.deaths[top.call], self.losses[top.call]
            self.perform(actions, failed=[top.call] if top.failed else [])

    def kill(self, name):
        self.kills += 1
        worker = self.workers.pop(name)
        begun = [frame for frames in worker.stacks.values() for frame in frames if frame.told]
        self.deaths.update(frame.call for frame in begun)
        self.losses.update(self.begun_by(worker, worker.message))
        heard = worker.message is None
        self.perform(self.dispatcher.remove_worker(name, DEATH, heard=heard))

    def begun_by(self, worker, message):
        if isinstance(message, Begin):
            return [message.call]
        if isinstance(message, Reply) and message.verdict is Verdict.COMPUTE_AND_TELL:
            return [worker.stacks[message.stack][-1].needs[0]]
        return []

    def drain(self, seed):
        """Let all run until nobody can; there are few steps left, so it must end."""
        chance = random.Random(seed)
        for _ in range(20_000):
            names = self.runnable()
            if not names:
                break
            self.step(chance.choice(names), chance.choice(["give", "ask", "call"]))
        else:
            raise AssertionError("it computes for ever")
        assert self.resolved == self.wanted, "somebody waits for ever"
        assert self.dispatcher.settled
        for name in self.workers:
            assert not self.dispatcher.stacks_of(name)


graphs = st.lists(
    st.lists(st.integers(0, MOST_CALLS), max_size=4, unique=True),
    min_size=MOST_CALLS,
    max_size=MOST_CALLS,
).map(
    lambda needs: {
        call: [need for need in lower if need < call] for call, lower in enumerate(needs)
    }
)


class DispatcherMachine(RuleBasedStateMachine):
    """Everything that can happen to a dispatcher, in any order."""

    @initialize(
        graph=graphs,
        workers=st.integers(1, 3),
        stacks=st.sampled_from([1, 2, 8]),
        remembered=st.sampled_from([0, 2, 100]),
    )
    def begin(self, graph, workers, stacks, remembered):
        self.model = Model(graph, workers, stacks, remembered)

    @rule(call=st.integers(0, MOST_CALLS - 1))
    def submit(self, call):
        self.model.submit(call)

    @precondition(lambda self: self.model.runnable())
    @rule(data=st.data(), steps=st.integers(1, 10))
    def run(self, data, steps):
        for _ in range(steps):
            if names := self.model.runnable():
                name = data.draw(st.sampled_from(names))
                self.model.step(name, data.draw(st.sampled_from(["give", "ask", "call"])))

    @precondition(lambda self: self.model.workers)
    @rule(data=st.data(), replace=st.booleans())
    def kill(self, data, replace):
        self.model.kill(data.draw(st.sampled_from(sorted(self.model.workers))))
        if replace or not self.model.workers:
            self.model.hire()

    @rule()
    def forget(self):
        self.model.dispatcher.forget(self.model.dispatcher.remembered())

    @invariant()
    def nobody_idle_while_calls_are_queued(self):
        if hasattr(self, "model") and self.model.dispatcher.hungry:
            assert any(worker.listening for worker in self.model.workers.values())

    def teardown(self):
        if hasattr(self, "model"):
            self.model.drain(seed=self.model.kills)


TestDispatcher = DispatcherMachine.TestCase


@given(graph=graphs, stacks=st.sampled_from([1, 2, 8]), seed=st.integers(0, 1000))
def test_everything_asked_for_at_once_is_answered(graph, stacks, seed):
    model = Model(graph, workers=3, stacks=stacks, remembered=100)
    for call in graph:
        model.submit(call)
    model.drain(seed)
    assert all(model.computed.values())


def test_a_call_is_begun_once_however_many_want_it():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.add_worker("b")
    assert len(dispatcher.submit("f")) == 1
    assert dispatcher.submit("f") == []
    assert dispatcher.finish(1, "f", 6, failed=False) == [Resolve("f", 6)]
    assert dispatcher.submit("f") == [Resolve("f", 6)]


def test_a_failure_is_not_remembered():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.submit("f")
    assert dispatcher.finish(1, "f", "error", failed=True) == [Resolve("f", "error")]
    assert dispatcher.submit("f") == [Begin("a", 2, "f")]


def test_a_gift_not_begun_is_taken_back():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.submit("f")
    assert dispatcher.give(1, ["g"]) == []
    assert dispatcher.ask(1, "g") == [Reply("a", 1, Verdict.COMPUTE_AND_TELL)]
    assert dispatcher.submit("g") == []
    assert dispatcher.finish(1, "g", 7, failed=False) == [Resolve("g", 7)]


def test_a_gift_that_nobody_wants_any_more_is_not_begun():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.submit("f")
    dispatcher.give(1, ["g"])
    assert dispatcher.finish(1, "f", 6, failed=False) == [Resolve("f", 6)]
    assert dispatcher.settled


def test_the_last_of_a_ring_computes_on_the_spot():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.add_worker("b")
    dispatcher.submit("f")
    dispatcher.submit("g")
    assert dispatcher.ask(1, "g") == []
    assert dispatcher.ask(2, "f") == [Reply("b", 2, Verdict.COMPUTE)]
    assert dispatcher.ask(2, "g") == [Reply("b", 2, Verdict.COMPUTE)]


def test_a_waiting_worker_is_given_other_work_on_another_stack():
    dispatcher = Dispatcher(stacks=2)
    dispatcher.add_worker("a")
    dispatcher.add_worker("b")
    dispatcher.submit("f")
    dispatcher.submit("g")
    dispatcher.submit("h")
    assert dispatcher.ask(1, "g") == [Begin("a", 3, "h")]
    answered = dispatcher.finish(2, "g", 7, failed=False)
    assert answered == [Resolve("g", 7)], "a is busy, and is told when it listens"
    assert dispatcher.finish(3, "h", 8, failed=False) == [
        Resolve("h", 8),
        Reply("a", 1, Verdict.ANSWER, 7),
    ]


def test_a_dead_workers_call_is_begun_again_once():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.submit("f")
    assert dispatcher.remove_worker("a", DEATH) == []
    assert dispatcher.add_worker("b") == [Begin("b", 2, "f")]
    assert dispatcher.remove_worker("b", DEATH) == [Resolve("f", DEATH)]


def test_a_call_handed_to_a_worker_that_never_read_it_is_not_charged():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.submit("f")
    for stack, dead, new in [(2, "a", "b"), (3, "b", "c"), (4, "c", "d")]:
        assert dispatcher.remove_worker(dead, DEATH, heard=False) == []
        assert dispatcher.add_worker(new) == [Begin(new, stack, "f")]
    assert dispatcher.remove_worker("d", DEATH) == [], "it was begun for the first time"
    assert dispatcher.add_worker("e") == [Begin("e", 5, "f")]
    assert dispatcher.remove_worker("e", DEATH) == [Resolve("f", DEATH)]


def test_what_was_begun_is_charged_though_a_later_message_was_not_read():
    dispatcher = Dispatcher(stacks=2)
    for worker in "ab":
        dispatcher.add_worker(worker)
    for call in "fgh":
        dispatcher.submit(call)
    assert dispatcher.ask(1, "g") == [Begin("a", 3, "h")]
    assert dispatcher.remove_worker("a", DEATH, heard=False) == []
    assert dispatcher.add_worker("c") == [Begin("c", 4, "h")]
    assert dispatcher.finish(2, "g", 7, failed=False) == [Resolve("g", 7), Begin("b", 5, "f")]
    assert dispatcher.remove_worker("b", DEATH) == [Resolve("f", DEATH)]
    assert dispatcher.remove_worker("c", DEATH) == [], "h was begun once"


def test_a_call_left_to_one_who_was_not_told_of_it_is_not_charged():
    dispatcher = Dispatcher(stacks=2)
    for worker in "ab":
        dispatcher.add_worker(worker)
    for call in "fgh":
        dispatcher.submit(call)
    assert dispatcher.ask(1, "g") == [Begin("a", 3, "h")]
    assert dispatcher.remove_worker("b", DEATH) == [], "a is busy, and is to compute g afterwards"
    assert dispatcher.remove_worker("a", DEATH) == []
    begun = [*dispatcher.add_worker("c"), *dispatcher.add_worker("d"), *dispatcher.add_worker("e")]
    worker = next(action.worker for action in begun if action.call == "g")
    assert dispatcher.remove_worker(worker, DEATH) == [Resolve("g", DEATH)], "b and this one"


def test_a_call_that_kills_whoever_reads_it_is_given_up_in_the_end():
    dispatcher = Dispatcher()
    dispatcher.submit("f")
    actions = []
    for worker in range(100):
        dispatcher.add_worker(worker)
        actions += dispatcher.remove_worker(worker, DEATH, heard=False)
    assert actions == [Resolve("f", DEATH)]


def test_who_waits_for_a_dead_workers_call_computes_it():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    dispatcher.add_worker("b")
    dispatcher.submit("f")
    dispatcher.submit("g")
    dispatcher.ask(1, "g")
    assert dispatcher.remove_worker("b", DEATH) == [Reply("a", 1, Verdict.COMPUTE_AND_TELL)]


@pytest.mark.parametrize("remembered", [0, 3])
def test_outcomes_are_remembered_within_bounds(remembered):
    dispatcher = Dispatcher(remembered=remembered)
    dispatcher.add_worker("a")
    for stack, call in enumerate("fghij", start=1):
        dispatcher.submit(call)
        dispatcher.finish(stack, call, call, failed=False)
    assert len(dispatcher.remembered()) == remembered
