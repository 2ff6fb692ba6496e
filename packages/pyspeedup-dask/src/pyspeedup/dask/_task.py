"""One evaluation: which nested calls it computes itself, which it leaves to other workers, and when.

A task costs milliseconds, so only what takes longer is worth one. Calls of a function whose calls take at least
the threshold by themselves are tasks, so that all the cluster computes each once; hints for them are begun at once. So is the call of
a function of which nothing is known yet, unless it is part of one of that function. Others are computed
on the spot. Of the hints for them the oldest, which stands for the largest part of the work, becomes a task when this evaluation
has computed for as long as the threshold since the last; that bounds what it costs, whatever the calls take.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.concurrent._caching.calls import arguments_of
from pyspeedup.dask._homes import FIRST_GENERATION, UNKNOWN
from pyspeedup.dask._identity import digest_of_call, task_key
from pyspeedup.dask._packing import dumps
from pyspeedup.dask._sending import Call, as_payload, send
from pyspeedup.dask._waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.dask._homes import Generation, Home
    from pyspeedup.dask._outcome import Outcome
    from pyspeedup.dask._sending import Header

__all__ = ["Task"]

Memory: TypeAlias = "dict[Key, Any]"

MOST_NOTES = 1_000
MOST_KEPT = 1_000
"""Results of other tasks that are held on to because this one was made from them."""


class _Frame:
    """A call that is being computed here."""

    __slots__ = ("begun", "elsewhere", "home", "is_first", "key")

    def __init__(self, home: Home, key: Key | None, *, is_first: bool = True) -> None:
        self.home = home
        self.key = key
        self.is_first = is_first
        """Whether the same call is not being computed further out."""
        self.begun = time.perf_counter()
        self.elsewhere = 0.0
        """Seconds of it that were other calls', or spent waiting."""

    def own_seconds(self, now: float) -> float:
        return now - self.begun - self.elsewhere


class Task:
    """See the module. It belongs to one thread."""

    def __init__(self, header: Header, key: str, call: Call) -> None:
        """Begin to count the time."""
        self.header = header
        self.key = key
        self.call = call
        self.made_from: deque[Any] = deque(maxlen=MOST_KEPT)
        self._frames: list[_Frame] = []
        self._running: set[tuple[Home, Key]] = set()
        """What the frames are about."""
        self._asked: tuple[Home, Key] | None = None
        self._notes: deque[tuple[Home, Memory, Key]] = deque()
        self._given: dict[tuple[Home, Key], Any] = {}
        self._pause = header.threshold
        self._not_before = time.perf_counter() + self._pause

    def compute(self, home: Home, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer the call that this evaluation is about."""
        self._frames = [_Frame(home, None)]
        try:
            self._asked = (home, home.normalize(args, kwargs))
        except TypeError:  # it can't be remembered, or the function does not take it: it will tell
            self._asked = None
        return home.compute(args, kwargs)

    def own_seconds(self) -> float | None:
        """Return what a call of the function takes by itself, as far as is known by now."""
        home = self._frames[0].home if self._frames else None
        return home.seconds if home is not None and home.is_known else None

    def generation_of(self, digest: str) -> Generation:
        """Return which memory of a function this evaluation keeps to."""
        return self.header.generations.get(digest, FIRST_GENERATION)

    # What memoized functions ask -----------------------------------------------------------------

    def enter(self, home: Home, memory: Memory, key: Key) -> Any:
        """Return a value that another task has computed; `UNKNOWN`: compute it here, then `leave`."""
        call = (home, key)
        is_first = call not in self._running
        if self._asked == call:
            self._asked = None
        elif is_first:
            future = self._task_for(home, memory, key)
            if future is not None:
                value = self._fetch(future, home, memory, key)
                if value is not UNKNOWN:
                    return value
        self._running.add(call)
        self._frames.append(_Frame(home, key, is_first=is_first))
        return UNKNOWN

    def leave(self) -> None:
        """Measure a call that has ended, or failed."""
        frame, now = self._frames.pop(), time.perf_counter()
        if frame.is_first:
            self._running.discard((frame.home, frame.key))
        frame.home.learn(frame.own_seconds(now))
        self._frames[-1].elsewhere += now - frame.begun

    def note(self, home: Home, memory: Memory, keys: Iterable[Key]) -> None:
        """Keep hints, or begin them where they are worth it for sure."""
        hints = [(home, memory, key) for key in keys if key not in memory]
        if home.is_heavy(self.header.threshold):
            self._give(hints)
        else:
            self._notes.extend(hints[: MOST_NOTES - len(self._notes)])

    # Tasks of nested calls ----------------------------------------------------------------------

    def _is_new(self, home: Home) -> bool:
        """Tell whether nothing is known of a function, and nothing will be without a call of it."""
        return (
            not home.is_known
            and self.header.threshold < math.inf
            and home.digest not in self.call.within
            and not any(frame.home is home for frame in reversed(self._frames))
        )

    def _task_for(self, home: Home, memory: Memory, key: Key) -> Any | None:
        """Return the future of a call that is a task by now, or None if it is to be computed here."""
        self._notice_weight()
        future = self._given.pop((home, key), None)
        if future is None and (home.is_heavy(self.header.threshold) or self._is_new(home)):
            self._give([*self._heavy_notes(), (home, memory, key)])
            future = self._given.pop((home, key), None)
        elif future is None:
            self._give_if_due((home, key))
        return future

    def _notice_weight(self) -> None:
        """Learn from a call that has taken long already, before it has ended."""
        frame = self._frames[-1]
        seconds = frame.own_seconds(time.perf_counter())
        if frame.key is not None and seconds >= self.header.threshold > frame.home.seconds:
            frame.home.learn(seconds)

    def _heavy_notes(self) -> list[tuple[Home, Memory, Key]]:
        heavy = [note for note in self._notes if note[0].is_heavy(self.header.threshold)]
        if heavy:
            self._notes = deque(note for note in self._notes if note not in heavy)
        return heavy

    def _give_if_due(self, but: tuple[Home, Key]) -> None:
        now = time.perf_counter()
        while self._notes and now >= self._not_before:
            note = self._notes.popleft()
            if (note[0], note[2]) != but and self._give([note]):
                self._not_before = time.perf_counter() + self._pause

    def _give(self, wanted: Iterable[tuple[Home, Memory, Key]]) -> bool:
        """Make tasks of those calls that are neither known, running nor tasks; tell whether any was."""
        calls: dict[Home, dict[Key, tuple[str, Call]]] = {}
        within = self.call.within.union(frame.home.digest for frame in self._frames)
        for home, memory, key in wanted:
            known = key in memory or (home, key) in self._given
            if not known and (home, key) not in self._running:
                call = self._pack(home, key, within)
                if call is not None:
                    calls.setdefault(home, {})[key] = call
        for home, of_home in calls.items():
            futures = self._send(home, list(of_home.values()))
            self._given.update(zip(((home, key) for key in of_home), futures, strict=True))
            self.made_from.extend(futures)
        return bool(calls)

    def _pack(self, home: Home, key: Key, within: frozenset[str]) -> tuple[str, Call] | None:
        args, kwargs = arguments_of(key)
        try:
            packed = dumps((args, kwargs), f"the arguments of {home.name}()", self.generation_of)
        except TypeError:  # it will be computed here
            return None
        digest = digest_of_call(args, kwargs, packed)
        generation = self.generation_of(home.digest).name
        call = Call(packed, self.call.depth + 1, self.call.root, within=within)
        return task_key(home.name, home.digest, generation, digest), call

    def _send(self, home: Home, calls: list[tuple[str, Call]]) -> list[Any]:
        from distributed import get_client

        from pyspeedup.dask._evaluation import evaluate

        client, packed, payload = get_client(), home.packed, home.holder
        if packed is None:
            packed = home.packed = dumps(home.meaning, f"{home.name}()", self.generation_of)
        if payload is None:
            payload = home.holder = as_payload(client, packed)
        header = self.header._replace(
            digest=home.digest,
            name=home.name,
            binding=home.binding,
            seconds=home.seconds if home.is_known else None,
        )
        return send(client, evaluate, header, payload, calls)

    def _is_news(self, future: Any, outcome: Outcome) -> bool:
        """Let go of an error, which is not to be remembered; tell whether this call arose from ours and raised it."""
        if future in self.made_from:
            self.made_from.remove(future)
        future.release()
        return outcome.root == self.call.root and not outcome.unsendable

    def _fetch(self, future: Any, home: Home, memory: Memory, key: Key) -> Any:
        """Wait for a task, and remember and return its value; `UNKNOWN` if it waits for us."""
        begun = time.perf_counter()
        try:
            outcome = wait_for(future, self.key, home.name)
        finally:
            self._frames[-1].elsewhere += time.perf_counter() - begun
        if outcome is not None and outcome.own_seconds is not None:
            home.hear(outcome.own_seconds)
        if outcome is None or (outcome.failed and not self._is_news(future, outcome)):
            return UNKNOWN
        cheap = outcome.seconds < self.header.threshold
        self._pause = 2 * self._pause if cheap else self.header.threshold
        value = memory[key] = outcome.fetch(self.header.token)
        return value
