"""C1 to C3 and C9: what remembering costs where the work itself is nothing, and how deep it goes."""

from __future__ import annotations

import functools
import math
import random
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from concurrency.memo_peers import DEEP, DEEP_MEMOS, MEMOS, InThread
from concurrency.timing import compared, own
from contests.workload import OURS, Peer, Workload, require, scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.workload import Figures

KEYS = 1_000
FIBONACCI, FIBONACCI_200 = 200, 453973694165307953197296969697410619233826
TIMES = 11
GRID = 447
"""Letters of each of two words: 448 x 448 sub-problems."""

LETTERS = "ab"
DEPTH, GREAT_DEPTH = 100_000, 1_000_000


def square(number: int) -> int:
    """Return its square."""
    return number * number


def hit(peer: Peer, scale: float) -> Figures:
    """Return how many times an lru_cache's hit a hit takes, and nanoseconds."""
    keys = list(range(scaled(KEYS, scale, 50)))
    known = functools.lru_cache(None)(square)
    with peer.use() as decorate:
        function = decorate(square)
        for each in (function, known):
            require("the sum of the results", sum(map(each, keys)), sum(map(square, keys)))
        mine, other = own(_call), own(_call)
        found = compared(
            lambda: mine(function, keys),
            lambda: other(known, keys),
            lambda: _pass_over(keys),
            len(keys),
        )
        require("the sum of the hits", sum(map(function, keys)), sum(map(square, keys)))
    return {"times": found.ratio, "ns": found.nanoseconds}


def _call(function: Callable[[int], int], keys: list[int]) -> None:
    for key in keys:
        function(key)


def _pass_over(keys: list[int]) -> None:
    for _ in keys:
        pass


def plain_fibonacci(decorate: Callable[..., Any]) -> Any:
    """Return the function as one writes it for lru_cache."""

    @decorate
    def fibonacci(n: int) -> int:
        if n < 2:  # noqa: PLR2004 -- as its definition has it
            return 1
        return fibonacci(n - 1) + fibonacci(n - 2)  # type: ignore[no-any-return]

    return fibonacci


def hinted_fibonacci(decorate: Callable[..., Any]) -> Any:
    """Return the function as one writes it for Cache."""

    @decorate
    def fibonacci(n: int) -> int:
        if n < 2:  # noqa: PLR2004 -- as its definition has it
            return 1
        fibonacci.batch_async((n - 1,), (n - 2,))
        return fibonacci(n - 1) + fibonacci(n - 2)  # type: ignore[no-any-return]

    return fibonacci


def recursion(peer: Peer, scale: float) -> Figures:
    """Return milliseconds of fibonacci(200), nothing of it known, imports and workers there.

    Of ours, which is told to forget between times where others begin anew, also how many times a round
    trip to a worker and 1.5 times lru_cache's time that is.
    """
    sys.setrecursionlimit(DEEP)
    times = scaled(TIMES, scale, 3)
    if peer is not MEMOS[OURS]:
        return {"ms": _fibonacci_anew(peer, times)}
    with peer.use() as decorate:
        took = _fibonacci_again(hinted_fibonacci(decorate), times)
        round_trip = _round_trip(decorate(square), times)
    plain = _fibonacci_anew(MEMOS["lru_cache"], times)
    return {
        "ms": took,
        "round_trip_ms": round_trip,
        "times_aim": took / (round_trip + 1.5 * plain),
    }


def _fibonacci_anew(peer: Peer, times: int) -> float:
    took = []
    for _ in range(times + 1):
        with peer.use() as decorate:
            took.append(_milliseconds(plain_fibonacci(decorate), FIBONACCI, FIBONACCI_200))
    return statistics.median(took[1:])


def _fibonacci_again(function: Any, times: int) -> float:
    took = []
    for _ in range(times + 1):
        function.cache_clear()
        took.append(_milliseconds(function, FIBONACCI, FIBONACCI_200))
    return statistics.median(took[1:])


def _round_trip(function: Callable[[int], int], times: int) -> float:
    took = [_milliseconds(function, n, square(n)) for n in range(times + 1)]
    return statistics.median(took[1:])


def _milliseconds(function: Callable[[int], int], n: int, expected: int) -> float:
    start = time.perf_counter()
    found = function(n)
    took = time.perf_counter() - start
    require(f"the result for {n}", found, expected)
    return took * 1e3


def plain_distance(decorate: Callable[..., Any], one: str, other: str) -> Any:
    """Return how many letters one has to change, as one writes it for lru_cache."""

    @decorate
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        return min(  # type: ignore[no-any-return]
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (one[i - 1] != other[j - 1]),
        )

    return distance


def hinted_distance(decorate: Callable[..., Any], one: str, other: str) -> Any:
    """Return the same, as one writes it for Cache."""

    @decorate
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        distance.batch_async((i - 1, j), (i, j - 1), (i - 1, j - 1))
        return min(  # type: ignore[no-any-return]
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (one[i - 1] != other[j - 1]),
        )

    return distance


def grid(peer: Peer, scale: float) -> Figures:
    """Return how many times lru_cache's time a sub-problem takes, measured here before and after."""
    sys.setrecursionlimit(DEEP)
    side = scaled(GRID, math.sqrt(scale * peer.part), 5)
    chance = random.Random(side)  # noqa: S311 -- the same for all
    one, other = ("".join(chance.choices(LETTERS, k=side)) for _ in range(2))
    nodes = (side + 1) ** 2
    expected, before = _reference(one, other)
    written = hinted_distance if peer is MEMOS[OURS] else plain_distance
    found, took = _distance(peer, written, one, other)
    require("the distance", found, expected)
    after = _reference(one, other)[1]
    return {
        "times": took / ((before + after) / 2),
        "us_per_node": took / nodes * 1e6,
        "seconds": took,
        "nodes": float(nodes),
    }


def _reference(one: str, other: str) -> tuple[int, float]:
    """Return what `_distance` does for lru_cache; sub-problem after sub-problem where it cannot recurse so deep.

    That is so on CPython 3.12.
    """
    plain = MEMOS["lru_cache"]
    try:
        return _distance(plain, plain_distance, one, other)
    except RecursionError:
        with plain.use() as decorate:
            function = plain_distance(decorate, one, other)
            start = time.perf_counter()
            for i in range(len(one) + 1):
                for j in range(len(other) + 1):
                    found = function(i, j)
            return found, time.perf_counter() - start


def _distance(peer: Peer, written: Any, one: str, other: str) -> tuple[int, float]:
    """Return the distance, and the median of the seconds that finding it took."""
    took = []
    for _ in range(3):
        with peer.use() as decorate:
            require("a square", decorate(square)(12), 144)  # workers are there, imports are done
            function = written(decorate, one, other)
            start = time.perf_counter()
            found = function(len(one), len(other))
            took.append(time.perf_counter() - start)
    return found, statistics.median(took)


def deep(depth: int, peer: Peer, _scale: float) -> Figures:
    """Return how deep a recursion went, which is to be `depth`, and how long it took."""
    with peer.use() as decorate:

        @decorate  # type: ignore[untyped-decorator]  # whatever the peer is
        def down(n: int) -> int:
            return 0 if n == 0 else down(n - 1) + 1

        start = time.perf_counter()
        found = decorate.run(down, depth) if isinstance(decorate, InThread) else down(depth)
        took = time.perf_counter() - start
    require("the depth", found, depth)
    return {"depth": float(found), "seconds": took}


WORKLOADS = {
    "C1": Workload(
        "a result that is known already", hit, MEMOS, {"times": "x lru_cache", "ns": "ns"}
    ),
    "C2": Workload(
        "fibonacci(200)",
        recursion,
        MEMOS,
        {"ms": "ms", "round_trip_ms": "ms, a round trip", "times_aim": "x the aim"},
        limit="lru_cache",
    ),
    "C3": Workload(
        "edit distance, 200,000 sub-problems",
        grid,
        MEMOS,
        {"times": "x lru_cache", "us_per_node": "us each", "seconds": "s", "nodes": "sub-problems"},
    ),
    "C9": Workload(
        "recursion 100,000 deep",
        functools.partial(deep, DEPTH),
        DEEP_MEMOS,
        {"depth": "deep", "seconds": "s"},
    ),
    "C9m": Workload(
        "recursion 1,000,000 deep",
        functools.partial(deep, GREAT_DEPTH),
        {name: DEEP_MEMOS[name] for name in ("lru_cache-stack", OURS)},
        {"depth": "deep", "seconds": "s"},
    ),
}
