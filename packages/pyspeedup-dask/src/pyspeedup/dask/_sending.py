"""Calls as tasks of the cluster: how they are submitted, and what its failures mean."""

from __future__ import annotations

import hashlib
import pickle
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.dask._homes import Generation

__all__ = ["Call", "Header", "as_payload", "explain", "hold", "send"]

LARGE = 64 << 10
"""Bytes of a function from which it is put on the cluster once, and not into each task."""


class Header(NamedTuple):
    """What the calls of a function have in common."""

    token: str
    """Names the engine."""
    digest: str
    name: str
    binding: Binding
    generations: Mapping[str, Generation]
    """Those of the functions that were told to forget, by digest."""
    threshold: float
    seconds: float | None
    """What a call is known to take by itself, where it is sent from; None if nothing is."""


class Call(NamedTuple):
    """One call, as it travels; a batch holds several, in the place of arguments."""

    arguments: bytes
    depth: int
    """How many tasks wait for it, one for the other; 0 where the program asks."""
    root: str
    """Names the call of the program that it is part of."""
    is_batch: bool = False
    within: frozenset[str] = frozenset()
    """Digests of the functions that wait for it, one for the other."""


def as_payload(client: Any, packed: bytes) -> Any:
    """Return a function as tasks are given it: its bytes, or where they are many a future of them."""
    if len(packed) < LARGE:
        return packed
    key = f"pyspeedup-function-{hashlib.sha256(packed).hexdigest()[:32]}"
    return client.submit(hold, packed, key=key)


def hold(packed: bytes) -> bytes:
    """Be a task whose result is a function's bytes, made again wherever they are lost."""
    return packed


def send(
    client: Any,
    evaluate: Callable[..., Any],
    header: Header,
    payload: Any,
    calls: Sequence[tuple[str, Call]],
) -> list[Any]:
    """Submit calls of one function, each under its key, and return the cluster's futures.

    What is in a deeper evaluation goes first, so that few are begun and not ended. All goes as
    bytes: in anything else dask would look for names of tasks.
    """
    futures: list[Any] = client.map(
        evaluate,
        [pickle.dumps(call) for _, call in calls],
        key=[key for key, _ in calls],
        header=pickle.dumps(header),
        payload=payload,
        priority=calls[0][1].depth,
        pure=True,
    )
    return futures


def explain(error: BaseException, name: str) -> BaseException:
    """Return what a failure of the cluster means to whoever called `name`."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        meant: BaseException = WorkerError(
            f"{name}() was begun on {error.allowed_failures + 1} workers of the cluster, and each "
            f"ended while it ran, the last at {error.last_worker.address}; see their logs, for a "
            "call may need more memory than they are allowed"
        )
    elif isinstance(error, CancelledError) or type(error).__name__ == "FutureCancelledError":
        meant = WorkerError(f"the cluster dropped {name}(): {error}")
    elif isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("pyspeedup"):
        meant = WorkerError(
            f"{name}() cannot be evaluated: the workers of the cluster need pyspeedup-dask installed"
        )
    else:
        return error
    meant.__cause__ = error
    return meant
