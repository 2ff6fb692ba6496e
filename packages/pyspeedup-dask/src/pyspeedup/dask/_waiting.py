"""How an evaluation waits for another task, without keeping a place that others need.

It leaves the worker's pool of threads, which takes up another task in its place, and comes back when
a place is free. So a thread that holds a place computes, and never waits for a task.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pyspeedup.dask._rings import closes_ring, waiting, waits_in_this_process
from pyspeedup.dask._sending import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.dask._outcome import Outcome

__all__ = ["wait_for"]

PATIENCE = 2.0
"""Seconds of waiting after which it is asked, once, whether we wait for ourselves."""


def wait_for(future: Any, waiter: str, name: str) -> Outcome | None:
    """Return what a task comes to, or None if it never will because it waits for this very one."""
    if not future.done():
        with _out_of_the_pool(), waiting(waiter, future.key):
            try:
                return _outcome(future, name, PATIENCE)
            except TimeoutError:
                answers = future.client.run(waits_in_this_process, on_error="ignore")
            if closes_ring(waiter, answers):
                return None
            return _outcome(future, name, None)
    return _outcome(future, name, None)


def _outcome(future: Any, name: str, timeout: float | None) -> Outcome:
    try:
        outcome: Outcome = future.result(timeout=timeout)
    except TimeoutError:
        raise
    except Exception as error:
        raise explain(error, name) from error
    return outcome


@contextlib.contextmanager
def _out_of_the_pool() -> Iterator[None]:
    from distributed import rejoin, secede

    secede()  # type: ignore[no-untyped-call]  # distributed is typed in part
    try:
        yield
    finally:
        rejoin()  # type: ignore[no-untyped-call]  # likewise
