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
import contextlib
import multiprocessing
import os
import sys
import threading
import warnings
import weakref
from multiprocessing import connection, util
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent import _platform

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

__all__ = ["Child", "context", "start_child"]

NAME_PREFIX = "pyspeedup-"
GRACE = 5.0
"""Seconds that a child which was told to end is waited for before it is killed."""

POOL_PREFIX = f"{NAME_PREFIX}pool"
FORKSERVER = "ignore"
"""What multiprocessing calls the process when it starts its fork server."""

_start_lock = threading.Lock()
_ended_with: int | None = None
"""The process whose end `_end_all` is registered for."""
_quiet: list[tuple[Callable[[], None], Callable[[], None]]] = []


class Child:
    """A process of ours, and the write end of its lifeline."""

    def __init__(self, process: BaseProcess, lifeline: Connection) -> None:
        """Hold a process that has been started."""
        self.process = process
        self._lifeline = lifeline
        self._ended: tuple[int, int | None] | None = None
        self._ending = threading.RLock()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._ended[0] if self._ended else self.process.pid or 0

    @property
    def sentinel(self) -> int:
        """What `multiprocessing.connection.wait` finds ready once it has ended."""
        return self.process.sentinel

    @property
    def exitcode(self) -> int | None:
        """As `multiprocessing` gives it: None while it runs, negative for a signal."""
        return self._ended[1] if self._ended else self.process.exitcode

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._ended is None and self.process.is_alive()

    def join(self, timeout: float | None = GRACE) -> bool:
        """Wait up to `timeout` seconds for it to end by itself; True if it has."""
        if self._ended is None:
            self.process.join(timeout)
        return self.exitcode is not None

    def end(self) -> None:
        """Kill it if it still runs, and reap it; again is harmless."""
        with self._ending:  # a pool's thread and an exit handler may come at the same time
            if self._ended is not None:
                return
            if self.process.is_alive():
                self.process.kill()
            self.process.join()
            self._ended = (self.pid, self.process.exitcode)
            self.process.close()
            self._lifeline.close()
            _living.discard(self)

    def abandon(self) -> None:
        """Let go of what belongs to another process, after a fork: close, but end nothing."""
        self._ending = threading.RLock()  # another thread may have held it when we were forked
        self._ended = (self.pid, None)
        with contextlib.suppress(OSError):  # another thread was just closing it
            self._lifeline.close()
        # else multiprocessing waits for it at the end of the forked process, and fails an assertion
        getattr(multiprocessing.process, "_children", set()).discard(self.process)


_living: weakref.WeakSet[Child] = weakref.WeakSet()


def context(*, may_fork: bool = True) -> BaseContext:
    """Return the multiprocessing context of the start method in force, without fixing it."""
    available = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_start_method(allow_none=True)
    method = chosen or available[0]
    unsafe = not may_fork or (chosen is None and _other_threads())
    if method == "fork" and unsafe:
        method = "forkserver" if "forkserver" in available else "spawn"
    return multiprocessing.get_context(method)


def quieten(pause: Callable[[], None], resume: Callable[[], None]) -> None:
    """Have `pause` end the threads of ours that a fork must not copy, and `resume` start them again.

    They are called around the forks of `start_child`, before its lock is taken, and `resume` also
    where `pause` was not or has failed; threads whose name begins with ``pyspeedup-pool`` are taken to end.
    """
    _quiet.append((pause, resume))


def start_child(
    target: Callable[..., None], args: tuple[Any, ...], name: str, *, may_fork: bool = True
) -> Child:
    """Start a process that runs ``target(*args)``; it ends with this one, whatever ends that.

    `target` must be importable and `args` must pickle (what is a user's goes as bytes made by
    cloudpickle). Costs about 3 ms under fork, 50 to 150 ms under spawn and forkserver.

    To fork while other threads run can leave their locks held for ever in the child, and Python
    3.12 warns of it. So where fork is only the default, forkserver stands in for it then;
    a start method that the program has chosen is used, unless `may_fork` is false.
    """
    chosen = context(may_fork=may_fork)
    if chosen.get_start_method() != "fork":
        return _start(chosen, target, args, name)
    try:
        for pause, _ in _quiet:
            pause()
        with warnings.catch_warnings():
            # Python 3.12 warns; numeric libraries have threads that it counts, but are safe.
            if sys.version_info >= (3, 12) and not _other_threads():
                warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            return _start(chosen, target, args, name)
    finally:
        for _, resume in _quiet:
            resume()


def _other_threads() -> bool:
    """Tell whether threads run that do not end for a fork."""
    here = threading.current_thread()
    return any(
        thread is not here and not thread.name.startswith(POOL_PREFIX)
        for thread in threading.enumerate()
    )


def _start(
    chosen: BaseContext, target: Callable[..., None], args: tuple[Any, ...], name: str
) -> Child:
    with _start_lock:
        if chosen.get_start_method() != "fork":
            _keep_main_out_of_children()
        _end_all_with_this_process()
        theirs, ours = connection.Pipe(duplex=False)
        process = chosen.Process(  # type: ignore[attr-defined]  # every context has one; its base class doesn't say so
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
    target(*args)


def _keep_main_out_of_children() -> None:
    """Have multiprocessing not import the parent's program in children of ours.

    It does so that targets pickled by name can be found; ours travel by value, and importing
    a script without a main guard would run it again. Other people's processes are left alone.
    """
    from multiprocessing import spawn

    prepare = spawn.get_preparation_data
    if getattr(prepare, "keeps_main_out", False):
        return

    def get_preparation_data(name: str) -> dict[str, object]:
        data = prepare(name)
        if name.startswith(NAME_PREFIX) or (name == FORKSERVER and _start_lock.locked()):
            data.pop("init_main_from_name", None)
            data.pop("init_main_from_path", None)
        return data

    get_preparation_data.keeps_main_out = True  # type: ignore[attr-defined]  # a mark on our own wrapper
    spawn.get_preparation_data = get_preparation_data


def _end_all_with_this_process() -> None:
    """In a process of multiprocessing's: end our children before it waits for them, for ever.

    It runs no exit handlers there, and forgets finalizers made before the fork.
    """
    global _ended_with  # noqa: PLW0603 -- one registration a process
    if _ended_with != os.getpid():
        util.Finalize(None, _end_all, exitpriority=10)
        _ended_with = os.getpid()


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
