"""The stacks of a worker: threads of which one runs at a time, and how the time goes from one to the next.

A stack that needs what somebody else computes parks, and the time goes to one that can go on: a parked
one whose news has come, a fresh one for what there is to begin, and if there is neither, nobody runs until
there is. The thread that runs looks for that itself, so that waiting with nothing else to do
takes no other thread.
"""

from __future__ import annotations

import os
import threading
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Parked", "Source", "Stacks", "start_thread"]

MOST_STACKS = 8
STACK_SIZES = (256 << 20, 64 << 20, 16 << 20)
"""Bytes of C stack to ask for, until one is granted: for recursion through C, as a sort's key does."""


class Source(Protocol):
    """Where what can be begun comes from, and news of what is waited for."""

    def has_news(self, name: Any, /) -> bool:
        """Tell whether a stack that waits for `name` is to look again."""

    def next_task(self, *, parked: bool, room: bool) -> Any:
        """Wait for a task that a fresh stack can begin, or for news, when it returns None.

        `parked` tells whether anybody waits for news; without `room` no task may be returned.
        """

    def run(self, task: Any, stack: int, /) -> None:
        """Run a task on a fresh stack."""


class Parked:
    """A stack that waits for news of `name`."""

    __slots__ = ("name", "turn")

    def __init__(self, name: Any) -> None:
        """Wait in line from now on."""
        self.name = name
        self.turn: SimpleQueue[None] = SimpleQueue()


class Stacks:
    """See the module. `serve` runs in a thread of its own, and so does every stack that it needs."""

    def __init__(self, source: Source) -> None:
        """Begin with nothing parked."""
        self._source = source
        self._parked: list[Parked] = []
        self._spare: list[SimpleQueue[Any]] = []
        self._free = [*range(MOST_STACKS - 1, -1, -1)]

    @property
    def any_parked(self) -> bool:
        """Whether a stack waits."""
        return bool(self._parked)

    def serve(self, task: Any = None) -> None:
        """Run what there is, in this thread, for good."""
        turn: SimpleQueue[Any] = SimpleQueue()
        while True:
            if task is None:
                task = self._next()
            if isinstance(task, Parked):
                self._spare.append(turn)
                task.turn.put(None)
                task = turn.get()
            else:
                self._run(task)
                task = None

    def park(self, name: Any) -> None:
        """Let others run until there is news of `name`."""
        own = Parked(name)
        self._parked.append(own)
        following = self._next()
        if following is not own:
            self._pass_on(following)
            own.turn.get()
        self._parked.remove(own)

    def _next(self) -> Any:
        """Return the parked stack that is to go on, or the task that is to be begun."""
        while True:
            for parked in self._parked:
                if self._source.has_news(parked.name):
                    return parked
            task = self._source.next_task(parked=bool(self._parked), room=bool(self._free))
            if task is not None:
                return task

    def _run(self, task: Any) -> None:
        stack = self._free.pop()
        try:
            self._source.run(task, stack)
        finally:
            self._free.append(stack)

    def _pass_on(self, following: Any) -> None:
        if isinstance(following, Parked):
            following.turn.put(None)
        elif self._spare:
            self._spare.pop().put(following)
        else:
            start_thread(lambda: self.serve(following))


def start_thread(target: Callable[[], None]) -> threading.Thread:
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
