"""Who waits for what a pool computes: the futures of each task, from its submission to its outcome.

They behave as those of an executor: one that was cancelled before its task was begun is not computed
for, and one whose task has been begun can no longer be cancelled.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.endings import contain, raiser, settle

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pyspeedup.concurrent._caching.messages import Outcome

__all__ = ["Waiting", "dismiss"]


class Waiting:
    """The futures that have no outcome yet, by task."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._futures: dict[Hashable, list[Future[Any]]] = {}
        self._begun: set[Hashable] = set()

    def add(self, task: Hashable, future: Future[Any]) -> None:
        """Have `future` wait for a task."""
        if task not in self._begun or future.set_running_or_notify_cancel():
            self._futures.setdefault(task, []).append(future)

    def begin(self, task: Hashable) -> bool:
        """Let a task be begun; False if nobody waits for it any more."""
        if task in self._begun:  # by a worker that has died
            return True
        futures = self._futures.pop(task, [])
        kept = [future for future in futures if future.set_running_or_notify_cancel()]
        if kept:
            self._futures[task] = kept
            self._begun.add(task)
        return bool(kept)

    def withdraw(self, task: Hashable, future: Future[Any]) -> bool:
        """Forget a future that was cancelled; True if nobody else waits for its task."""
        futures = self._futures.get(task, [])
        if future in futures:
            futures.remove(future)
            future.set_running_or_notify_cancel()  # who waits for several takes it for done
        if not futures:
            self._futures.pop(task, None)
        return not futures

    def settle(self, task: Hashable, outcome: Outcome) -> None:
        """Hand an outcome to those who wait for it."""
        self._begun.discard(task)
        for future in self._futures.pop(task, []):
            settle(future, outcome.fetch)

    def take_all(self) -> list[Future[Any]]:
        """Return all that wait, and have them wait no longer."""
        found = [future for futures in self._futures.values() for future in futures]
        self._futures.clear()
        self._begun.clear()
        return found


def dismiss(future: Future[Any], error: BaseException | None = None) -> None:
    """End the wait of a future: by `error`, or as one that was cancelled."""
    if error is None:
        contain(future.cancel)
    if future.cancelled():
        future.set_running_or_notify_cancel()
    else:
        settle(future, raiser(CancelledError() if error is None else error))
