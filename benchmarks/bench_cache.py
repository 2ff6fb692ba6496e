"""Cache beside lru_cache and ProcessPoolExecutor: hits, deep recursion, branching, independent calls."""

from __future__ import annotations

import functools
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from contest import Phases, contest
from pyspeedup.concurrent import Cache

if TYPE_CHECKING:
    from collections.abc import Callable

HITS = 100_000
DEPTH = 150
LEAF_STEPS = 100_000
"""Some 6 ms of work."""


def work(n: int) -> int:
    """Do work that takes some milliseconds and depends on `n`."""
    total = n
    for step in range(LEAF_STEPS):
        total = (total + step * step) % 1_000_003
    return total


@functools.lru_cache(None)
def tree_alone(low: int, high: int) -> int:
    """Sum `work` by halves, in this process."""
    if high - low == 1:
        return work(low)
    middle = (low + high) // 2
    return tree_alone(low, middle) + tree_alone(middle, high)


@Cache
def tree_shared(low: int, high: int) -> int:
    """Sum `work` by halves, on all cores."""
    if high - low == 1:
        return work(low)
    middle = (low + high) // 2
    tree_shared.batch_async((low, middle), (middle, high))
    return tree_shared(low, middle) + tree_shared(middle, high)


@functools.lru_cache(None)
def fibonacci_alone(n: int) -> int:
    """Add the two before."""
    return n if n < 2 else fibonacci_alone(n - 1) + fibonacci_alone(n - 2)  # noqa: PLR2004


@Cache
def fibonacci_shared(n: int) -> int:
    """Add the two before."""
    return n if n < 2 else fibonacci_shared(n - 1) + fibonacci_shared(n - 2)  # noqa: PLR2004


def hits(function: Callable[[int], Any]) -> int:
    """Ask for what is known already."""
    return sum(function(DEPTH) % 1_000 for _ in range(HITS))


def with_lru_cache(size: int, _folder: str) -> Phases:
    """Use functools.lru_cache."""
    yield "first call", fibonacci_alone(1)
    yield f"recursion {DEPTH} deep", fibonacci_alone(DEPTH)
    yield f"{HITS:,} hits", hits(fibonacci_alone)
    yield "branching recursion", tree_alone(0, size)
    yield "independent calls", sum(map(work, range(size)))


def with_cache(size: int, _folder: str) -> Phases:
    """Use Cache."""
    yield "first call", fibonacci_shared(1)
    yield f"recursion {DEPTH} deep", fibonacci_shared(DEPTH)
    yield f"{HITS:,} hits", hits(fibonacci_shared)
    yield "branching recursion", tree_shared(0, size)
    shared = Cache(work)
    shared.batch_async(*((n,) for n in range(size)))
    yield "independent calls", sum(map(shared, range(size)))


def with_executor(size: int, _folder: str) -> Phases:
    """Use ProcessPoolExecutor, which remembers nothing and deadlocks where calls wait for calls."""
    with ProcessPoolExecutor() as executor:
        yield "first call", executor.submit(int, 1).result()
        yield "independent calls", sum(executor.map(work, range(size)))


if __name__ == "__main__":
    everybody = {
        "lru_cache": with_lru_cache,
        "Cache": with_cache,
        "ProcessPoolExecutor": with_executor,
    }
    contest(__file__, everybody, 256, "leaves of some 6 ms each")
