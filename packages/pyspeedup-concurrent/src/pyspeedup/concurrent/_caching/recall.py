"""What a `Cache` knows and what is under way for it, since it was last cleared."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.memories import Everything

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.memories import Memory

__all__ = ["MISSING", "Promise", "Recall"]

MISSING: Final = object()
"""What a memory answers for a call that it does not know."""


class Promise(Future[Any]):
    """The outcome of one call, for all who want it."""

    def __init__(self) -> None:
        """Be wanted by nobody yet."""
        super().__init__()
        self.wanted = 0
        self.begun: Future[Any] | None = None
        """The engine's, once the call was submitted."""


class Recall:
    """Remembers answers, and who computes what is not known yet.

    A call is in the memory before it ceases to be under way, so that whoever looks first for what is
    under way and then into the memory never misses it. `cache_clear` takes another `Recall`: what was
    begun under this one ends in it, and is not seen by anybody new.
    """

    def __init__(self, memory: Memory) -> None:
        """Know what `memory` knows, and have nothing under way."""
        self.memory = memory
        self.hits = 0
        """Calls answered from the memory or by a call under way, but for those that the memory counts."""
        self.misses = 0
        """Evaluations that were begun."""
        self.call: Callable[..., Any]
        """What the Cache is called by."""
        self.is_front = False
        """Whether calls that it has answered do not come further."""
        self.begin_afresh()

    def answer_by(self, answer: Callable[..., Any]) -> None:
        """Have calls answered from memory, those that are not known by `answer`."""
        self.call = self.memory.front(answer)
        self.is_front = isinstance(self.memory, Everything)

    def pass_on_to(self, answer: Callable[..., Any]) -> None:
        """Have all calls answered by `answer`."""
        self.call = answer
        self.is_front = False

    def begin_afresh(self) -> None:
        """Have no call under way, as in a forked process, where nobody would ever answer it."""
        self.memory.begin_afresh()
        self._lock = threading.RLock()  # arguments are compared under it, by code of the user's
        self._is_current = True
        self._promises: dict[Key, Promise] = {}
        self._batches: dict[Key, Future[Any]] = {}

    # Counting ---------------------------------------------------------------------------------

    def counts(self) -> tuple[int, int, int]:
        """Return hits, misses, and the number of answers."""
        return self.hits + self.memory.hits, self.misses, len(self.memory)

    def count(self, *, hits: int = 0, misses: int = 0) -> None:
        """Count calls that were answered, and evaluations that were begun."""
        with self._lock:
            self.hits += hits
            self.misses += misses

    # Remembering ------------------------------------------------------------------------------

    def remember(self, key: Key, value: Any) -> None:
        """Keep an answer, unless `retire` came between."""
        with self._lock:
            if self._is_current:
                self.memory[key] = value

    def remember_batch(self, keys: Sequence[Key], values: Sequence[Any]) -> None:
        """Keep several answers at once; `values` may end early."""
        with self._lock:
            if self._is_current:
                self.memory.update(zip(keys, values, strict=False))

    def retire(self) -> None:
        """Forget all and learn no more; who waits is answered all the same."""
        with self._lock:
            self._is_current = False
            self.memory.clear()

    # What is under way ------------------------------------------------------------------------

    def join(self, key: Key, own: Promise) -> Promise:
        """Return what is promised of a call; `own`, if nobody has promised it before."""
        with self._lock:
            promise = self._promises.setdefault(key, own)
            promise.wanted += 1
            return promise

    def leave(self, key: Key, promise: Promise) -> bool:
        """No longer want a call; true if nobody does any more, and so it may be dropped."""
        with self._lock:
            promise.wanted -= 1
            return not promise.wanted and self._take(key, promise)

    def keep(self, key: Key, promise: Promise, value: Any) -> None:
        """Let those who wait have the value, which is in the memory already."""
        if self._take(key, promise):
            promise.set_result(value)

    def fail(self, key: Key, promise: Promise, error: BaseException) -> None:
        """Let those who wait have the error."""
        if self._take(key, promise):
            promise.set_exception(error)

    def _take(self, key: Key, promise: Promise) -> bool:
        """Be the one who ends a promise."""
        with self._lock:
            if self._promises.get(key) is not promise:
                return False
            del self._promises[key]
            return True

    def batch_of(self, key: Key) -> Future[Any] | None:
        """Return what ends once a batch is remembered in which this call is under way."""
        return self._batches.get(key)

    def claim(self, keys: Sequence[Key], settled: Future[Any]) -> list[Key]:
        """Have those calls under way in one batch that are not known or under way; return them."""
        with self._lock:
            own = dict.fromkeys(keys)
            for others in (self._promises, self._batches):
                if not others.keys().isdisjoint(own.keys()):
                    own = {key: None for key in own if key not in others}
            if not self.memory.knows_none_of(own):
                own = {key: None for key in own if self.memory.get(key, MISSING) is MISSING}
            self._batches.update(dict.fromkeys(own, settled))
            return [*own]

    def release(self, keys: Sequence[Key]) -> None:
        """Have the calls of a batch no longer under way."""
        with self._lock:
            for key in keys:
                self._batches.pop(key, None)
