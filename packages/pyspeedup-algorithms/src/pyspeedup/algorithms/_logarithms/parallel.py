"""The glue: work of logarithms in worker processes, by a `Cache`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["results"]

R = TypeVar("R")

AHEAD = 8
"""How many calls are begun beyond the results read: enough for some cores, few to drop at the end."""


@contextmanager
def results(
    function: Callable[..., R], *iterables: Iterable[Any], workers: int | None
) -> Iterator[Iterator[R]]:
    """Yield the results of calls, as they are there; what is not needed is dropped on leaving.

    For one worker that is `map`, in this process.
    """
    if workers == 1:
        yield map(function, *iterables)
        return
    # Imported here: what takes milliseconds must not pay for processes.
    from pyspeedup.concurrent import Cache

    cache = Cache(function, workers=workers)
    found: Any = cache.map(*iterables, ordered=False, chunksize=1, buffersize=AHEAD)
    with closing(found):
        yield found
    cache.cache_clear()
