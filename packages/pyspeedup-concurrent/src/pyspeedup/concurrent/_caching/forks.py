"""The pools of this process: their threads stop while it is forked, and their workers end with it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
from multiprocessing import util
from typing import TYPE_CHECKING, Protocol

from pyspeedup.concurrent._processes import children

if TYPE_CHECKING:
    from pyspeedup.concurrent._caching.courier import Courier, Fork

__all__ = ["enter", "leave"]


class Pool(Protocol):
    """What has a thread and workers."""

    courier: Courier

    def close(self) -> None:
        """End the workers and the thread."""

    def abandon(self) -> None:
        """Let go of what belongs to the parent, in a forked process."""


_lock = threading.RLock()
"""Held while the pools and the forks under way are looked at together; a finalizer may close a pool meanwhile."""
_pools: set[Pool] = set()
_forks: set[Fork] = set()
"""Those under way: a pool that is made meanwhile has its thread start after them."""
_closed_with: int | None = None
"""The process whose end `_close_all` is registered for."""


def enter(pool: Pool) -> None:
    """Have the thread of a pool run whenever this process is not forked, until `leave`."""
    with _lock:
        _pools.add(pool)
        for fork in _forks:
            pool.courier.pause(fork)
    pool.courier.begin()
    _close_all_with_this_process()


def leave(pool: Pool) -> None:
    """Know a pool no more; again is harmless."""
    with _lock:
        _pools.discard(pool)


def _all() -> list[Pool]:
    with _lock:
        return [*_pools]


def _pause_all(reason: str) -> None:
    fork = (reason, threading.get_ident())
    with _lock:
        _forks.add(fork)
        couriers = [pool.courier for pool in _pools]
    for courier in couriers:
        courier.pause(fork)
    if any(courier.is_awaited_here for courier in couriers):
        return  # else callbacks of two pools, which both fork, would wait for each other
    for courier in couriers:
        courier.join()


def _resume_all(reason: str) -> None:
    fork = (reason, threading.get_ident())
    with _lock:
        _forks.discard(fork)
        couriers = [pool.courier for pool in _pools]
    with contextlib.ExitStack() as each:  # though one of them fails
        for courier in couriers:
            each.callback(courier.resume, fork)


def _close_all() -> None:
    for pool in _all():
        pool.close()


def _close_all_with_this_process() -> None:
    """In a process of multiprocessing's, which runs no exit handlers: close before the children are ended."""
    global _closed_with  # noqa: PLW0603 -- one registration a process
    if _closed_with != os.getpid():
        util.Finalize(None, _close_all, exitpriority=20)
        _closed_with = os.getpid()


def _abandon_all() -> None:
    """After a fork: the pools are the parent's, and another thread may have held the lock."""
    global _lock  # noqa: PLW0603 -- see above
    _lock = threading.RLock()
    _forks.clear()
    for pool in _all():
        pool.abandon()
    _pools.clear()


def _around(reason: str) -> tuple[functools.partial[None], functools.partial[None]]:
    return functools.partial(_pause_all, reason), functools.partial(_resume_all, reason)


children.quieten(*_around("a worker"))
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    _before, _after = _around("the program")
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_abandon_all)
