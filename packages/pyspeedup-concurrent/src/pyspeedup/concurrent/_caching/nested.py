"""`submit` and `map` where a function is evaluated: at once, and one by one, through its memoized form."""

from __future__ import annotations

import functools
import itertools
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["done", "map_bound_here", "map_here", "refusals", "submit_here"]

MOST_HINTS: Final = 64
"""Calls ahead that idle workers are told of."""

OF_THE_PROGRAM: Final = ("cache_info", "cache_clear", "cache_parameters", "profile")
"""Methods of a Cache that workers do not have."""


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
    from pyspeedup.concurrent._caching.map_options import (  # 0.3 ms, for those who map
        MapOptions,
        calls_of,
        make_bar,
    )

    given = MapOptions(**options)
    given.check()
    name = local.__qualname__
    calls, length = calls_of(iterables, name)
    bar = make_bar(length, name) if given.progress else None
    most = MOST_HINTS if given.buffersize is None else min(MOST_HINTS, given.buffersize)
    return _read(local, calls, most, bar)


def map_bound_here(
    local: Any, instance: Any, /, *iterables: Iterable[Any], **options: Any
) -> Iterator[Any]:
    """Do what `map_here` does with a method of `instance`."""
    instances = (itertools.repeat(instance),) if iterables else ()
    return map_here(local, *instances, *iterables, **options)


@functools.cache
def refusals(name: str) -> dict[str, Callable[..., Any]]:
    """Return what stands, where a function is evaluated, for what only its Cache can tell or do.

    >>> refusals("f")["cache_info"]()
    Traceback (most recent call last):
    RuntimeError: f.cache_info() is for the program that f belongs to; a worker has no Cache to ask, only the memoized function
    """
    return {what: functools.partial(_refuse, name, what) for what in OF_THE_PROGRAM}


def _refuse(name: str, what: str, *_args: Any, **_kwargs: Any) -> NoReturn:
    raise RuntimeError(
        f"{name}.{what}() is for the program that {name} belongs to; "
        "a worker has no Cache to ask, only the memoized function"
    )


def _read(local: Any, calls: Iterator[tuple[Any, ...]], most: int, bar: Any) -> Iterator[Any]:
    error: Exception | None = None
    try:
        while error is None:
            block, error = _next_block(calls, most)
            if not block and error is None:
                return
            _hint(local, block)
            for call in block:
                yield local(*call)
                if bar is not None:
                    bar.update()
        raise error
    finally:
        if bar is not None:
            bar.close()


def _next_block(
    calls: Iterator[tuple[Any, ...]], most: int
) -> tuple[list[tuple[Any, ...]], Exception | None]:
    block: list[tuple[Any, ...]] = []
    try:
        block.extend(itertools.islice(calls, most))
    except Exception as error:  # noqa: BLE001 -- the input's own; it is raised at its place
        return block, error
    return block, None


def _hint(local: Any, block: list[tuple[Any, ...]]) -> None:
    with suppress(Exception):  # one of the calls is to blame, which says so when it is its turn
        local.batch_async(*block)
