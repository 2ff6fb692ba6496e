"""What `Cache.map` returns: an iterator over results, which drops what has not begun when it ends early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.map_options import calls_of, make_bar
from pyspeedup.concurrent._caching.mapping import Feed
from pyspeedup.concurrent._caching.nested import map_here
from pyspeedup.concurrent._caching.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspeedup.concurrent._caching.evaluating import Evaluating
    from pyspeedup.concurrent._caching.map_options import MapOptions
    from pyspeedup.concurrent._caching.recall import Recall

__all__ = ["read_results"]

MOST_AHEAD: Final = 4096
"""Calls a worker that may be begun and not read, unless the user says otherwise."""


def read_results(
    evaluating: Evaluating,
    recall: Callable[[], Recall],
    iterables: tuple[Iterable[Any], ...],
    options: MapOptions,
) -> Iterator[Any]:
    """Begin the first calls, and return an iterator over all results."""
    options.check()
    local = evaluating.local()
    if local is not None:
        return map_here(local, *iterables, **options._asdict())
    name = evaluating.normalize.name
    calls, length = calls_of(iterables, name)
    bar = make_bar(length, name) if options.progress else None
    feed = _make_feed(evaluating, recall, calls, length, options)
    results = _read(feed, bar, options.deadline(), ordered=options.ordered)
    next(results)  # up to where it waits for a reader; from there on closing it has an effect
    return results


def _make_feed(
    evaluating: Evaluating,
    recall: Callable[[], Recall],
    calls: Iterator[tuple[Any, ...]],
    length: int | None,
    options: MapOptions,
) -> Feed:
    workers = evaluating.engine_and_number()[0].workers
    most = MOST_AHEAD * workers if options.buffersize is None else options.buffersize
    fixed = options.chunksize if evaluating.takes_batches else 1
    largest = max(1, most // (2 * workers))
    pacer = Pacer(workers=workers, most=largest, length=length, fixed=fixed)
    return Feed(evaluating, recall, calls, pacer, workers=workers, most=most)


def _read(feed: Feed, bar: Any, deadline: float | None, *, ordered: bool) -> Iterator[Any]:
    try:
        feed.fill()
        yield None
        while (part := feed.next_part(ordered=ordered, deadline=deadline)) is not None:
            values, error = part.outcome()
            if bar is not None:
                bar.update(len(values))
            yield from values[:-1]
            feed.read(part)  # before the last one, so that workers have more while it is used
            yield from values[-1:]
            if error is not None:
                raise error
    finally:
        feed.close()
        if bar is not None:
            bar.close()
