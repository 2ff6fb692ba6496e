"""The engine that computes in a pool of threads, for functions that wait rather than compute."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
import weakref
from concurrent.futures import CancelledError, Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pyspeedup.concurrent._caching.batches import evaluate_batch, hashing
from pyspeedup.concurrent._caching.calls import Key, Normalizer, arguments_of
from pyspeedup.concurrent._caching.desk import Desk
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher, Resolve
from pyspeedup.concurrent._caching.endings import raiser, settle
from pyspeedup.concurrent._caching.local import Memory, fill, shell
from pyspeedup.concurrent._caching.local_board import LocalBoard, Place
from pyspeedup.concurrent._caching.thread_calls import (
    Answer,
    Function,
    ThreadCall,
    call_of,
)
from pyspeedup.concurrent._caching.vigil import Vigil
from pyspeedup.concurrent._caching.workers import number_of_workers
from pyspeedup.concurrent._platform import available_cores
from pyspeedup.core import FunctionStats, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pyspeedup.concurrent._caching.dispatcher import Action
    from pyspeedup.core import Batch, LocalFunction

__all__ = ["Threads"]


class _Wish(NamedTuple):
    """A call that somebody waits for."""

    call: ThreadCall
    future: Future[Any]


Event: TypeAlias = "_Wish | Callable[[], list[Action[Answer]]] | None"
"""What happened, to be told to the dispatcher by the one thread that may; None: close."""


class Threads:
    """Computes calls in up to `workers` threads of this process.

    Right for functions that wait, for the network or a disk: the interpreter runs one thread at a
    time, so those that compute gain nothing. `workers` is PYSPEEDUP_WORKERS, else the cores + 4 and
    at most 32, unless given. A nested call never waits for a free thread: it is
    computed on the spot, unless a hint has already begun it elsewhere.

    >>> engine = Threads(workers=2)
    >>> number = engine.define(lambda n: n * n, "square")
    >>> engine.submit(number, (7,), {}).result()
    49
    >>> engine.close()
    """

    evaluates_here = True

    def __init__(self, *, workers: int | None = None) -> None:
        """Start nothing yet. `ValueError` or `TypeError` if `workers` is not a number from 1 up."""
        self._workers = number_of_workers(workers, min(32, available_cores() + 4))
        self._functions: weakref.WeakValueDictionary[int, Function] = weakref.WeakValueDictionary()
        self._kept: dict[int, Function] = {}
        """Those that nobody holds."""
        self._numbers = itertools.count(1)
        self._closed = False
        self._begin_afresh()
        _engines.add(self)

    def _begin_afresh(self) -> None:
        self._lock = threading.RLock()  # a finalizer may come back here
        self._pool: _Pool | None = None

    @property
    def workers(self) -> int:
        """How many threads there are at most.

        >>> Threads(workers=3).workers
        3
        """
        return self._workers

    def define(
        self,
        function: Callable[..., Any],
        name: str,
        structure: Any = None,  # noqa: ARG002 -- of use to engines that ship functions
    ) -> int:
        """Take `function` in; return its number.

        >>> Threads().define(abs, "abs")
        1
        """
        number = next(self._numbers)
        defined = Function(number, function, name, Normalizer(function))
        self._functions[number] = self._kept[number] = defined
        return number

    def hold(self, function_id: int) -> object:
        """Return what a function is known by from now on: once that is garbage, so is the function.

        >>> engine = Threads()
        >>> held = engine.hold(engine.define(abs, "abs"))
        """
        return self._kept.pop(function_id, None) or self._functions[function_id]

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Begin a call in another thread, in some 10 us. `RuntimeError` after `close`.

        >>> engine = Threads(workers=1)
        >>> engine.submit(engine.define(divmod, "divmod"), (7, 2), {}).result()
        (3, 1)
        >>> engine.close()
        """
        return self._begin(call_of(self._functions[function_id], args, kwargs))

    def submit_batch(self, function_id: int, calls: Sequence[tuple[Any, ...]]) -> Future[Batch]:
        """Begin several calls in another thread, one after the other up to the first error.

        >>> engine = Threads(workers=1)
        >>> number = engine.define(divmod, "divmod")
        >>> engine.submit_batch(number, [(7, 2), (9, 2)]).result().values
        [(3, 1), (4, 1)]
        >>> engine.close()
        """
        function = self._functions[function_id]
        number, generation = function.number, function.generation
        return self._begin(ThreadCall(number, generation, object(), function, (), {}, batch=calls))

    def stats(self, function_id: int) -> FunctionStats:
        """Return how many calls were computed, and how long those took that were submitted.

        >>> engine = Threads()
        >>> engine.stats(engine.define(abs, "abs")).calls
        0
        """
        function = self._functions[function_id]
        return FunctionStats(
            calls=len(function.values), seconds=function.seconds, workers=self._workers
        )

    def _begin(self, call: ThreadCall) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:  # until it is in: what comes after the end of a pool is not answered
            while not (pool := self._running_pool()).submit(call, future):
                future = Future()
        future.add_done_callback(lambda done: pool.drop(call, done) if done.cancelled() else None)
        return future

    def _running_pool(self) -> _Pool:
        if self._closed:
            raise RuntimeError("this engine is closed; make another one")
        if self._pool is None or self._pool.broken:
            self._pool = _Pool(self._workers)
        return self._pool

    def local(self, function_id: int) -> LocalFunction | None:
        """Return the memoized function inside an evaluation of this engine, None elsewhere.

        >>> engine = Threads()
        >>> engine.local(engine.define(abs, "abs")) is None
        True
        """
        here = _here.thread
        if here is None or here.pool is not self._pool:
            return None
        return here.local(self._functions[function_id])

    def forget(self, function_id: int) -> None:
        """Drop what is remembered of a function; calls already begun end as they will.

        >>> engine = Threads()
        >>> engine.forget(engine.define(abs, "abs"))
        """
        function = self._functions[function_id]
        function.seconds = 0.0
        function.values = {}  # another, for calls under way keep to theirs
        function.generation += 1

    def close(self) -> None:
        """Drop what is queued and end the threads once their calls have ended; again is harmless.

        >>> Threads().close()
        """
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
            if pool is not None:
                pool.close()


class _Pool:
    """The threads of an engine, and the one that tells the dispatcher what they do."""

    def __init__(self, workers: int) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.board = LocalBoard()
        self.is_hungry = False
        self.broken = False
        self._dispatcher: Dispatcher[Answer] = Dispatcher()
        self._vigil = Vigil()
        self._futures: dict[Any, list[Future[Any]]] = {}
        self.threads = [_Thread(self, place) for place in range(workers)]
        threading.Thread(target=self._run, name="pyspeedup-threads", daemon=True).start()

    def submit(self, call: ThreadCall, future: Future[Any]) -> bool:
        """Have a call begun; False, and its future is cancelled, if this pool has just ended by a fault."""
        self.events.put(_Wish(call, future))
        return not (self.broken and future.cancel())

    def drop(self, call: ThreadCall, future: Future[Any]) -> None:
        """Have a call dropped that was cancelled, if nobody else wants it."""

        def event() -> list[Action[Answer]]:
            futures = self._futures.get(call, [])
            if future in futures:  # else it was found cancelled when the call began
                futures.remove(future)
                future.set_running_or_notify_cancel()
                if not futures and self._dispatcher.cancel(call):
                    del self._futures[call]
            return []

        self.events.put(event)

    def give(self, thread: _Thread, call: ThreadCall) -> None:
        def event() -> list[Action[Answer]]:
            self._vigil.show_again()
            return self._dispatcher.give(thread, call)

        self.events.put(event)

    def finish(self, thread: _Thread, call: ThreadCall, answer: Answer | None) -> None:
        self.events.put(lambda: self._dispatcher.finish(thread, call, answer))

    def close(self) -> None:
        self.events.put(None)

    def _run(self) -> None:
        """Work until told to stop; a fault of ours is shown, and nobody is left waiting for an answer."""
        error: Exception = CancelledError("the engine was closed")
        try:
            self._work()
        except BaseException as fault:
            error = WorkerError(f"no call can be handed out any more: {fault!r}")
            raise
        finally:
            self._end(error)

    def _end(self, error: Exception) -> None:
        self.broken = True  # first: whoever submits looks at it last
        for thread in self.threads:
            thread.mailbox.put(None)
        waiting = itertools.chain.from_iterable(self._futures.values())
        for future in [*waiting, *self._unheard()]:
            settle(future, raiser(error))

    def _unheard(self) -> list[Future[Any]]:
        left: list[Event] = []
        while not self.events.empty():
            left.append(self.events.get())
        return [event.future for event in left if isinstance(event, _Wish)]

    def _work(self) -> None:
        """Tell the dispatcher all that happens, in one thread, which Ctrl-C does not reach."""
        self._perform([a for thread in self.threads for a in self._dispatcher.add_worker(thread)])
        while True:
            try:
                event = self.events.get(timeout=self._vigil.patience())
            except Empty:  # nothing has happened but the time that went by
                event = list
            if event is None:
                break
            self._perform(self._take(event) if isinstance(event, _Wish) else event())
            self._look_after_those_who_compute()

    def _take(self, wish: _Wish) -> list[Action[Answer]]:
        self._futures.setdefault(wish.call, []).append(wish.future)
        return self._dispatcher.submit(wish.call)

    def _look_after_those_who_compute(self) -> None:
        dispatcher, vigil = self._dispatcher, self._vigil
        self.is_hungry = dispatcher.hungry
        vigil.look(computing=dispatcher.computing, hungry=self.is_hungry)
        if vigil.is_to_show or vigil.is_to_tick:
            for thread in filter(dispatcher.is_computing, self.threads):
                if vigil.is_to_tick:
                    thread.desk.tick()
                if vigil.is_to_show:
                    thread.desk.flag[0] = 1

    def _perform(self, actions: list[Action[Answer]]) -> None:
        for action in actions:
            if isinstance(action, Resolve):
                for future in self._futures.pop(action.call, []):
                    settle(future, action.outcome)
            else:
                thread: Any = action.worker
                self._let_run(action.call)
                thread.mailbox.put(action)

    def _let_run(self, call: Any) -> None:
        """Have the futures of a call say that it can be cancelled no more."""
        if call in self._futures:
            running = [f for f in self._futures[call] if f.set_running_or_notify_cancel()]
            self._futures[call] = running


class _Thread:
    """One thread: computes a call at a time, and is the office of its own desk."""

    def __init__(self, pool: _Pool, place: int) -> None:
        self.pool = pool
        self.mailbox: SimpleQueue[Begin | None] = SimpleQueue()
        self.woken: SimpleQueue[None] = SimpleQueue()
        self.board = Place(pool.board, place)
        self.desk = Desk(self, [0])
        self._functions: weakref.WeakValueDictionary[int, Function] = weakref.WeakValueDictionary()
        name = f"pyspeedup-thread-{place}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def local(self, function: Function) -> LocalFunction:
        """Return what the function's own name means in this thread."""
        return self._meaning(function)[1]

    def _meaning(self, function: Function) -> tuple[int, LocalFunction, Memory]:
        known = function.meanings.get(self)
        if known is not None and known[0] == function.generation:
            return known
        generation = function.generation
        memory = Memory(function.number, function.name, function.values, generation=generation)
        self._functions[function.number] = function
        empty: Any = shell() if known is None else known[1]
        local = fill(empty, function.function, memory, self.desk, function.normalize)
        found = function.meanings[self] = (generation, local, memory)
        return found

    def _run(self) -> None:
        _here.thread = self
        try:
            self._work()
        except BaseException as fault:  # noqa: BLE001 -- of ours; the pool shows it, and answers those who wait
            self.pool.events.put(raiser(fault))

    def _work(self) -> None:
        while (message := self.mailbox.get()) is not None:
            call: Any = message.call
            self.desk.begin(0)
            begun = time.perf_counter()
            answer = self._compute(call, wanted=message.wanted)
            call.function.seconds += time.perf_counter() - begun
            self.desk.end()
            self.pool.finish(self, call, answer)
            del (
                message,
                call,
                answer,
            )  # else this thread would hold the function until its next call

    def _compute(self, call: ThreadCall, *, wanted: bool) -> Answer | None:
        try:
            if not wanted:
                self._compute_gift(call)
                return None
            if call.batch is not None:
                value: Any = self._compute_batch(call.function, call.batch)
            else:
                compute = self.local(call.function) if call.remembered else call.function.function
                value = compute(*call.args, **call.kwargs)
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return raiser(error)
        return lambda: value

    def _compute_batch(self, function: Function, calls: Sequence[tuple[Any, ...]]) -> Batch:
        return evaluate_batch(hashing(self.local(function), function.function), calls)

    def _compute_gift(self, call: ThreadCall) -> None:
        _, local, memory = self._meaning(call.function)
        key: Any = call.key
        if memory.generation == call.generation:
            with contextlib.suppress(BaseException):  # whoever needs the call will meet its error
                self.desk.compute_gift(memory, key, lambda: local(*call.args, **call.kwargs))

    # The office of the desk.

    def name(self, memory: Memory, key: Key, /) -> Hashable:
        """Return what the board knows a call by."""
        return (memory.number, memory.generation, key)

    def pack(self, memory: Memory, value: Any, /) -> Any:  # noqa: ARG002 -- all threads have the same memory
        """Return what the board need not keep."""
        return value

    def unpack(self, data: Any, /) -> Any:
        """Return what the board kept."""
        return data

    def hungry(self) -> bool:
        """Tell whether a thread is idle."""
        return self.pool.is_hungry

    def give(self, memory: Memory, keys: list[Key], /) -> bool:
        """Leave calls to other threads."""
        function = self._functions.get(memory.number)
        if function is None:  # its Cache is gone, so nobody will want them
            return False
        for key in keys:
            args, kwargs = arguments_of(key)
            call = ThreadCall(function.number, memory.generation, key, function, args, kwargs)
            self.pool.give(self, call)
        return True

    def wake(self, places: frozenset[int], /) -> None:
        """Wake the threads that wait for what was published."""
        for place in places:
            self.pool.threads[place].woken.put(None)

    def park(self, name: Hashable, /) -> float:  # noqa: ARG002 -- it looks again, whatever woke it
        """Wait until something was published; return for how many seconds."""
        begun = time.perf_counter()
        self.woken.get()
        return time.perf_counter() - begun


class _Here(threading.local):
    """The pool thread that we are in, if any."""

    thread: _Thread | None = None


_here = _Here()
_engines: weakref.WeakSet[Threads] = weakref.WeakSet()


def _after_fork() -> None:
    """Begin afresh in a forked process, where no thread of ours has come along."""
    _here.thread = None
    for engine in list(_engines):
        engine._begin_afresh()  # noqa: SLF001 -- the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
