"""Who streams the items of a generator out of another process, each opened as its documentation says.

Each gets the source and how many items it may be ahead, and is a context manager for an iterable.
Leaving the context ends what was started.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import queue
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from concurrency.spin import cores
from contests.workload import OURS, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

END = None
CHUNKS = 4
"""Into so many chunks is divided what may be ahead, where a peer wants chunks and no peer says how."""


@dataclass(frozen=True)
class Source:
    """Items: a generator that makes them all, and the function that makes one of them, if there is one."""

    generator: Callable[[], Iterator[Any]]
    count: int
    make: Callable[[int], Any] | None = None


@contextlib.contextmanager
def in_process(source: Source, _ahead: int) -> Iterator[Iterable[Any]]:
    """Use no process: the limit."""
    yield source.generator()


@contextlib.contextmanager
def ours(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Use a Buffer."""
    from pyspeedup.concurrent import Buffer

    with Buffer(source.generator, ahead) as buffer:
        yield buffer


@contextlib.contextmanager
def process_queue(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Fill a multiprocessing.Queue of that size."""
    items: Any = multiprocessing.Queue(ahead)
    with _process(_fill, items.put, source):
        yield _until_end(items.get)


@contextlib.contextmanager
def process_simple_queue(source: Source, _ahead: int) -> Iterator[Iterable[Any]]:
    """Fill a multiprocessing.SimpleQueue, whose bound is that of a pipe: 64 KiB."""
    items: Any = multiprocessing.SimpleQueue()
    with _process(_fill, items.put, source):
        yield _until_end(items.get)


@contextlib.contextmanager
def process_pipe(source: Source, _ahead: int) -> Iterator[Iterable[Any]]:
    """Send through a multiprocessing.Pipe, whose bound is that of a pipe: 64 KiB."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    with _process(_fill, sending.send, source), receiving, sending:
        yield _until_end(receiving.recv)


@contextlib.contextmanager
def thread_queue(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Fill a queue.Queue in a thread: one core, whatever it costs."""
    items: queue.Queue[Any] = queue.Queue(ahead)
    threading.Thread(target=_fill, args=(items.put, source), daemon=True).start()
    yield _until_end(items.get)


@contextlib.contextmanager
def executor_chunks(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Keep the generator in the one process of a ProcessPoolExecutor, and fetch lists of its items."""
    chunk = max(1, ahead // CHUNKS)
    with ProcessPoolExecutor(1, initializer=_begin, initargs=(source,)) as executor:
        yield _fetched(executor, chunk)


@contextlib.contextmanager
def executor_map(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Map the function that makes one item, in chunks, on all cores: no generator, and no bound."""
    with ProcessPoolExecutor(cores()) as executor:
        chunk = max(1, ahead // CHUNKS)
        try:
            yield executor.map(_made(source), range(source.count), chunksize=chunk)
        finally:
            executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def joblib_generator(source: Source, _ahead: int) -> Iterator[Iterable[Any]]:
    """Have joblib's workers make one item each call, in batches that joblib sizes."""
    from joblib import Parallel, delayed

    make = delayed(_made(source))
    yield Parallel(n_jobs=cores(), return_as="generator")(map(make, range(source.count)))


@contextlib.contextmanager
def mpire_imap(source: Source, ahead: int) -> Iterator[Iterable[Any]]:
    """Have mpire's workers make one item each call."""
    from mpire.pool import WorkerPool

    chunk = max(1, ahead // CHUNKS)
    numbers = range(source.count)
    with WorkerPool(n_jobs=cores()) as pool:
        yield pool.imap(_made(source), numbers, chunk_size=chunk, iterable_len=source.count)


GENERATING = {
    "generator": Peer(in_process),
    OURS: Peer(ours),
    "mp.Queue": Peer(process_queue),
    "mp.SimpleQueue": Peer(process_simple_queue),
    "mp.Pipe": Peer(process_pipe),
    "thread": Peer(thread_queue),
    "executor-chunks": Peer(executor_chunks),
}
"""Those that run any generator."""

MAPPING = {
    "executor-map": Peer(executor_map),
    "joblib": Peer(joblib_generator, "joblib"),
    "mpire": Peer(mpire_imap, "mpire"),
}
"""Those that can call a function for each item, and have to be told one in place of the generator."""


def _made(source: Source) -> Callable[[int], Any]:
    if source.make is None:
        raise TypeError("this source has no function that makes one item")
    return source.make


@contextlib.contextmanager
def _process(target: Callable[..., None], *arguments: Any) -> Iterator[None]:
    process = multiprocessing.Process(target=target, args=arguments)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _fill(put: Callable[[Any], None], source: Source) -> None:
    for item in itertools.chain(source.generator(), [END]):
        put(item)


def _until_end(get: Callable[[], Any]) -> Iterator[Any]:
    while (item := get()) is not END:
        yield item


_generating: list[Iterator[Any]] = []


def _begin(source: Source) -> None:
    _generating.append(source.generator())


def _take(count: int) -> list[Any]:
    return list(itertools.islice(_generating[0], count))


def _fetched(executor: ProcessPoolExecutor, chunk: int) -> Iterator[Any]:
    waiting: deque[Future[list[Any]]] = deque(executor.submit(_take, chunk) for _ in range(CHUNKS))
    while items := waiting.popleft().result():
        waiting.append(executor.submit(_take, chunk))
        yield from items
