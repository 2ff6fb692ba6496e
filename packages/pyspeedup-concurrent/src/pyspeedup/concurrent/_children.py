"""Child processes that cannot outlive their parent, under every start method.

::

    parent                                        child
    ------                                        -----
    start_child(target, args)  -- fork, spawn -->  ignore SIGINT, tie itself to the lifeline
      keeps the lifeline's    <== one pipe a ==>   holds the lifeline's read end
      write end, never writes     child            target(*args)
    end() or death closes it  ----------------->   is killed

The parent's program is not imported again in a child: what has to run there travels by value, so
a script needs no ``if __name__ == "__main__"`` guard.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
import weakref
from collections.abc import Callable
from multiprocessing import connection, spawn, util
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent import _platform

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

__all__ = ["Child", "context", "start_child"]

NAME_PREFIX = "pyspeedup-"
GRACE = 5.0
"""Seconds that a child which was told to end is waited for before it is killed."""

_start_lock = threading.Lock()


class Child:
    """A process of ours, and the write end of its lifeline."""

    def __init__(self, process: BaseProcess, lifeline: Connection) -> None:
        """Hold a process that has been started."""
        self.process = process
        self._lifeline = lifeline

    @property
    def pid(self) -> int:
        """Its process number."""
        return self.process.pid or 0

    @property
    def sentinel(self) -> int:
        """What `multiprocessing.connection.wait` finds ready once it has ended."""
        return self.process.sentinel

    @property
    def exitcode(self) -> int | None:
        """As `multiprocessing` gives it: None while it runs, negative for a signal."""
        return self.process.exitcode

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.is_alive()

    def join(self, timeout: float | None = GRACE) -> bool:
        """Wait up to `timeout` seconds for it to end by itself; True if it has."""
        self.process.join(timeout)
        return self.process.exitcode is not None

    def end(self) -> None:
        """Kill it if it still runs, and reap it; again is harmless."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self._lifeline.close()
        _living.discard(self)

    def abandon(self) -> None:
        """Let go of what belongs to another process, after a fork: close, but end nothing."""
        self._lifeline.close()


_living: weakref.WeakSet[Child] = weakref.WeakSet()


def context() -> BaseContext:
    """Return the multiprocessing context of the start method in force, without fixing it."""
    method = multiprocessing.get_start_method(allow_none=True)
    return multiprocessing.get_context(method or multiprocessing.get_all_start_methods()[0])


def start_child(target: Callable[..., None], args: tuple[Any, ...], name: str) -> Child:
    """Start a process that runs ``target(*args)``; it ends with this one, whatever ends that.

    `target` must be importable and `args` must pickle (what is a user's goes as bytes made by
    cloudpickle). Costs about 3 ms under fork, 50 to 150 ms under spawn and forkserver.
    """
    with _start_lock:
        _keep_main_out_of_children()
        theirs, ours = connection.Pipe(duplex=False)
        process = context().Process(  # type: ignore[attr-defined]  # every context has one; its base class doesn't say so
            target=_run, args=(theirs, target, args), name=f"{NAME_PREFIX}{name}"
        )
        child = Child(process, ours)
        _living.add(child)  # before the fork, so that the child closes its copy of the write end
        mask = _platform.block_interrupts()
        try:
            process.start()
        except BaseException:
            child.abandon()
            _living.discard(child)
            raise
        finally:
            _platform.restore_interrupts(mask)
            theirs.close()
        return child


def _run(lifeline: Connection, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    _platform.ignore_interrupts()
    _platform.end_with_parent(lifeline.fileno())
    try:
        target(*args)
    finally:
        _end_all()  # multiprocessing would wait for them, and runs no exit handlers in a child


def _keep_main_out_of_children() -> None:
    """Have multiprocessing not import the parent's program in children of ours.

    It does so that targets pickled by name can be found; ours travel by value, and importing
    a script without a main guard would run it again. Other people's processes are left alone.
    """
    prepare = spawn.get_preparation_data
    if getattr(prepare, "keeps_main_out", False):
        return

    def get_preparation_data(name: str) -> dict[str, object]:
        data = prepare(name)
        if name.startswith(NAME_PREFIX):
            data.pop("init_main_from_name", None)
            data.pop("init_main_from_path", None)
        return data

    get_preparation_data.keeps_main_out = True  # type: ignore[attr-defined]  # a mark on our own wrapper
    spawn.get_preparation_data = get_preparation_data


def _end_all() -> None:
    for child in list(_living):
        child.end()


def _abandon_all() -> None:
    """After a fork: the children are the parent's, and their lifelines must close with it."""
    global _start_lock  # noqa: PLW0603 -- another thread may have held it when we were forked
    _start_lock = threading.Lock()
    for child in list(_living):
        child.abandon()
    _living.clear()


# multiprocessing joins its children in an exit handler of its own, registered when `util` was
# imported; ours is registered later and so runs earlier.
assert util is not None  # noqa: S101 -- see above: the import must come first
atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
