"""The desk of somebody who evaluates: notes of calls that will be wanted, and what was given away.

Noting costs about an append. Only when the dispatcher says that somebody is idle is the oldest note
given away, and what was given away is asked for when it is needed. Giving pays only for calls that
take longer than the messages about them, so it pauses while a function's calls, or what was given away, turn out to be
cheap.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pyspeedup.concurrent._caching.dispatcher import Verdict
from pyspeedup.concurrent._caching.local import ANSWERED, Duty

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.local import Memory

__all__ = ["Answer", "DutyToTell", "Notebook", "Office"]

MOST_NOTES = 64
CHEAP = 0.00005
"""Seconds; of a function whose calls take less by themselves, parts are seldom given away."""
CHEAP_GIFT = 0.001
"""Seconds that a call given away should have taken in all, for the next to follow at once."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.05
SAMPLE = 20
"""So many calls, or so many times `SHORTEST_PAUSE`, are enough to tell what one takes."""


class Answer(NamedTuple):
    """What a call came to, elsewhere. `fetch` returns the value or raises the error."""

    fetch: Callable[[], Any]
    seconds: float


class Office(Protocol):
    """The way from a desk to the dispatcher."""

    def give(self, memory: Memory, key: Key, /) -> Any:
        """Leave a call to others; return what `ask` names it by, None if it can't be left."""

    def ask(self, call: Any, /) -> tuple[Verdict, Answer | None]:
        """Wait until it is clear how to come by a call that was given away."""

    def tell(self, call: Any, value: Any, seconds: float, /) -> None:
        """Report the value of a call that somebody else may wait for."""

    def fail(self, call: Any, error: BaseException, seconds: float, /) -> None:
        """Report its error."""


class DutyToTell:
    """See `pyspeedup.concurrent._caching.local.Duty`."""

    def __init__(self, office: Office, call: Any) -> None:
        """Measure from now."""
        self._office = office
        self._call = call
        self._begun = time.perf_counter()

    def tell(self, value: Any, /) -> None:
        """Report the value."""
        self._office.tell(self._call, value, time.perf_counter() - self._begun)

    def fail(self, error: BaseException, /) -> None:
        """Report the error."""
        self._office.fail(self._call, error, time.perf_counter() - self._begun)


class Notebook:
    """A `Desk` that talks to the dispatcher through an `Office`.

    `flag[0]` is 0 while nobody is idle, and another number each time that somebody is anew. Only the
    thread that `owner` names leaves notes; others compute by themselves.
    """

    def __init__(self, office: Office, flag: Any) -> None:
        """Begin with an empty desk."""
        self.flag = flag
        self.seen = [0]
        self.owner: int | None = None
        self._office = office
        self._notes: deque[tuple[Memory, Key]] = deque()
        self._gave: list[tuple[Memory, Key]] = []
        self._not_before = 0.0
        self._pause = 0.0
        self._number = 0
        self._found_nothing = False

    def begin(self) -> None:
        """Begin a fresh stack in the calling thread."""
        self._notes, self._gave = deque(), []
        self.owner = threading.get_ident()
        self._number += 1

    def end(self) -> None:
        """End a stack: what it noted and gave away, it no longer wants."""
        for memory, key in self._gave:
            memory.given.pop(key, None)
        self.owner = None

    def put_aside(self) -> tuple[Any, ...]:
        """Leave a stack for another, and return what `restore` takes it up again by."""
        return (self._notes, self._gave, self.owner)

    def restore(self, stack: tuple[Any, ...]) -> None:
        """Go on with a stack that was put aside."""
        self._notes, self._gave, self.owner = stack

    def has_room(self) -> bool:
        """Tell whether a note would be kept: the oldest are the best, so there are never many."""
        return len(self._notes) < MOST_NOTES

    def note(self, memory: Memory, key: Key) -> None:
        """Take notice of a call that will be wanted, in O(1)."""
        if key not in memory.values and self.owner == threading.get_ident():
            self._notes.append((memory, key))
            if self._found_nothing:
                self.seen[0] = 0  # so that the next `enter` looks again

    def enter(self, memory: Memory, key: Key) -> Duty | object | None:
        """Give a note away if somebody is idle, but not `key`; fetch it if it was given away."""
        if self.owner != threading.get_ident():
            return None
        if self.flag[0] != self.seen[0]:
            self._look(memory, key)
        call = memory.given.pop(key, None)
        return None if call is None else self._fetch(memory, key, call)

    def _look(self, memory: Memory, key: Key) -> None:
        wanted = self.flag[0]
        if wanted and self._notes:
            now = time.perf_counter()
            if now < self._not_before:
                return  # so that it is looked at again
            if self._is_cheap(memory, now):
                self._rest()
                return
        self.seen[0] = wanted
        memory.running.add(key)  # as it is about to be
        note = self._oldest_note() if wanted else None
        self._found_nothing = note is None
        if note is not None:
            self._give(*note)

    def _oldest_note(self) -> tuple[Memory, Key] | None:
        while self._notes:
            memory, key = self._notes.popleft()
            if not (key in memory.values or key in memory.running or key in memory.given):
                return memory, key
        return None

    def _give(self, memory: Memory, key: Key) -> None:
        call = self._office.give(memory, key)
        if call is not None:
            memory.given[key] = call
            self._gave.append((memory, key))

    def _fetch(self, memory: Memory, key: Key, call: Any) -> Duty | object | None:
        verdict, answer = self._office.ask(call)
        if answer is not None:
            self._learn(answer.seconds)
            memory.values[key] = answer.fetch()
            return ANSWERED
        return DutyToTell(self._office, call) if verdict is Verdict.COMPUTE_AND_TELL else None

    def _is_cheap(self, memory: Memory, now: float) -> bool:
        """Tell whether a call takes too little to be given away; one of unknown cost does not."""
        size = len(memory.values)
        stack, since, size_then = memory.mark
        if stack != self._number:
            memory.mark = (self._number, now, size)
        elif size - size_then >= SAMPLE or now - since >= SAMPLE * SHORTEST_PAUSE:
            memory.mean = (now - since) / max(size - size_then, 1)
            memory.mark = (self._number, now, size)
        return memory.mean < CHEAP

    def _learn(self, seconds: float) -> None:
        """Give again at once if what was given away was worth it."""
        if seconds >= CHEAP_GIFT:
            self._pause = 0.0
        else:
            self._rest()

    def _rest(self) -> None:
        self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._not_before = time.perf_counter() + self._pause
