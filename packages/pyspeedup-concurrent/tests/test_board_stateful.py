"""The board against a plain dict: claims, results, waits and deaths, with little room for any of them."""

import itertools
import zlib
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyspeedup.concurrent._caching.board import (
    Board,
    BoardMemory,
    Done,
    Running,
    Unshared,
    Wait,
)

PLACES = 3
BUCKETS = 2
LOG = 4096
KEYS = [b"f(%d)" % number * (number + 1) for number in range(14)]

places = st.integers(0, PLACES - 1)
stacks = st.integers(0, 2)
keys = st.sampled_from(KEYS)
values = st.one_of(st.none(), st.binary(max_size=30), st.integers(0, 900).map(bytes))


@dataclass(eq=False)
class Claim:
    """Who computes a call."""

    place: int
    stack: int


@dataclass
class Model:
    """What a board with all the room of the world would know."""

    running: dict = field(default_factory=dict)
    done: dict = field(default_factory=dict)
    waits: dict = field(default_factory=dict)
    """For each place and stack: the claim that it waits for, and of which key."""

    def seen_by(self, place, key):
        claim = self.running.get(key)
        return claim and Running(claim.place, claim.stack, mine=claim.place == place)

    def running_beside(self, key):
        bucket = zlib.crc32(key) % BUCKETS
        return sum(zlib.crc32(other) % BUCKETS == bucket for other in self.running)

    def closes_ring(self, who, claim):
        for _ in range(100):
            at = (claim.place, claim.stack)
            if at == who:
                return True
            key, claim = self.waits.get(at, (None, None))
            if claim is None or self.running.get(key) is not claim:
                return False
        return False


class BoardMachine(RuleBasedStateMachine):
    """Several workers in one process; what is dropped for want of room is dropped from the model too."""

    @initialize()
    def begin(self):
        self.memory = BoardMemory(PLACES, buckets=BUCKETS, log=LOG)
        self.lives = itertools.count(1)
        self.boards, self.life = [None] * PLACES, [0] * PLACES
        self.model = Model()
        self.read = Counter()
        for place in range(PLACES):
            self.be_born(place)

    def be_born(self, place):
        self.life[place] = next(self.lives)
        self.boards[place] = Board(self.memory, place, self.life[place])

    def check(self, found, place, key):
        """Hold what `look` or `claim` returned to the model; a result may have been dropped."""
        if key in self.model.running:
            assert found == self.model.seen_by(place, key)
        elif found is None:
            self.model.done.pop(key, None)
        else:
            assert found == Done(*self.model.done[key])

    @rule(place=places, key=keys)
    def look(self, place, key):
        self.check(self.boards[place].look(key), place, key)

    @rule(place=places, key=keys, stack=stacks)
    def claim(self, place, key, stack):
        is_full = self.model.running_beside(key) == 4
        found = self.boards[place].claim(key, stack)
        if isinstance(found, Unshared):
            assert is_full
            assert key not in self.model.running
            return
        self.check(found, place, key)
        if found is None:
            assert not is_full
            self.model.running[key] = Claim(place, stack)

    @precondition(lambda self: self.model.running)
    @rule(data=st.data(), value=values)
    def publish(self, data, value):
        key = data.draw(st.sampled_from(sorted(self.model.running)))
        claim = self.model.running.pop(key)
        seconds = float(next(self.lives))
        woken = self.boards[claim.place].publish(key, value, seconds)
        waiting = {who[0] for who, awaited in self.model.waits.items() if awaited == (key, claim)}
        assert waiting <= woken
        for place in range(PLACES):
            expected = None if value is None else Done(value, seconds)
            assert self.boards[place].look(key) == expected
        if value is not None:
            self.model.done[key] = (value, seconds)

    @rule(place=places, key=keys, value=values)
    def publish_what_was_not_claimed(self, place, key, value):
        claim = self.model.running.get(key)
        if claim is not None and claim.place == place:
            return
        is_full = self.model.running_beside(key) == 4
        assert self.boards[place].publish(key, value, 1.0) == set()
        if value is not None and claim is None and not is_full:
            self.model.done[key] = (value, 1.0)
            assert self.boards[place].look(key) == Done(value, 1.0)

    @rule(place=places, key=keys, stack=stacks)
    def wait(self, place, key, stack):
        verdict = self.boards[place].wait(key, stack)
        claim = self.model.running.get(key)
        self.model.waits.pop((place, stack), None)
        if claim is None:
            assert verdict is Wait.GONE
        elif self.model.closes_ring((place, stack), claim):
            assert verdict is Wait.RING
        else:
            assert verdict is Wait.WAITING
            self.model.waits[place, stack] = (key, claim)

    @rule(place=places, stack=stacks)
    def unwait(self, place, stack):
        self.boards[place].unwait(stack)
        self.model.waits.pop((place, stack), None)

    @rule(place=places)
    def die(self, place):
        self.memory.bury(self.life[place])
        self.boards[place].close()
        for key, claim in [*self.model.running.items()]:
            if claim.place == place:
                del self.model.running[key]
        for who in [who for who in self.model.waits if who[0] == place]:
            del self.model.waits[who]
        self.be_born(place)

    @invariant()
    def claims_are_never_dropped(self):
        for key in self.model.running if hasattr(self, "model") else ():
            for place in range(PLACES):
                assert self.boards[place].look(key) == self.model.seen_by(place, key)

    def teardown(self):
        if hasattr(self, "memory"):
            for board in self.boards:
                board.close()
            self.memory.close()


TestBoard = BoardMachine.TestCase
TestBoard.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
