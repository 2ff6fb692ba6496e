"""The engine's real scheduling, without processes: any graph of calls, in any order, whoever dies.

Hypothesis chooses what is computed, what the program does meanwhile, and which thread goes on at each step.
"""

import gc
import random
from collections import Counter
from dataclasses import dataclass
from unittest import mock

import pytest
from hypothesis import currently_in_test_context, event, given
from hypothesis import strategies as st
from pyspeedup.concurrent._caching import costs, desk, dispatcher, meanings, seats, stacks, worker
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
        elif kind == "all":
            for number in reversed(range(len(self.nodes))):
                world.submit(number)
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
    first = st.tuples(st.sampled_from(["submit", "all"]), st.integers(0, 99), st.integers(0, 60))
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
    for what, count in world.seen.items() if currently_in_test_context() else ():
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


def busy_case(seed, *kinds, rings=False):
    """Return a case in which much happens at the same time."""
    chance = random.Random(seed)
    size = chance.randint(4, 6) if rings else chance.randint(7, 12)
    nodes = []
    for number in range(size):
        needs = chance.sample(range(number), min(number, chance.randint(1, 3)))
        hints = chance.sample(range(size), 2)
        if rings and chance.random() < 0.5:
            needs.insert(0, chance.randrange(size))
        seconds = chance.choice(SECONDS)
        nodes.append(Node(tuple(needs), tuple(hints), seconds, function=chance.choice(FUNCTIONS)))
    program = [("all", 0, chance.randrange(100))]
    program += [(kind, chance.randrange(99), chance.randrange(60)) for kind in kinds]
    sample = chance.choice([1, NEVER])
    roomy = chance.random() < 0.8
    return Case(nodes, chance.randint(2, 3), program, b"", seed + 1, sample, roomy)


ROUGH_KINDS = ("kill", "cancel", "forget", "kill")


def test_all_that_is_to_be_proven_harmless_does_happen():
    seen = Counter()
    for seed in range(25):
        seen.update(busy_case(seed, *ROUGH_KINDS).play().seen)
        seen.update(busy_case(seed, rings=True).play().seen)
    expected = {"WAITING", "GONE", "RING", "Give", "Parked", "Busy", "stack beside another"}
    expected |= {"death of who computes", "late claim", "cancellation", "forgetting", "news"}
    expected |= {"Done already", "Running already", "Unshared already"}
    assert expected <= {what for what, count in seen.items() if count}


def help_on_the_same_stack(stacks, name):
    while not stacks._source.has_news(name):
        task = stacks._source.next_task(parked=True, room=True)
        if task is not None:
            stacks._source.run(task, 7)


def nothing(*_, **__):
    return None


def lose_calls(dispatcher, worker, outcome, *, heard=True):
    dispatcher._stations.pop(worker)
    return []


def bury_only(seats, seat):
    seats._shared.board_memory.bury(seat.life)


def call_the_old_form_new(meanings, known, shipment):
    known.generation = shipment.generation
    meanings._begin_memory(known, shipment.number, shipment.name)


def heed_what_comes_within(meanings, identity, function, name, known_as):
    known = meanings._by_identity[identity]
    known.generation = meanings._newest.get(identity, 0)
    meanings._fill(known, function, name, known_as[0])


DAMAGES = {
    "who waits computes on top of it": (stacks.Stacks, "park", help_on_the_same_stack),
    "a ring of waits is not seen": (Board, "_closes_ring", lambda *_: False),
    "a wait is never over": (Board, "unwait", nothing),
    "nobody is woken": (worker.Worker, "wake", nothing),
    "nobody is woken after a death": (seats.Seats, "leave", bury_only),
    "the claims of the dead stand": (BoardMemory, "is_alive", lambda *_: True),
    "the calls of the dead are dropped": (dispatcher.Dispatcher, "remove_worker", lose_calls),
    "claims are not heeded": (desk.Desk, "_wait", lambda *_: False),
    "nothing is published": (Board, "publish", lambda *_: frozenset()),
    "an old form goes for the new one": (meanings.Meanings, "_renew", call_the_old_form_new),
    "so does one within another": (meanings.Meanings, "fill", heed_what_comes_within),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seen(damage):
    with mock.patch.object(*DAMAGES[damage]):
        options = {"has_deaths": "dea" in damage, "has_rings": "ring" in damage}
        assert fails(60, **options, has_news="one" in damage)
    gc.collect()  # what the failure's traceback has held


def fails(number, **options):
    try:
        play_cases(number, **options)
    except AssertionError:
        return True
    return False


def play_cases(number, *, has_deaths, has_rings, has_news=False):
    for seed in range(number):
        case = busy_case(seed, *["kill"] * has_deaths, rings=has_rings)
        case.sample, case.roomy = NEVER, True
        if has_deaths and not has_rings:  # with nothing else to do, nobody is woken by chance
            case.nodes = [*[Node()] * 5, Node(tuple(range(5))), Node((5,)), Node((5,))]
            case.program = [("submit", 6, 0), ("submit", 7, 20 + seed), ("kill", seed, 0)]
        if has_news:
            case.program = [("submit", seed, 20), ("forget", 0, 0), ("forget", 1, 0), ("all", 0, 9)]
        (check_answers if has_deaths or has_rings or has_news else check_once)(case)


@pytest.mark.parametrize("has_deaths", [False, True])
@pytest.mark.parametrize("has_rings", [False, True])
def test_without_damage_the_same_cases_end_well(has_deaths, has_rings):
    play_cases(20, has_deaths=has_deaths, has_rings=has_rings)


def test_without_damage_the_cases_in_which_functions_are_renewed_end_well():
    play_cases(40, has_deaths=False, has_rings=False, has_news=True)


def test_hints_are_not_followed_once_nobody_wants_anything():
    engine = dispatcher.Dispatcher()
    engine.submit("wanted")
    engine.add_worker("a")
    engine.add_worker("b")
    assert engine.give("a", "gift") == [dispatcher.Begin("b", "gift", wanted=False)]
    engine.give("a", "another gift")
    assert engine.finish("a", "wanted", 6) == [dispatcher.Resolve("wanted", 6)]
    assert engine.give("b", "a gift of a gift") == []
    assert engine.finish("b", "gift", None) == []
    assert engine.settled


def test_hints_in_a_ring_of_calls_do_not_feed_each_other():
    world = busy_case(1256, "kill", "batch", "kill", rings=True).play()
    assert world.seen["Give"]
    assert world.system.steps < 5 * MOST_STEPS


def test_what_is_left_to_others_keeps_its_function():
    other = Node(function=2)
    nodes = [Node(), Node(), other, *[Node()] * 3, Node((2, 1), (1,)), *[Node()] * 4]
    nodes.append(Node((6,), (0, 11, 2), 0.03, function=2))
    check_once(Case(nodes, 3, [("submit", 11, 0), ("submit", 0, 0)], b"", 1))
