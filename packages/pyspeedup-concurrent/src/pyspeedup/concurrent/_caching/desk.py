"""The desk of somebody who evaluates: what will be wanted, what others compute, what to tell them.

Noting a call that will be wanted costs about an append. Only when the dispatcher says that somebody is idle is
the oldest note given away. Calls of functions that are dear, see `costs`, are claimed on a
board that all can see before they are computed, and what they came to is published there; a call that somebody
else computes is waited for, while other stacks run. Cheap calls are computed by whoever needs them and never spoken of,
but for those that turn out to take long, which are claimed while they run.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.board import Done, Running, Wait
from pyspeedup.concurrent._caching.local import ANSWERED, key_begun_in
from pyspeedup.concurrent._caching.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.local import Memory
    from pyspeedup.concurrent._caching.notes import Note
    from pyspeedup.concurrent._caching.office import Board, Office
    from pyspeedup.concurrent._caching.tally import Tally

__all__ = ["Desk"]

MOST_GIFTS = 8
"""So many calls are left to somebody idle at a time: to ask again takes longer than to find out that one is known."""
GIVEN = object()
"""Marks what was left to others; they may have begun it."""
CHEAP_GIFT = 0.001
"""Seconds that what was given away should have taken in all, for the next to follow at once."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.05
MOST_LATE = 64
"""So many frames of a stack are looked through at a tick for calls that take long."""


class _Claim:
    """A call that is watched: it may have been claimed, and it is measured."""

    __slots__ = ("begun", "entered", "inner", "inner_calls", "name", "size", "stack")

    def __init__(self, name: Hashable | None, stack: _Stack, entered: float, size: int) -> None:
        self.name = name
        self.stack = stack
        self.entered = entered
        """When looking around began, which is nobody's own work."""
        self.begun = 0.0
        self.inner = stack.inner
        self.inner_calls = stack.inner_calls
        self.size = size


class _Stack:
    """What belongs to one of a worker's stacks."""

    __slots__ = ("gave", "inner", "inner_calls", "notes", "number", "owner")

    def __init__(self, number: int = 0, owner: int | None = None) -> None:
        self.number = number
        self.owner = owner
        self.notes = Notes()
        self.gave: list[Note] = []
        self.inner = 0.0
        """Seconds that watched calls have taken within the one that is being computed."""
        self.inner_calls = 0


class Desk:
    """See the module. `flag[0]` is set by whoever wants this desk to look around.

    Only the thread that runs the present stack is heard; others compute by themselves.
    """

    def __init__(self, office: Office, flag: Any) -> None:
        """Begin with an empty desk."""
        self.flag = flag
        self.has_room = True
        """Whether a note would be kept."""
        self._office = office
        self._board = office.board
        self._stack = _Stack()
        self._aside: list[_Stack] = []
        self._memories: weakref.WeakSet[Memory] = weakref.WeakSet()
        """Those whose calls are measured, and which every tick looks at."""
        self._long: set[tuple[Memory, Key]] = set()
        self._not_before = 0.0
        self._pause = 0.0
        self._unmet = False
        self._changing = threading.Lock()
        """Held while the present stack is changed for another, and by who looks at it from another thread."""

    # Stacks -----------------------------------------------------------------------------------

    def begin(self, number: int) -> None:
        """Begin a fresh stack in the calling thread."""
        self._stack = _Stack(number, threading.get_ident())
        self.has_room = True
        self._unmet = False

    def end(self) -> None:
        """End the present stack: what it noted and gave away, it no longer wants."""
        with self._changing:
            ended, self._stack = self._stack, _Stack()
        self.has_room = True
        ended.notes.clear()
        for note in ended.gave:
            note.memory.marks.pop(note.key, None)
        places = self._board.abandon(ended.number)
        if places:
            self._office.wake(places)

    def detach(self, board: Board) -> None:
        """Be heard by nobody from now on, as in a process that was forked while another thread looked."""
        self._changing = threading.Lock()
        self._board = board
        self._stack, self._aside = _Stack(), []
        self._memories = weakref.WeakSet()

    def put_aside(self) -> _Stack:
        """Leave the present stack for another, and return what `restore` takes it up again by."""
        with self._changing:
            aside, self._stack = self._stack, _Stack()
        self._aside.append(aside)
        return aside

    def restore(self, stack: _Stack) -> None:
        """Go on with a stack that was put aside."""
        self._aside.remove(stack)
        self._stack = stack
        self.has_room = stack.notes.has_room

    # Notes ------------------------------------------------------------------------------------

    def note(self, memory: Memory, key: Key) -> None:
        """Take notice of a call that will be wanted, in O(1)."""
        stack = self._stack
        if not (key in memory.values or key in memory.marks) and self._is_heard():
            stack.notes.add(memory, key)
            self._have_noted(stack)

    def note_lot(
        self,
        memory: Memory,
        calls: tuple[tuple[Any, ...], ...],
        key_of: Callable[[tuple[Any, ...], dict[str, Any]], Key],
    ) -> None:
        """Take notice of many calls, of which the first is about to be begun."""
        stack = self._stack
        if self._is_heard():
            stack.notes.add_lot(memory, calls, key_of)
            self._have_noted(stack)

    def _is_heard(self) -> bool:
        return self._stack.owner == threading.get_ident()

    def _have_noted(self, stack: _Stack) -> None:
        self.has_room = stack.notes.has_room
        if self._unmet:
            self.flag[0] = 1

    def note_for_here(self) -> Note | None:
        """Take a call out that a stack which waits has noted, and that nobody computes.

        Not one of a cheap function: what it needs is likely to be what the stack waits for.
        """
        for stack in self._aside:
            while (memory := stack.notes.first_memory) is not None and memory.costs.dear:
                note = stack.notes.take()
                if note is not None and self._is_free(note):
                    return note
        return None

    def _is_free(self, note: Note) -> bool:
        name = self._office.name(note.memory, note.key)
        return name is not None and self._board.look(name) is None

    # Computing --------------------------------------------------------------------------------

    def look_after(self, memory: Memory) -> None:
        """Have the ticks look at a memory, though what its calls cost may be known already."""
        self._memories.add(memory)

    def enter(self, memory: Memory, key: Key) -> _Claim | object | None:
        """Look around; then claim the call if it is dear, or wait for whoever computes it."""
        if not self._is_heard():
            return None
        entered = time.perf_counter()
        if self.flag[0]:
            self.look()
        was_given = memory.marks.pop(key, None) is GIVEN
        if was_given or memory.costs.claims:
            return self._claim(memory, key, entered)
        return self._watch(memory, None, entered) if memory.costs.watched else None

    def _watch(self, memory: Memory, name: Hashable | None, entered: float) -> _Claim:
        stack = self._stack
        claim = _Claim(name, stack, entered, len(memory.values))
        stack.inner, stack.inner_calls = 0.0, 0
        self._memories.add(memory)
        if memory.costs.begin():
            memory.rewatch()
        claim.begun = time.perf_counter()
        return claim

    def _claim(self, memory: Memory, key: Key, entered: float) -> _Claim | object | None:
        name = self._office.name(memory, key)
        if name is None:
            return self._watch(memory, None, entered)
        while True:
            found = self._board.claim(name, self._stack.number)
            if not isinstance(found, Running):
                return self._take(memory, key, name, found, entered)
            # What its own stack computes it needs for ever, and will find that out.
            is_own = found.mine and found.stack == self._stack.number
            if is_own or not self._wait(memory, name):
                return self._watch(memory, None, entered)
            if key in memory.values:
                return ANSWERED

    def _take(
        self, memory: Memory, key: Key, name: Hashable, found: Any, entered: float
    ) -> _Claim | object | None:
        """Go by what the board has said of a call that nobody computes."""
        if isinstance(found, Done):
            return ANSWERED if self._fetch(memory, key, found) else None
        if found is not None:  # there is no room to tell of it
            return self._watch(memory, None, entered)
        if key in memory.values:  # another stack, or thread, had it at that moment
            self._publish(memory, name, None, 0.0)
            return ANSWERED
        return self._watch(memory, name, entered)

    def _fetch(self, memory: Memory, key: Key, found: Done) -> bool:
        try:
            value = self._office.unpack(found.data)
        except Exception:  # noqa: BLE001 -- a class's own code; computed here, it needs no unpickling
            return False
        memory.values[key] = value
        memory.tally.fetched += 1
        self._learn(found.seconds)
        return True

    def _wait(self, memory: Memory, name: Hashable) -> bool:
        """Wait for news of a call; False if those who compute it wait for us."""
        stack = self._stack
        verdict = self._board.wait(name, stack.number)
        if verdict is not Wait.WAITING:
            return verdict is Wait.GONE
        begun = time.perf_counter()
        idle = self._office.park(name)
        self._board.unwait(stack.number)
        stack.inner += time.perf_counter() - begun
        memory.tally.waits += 1
        memory.tally.waited += idle
        return True

    def leave(self, memory: Memory, key: Key, claim: _Claim | None, value: Any) -> None:
        """Publish a value that was claimed, and take in what it cost."""
        name, seconds = None, LONGEST_PAUSE
        if claim is not None:
            name, seconds = claim.name, self._measure(memory, claim)
        if name is None:
            name = memory.late.pop(key, None)
        if name is not None:
            self._publish(memory, name, self._office.pack(memory, value), seconds)
        if claim is not None:
            self._return_to(claim, memory)

    def compute_gift(self, memory: Memory, key: Key, compute: Callable[[], Any]) -> None:
        """Compute what another desk gave away, unless somebody has begun it, and publish it."""
        name = self._office.name(memory, key)
        if name is None or self._board.claim(name, self._stack.number) is not None:
            return
        begun = time.perf_counter()
        try:
            value = compute()
        except BaseException:
            self._publish(memory, name, None, 0.0)
            raise
        seconds = time.perf_counter() - begun
        self._publish(memory, name, self._office.pack(memory, value), seconds)

    def fail(self, memory: Memory, key: Key, claim: _Claim | None) -> None:
        """Leave a claim to others: whoever needs the call will meet the error by itself."""
        if claim is not None:
            self._return_to(claim, memory)
        name = memory.late.pop(key, None) if claim is None or claim.name is None else claim.name
        if name is not None:
            self._publish(memory, name, None, 0.0)

    def _publish(self, memory: Memory, name: Hashable, data: Any, seconds: float) -> None:
        memory.tally.published += data is not None
        places = self._board.publish(name, data, seconds)
        if places:
            self._office.wake(places)

    # Costs ------------------------------------------------------------------------------------

    def _measure(self, memory: Memory, claim: _Claim) -> float:
        """Take in what a watched call cost by itself; return what it took in all."""
        stack = claim.stack
        total = time.perf_counter() - claim.begun
        own = max(0.0, total - stack.inner)
        memory.tally.seconds += own
        # Calls that were not watched are its own: whoever computes it again computes them too.
        unwatched = len(memory.values) - claim.size - stack.inner_calls
        if memory.costs.add(own / max(1, unwatched)):
            memory.rewatch()
        return total

    def _return_to(self, claim: _Claim, memory: Memory) -> None:
        """Go on with the call that needed this one, which is not to be charged with it."""
        stack = claim.stack
        stack.inner = claim.inner + time.perf_counter() - claim.entered
        stack.inner_calls = claim.inner_calls + max(1, len(memory.values) - claim.size)

    def take_tallies(self) -> dict[int, Tally]:
        """Return what happened to each function's calls since this was asked last."""
        memories = [*self._memories]
        return {memory.number: memory.take_tally() for memory in memories if memory.has_tally()}

    # Giving -----------------------------------------------------------------------------------

    def look(self) -> None:
        """Give the oldest note away if somebody is idle."""
        with self._changing:
            self._look()

    def _look(self) -> None:
        self.flag[0] = 0
        if not self._office.hungry():
            self._unmet = False
            return
        if time.perf_counter() < self._not_before:
            return  # until the next tick
        notes = self._oldest_notes()
        self._unmet = not notes
        for memory, alike in itertools.groupby(notes, lambda note: note.memory):
            self._give(memory, [*alike])

    def _give(self, memory: Memory, notes: list[Note]) -> None:
        if self._office.give(memory, [note.key for note in notes]):
            for note in notes:
                memory.marks[note.key] = GIVEN
            self._stack.gave += notes
            memory.tally.exported += len(notes)
            if not memory.costs.dear:
                self._rest()
        else:  # whoever is idle still is, so a tick is to look again
            self._rest()

    def _oldest_notes(self) -> list[Note]:
        """Take the oldest call out, or a few where its function is dear: some will turn out to be known.

        The last of them may be one of another function, where those before it had been begun.
        """
        notes = self._stack.notes
        found: list[Note] = []
        while len(found) < MOST_GIFTS and (not found or self._is_alike(found[-1], notes)):
            note = notes.take()
            if note is None:
                break
            found.append(note)
        self.has_room = notes.has_room
        return found

    def _is_alike(self, note: Note, notes: Notes) -> bool:
        return notes.first_memory is note.memory and note.memory.costs.dear

    def _learn(self, seconds: float) -> None:
        """Give again at once if what others computed was worth it."""
        if seconds >= CHEAP_GIFT:
            self._pause = self._not_before = 0.0

    def _rest(self) -> None:
        self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._not_before = time.perf_counter() + self._pause

    # Every now and then, from another thread --------------------------------------------------

    def tick(self) -> None:
        """Claim what has been running since the last tick, and have cheap functions watched again."""
        for memory in [*self._memories]:
            if not memory.costs.proven_dear:
                memory.costs.sample()
                memory.rewatch()
        with self._changing:
            running = [call for call in self._innermost() if not call[0].costs.proven_dear]
            for memory, key in filter(self._long.__contains__, running):
                if key not in memory.late and key not in memory.values:
                    self._claim_late(memory, key)
            self._long = set(running)
            if self.flag[0] or self._unmet or self._not_before:
                self._look()

    def late_names(self) -> list[Any]:
        """Return the names of what was claimed while it ran, and still runs."""
        return [name for memory in [*self._memories] for name in [*memory.late.values()]]

    def _innermost(self) -> list[tuple[Memory, Key]]:
        """Return what the present stack computes, the innermost `MOST_LATE` frames of it."""
        frame = sys._current_frames().get(self._stack.owner or 0)  # noqa: SLF001 -- what CPython offers for this
        found = []
        for _ in range(MOST_LATE):
            if frame is None:
                break
            call = key_begun_in(frame)
            if call is not None:
                found.append(call)
            frame = frame.f_back
        return found

    def _claim_late(self, memory: Memory, key: Key) -> None:
        name = self._office.name(memory, key)
        if name is None or self._board.claim(name, self._stack.number) is not None:
            return
        memory.late[key] = name
        # Whoever computes it remembers the value first, and looks for late claims then.
        if key in memory.values and memory.late.pop(key, None) is not None:
            self._publish(memory, name, None, 0.0)
