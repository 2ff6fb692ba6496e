"""The engine's real scheduling, without processes: any graph of calls, in any order, whoever dies.

Hypothesis chooses what is computed, what the program does meanwhile, and which thread goes on at each step.
"""

import random
from collections import Counter
from dataclasses import dataclass
from unittest import mock

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from pyspeedup.concurrent._caching import costs, desk, dispatcher, seats, stacks, worker
from pyspeedup.concurrent._caching.board import Board
from pyspeedup.concurrent._caching.board_memory import BoardMemory
from simulated_workers import FUNCTIONS, Node, World

SECONDS = (0.000_001, 0.000_03, 0.001, 0.03)
MOST_NODES = 14
NEVER = 1000
"""So many samples, and no function is ever judged."""
MOST_STEPS = 6000
"""Enough for any graph without rings."""


@dataclass
class Case:
    """What is computed, by whom, what the program does, and in which order it all happens."""

    nodes: list
    workers: int
    program: list
    tape: bytes
    seed: int
    sample: int = NEVER
    roomy: bool = True

    def play(self):
        """Play it; return the world as it ended."""
        with mock.patch.object(costs, "SAMPLE", self.sample):
            world = World(self.nodes, self.workers, self.chooser(), roomy=self.roomy)
            with world:
                for kind, argument, pause in self.program:
                    self.act(world, kind, argument)
                    world.system.run_steps(pause)
                world.finish()
        return world

    def act(self, world, kind, argument):
        if kind == "submit":
            world.submit(argument % len(self.nodes))
        elif kind == "batch":
            function = self.nodes[argument % len(self.nodes)].function
            world.submit_batch(
                [n for n, node in enumerate(self.nodes) if node.function == function]
            )
        elif kind == "forget":
            world.forget(FUNCTIONS[argument % 2])
        else:
            {"cancel": world.cancel, "kill": world.kill}[kind](argument)

    def chooser(self):
        """Choose by the tape; where that ends, at random, or go on with one thread while it can."""
        chance, tape = random.Random(self.seed), iter(self.tape)

        def choose(number):
            chosen = next(tape, None)
            if chosen is not None:
                return chosen % number
            return chance.randrange(number) if self.seed else 0

        return choose


@st.composite
def graphs(draw, *, fails=False, rings=False):
    nodes = []
    size = draw(st.integers(2, 6 if rings else MOST_NODES))
    indexes = st.integers(0, size - 1)
    for number in range(size):
        needs = draw(st.lists(st.integers(0, number - 1), max_size=4)) if number else []
        hints = needs[1:] if draw(st.booleans()) else draw(st.lists(indexes, max_size=3))
        if rings and draw(st.booleans()):
            needs.insert(0, draw(indexes))
        nodes.append(
            Node(
                tuple(needs),
                tuple(hints),
                draw(st.sampled_from(SECONDS)),
                fails and draw(st.integers(0, 7)) == 0,
                draw(st.sampled_from(FUNCTIONS)),
            )
        )
    return nodes


def cases(kinds, *, fails=False, rings=False, **options):
    actions = st.tuples(st.sampled_from(kinds), st.integers(0, 99), st.integers(0, 60))
    program = st.lists(actions, min_size=1, max_size=6)
    first = st.tuples(st.just("submit"), st.integers(0, 99), st.integers(0, 60))
    return st.builds(
        Case,
        nodes=graphs(fails=fails, rings=rings),
        workers=st.integers(2 if rings else 1, 3),
        program=st.builds(lambda one, more: [one, *more], first, program),
        tape=st.binary(max_size=100),
        seed=st.integers(0, 99),
        **options,
    )


ORDERLY = cases(["submit", "batch", "cancel"])
COSTLY = cases(["submit", "batch", "forget"], sample=st.integers(1, 3), roomy=st.booleans())
ROUGH = cases(
    ["submit", "batch", "cancel", "kill", "kill", "forget"],
    sample=st.sampled_from([1, 2, NEVER]),
    roomy=st.booleans(),
    fails=True,
)
RINGS = cases(["submit", "batch", "kill"], sample=st.sampled_from([1, NEVER]), rings=True)


def tell(world):
    for what, count in world.seen.items():
        if count:
            event(what)


@given(ORDERLY)
def test_each_call_is_computed_once_by_whoever_needs_it(case):
    check_once(case)


def check_once(case):
    world = case.play()
    tell(world)
    assert all(count == 1 for count in world.begun.values()), world.begun
    assert world.system.steps < MOST_STEPS


@given(COSTLY)
def test_calls_are_answered_whatever_they_cost_and_whatever_is_forgotten(case):
    check_end(case)


def check_end(case):
    world = case.play()
    tell(world)
    assert world.system.steps < MOST_STEPS


@given(ROUGH)
def test_calls_are_answered_though_workers_die_and_calls_fail(case):
    check_end(case)


@given(RINGS)
def test_a_ring_of_calls_ends_in_an_error(case):
    check_answers(case)


def check_answers(case):
    tell(case.play())


# That it can fail, and that what it is about does happen --------------------------------------------


def first_examples(cases, number):
    """Return a decorator that tries a test on the same examples each time."""
    chosen = settings(database=None, derandomize=True, max_examples=number, phases=[Phase.generate])
    return lambda test: chosen(given(cases)(test))


def test_all_that_is_to_be_proven_harmless_does_happen():
    seen = Counter()

    def play(case):
        seen.update(case.play().seen)

    first_examples(ROUGH, 80)(play)()
    first_examples(RINGS, 40)(play)()
    expected = {"WAITING", "GONE", "RING", "Give", "Parked", "Busy", "stack beside another"}
    expected |= {"death of who computes", "late claim", "cancellation", "forgetting"}
    expected |= {"Done already", "Running already", "Unshared already"}
    assert expected <= {what for what, count in seen.items() if count}


def help_on_the_same_stack(stacks, name):
    own = stacks.__class__.__name__, name
    while not stacks._source.has_news(name):
        task = stacks._source.next_task(parked=True, room=True)
        if task is not None:
            stacks._source.run(task, 7)
    return own


def nothing(*_, **__):
    return None


def lose_calls(dispatcher, worker, outcome, *, heard=True):
    dispatcher._stations.pop(worker)
    return []


DAMAGES = {
    "who waits computes on top of it": (ORDERLY, stacks.Stacks, "park", help_on_the_same_stack),
    "a ring of waits is not seen": (RINGS, Board, "_closes_ring", lambda *_: False),
    "a wait is never over": (ORDERLY, Board, "unwait", nothing),
    "nobody is woken": (ORDERLY, worker.Worker, "wake", nothing),
    "nobody is woken after a death": (ROUGH, seats, "_send_byte", nothing),
    "the claims of the dead stand": (ROUGH, BoardMemory, "is_alive", lambda *_: True),
    "the calls of the dead are dropped": (
        *(ROUGH, dispatcher.Dispatcher),
        *("remove_worker", lose_calls),
    ),
    "claims are not heeded": (ORDERLY, desk.Desk, "_wait", lambda *_: False),
    "nothing is published": (ORDERLY, Board, "publish", lambda *_: frozenset()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seen(damage):
    cases, owner, name, damaged = DAMAGES[damage]
    check = check_once if cases is ORDERLY else check_answers

    @first_examples(cases, 300)
    def play(case):
        check(case)

    with mock.patch.object(owner, name, damaged), pytest.raises(AssertionError):
        play()
