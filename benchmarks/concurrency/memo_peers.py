"""Who remembers the results of a function: each a context manager for what decorates it."""

from __future__ import annotations

import contextlib
import functools
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Decorate = Callable[[Callable[..., Any]], Any]

DEEP = 10_000_000
"""A limit of recursion that nobody runs into."""


@contextlib.contextmanager
def lru_cache() -> Iterator[Decorate]:
    """Use functools.lru_cache without a bound."""
    yield functools.lru_cache(None)


@contextlib.contextmanager
def ours() -> Iterator[Decorate]:
    """Use Cache."""
    from pyspeedup.concurrent import Cache

    yield Cache


@contextlib.contextmanager
def cachetools() -> Iterator[Decorate]:
    """Use cachetools.cached over a dict, which is its fastest."""
    from cachetools import cached

    yield cached({})


@contextlib.contextmanager
def cachebox() -> Iterator[Decorate]:
    """Use cachebox.cached over its Cache without a bound."""
    from cachebox import Cache, cached

    yield cached(Cache(0))


@contextlib.contextmanager
def diskcache() -> Iterator[Decorate]:
    """Use diskcache.Cache.memoize: on disk, and shared by processes."""
    from diskcache import Cache

    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder, Cache(folder) as cache:
        yield cache.memoize()


@contextlib.contextmanager
def joblib_memory() -> Iterator[Decorate]:
    """Use joblib.Memory: on disk, and shared by processes."""
    from joblib import Memory

    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        yield Memory(folder, verbose=0).cache


@contextlib.contextmanager
def lru_cache_with_a_high_limit() -> Iterator[Decorate]:
    """Use functools.lru_cache, and let it recurse as deep as it likes."""
    sys.setrecursionlimit(DEEP)
    yield functools.lru_cache(None)


@contextlib.contextmanager
def lru_cache_with_a_large_stack() -> Iterator[Decorate]:
    """Use functools.lru_cache in a thread with a stack of a gibibyte."""
    sys.setrecursionlimit(DEEP)
    threading.stack_size(1 << 30)
    yield InThread()


class InThread:
    """Decorates with functools.lru_cache; what comes of it is to be called by `run`."""

    def __call__(self, function: Callable[..., Any]) -> Any:
        """Decorate."""
        return functools.lru_cache(None)(function)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call in a thread."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(function, *arguments).result()


MEMOS = {
    "lru_cache": Peer(lru_cache),
    OURS: Peer(ours),
    "cachetools": Peer(cachetools, "cachetools"),
    "cachebox": Peer(cachebox, "cachebox"),
    "diskcache": Peer(diskcache, "diskcache", part=0.02, slow=True),
    "joblib": Peer(joblib_memory, "joblib", part=0.002, slow=True),
}
"""The parts are those of C3, of which slow ones do less."""

DEEP_MEMOS = {
    "lru_cache": Peer(lru_cache),
    "lru_cache-limit": Peer(lru_cache_with_a_high_limit),
    "lru_cache-stack": Peer(lru_cache_with_a_large_stack),
    OURS: Peer(ours),
    "cachetools": Peer(cachetools, "cachetools"),
    "cachebox": Peer(cachebox, "cachebox"),
}
