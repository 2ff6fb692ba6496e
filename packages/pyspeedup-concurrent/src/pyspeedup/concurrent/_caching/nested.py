"""`submit` and `map` where a function is evaluated: at once, and one by one, through its memoized form."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.map_options import MapOptions, calls_of, make_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["done", "map_bound_here", "map_here", "submit_here"]

MOST_HINTS: Final = 64
"""Calls ahead that idle workers are told of."""


def done(compute: Callable[[], Any]) -> Future[Any]:
    """Return a future of what `compute` returns or raises, now.

    >>> done(lambda: 6 * 7).result()
    42
    """
    future: Future[Any] = Future()
    try:
        future.set_result(compute())
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        future.set_exception(error)
    return future


def submit_here(local: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
    """Evaluate a call now, and return its future."""
    return done(lambda: local(*args, **kwargs))


def map_here(local: Any, /, *iterables: Iterable[Any], **options: Any) -> Iterator[Any]:
    """Evaluate each call when its result is asked for; see `Cache.map`."""
    given = MapOptions(**options)
    given.check()
    name = local.__qualname__
    calls, length = calls_of(iterables, name)
    bar = make_bar(length, name) if given.progress else None
    return _read(local, calls, bar)


def map_bound_here(
    local: Any, instance: Any, /, *iterables: Iterable[Any], **options: Any
) -> Iterator[Any]:
    """Do what `map_here` does with a method of `instance`."""
    instances = (itertools.repeat(instance),) if iterables else ()
    return map_here(local, *instances, *iterables, **options)


def _read(local: Any, calls: Iterator[tuple[Any, ...]], bar: Any) -> Iterator[Any]:
    try:
        while block := [*itertools.islice(calls, MOST_HINTS)]:
            local.batch_async(*block)
            for call in block:
                yield local(*call)
                if bar is not None:
                    bar.update()
    finally:
        if bar is not None:
            bar.close()
