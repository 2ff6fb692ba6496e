"""B1 to B6: what it costs to get the items of a generator out of another process."""

from __future__ import annotations

import functools
import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrency import stream_peers
from concurrency.spin import seconds_of, spin, steps_of
from concurrency.stream_peers import Source
from contests.workload import Peer, Workload, WrongAnswerError, require, scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contests.workload import Figures

SIZES = (16, 1024, 16384)
SECONDS = 0.4
"""How long a stream is to take whose length is free."""

FIRST_TRY, MOST = 10_000, 1_000_000
"""Items of the stream that shows how many the measured one gets, and its most."""

OVERLAP_SECONDS, OVERLAPPED = 0.002, 400
PAUSE, PAUSES = 0.002, 400
OPENINGS = 9
ARRAYS = {"8MB": (8_000_000, 60), "100kB": (100_000, 2_000)}
"""Bytes an array, and how many of them."""

SLOTS, MORE_COPIES = 8, 10
"""What is copied for comparison goes to one of so many places, in turn, and so many times as often."""


def numbers(count: int) -> Iterator[int]:
    """Yield the natural numbers."""
    number = 0
    while number < count:
        yield number
        number += 1


def number(place: int) -> int:
    """Return one of them."""
    return place


def records(count: int) -> Iterator[dict[str, Any]]:
    """Yield small dicts, a new one each time."""
    for place in range(count):
        yield {"n": place, "name": f"item {place}", "half": place / 2}


def record(place: int) -> dict[str, Any]:
    """Return one of them."""
    return {"n": place, "name": f"item {place}", "half": place / 2}


def arrays(size: int, count: int) -> Iterator[Any]:
    """Yield the same array again and again, with another number at its beginning and its end."""
    import numpy as np

    array = np.zeros(size // 8)
    for place in range(count):
        array[0] = array[-1] = place
        yield array


def worked(steps: int, count: int) -> Iterator[int]:
    """Yield numbers, each after some work."""
    for place in range(count):
        spin(steps)
        yield place


def seldom(count: int) -> Iterator[float]:
    """Yield what time it is, each after a pause in which the consumer falls asleep."""
    for _ in range(count):
        time.sleep(PAUSE)
        yield time.perf_counter()


class Kind(NamedTuple):
    """Items: what yields so many of them, what makes one, and what looks at each and counts them."""

    generator: Callable[[int], Iterator[Any]]
    make: Callable[[int], Any]
    check: Callable[[Iterable[Any]], int]


def rate_of_numbers(peer: Peer, scale: float) -> Figures:
    """Return ints a second, by how many may be ahead."""
    kind = Kind(numbers, number, _check_numbers)
    return {f"rate_{ahead}": _rate(kind, peer, ahead, scale) for ahead in SIZES}


def rate_of_records(peer: Peer, scale: float) -> Figures:
    """Return dicts a second."""
    kind = Kind(records, record, _check_records)
    return {"rate_1024": _rate(kind, peer, 1024, scale)}


def _rate(kind: Kind, peer: Peer, ahead: int, scale: float) -> float:
    """Return items a second from asking for the stream to its end, each of them looked at.

    A first, shorter stream pays for imports and pools, and shows how long the measured one can be.
    """
    count = scaled(FIRST_TRY, scale)
    for _ in range(2):
        source = Source(functools.partial(kind.generator, count), count, kind.make)
        start = time.perf_counter()
        with peer.use(source, ahead) as items:
            require("the number of items", kind.check(items), count)
            rate = count / (time.perf_counter() - start)
        count = min(scaled(MOST, scale), max(count, round(rate * SECONDS * scale)))
    return rate


def _check_numbers(items: Iterable[int]) -> int:
    place = -1
    for place, item in enumerate(items):
        if item != place:
            raise WrongAnswerError(f"item {place} is {item!r:.60}")
    return place + 1


def _check_records(items: Iterable[dict[str, Any]]) -> int:
    place = -1
    for place, item in enumerate(items):
        if item["n"] != place or item["half"] * 2 != place:
            raise WrongAnswerError(f"item {place} is {item!r:.60}")
    return place + 1


def rate_of_arrays(peer: Peer, scale: float) -> Figures:
    """Return GB a second, and how many arrays came with contents that were written after their turn.

    Where there are any, the work was not done, and there is no rate.
    """
    figures = {}
    for name, (size, usual) in ARRAYS.items():
        count = scaled(usual, scale, 5)
        for often in (2, count):  # the first stream pays for imports
            source = Source(functools.partial(arrays, size, often), often)
            start = time.perf_counter()
            with peer.use(source, 16) as items:
                stale = _count_stale(items, often)
                took = time.perf_counter() - start
        figures[f"stale_{name}"] = float(stale)
        if not stale:
            figures[f"GBps_{name}"] = size * count / took / 1e9
    return figures


def _count_stale(items: Iterable[Any], count: int) -> int:
    stale, place = 0, -1
    for place, array in enumerate(items):
        stale += not array[0] == array[-1] == place
    require("the number of arrays", place + 1, count)
    return stale


def copying(_source: Source, _ahead: int) -> None:
    """Stand for memcpy, which `rate_of_arrays` is not asked for."""


def rate_of_copies(scale: float) -> Figures:
    """Return GB a second of copying to one of a few places in turn, where memory is already."""
    import numpy as np

    figures = {}
    for name, (size, usual) in ARRAYS.items():
        count = scaled(usual, scale, 5) * MORE_COPIES
        source, *targets = (np.full(size // 8, 1.0) for _ in range(1 + SLOTS))
        start = time.perf_counter()
        for place in range(count):
            source[0] = source[-1] = place
            np.copyto(targets[place % SLOTS], source)
            require("the copy's end", targets[place % SLOTS][-1], place)
        figures[f"GBps_{name}"] = size * count / (time.perf_counter() - start) / 1e9
        figures[f"stale_{name}"] = 0.0
    return figures


def arrays_or_copies(peer: Peer, scale: float) -> Figures:
    """Return what `rate_of_arrays` does, or the limit that there is to it."""
    return rate_of_copies(scale) if peer.use is copying else rate_of_arrays(peer, scale)


def overlap(peer: Peer, scale: float) -> Figures:
    """Return how many times the ideal it takes where producer and consumer work equally much.

    The ideal is half of what all the work takes on one core, measured here before and after.
    """
    steps = steps_of(OVERLAP_SECONDS)
    count = scaled(OVERLAPPED, scale, 10)
    with peer.use(Source(functools.partial(numbers, 10), 10), 16) as items:
        require("what came first", list(items), list(range(10)))  # imports are done
    before = seconds_of(steps * count)
    start = time.perf_counter()
    with peer.use(Source(functools.partial(worked, steps, count), count), 16) as items:
        found = []
        for item in items:
            spin(steps)
            found.append(item)
        took = time.perf_counter() - start
    require("what came", found, list(range(count)))
    ideal = (before + seconds_of(steps * count)) / 2
    return {"times_ideal": took / ideal, "seconds": took, "ideal_seconds": ideal}


def first_item(peer: Peer, scale: float) -> Figures:
    """Return milliseconds from asking for the stream to its first item: the first time, and later."""
    took = []
    for _ in range(scaled(OPENINGS, scale, 3)):
        start = time.perf_counter()
        with peer.use(Source(functools.partial(numbers, 1_000), 1_000), 16) as items:
            found = next(iter(items))
            took.append((time.perf_counter() - start) * 1e3)
        require("the first item", found, 0)
    return {"warm_ms": statistics.median(took[1:]), "cold_ms": took[0]}


def latency(peer: Peer, scale: float) -> Figures:
    """Return microseconds from the generator's yield until the waiting consumer has the item."""
    count = scaled(PAUSES, scale, 20)
    delays = []
    with peer.use(Source(functools.partial(seldom, count), count), 16) as items:
        for item in items:
            delays.append((time.perf_counter() - item) * 1e6)  # noqa: PERF401 -- each at its moment
    require("the number of items", len(delays), count)
    hundredths = statistics.quantiles(delays, n=100)
    return {"p50_us": hundredths[49], "p99_us": hundredths[98]}


ARRAY_PEERS = {
    "memcpy": Peer(copying, "numpy"),
    **{
        name: Peer(peer.use, "numpy")
        for name, peer in stream_peers.GENERATING.items()
        if name != "generator"
    },
}
EVERYBODY = stream_peers.GENERATING | stream_peers.MAPPING
ONE_BY_ONE = stream_peers.GENERATING
WORKLOADS = {
    "B1": Workload(
        "small ints, by how many may be ahead",
        rate_of_numbers,
        EVERYBODY,
        {f"rate_{ahead}": f"items/s, {ahead:,} ahead" for ahead in SIZES},
        limit="generator",
        more_is_better=True,
    ),
    "B2": Workload(
        "small dicts",
        rate_of_records,
        EVERYBODY,
        {"rate_1024": "items/s, 1,024 ahead"},
        limit="generator",
        more_is_better=True,
    ),
    "B3": Workload(
        "arrays of a producer that reuses its own",
        arrays_or_copies,
        ARRAY_PEERS,
        {
            f"{figure}_{name}": f"{said}, {name}"
            for name in ARRAYS
            for figure, said in (("GBps", "GB/s"), ("stale", "stale"))
        },
        limit="memcpy",
        more_is_better=True,
    ),
    "B4": Workload(
        "2 ms of work in the producer, 2 ms in the consumer",
        overlap,
        ONE_BY_ONE,
        {"times_ideal": "x ideal", "seconds": "s", "ideal_seconds": "s, ideal"},
    ),
    "B5": Workload(
        "first item",
        first_item,
        ONE_BY_ONE,
        {"warm_ms": "ms", "cold_ms": "ms, first time"},
        limit="generator",
    ),
    "B6": Workload(
        "from yield to reception",
        latency,
        ONE_BY_ONE,
        {"p50_us": "us, p50", "p99_us": "us, p99"},
        limit="generator",
    ),
}
