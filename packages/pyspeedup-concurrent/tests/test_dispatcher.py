"""The dispatcher by itself: hand-outs, gifts, waits, cancellations and deaths, without a process.

The model is a set of workers that do what workers do, one step at a time, in an order that
hypothesis chooses.
"""

import random
from collections import Counter

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyspeedup.concurrent._caching.dispatcher import (
    MOST_DEATHS,
    MOST_LOSSES,
    Begin,
    Dispatcher,
    Resolve,
)

MOST_CALLS = 8
DEATH = "death"
HEAVY = MOST_CALLS - 1


class ModelWorker:
    """What a worker has begun, and the message that is on its way to it."""

    def __init__(self):
        self.begun = []
        self.message = None
        self.parked = False


class Model:
    """Workers around one dispatcher."""

    def __init__(self):
        self.dispatcher = Dispatcher(is_light=lambda call: call != HEAVY)
        self.workers = {}
        self.hired = 0
        self.wanted = Counter()
        self.resolved = Counter()
        self.cancelled = Counter()
        self.deaths = Counter()
        self.losses = Counter()

    def hire(self):
        self.hired += 1
        self.workers[self.hired] = ModelWorker()
        self.perform(self.dispatcher.add_worker(self.hired))

    def submit(self, call):
        self.wanted[call] += 1
        self.perform(self.dispatcher.submit(call))

    def perform(self, actions):
        for action in actions:
            if isinstance(action, Resolve):
                self.resolve(action)
            else:
                worker = self.workers[action.worker]
                assert worker.message is None, "written to before it has read"
                assert not worker.begun or worker.parked, "written to while it computes"
                assert action.call != HEAVY or not worker.begun, "sent what may fill the pipe"
                worker.message = action

    def resolve(self, action):
        call = action.call
        if action.outcome == DEATH:
            gave_up = self.deaths[call] >= MOST_DEATHS or self.losses[call] >= MOST_LOSSES
            assert gave_up, "a call is given up only when two who had begun it died"
            event("a call was given up")
        else:
            assert action.outcome == f"value of {call}"
        assert self.wanted[call] > self.resolved[call] + self.cancelled[call], "nobody wants it"
        self.resolved[call] = self.wanted[call] - self.cancelled[call]

    def read(self, name):
        worker = self.workers[name]
        message, worker.message = worker.message, None
        worker.begun.append((message.call, message.wanted))
        worker.parked = False

    def finish(self, name):
        """Finish what was begun last; a parked worker goes on first, as it does."""
        worker = self.workers[name]
        if worker.parked:
            self.go_on(name)
        call, wanted = worker.begun.pop()
        outcome = f"value of {call}" if wanted else None
        listening = not worker.begun and worker.message is None
        self.deaths.pop(call, None)
        self.losses.pop(call, None)
        self.perform(self.dispatcher.finish(name, call, outcome, listening=listening))

    def park(self, name):
        worker = self.workers[name]
        worker.parked = True
        self.perform(self.dispatcher.park(name))

    def go_on(self, name):
        worker = self.workers[name]
        worker.parked = False
        if worker.message is None:  # else the dispatcher knows that it does not listen
            self.dispatcher.resume(name)

    def kill(self, name):
        worker = self.workers.pop(name)
        heard = worker.message is None
        self.deaths.update(call for call, _ in worker.begun)
        if not heard:
            self.losses[worker.message.call] += 1
        self.perform(self.dispatcher.remove_worker(name, DEATH, heard=heard))

    def drain(self, seed):
        chance = random.Random(seed)
        for _ in range(1000):
            busy = [name for name, worker in self.workers.items() if worker.message or worker.begun]
            if not busy:
                break
            name = chance.choice(busy)
            (self.read if self.workers[name].message else self.finish)(name)
        assert self.dispatcher.settled
        assert self.resolved + self.cancelled == self.wanted, "somebody waits for ever"


class DispatcherMachine(RuleBasedStateMachine):
    """Everything that can happen to a dispatcher, in any order."""

    @initialize(workers=st.integers(1, 3))
    def begin(self, workers):
        self.model = Model()
        for _ in range(workers):
            self.model.hire()

    def pick(self, data, which):
        return data.draw(st.sampled_from(sorted(which)))

    def computing(self):
        return [n for n, w in self.model.workers.items() if w.begun and not w.parked]

    def begun(self):
        return [n for n, w in self.model.workers.items() if w.begun]

    @rule(call=st.integers(0, MOST_CALLS - 1))
    def submit(self, call):
        self.model.submit(call)

    @precondition(lambda self: self.begun())
    @rule(data=st.data(), call=st.integers(0, MOST_CALLS - 1))
    def give(self, data, call):
        name = self.pick(data, self.begun())
        self.model.perform(self.model.dispatcher.give(name, call))

    @precondition(lambda self: any(w.message for w in self.model.workers.values()))
    @rule(data=st.data())
    def read(self, data):
        self.model.read(self.pick(data, [n for n, w in self.model.workers.items() if w.message]))

    @precondition(lambda self: self.begun())
    @rule(data=st.data())
    def finish(self, data):
        self.model.finish(self.pick(data, self.begun()))

    @precondition(lambda self: [n for n in self.computing() if not self.model.workers[n].message])
    @rule(data=st.data())
    def park(self, data):
        event("a worker parked")
        free = [n for n in self.computing() if not self.model.workers[n].message]
        self.model.park(self.pick(data, free))

    @precondition(lambda self: any(w.parked for w in self.model.workers.values()))
    @rule(data=st.data())
    def go_on(self, data):
        self.model.go_on(self.pick(data, [n for n, w in self.model.workers.items() if w.parked]))

    @rule(call=st.integers(0, MOST_CALLS - 1))
    def cancel(self, call):
        model = self.model
        open_calls = model.wanted[call] - model.resolved[call] - model.cancelled[call]
        if open_calls and model.dispatcher.cancel(call):
            event("a call was cancelled")
            model.cancelled[call] += open_calls

    @precondition(lambda self: self.model.workers)
    @rule(data=st.data(), replace=st.booleans())
    def kill(self, data, replace):
        self.model.kill(self.pick(data, self.model.workers))
        if replace or not self.model.workers:
            self.model.hire()

    @invariant()
    def nobody_listens_in_vain(self):
        if hasattr(self, "model") and not self.model.dispatcher.hungry:
            assert all(worker.message or worker.begun for worker in self.model.workers.values())

    def teardown(self):
        if hasattr(self, "model"):
            self.model.drain(seed=self.model.hired)


TestDispatcher = DispatcherMachine.TestCase


def one_worker():
    dispatcher = Dispatcher()
    dispatcher.add_worker("a")
    return dispatcher


def test_a_call_is_begun_once_however_many_want_it():
    dispatcher = one_worker()
    dispatcher.add_worker("b")
    assert dispatcher.submit("f") == [Begin("a", "f", True)]
    assert dispatcher.submit("f") == []
    assert dispatcher.finish("a", "f", 6) == [Resolve("f", 6)]


def test_the_next_call_is_sent_before_an_answer_is_dealt_with():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.submit("g")
    assert dispatcher.finish("a", "f", 6) == [Begin("a", "g", True), Resolve("f", 6)]


def test_a_gift_goes_to_who_is_idle_and_its_outcome_to_nobody():
    dispatcher = one_worker()
    dispatcher.submit("f")
    assert dispatcher.give("a", "g") == []
    assert dispatcher.add_worker("b") == [Begin("b", "g", False)]
    assert dispatcher.finish("b", "g", None) == []
    assert dispatcher.hungry


def test_a_gift_that_is_asked_for_while_it_is_computed_is_answered():
    dispatcher = one_worker()
    dispatcher.add_worker("b")
    dispatcher.submit("f")
    dispatcher.give("a", "g")
    assert dispatcher.submit("g") == []
    assert dispatcher.finish("b", "g", None) == [Begin("b", "g", True)]
    assert dispatcher.finish("b", "g", 7) == [Resolve("g", 7)]


def test_a_gift_that_nobody_wants_any_more_is_not_begun():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.give("a", "g")
    assert dispatcher.finish("a", "f", 6) == [Resolve("f", 6)]
    assert dispatcher.settled


def test_a_gift_dies_with_who_began_it():
    dispatcher = one_worker()
    dispatcher.add_worker("b")
    dispatcher.submit("f")
    dispatcher.give("a", "g")
    assert dispatcher.remove_worker("b", DEATH) == []
    assert dispatcher.add_worker("c") == []


def test_who_waits_is_sent_something_else_to_begin():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.submit("g")
    assert dispatcher.park("a") == [Begin("a", "g", True)]
    assert dispatcher.finish("a", "g", 7, listening=False) == [Resolve("g", 7)]
    assert dispatcher.submit("h") == []
    assert dispatcher.finish("a", "f", 6) == [Begin("a", "h", True), Resolve("f", 6)]


def test_who_is_idle_is_preferred_to_who_waits():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.park("a")
    dispatcher.add_worker("b")
    assert dispatcher.submit("g") == [Begin("b", "g", True)]


def test_a_cancelled_call_is_never_begun():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.submit("g")
    assert dispatcher.cancel("g")
    assert not dispatcher.cancel("f"), "it has been begun"
    assert dispatcher.finish("a", "f", 6) == [Resolve("f", 6)]
    assert dispatcher.settled


def test_a_dead_workers_call_is_begun_again_once():
    dispatcher = one_worker()
    dispatcher.submit("f")
    assert dispatcher.remove_worker("a", DEATH) == []
    assert dispatcher.add_worker("b") == [Begin("b", "f", True)]
    assert dispatcher.remove_worker("b", DEATH) == [Resolve("f", DEATH)]


def test_a_call_handed_to_a_worker_that_never_read_it_is_not_charged():
    dispatcher = one_worker()
    dispatcher.submit("f")
    for dead, new in ["ab", "bc", "cd"]:
        assert dispatcher.remove_worker(dead, DEATH, heard=False) == []
        assert dispatcher.add_worker(new) == [Begin(new, "f", True)]
    assert dispatcher.remove_worker("d", DEATH) == [], "it was begun for the first time"
    assert dispatcher.add_worker("e") == [Begin("e", "f", True)]
    assert dispatcher.remove_worker("e", DEATH) == [Resolve("f", DEATH)]


def test_what_was_begun_is_charged_though_a_later_message_was_not_read():
    dispatcher = one_worker()
    dispatcher.submit("f")
    dispatcher.submit("g")
    dispatcher.park("a")
    assert dispatcher.remove_worker("a", DEATH, heard=False) == []
    begun = [*dispatcher.add_worker("b"), *dispatcher.add_worker("c")]
    worker = {action.call: action.worker for action in begun}
    assert dispatcher.remove_worker(worker["f"], DEATH) == [Resolve("f", DEATH)]
    assert dispatcher.remove_worker(worker["g"], DEATH) == [], "g was begun once"


def test_a_call_that_kills_whoever_reads_it_is_given_up_in_the_end():
    dispatcher = Dispatcher()
    dispatcher.submit("f")
    actions = []
    for worker in range(100):
        dispatcher.add_worker(worker)
        actions += dispatcher.remove_worker(worker, DEATH, heard=False)
    assert actions == [Resolve("f", DEATH)]


@pytest.mark.parametrize("calls", [1, 50])
def test_nothing_is_kept_of_what_was_answered(calls):
    dispatcher = one_worker()
    for call in range(calls):
        dispatcher.submit(call)
        dispatcher.finish("a", call, call)
    assert dispatcher.settled
    assert not dispatcher.begun_by("a")
