"""The engine that computes in a pool of threads, for functions that wait rather than compute."""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.concurrent._caching.calls import Key, Normalizer, arguments_of
from pyspeedup.concurrent._caching.desk import Answer, Notebook
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher, Reply, Resolve, Verdict
from pyspeedup.concurrent._caching.local import Memory, fill, shell
from pyspeedup.concurrent._caching.workers import number_of_workers
from pyspeedup.concurrent._platform import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.dispatcher import Action
    from pyspeedup.core import LocalFunction

__all__ = ["Threads"]

Event: TypeAlias = "Callable[[], list[Action[Answer]]] | None"
"""What happened, to be told to the dispatcher by the one thread that may; None: close."""


@dataclass(eq=False, slots=True)
class _Function:
    """A function, and what all threads know of it."""

    number: int
    function: Callable[..., Any]
    name: str
    normalize: Normalizer
    values: dict[Key, Any] = field(default_factory=dict)
    generation: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    """Calls with equal keys are one; a call that has no key is like no other."""

    number: int
    generation: int
    key: object
    function: _Function = field(compare=False)
    args: tuple[Any, ...] = field(compare=False)
    kwargs: dict[str, Any] = field(compare=False)
    remembered: bool = field(compare=False, default=True)


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

    def __init__(self, *, workers: int | None = None) -> None:
        """Start nothing yet. `ValueError` or `TypeError` if `workers` is not a number from 1 up."""
        self._workers = number_of_workers(workers, min(32, available_cores() + 4))
        self._functions: dict[int, _Function] = {}
        self._numbers = itertools.count(1)
        self._closed = False
        self._begin_afresh()
        _engines.add(self)

    def _begin_afresh(self) -> None:
        self._lock = threading.Lock()
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
        self._functions[number] = _Function(number, function, name, Normalizer(function))
        return number

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Begin a call in another thread, in some 10 us. `RuntimeError` after `close`.

        >>> engine = Threads(workers=1)
        >>> engine.submit(engine.define(divmod, "divmod"), (7, 2), {}).result()
        (3, 1)
        >>> engine.close()
        """
        function = self._functions[function_id]
        call = _call(function, args, kwargs)
        with self._lock:
            if self._closed:
                raise RuntimeError("this engine is closed; make another one")
            if self._pool is None:
                self._pool = _Pool(self._workers)
            pool = self._pool
        future: Future[Any] = Future()
        pool.submit(call, future)
        return future

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
        self.flag = [0]
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._dispatcher: Dispatcher[Answer] = Dispatcher()
        self._futures: dict[Any, list[Future[Any]]] = {}
        self._threads = [_Thread(self, f"pyspeedup-thread-{n}") for n in range(workers)]
        threading.Thread(target=self._run, name="pyspeedup-threads", daemon=True).start()

    def submit(self, call: _Call, future: Future[Any]) -> None:
        def event() -> list[Action[Answer]]:
            self._futures.setdefault(call, []).append(future)
            return self._dispatcher.submit(call)

        self.events.put(event)

    def give(self, stack: int, call: _Call) -> None:
        self.events.put(lambda: self._dispatcher.give(stack, [call]))

    def ask(self, stack: int, call: _Call) -> None:
        self.events.put(lambda: self._dispatcher.ask(stack, call))

    def finish(self, stack: int, call: _Call, answer: Answer, *, failed: bool) -> None:
        self.events.put(lambda: self._dispatcher.finish(stack, call, answer, failed=failed))

    def close(self) -> None:
        self.events.put(None)

    def _run(self) -> None:
        """Tell the dispatcher all that happens, in one thread, which Ctrl-C does not reach."""
        self._perform([a for thread in self._threads for a in self._dispatcher.add_worker(thread)])
        while (event := self.events.get()) is not None:
            self._perform(event())
            self.flag[0] = self.flag[0] + 1 if self._dispatcher.hungry else 0
        for thread in self._threads:
            thread.mailbox.put(None)
        for future in itertools.chain.from_iterable(self._futures.values()):
            future.cancel()
            future.set_running_or_notify_cancel()

    def _perform(self, actions: list[Action[Answer]]) -> None:
        for action in actions:
            if isinstance(action, Resolve):
                for future in self._futures.pop(action.call, []):
                    _settle(future, action.outcome)
            else:
                thread: Any = action.worker
                thread.mailbox.put(action)


def _call(function: _Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
    number, generation = function.number, function.generation
    try:
        key = function.normalize(args, kwargs)
    except TypeError:  # not hashable, or not its arguments: the function itself will tell
        return _Call(number, generation, object(), function, args, kwargs, remembered=False)
    return _Call(number, generation, key, function, args, kwargs)


def _settle(future: Future[Any], answer: Answer) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(answer.fetch())
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        future.set_exception(error)


class _Thread:
    """One thread: computes a call at a time, and is the office of its own desk."""

    def __init__(self, pool: _Pool, name: str) -> None:
        self.pool = pool
        self.mailbox: SimpleQueue[Begin | Reply[Answer] | None] = SimpleQueue()
        self._notebook = Notebook(self, pool.flag)
        self._locals: dict[int, tuple[int, LocalFunction]] = {}
        self._functions: dict[int, _Function] = {}
        self._stack = 0
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def local(self, function: _Function) -> LocalFunction:
        """Return what the function's own name means in this thread."""
        generation = function.generation
        made_for, local = self._locals.get(function.number, (None, None))
        if local is None or made_for != generation:
            memory = Memory(function.number, function.name, function.values)
            self._functions[function.number] = function
            empty: Any = local or shell()
            local = fill(empty, function.function, memory, self._notebook, function.normalize)
            self._locals[function.number] = (generation, local)
        return local

    def _run(self) -> None:
        _here.thread = self
        while isinstance(message := self.mailbox.get(), Begin):
            call: Any = message.call
            self._stack = message.stack
            begun = time.perf_counter()
            self._notebook.begin()
            answer, failed = self._compute(call)
            self._notebook.end()
            seconds = time.perf_counter() - begun
            self.pool.finish(message.stack, call, Answer(answer, seconds), failed=failed)

    def _compute(self, call: _Call) -> tuple[Callable[[], Any], bool]:
        compute = self.local(call.function) if call.remembered else call.function.function
        try:
            value = compute(*call.args, **call.kwargs)
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return _raiser(error), True
        return lambda: value, False

    # The office of the notebook.

    def give(self, memory: Memory, key: Key, /) -> _Call:
        """Leave a call to another thread."""
        function = self._functions[memory.number]
        args, kwargs = arguments_of(key)
        call = _Call(function.number, function.generation, key, function, args, kwargs)
        self.pool.give(self._stack, call)
        return call

    def ask(self, call: _Call, /) -> tuple[Verdict, Answer | None]:
        """Wait for what another thread computes."""
        self.pool.ask(self._stack, call)
        reply = self.mailbox.get()
        if not isinstance(reply, Reply):  # the engine was closed: this call is our last
            self.mailbox.put(None)
            return Verdict.COMPUTE, None
        return reply.verdict, reply.outcome

    def tell(self, call: _Call, value: Any, seconds: float, /) -> None:
        """Report a value that another thread may wait for."""
        self.pool.finish(self._stack, call, Answer(lambda: value, seconds), failed=False)

    def fail(self, call: _Call, error: BaseException, seconds: float, /) -> None:
        """Report an error that another thread may wait for."""
        self.pool.finish(self._stack, call, Answer(_raiser(error), seconds), failed=True)


def _raiser(error: BaseException) -> Callable[[], Any]:
    def fetch() -> Any:
        raise error

    return fetch


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
