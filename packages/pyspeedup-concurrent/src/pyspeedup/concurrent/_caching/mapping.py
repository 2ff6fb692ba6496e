"""The calls of one `Cache.map`: begun ahead of who reads the results, in chunks, and within bounds."""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.recall import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.evaluating import Evaluating, Share
    from pyspeedup.concurrent._caching.pacing import Pacer
    from pyspeedup.concurrent._caching.recall import Recall

__all__ = ["Feed", "Part"]

LONGEST_STRETCH = 256


class Part:
    """Consecutive calls of a map, and what their outcomes come from."""

    def __init__(
        self,
        size: int,
        shares: Sequence[Share] = (),
        places: Sequence[Callable[[], Any]] | None = None,
        futures: Sequence[Future[Any]] = (),
        known: list[Any] | None = None,
    ) -> None:
        """Take the outcomes from `known`, or `places`, each of which returns one or raises, or the one share."""
        self.size = size
        self.hits = 0
        """Of the calls, those that took no evaluation of their own."""
        self.shares = shares
        self._places = places
        self._known = known
        self._futures = [*(share.settled for share in shares), *futures]
        self._lock = threading.Lock()
        self._missing = len(self._futures)
        self.is_done = not self._futures

    def when_done(self, tell: Callable[[Part], None]) -> None:
        """Have `tell` called, in any thread, once all outcomes are there."""

        def one_more(_future: Future[Any]) -> None:
            with self._lock:
                self._missing -= 1
                is_last = not self._missing
            if is_last:
                tell(self)

        for future in self._futures:
            future.add_done_callback(one_more)

    def outcome(self) -> tuple[list[Any], BaseException | None]:
        """Return the values, up to the first error, and that."""
        if self._known is not None:
            return self._known, None
        if self._places is None:
            batch = self.shares[0].settled.result()
            return batch.values, batch.error
        values: list[Any] = []
        try:
            for place in self._places:
                values.append(place())  # noqa: PERF401 -- an error must leave those before it
        except BaseException as error:  # noqa: BLE001 -- it is the reader's, whatever it is
            return values, error
        return values, None

    def cancel(self) -> None:
        """Drop what has not begun."""
        for share in self.shares:
            if share.begun is not None:
                share.begun.cancel()


class Feed:
    """Keeps each worker supplied with two parts, and no more calls begun than `most` beyond those read."""

    def __init__(
        self,
        evaluating: Evaluating,
        recall: Callable[[], Recall],
        calls: Iterator[tuple[Any, ...]],
        pacer: Pacer,
        *,
        workers: int,
        most: int,
    ) -> None:
        """Read nothing of `calls` yet; `recall` tells what the Cache remembers by at that moment."""
        self._evaluating = evaluating
        self._recall = recall
        self._calls = calls
        self._pacer = pacer
        self._supply = 2 * workers
        self._most = most
        self._ahead = 0
        self._under_way = 0
        self._parts: dict[Part, None] = {}
        self._complete: dict[Part, None] = {}
        """Those of them that can be read, in the order in which they came to that."""
        self._news: SimpleQueue[Part] = SimpleQueue()
        self._is_exhausted = False
        self._process = os.getpid()
        self._stretch = 1
        """How many calls are looked up at once; more while none of them has to be evaluated."""

    # For the reader ---------------------------------------------------------------------------

    def next_part(self, *, ordered: bool, deadline: float | None) -> Part | None:
        """Wait for a part, the first one if `ordered`; None if there are no more.

        `TimeoutError` at `deadline`, a time of `time.monotonic`.
        """
        self.fill()
        while self._parts:
            part = next(iter(self._parts if ordered else self._complete), None)
            if part is not None and part.is_done:
                del self._parts[part], self._complete[part]
                return part
            self._wait(deadline)
            self.fill()
        return None

    def read(self, part: Part) -> None:
        """Begin other calls for those of a part, which were read."""
        self._recall().count(hits=part.hits)
        self._ahead -= part.size
        self.fill()

    def close(self) -> None:
        """Drop what has not begun."""
        self._is_exhausted = True
        if os.getpid() == self._process:
            for part in self._parts:
                part.cancel()
        self._parts.clear()
        self._complete.clear()

    def _wait(self, deadline: float | None) -> None:
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            self._take_in(self._news.get(timeout=timeout))
        except Empty:
            raise TimeoutError("the next result of map was not there in time") from None

    def _take_in(self, part: Part) -> None:
        part.is_done = True
        self._under_way -= 1
        self._complete[part] = None
        for share in part.shares:
            if share.settled.exception() is None:
                batch = share.settled.result()
                calls = len(batch.values) + (batch.error is not None)
                self._pacer.measured(calls, batch.seconds)

    # Beginning calls --------------------------------------------------------------------------

    def fill(self) -> None:
        """Begin what there is room for, as far as workers can take it."""
        if os.getpid() != self._process:
            raise RuntimeError("this map was begun before a fork; its results go to the parent")
        while not self._news.empty():
            self._take_in(self._news.get())
        while not self._is_exhausted and self._under_way < self._supply:
            room = self._most - self._ahead
            if room < 1 or not self._begin(min(self._pacer.size(), room), room):
                return

    def _begin(self, size: int, room: int) -> bool:
        """Begin some calls, up to `size` together; false if the reader should have a look at the results first."""
        block, error = self._read_calls(max(size, min(self._stretch, room)))
        parts = self._parts_of(block, size) if block else []
        if error is not None:
            self._is_exhausted = True
            parts.append(Part(1, places=[functools.partial(_raise, error)]))
        for part in parts:
            self._ahead += part.size
            self._parts[part] = None
            if part.is_done:
                self._complete[part] = None
            else:
                self._under_way += 1
                part.when_done(self._news.put)
        while not self._news.empty():  # an engine that computes at once
            self._take_in(self._news.get())
        return bool(parts) and (self._under_way > 0 or not parts[-1].is_done)

    def _read_calls(self, size: int) -> tuple[list[tuple[Any, ...]], Exception | None]:
        block: list[tuple[Any, ...]] = []
        try:
            block.extend(itertools.islice(self._calls, size))
        except Exception as error:  # noqa: BLE001 -- the input's own; it is raised at its place
            return block, error
        self._is_exhausted = len(block) < size
        self._pacer.taken(len(block))
        return block, None

    def _parts_of(self, block: list[tuple[Any, ...]], size: int) -> list[Part]:
        recall = self._recall()
        try:
            keys = self._evaluating.normalize.keys_of(block)
            known = self._known_values(recall, keys)
            if known is not None:
                part = Part(len(keys), known=known)
                part.hits = len(keys)
                return [part]
            slices = [keys[start : start + size] for start in range(0, len(keys), size)]
            return [self._part_of(recall, part) for part in slices]
        except Exception:  # noqa: BLE001 -- one of them is to blame, which is found out now
            return [self._part_of_one(recall, call) for call in block]

    def _known_values(self, recall: Recall, keys: list[Key]) -> list[Any] | None:
        """Return the values of calls that are all known; a map over such looks up more and more at once."""
        if recall.memory.get(keys[0], MISSING) is not MISSING:
            values = [recall.memory.get(key, MISSING) for key in keys]
            if all(value is not MISSING for value in values):
                self._stretch = min(2 * self._stretch, LONGEST_STRETCH)
                return values
        self._stretch = 1
        return None

    def _part_of(self, recall: Recall, keys: list[Key]) -> Part:
        share = self._evaluating.begin_share(recall, keys)
        if len(share.keys) == len(keys):
            return Part(len(keys), [share])
        return self._mixed_part(recall, keys, share)

    def _part_of_one(self, recall: Recall, call: tuple[Any, ...]) -> Part:
        try:
            promise, _ = self._evaluating.begin(recall, self._evaluating.normalize(call, {}))
        except Exception as error:  # noqa: BLE001 -- it is raised at its place
            return Part(1, places=[functools.partial(_raise, error)])
        return Part(1, places=[promise.result], futures=[promise])

    def _mixed_part(self, recall: Recall, keys: list[Key], share: Share) -> Part:
        """Return a part of which others have computed some, or compute them now."""
        own = {key: position for position, key in enumerate(share.keys)}
        places: list[Callable[[], Any]] = []
        futures: list[Future[Any]] = []
        hits = 0
        for key in keys:
            value = MISSING if key in own else recall.memory.get(key, MISSING)
            if value is not MISSING:
                hits += 1
                places.append(functools.partial(_return, value))
            elif key in own:
                places.append(functools.partial(_outcome_of, share, own[key]))
            else:
                promise, is_begun = self._evaluating.begin(recall, key)
                hits += not is_begun
                places.append(promise.result)
                futures.append(promise)
        part = Part(len(keys), [share] if share.keys else [], places, futures)
        part.hits = hits
        return part


def _raise(error: BaseException) -> Any:
    raise error


def _return(value: Any) -> Any:
    return value


def _outcome_of(share: Share, position: int) -> Any:
    batch = share.settled.result()
    if position < len(batch.values):
        return batch.values[position]
    assert batch.error is not None  # noqa: S101 -- or there would be a value for each call
    raise batch.error
