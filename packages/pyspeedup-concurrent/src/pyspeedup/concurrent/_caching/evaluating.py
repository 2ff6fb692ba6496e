"""How the calls of a `Cache` get to its engine, and their outcomes into its memory."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.calls import arguments_of
from pyspeedup.concurrent._caching.endings import contain
from pyspeedup.concurrent._caching.nested import done, submit_here
from pyspeedup.concurrent._caching.options import name_of
from pyspeedup.concurrent._caching.recall import MISSING, Promise, Recall
from pyspeedup.core import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.concurrent._caching.calls import Key, Normalizer
    from pyspeedup.concurrent._caching.engine_source import EngineSource
    from pyspeedup.core import Engine, LocalFunction

__all__ = ["Evaluating", "Share"]


class Share:
    """What a map has evaluated together: calls that nobody else had begun."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.keys: list[Key] = []
        self.settled: Future[Batch] = Future()
        """Ends once the values are remembered."""
        self.begun: Future[Batch] | None = None
        """The engine's."""


class _Defined(tuple["Engine", int]):  # noqa: SLOT001 -- a tuple can have no slots of its own
    """An engine and the number that it knows a function by, as long as somebody has this."""

    held: object = None


class Evaluating:
    """Has the calls of one function evaluated, each once, however many want it."""

    def __init__(
        self,
        normalize: Normalizer,
        source: EngineSource,
        structure: Callable[[], Any],
    ) -> None:
        """Start nothing; `structure` returns the Cache, None if it is gone."""
        self.normalize = normalize
        self._source = source
        self._structure = structure
        self._defined: _Defined | None = None
        self._former: list[object] = []
        """What keeps its numbers of engines since closed, by which workers of another one may know it."""
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""
        self._defining = threading.Lock()
        self.forgetting = threading.RLock()
        """Held by who has all forgotten: each has to retire what the last one took up."""

    # The engine -------------------------------------------------------------------------------

    def engine_and_number(self) -> tuple[Engine, int]:
        """Return the engine and the number that it knows the function by, while that tuple is kept.

        Another thread may have the function defined anew, as the shared engine was closed.
        """
        engine = self._source.engine
        defined = self._defined
        if defined is None or defined[0] is not engine:
            with self._defining:
                if self._defined is None or self._defined[0] is not engine:
                    if self._defined and getattr(engine, "evaluates_in_workers", False):
                        self._former.append(self._defined.held)
                    self._defined = self._define(engine)
                defined = self._defined
        return defined

    def _define(self, engine: Any) -> _Defined:
        function = self.normalize.function
        number = engine.define(function, name_of(function), self._structure())
        defined = _Defined((engine, number))
        if hasattr(engine, "hold"):
            defined.held = engine.hold(number)
        return defined

    def local(self) -> LocalFunction | None:
        """Return what answers nested calls; None outside of any evaluation."""
        engine, number = defined = self.engine_and_number()  # noqa: F841 -- kept meanwhile
        return engine.local(number)

    def _ask(self, submit: Callable[[Engine, int], Future[Any]]) -> Future[Any]:
        """Submit something, anew where the shared engine was closed meanwhile."""
        while True:
            engine, number = defined = self.engine_and_number()  # noqa: F841 -- kept meanwhile
            try:
                return submit(engine, number)
            except RuntimeError:
                if self._source.engine is engine:
                    raise

    def forget(self) -> None:
        """Have the engine forget all; workers may know the function though it never was called here."""
        if self._defined is not None or self._source.is_any_made:
            engine, number = defined = self.engine_and_number()  # noqa: F841 -- kept meanwhile
            engine.forget(number)

    # Answers ----------------------------------------------------------------------------------

    def answerer(self, recall: Recall) -> Callable[..., Any]:
        """Return what answers a call, from memory or by having it evaluated."""
        return functools.partial(self._answer, recall)

    def _answer(self, recall: Recall, /, *args: Any, **kwargs: Any) -> Any:
        key = self.normalize(args, kwargs)
        value = recall.memory.get(key, MISSING)
        if value is not MISSING:
            recall.count(hits=1)
            return value
        local = self.local()
        if local is not None:
            args, kwargs = arguments_of(key)
            value = local(*args, **kwargs)
            self._take_note(recall, key, value)
            return value
        promise, is_begun = self.begin(recall, key)
        value = promise.result()
        recall.count(hits=not is_begun)
        return value

    def _take_note(self, recall: Recall, key: Key, value: Any) -> None:
        """Remember what a nested call came to, if its engine cannot forget it behind our back."""
        recall.count(misses=1)
        if not getattr(self._source.engine, "evaluates_here", False):
            structure = self._structure()
            if structure is not None and recall.is_front:
                structure.only_pass_on()
        elif recall.is_front:
            recall.remember(key, value)

    # One call ---------------------------------------------------------------------------------

    def begin(self, recall: Recall, key: Key) -> tuple[Promise, bool]:
        """Return the promise of a call, and whether it took an evaluation to make it.

        Built so that Ctrl-C at any point leaves no call that is never answered.
        """
        own = Promise()
        try:
            promise = recall.join(key, own)
            is_begun = promise is own and self._submit(recall, key, own)
        except BaseException as error:
            recall.fail(key, own, error)
            raise
        return promise, is_begun

    def _submit(
        self, recall: Recall, key: Key, own: Promise, defined: tuple[Engine, int] | None = None
    ) -> bool:
        """Have a call evaluated, by the engine that is `defined` if any is; False if that takes nothing new."""
        settled = recall.batch_of(key)  # before the memory, into which a batch goes when it ends
        value = recall.memory.get(key, MISSING)
        if value is not MISSING:
            recall.keep(key, own, value)
            return False
        if settled is not None:
            again = functools.partial(
                self._look_again, recall, key, own, defined or self.engine_and_number()
            )
            settled.add_done_callback(again)
            return False
        recall.count(misses=1)
        args, kwargs = arguments_of(key)
        if defined is None:
            own.begun = self._ask(lambda engine, number: engine.submit(number, args, kwargs))
        else:
            own.begun = defined[0].submit(defined[1], args, kwargs)
        own.begun.add_done_callback(functools.partial(_settle, recall, key, own))
        return True

    def _look_again(
        self,
        recall: Recall,
        key: Key,
        own: Promise,
        defined: tuple[Engine, int],
        _settled: Future[Any],
    ) -> None:
        """Go on when a batch has ended, perhaps before it came to this call.

        By the same engine: where that was closed the call is cancelled, as those under way are, rather than
        begun by another whose workers nobody has asked for.
        """
        if not own.wanted:
            return
        try:
            self._submit(recall, key, own, defined)
        except RuntimeError as error:
            is_closed = self._source.engine is not defined[0]
            recall.fail(key, own, CancelledError() if is_closed else error)
        except BaseException as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
            recall.fail(key, own, error)

    def future(self, recall: Recall, key: Key) -> Future[Any]:
        """Return a future of a call that is the caller's alone: others do not feel it cancelled."""
        value = recall.memory.get(key, MISSING)
        if value is not MISSING:
            recall.count(hits=1)
            return done(lambda: value)
        local = self.local()
        if local is not None:
            args, kwargs = arguments_of(key)
            return submit_here(local, *args, **kwargs)
        child: Future[Any] = Future()
        promise, is_begun = self.begin(recall, key)
        recall.count(hits=not is_begun)
        child.add_done_callback(functools.partial(_leave, recall, key, promise))
        promise.add_done_callback(functools.partial(_hand_on, child))
        return child

    # Many calls -------------------------------------------------------------------------------

    @property
    def takes_batches(self) -> bool:
        """Whether the engine evaluates several calls at one word."""
        return hasattr(self._source.engine, "submit_batch")

    def begin_share(self, recall: Recall, keys: Sequence[Key]) -> Share:
        """Have those calls evaluated together that are not known or under way; `share.keys` says which.

        An engine that does not take batches is given them one by one, so there should be one.
        """
        share = Share()
        try:
            share.keys = recall.claim(keys, share.settled)
            if share.keys:
                recall.count(misses=len(share.keys))
                self._submit_share(recall, share)
        except BaseException as error:
            recall.release(share.keys)
            share.settled.set_exception(error)
            raise
        return share

    def _submit_share(self, recall: Recall, share: Share) -> None:
        calls = (
            [arguments_of(key)[0] for key in share.keys]
            if self.normalize.names_some
            else share.keys
        )
        is_batch = self.takes_batches

        def submit(engine: Any, number: int) -> Future[Any]:
            if is_batch:
                return engine.submit_batch(number, calls)  # type: ignore[no-any-return]  # the engine's promise
            return engine.submit(number, calls[0], {})  # type: ignore[no-any-return]  # likewise

        share.begun = begun = self._ask(submit)
        begun.add_done_callback(functools.partial(_settle_share, recall, share, is_batch))


def _settle(recall: Recall, key: Key, promise: Promise, done: Future[Any]) -> None:
    """Remember a result, then let those who wait see it. Runs in a thread of the engine."""
    try:
        value = done.result()
        recall.remember(key, value)
    except BaseException as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
        recall.fail(key, promise, error)
    else:
        recall.keep(key, promise, value)


def _settle_share(recall: Recall, share: Share, is_batch: bool, done: Future[Any]) -> None:
    try:
        batch = done.result() if is_batch else _alone(done)
        recall.remember_batch(share.keys, batch.values)
    except BaseException as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
        recall.release(share.keys)
        share.settled.set_exception(error)
    else:
        recall.release(share.keys)
        share.settled.set_result(batch)


def _alone(done: Future[Any]) -> Batch:
    """Return the outcome of one call as that of a batch."""
    try:
        return Batch([done.result()], None, 0.0)
    except CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
        return Batch([], error, 0.0)


def _hand_on(child: Future[Any], promise: Promise) -> None:
    def end() -> None:
        with suppress(InvalidStateError):  # it was cancelled
            error = promise.exception()
            if error is None:
                child.set_result(promise.result())
            else:
                child.set_exception(error)

    contain(end)  # others wait for the same promise


def _leave(recall: Recall, key: Key, promise: Promise, child: Future[Any]) -> None:
    """Drop a call that was cancelled if nobody else wants it, and it has not begun."""
    if not child.cancelled():
        return
    child.set_running_or_notify_cancel()  # so that `concurrent.futures.wait` takes it for done
    if recall.leave(key, promise) and promise.begun is not None:
        promise.begun.cancel()
