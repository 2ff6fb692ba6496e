"""Who calls a function for each of many arguments on all cores: each a context manager for a map."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from concurrency.spin import cores, spin
from contests.workload import OURS, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Map = Callable[[int, Sequence[int]], Iterable[int]]

CHUNKS = 16
"""For each worker, where a peer wants to be told how large a chunk is."""


def task(steps: int, number: int) -> int:
    """Do the work that is mapped."""
    return spin(steps) ^ number


@contextlib.contextmanager
def ours() -> Iterator[Map]:
    """Use Cache.map as it comes."""
    from pyspeedup.concurrent import Cache

    def mapped(steps: int, numbers: Sequence[int]) -> Iterable[int]:
        @Cache
        def call(number: int) -> int:
            return task(steps, number)

        return call.map(numbers)

    yield _warmed(mapped)


@contextlib.contextmanager
def executor() -> Iterator[Map]:
    """Use ProcessPoolExecutor.map as it comes: each call by itself."""
    with ProcessPoolExecutor(cores()) as pool:
        yield _warmed(lambda steps, numbers: pool.map(functools.partial(task, steps), numbers))


@contextlib.contextmanager
def executor_chunks() -> Iterator[Map]:
    """Use ProcessPoolExecutor.map with a size of chunks chosen by hand."""
    with ProcessPoolExecutor(cores()) as pool:
        yield _warmed(
            lambda steps, numbers: pool.map(
                functools.partial(task, steps), numbers, chunksize=_chunk(numbers)
            )
        )


@contextlib.contextmanager
def pool() -> Iterator[Map]:
    """Use multiprocessing.Pool.map, which sizes its chunks itself."""
    with multiprocessing.Pool(cores()) as workers:
        yield _warmed(lambda steps, numbers: workers.map(functools.partial(task, steps), numbers))


@contextlib.contextmanager
def loky_chunks() -> Iterator[Map]:
    """Use loky's map with a size of chunks chosen by hand."""
    from loky import get_reusable_executor

    with get_reusable_executor(cores()) as workers:
        yield _warmed(
            lambda steps, numbers: workers.map(
                functools.partial(task, steps), numbers, chunksize=_chunk(numbers)
            )
        )


@contextlib.contextmanager
def joblib() -> Iterator[Map]:
    """Use joblib.Parallel, which sizes its batches itself."""
    from joblib import Parallel, delayed

    with Parallel(n_jobs=cores()) as parallel:
        yield _warmed(
            lambda steps, numbers: parallel(delayed(task)(steps, number) for number in numbers)
        )


@contextlib.contextmanager
def mpire() -> Iterator[Map]:
    """Use mpire's map, which sizes its chunks itself."""
    from mpire.pool import WorkerPool

    with WorkerPool(n_jobs=cores(), keep_alive=True) as workers:
        yield _warmed(lambda steps, numbers: workers.map(functools.partial(task, steps), numbers))


@contextlib.contextmanager
def pebble_chunks() -> Iterator[Map]:
    """Use pebble's map with a size of chunks chosen by hand."""
    from pebble import ProcessPool

    with ProcessPool(cores()) as workers:

        def mapped(steps: int, numbers: Sequence[int]) -> Iterable[int]:
            found: Any = workers.map(
                functools.partial(task, steps), numbers, chunksize=_chunk(numbers)
            )
            return found.result()  # type: ignore[no-any-return]

        yield _warmed(mapped)


def _chunk(numbers: Sequence[int]) -> int:
    return max(1, len(numbers) // (CHUNKS * cores()))


def _warmed(mapped: Map) -> Map:
    """Return it with all workers started."""
    for _ in mapped(1_000, range(16 * cores())):
        pass
    return mapped


COARSE = {
    OURS: Peer(ours),
    "executor": Peer(executor),
    "executor-chunks": Peer(executor_chunks),
    "mp.Pool": Peer(pool),
    "loky-chunks": Peer(loky_chunks, "loky"),
    "joblib": Peer(joblib, "joblib"),
    "mpire": Peer(mpire, "mpire"),
    "pebble-chunks": Peer(pebble_chunks, "pebble"),
}
FINE = COARSE | {"executor": Peer(executor, part=0.05)}
"""The same, where calls are short and many: who sends each by itself does fewer of them."""
