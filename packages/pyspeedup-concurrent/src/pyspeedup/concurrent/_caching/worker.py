"""What runs in a worker process: it listens, computes, and hands its time from stack to stack.

Stacks are threads of which one runs at a time. A stack that has to wait listens; a message for
somebody else it hands over, and waits until it is handed its own.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching import here as _here
from pyspeedup.concurrent._caching import messages
from pyspeedup.concurrent._caching.calls import Key, arguments_of
from pyspeedup.concurrent._caching.desk import Answer, Notebook
from pyspeedup.concurrent._caching.meanings import Meanings
from pyspeedup.concurrent._caching.messages import (
    Ask,
    Begin,
    Call,
    Done,
    Give,
    Outcome,
    Ready,
    Response,
)
from pyspeedup.concurrent._processes import shipping

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.heap import Arena

    from pyspeedup.concurrent._caching.dispatcher import Verdict
    from pyspeedup.concurrent._caching.local import Memory
    from pyspeedup.concurrent._caching.messages import Shipment

__all__ = ["Worker", "run"]

RECURSION_LIMIT = 250_000
"""Frames of Python on one stack; a level of recursion is two. They take no C stack."""
STACK_SIZES = (256 << 20, 64 << 20, 16 << 20)
"""Bytes of C stack to ask for, until one is granted: for recursion through C, as a sort's key does."""


class Worker:
    """This process as a worker: the office of its notebook, and the meanings of names in it."""

    def __init__(self, connection: Connection, shared: Any, place: int) -> None:
        """Know no function yet; `shared[place]` counts the messages that have been read."""
        self._connection = connection
        self._shared = shared
        self._place = place
        self._notebook = Notebook(self, shared)
        self.meanings = Meanings(self._notebook)
        self._unlearnt: dict[int, Shipment] = {}
        self._stack = 0
        self._parked: dict[int, SimpleQueue[Response]] = {}
        self._spare: list[SimpleQueue[Begin]] = []

    # Stacks -------------------------------------------------------------------------------------

    def serve(self, message: Begin | Response | None = None) -> None:
        """Compute what comes, in this thread, for good; what is for another stack is handed over."""
        own: SimpleQueue[Begin] = SimpleQueue()
        while True:
            message = message or self._receive()
            if isinstance(message, Begin):
                self._begin(message)
                message = None
            else:
                self._spare.append(own)
                self._parked[message.stack].put(message)
                message = own.get()

    def _pass_on(self, message: Begin | Response) -> None:
        """Let another stack run instead of the calling one."""
        if isinstance(message, Response):
            self._parked[message.stack].put(message)
        elif self._spare:
            self._spare.pop().put(message)
        else:
            _start_thread(lambda: self.serve(message))

    def _receive(self) -> Any:
        try:
            message = messages.receive(self._connection)
        except (EOFError, OSError):  # the engine is gone, and so nobody wants anything
            os._exit(0)
        self._shared[self._place] = (self._shared[self._place] + 1) % messages.COUNTS
        return message

    def _begin(self, message: Begin) -> None:
        self._stack = message.stack
        self._notebook.begin()
        begun = time.perf_counter()
        outcome = self._compute(message, begun)
        self._notebook.end()
        messages.send(self._connection, Done(message.stack, message.call, outcome))

    def _compute(self, message: Begin, begun: float) -> Outcome:
        try:
            if message.generations is not None:
                self.meanings.forget(message.generations)
            self._learn(message.call.number, message.shipment)
            args, kwargs = shipping.loads(message.call.arguments)
            try:
                value = self._evaluate(message.call.number, args, kwargs)
            finally:
                _flush()
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return messages.error_outcome(error, time.perf_counter() - begun)
        name = getattr(self.meanings[message.call.number].function, "__qualname__", "the function")
        return messages.value_outcome(value, name, time.perf_counter() - begun)

    def _learn(self, number: int, shipment: Shipment | None) -> None:
        """Take in a function; one that fails to arrive is kept, and tried again at its next call."""
        if shipment is not None:
            self._unlearnt[number] = shipment
        if number in self._unlearnt:
            self.meanings.learn(self._unlearnt[number])
            del self._unlearnt[number]

    def _evaluate(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = self.meanings[number]
        try:
            hash((args, *kwargs.values()))
        except TypeError:  # what can't be remembered can be computed
            return known.function(*args, **kwargs)  # type: ignore[misc]  # it was shipped with the call
        return known.local(*args, **kwargs)

    def detach(self) -> None:
        """Compute by itself from now on, in a process forked from here: the connection isn't its own."""
        self._notebook.owner = None
        self._connection.close()

    # The office of the notebook -----------------------------------------------------------------

    def give(self, memory: Memory, key: Key, /) -> Call | None:
        """Leave a call to others, unless the engine does not know the function or it can't travel."""
        if memory.number < 0:
            return None
        try:
            arguments = messages.pack(arguments_of(key), f"the arguments of {memory.name}()")
        except TypeError:  # a hint may come to nothing: it will be computed here
            return None
        call = Call(memory.number, memory.generation, arguments)
        messages.send(self._connection, Give(self._stack, call))
        return call

    def ask(self, call: Call, /) -> tuple[Verdict, Answer | None]:
        """Wait for the outcome of a call, while other stacks run."""
        stack = self._stack
        own = self._parked[stack] = SimpleQueue()
        messages.send(self._connection, Ask(stack, call))
        response = self._receive()
        if not (isinstance(response, Response) and response.stack == stack):
            aside = self._notebook.put_aside()
            self._pass_on(response)
            response = own.get()
            self._notebook.restore(aside)
            self._stack = stack
        del self._parked[stack]
        outcome = response.outcome
        if outcome is None or outcome.kind == "stuck":
            return response.verdict, None
        return response.verdict, Answer(outcome.fetch, outcome.seconds)

    def tell(self, call: Call, value: Any, seconds: float, /) -> None:
        """Report a value that somebody else may wait for."""
        name = self.meanings[call.number].local.__qualname__
        outcome = messages.value_outcome(value, name, seconds)
        messages.send(self._connection, Done(self._stack, call, outcome))

    def fail(self, call: Call, error: BaseException, seconds: float, /) -> None:
        """Report an error that somebody else may wait for."""
        outcome = messages.error_outcome(error, seconds)
        messages.send(self._connection, Done(self._stack, call, outcome))


def run(connection: Connection, shared_memory: Arena, place: int) -> None:
    """Be a worker, until the parent ends or kills this process."""
    shared = memoryview(shared_memory.buffer).cast("I")
    worker = _here.worker = Worker(connection, shared, place)
    for prepare in _here.at_start:
        prepare()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
    messages.send(connection, Ready())
    _start_thread(worker.serve).join()


def _start_thread(target: Any) -> threading.Thread:
    """Start a thread with as much stack as the system grants; this process ends with it."""

    def run_and_exit() -> None:
        try:
            target()
        except BaseException:  # noqa: BLE001 -- a fault of ours, for the function's own errors are caught: show it
            traceback.print_exc()
        finally:
            os._exit(1)

    for size in STACK_SIZES:
        former = threading.stack_size(size)
        try:
            thread = threading.Thread(target=run_and_exit, daemon=True)
            thread.start()
        except RuntimeError:  # no room for such a stack; the last attempt's error is raised
            if size == STACK_SIZES[-1]:
                raise
        else:
            return thread
        finally:
            threading.stack_size(former)
    raise AssertionError("there is a last size")


def _flush() -> None:
    """Let what was printed come out once and in order, for a worker ends without warning."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _after_fork() -> None:
    if _here.worker is not None:
        _here.worker.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
