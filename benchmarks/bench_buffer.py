"""Buffer beside a plain generator and a queue by hand, by the work that goes into each value.

Producer and consumer work equally much, so that two cores can at best halve the time.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import queue
import threading
from typing import TYPE_CHECKING, Any

from contest import Phases, contest
from pyspeedup.concurrent import Buffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WORK = {"no work": (0, 1), "10 us": (160, 4), "100 us": (1_600, 20), "1 ms": (16_000, 100)}
"""For each phase: steps of work a value, and by how much the number of values is divided."""

AHEAD = 256
END = -1


def work(steps: int) -> int:
    """Do some work: about 1 us for 16 steps."""
    total = 0
    for n in range(steps):
        total += n * n
    return total


def produce(steps: int, values: int) -> Iterator[int]:
    """Yield `values` values with as many `steps` of work for each."""
    for n in range(values):
        work(steps)
        yield n


def drive(size: int, stream: Callable[[Callable[[], Iterator[int]]], Iterable[int]]) -> Phases:
    """Consume each phase's values, with as much work as went into them."""
    for phase, (steps, divisor) in WORK.items():
        total = 0
        for value in stream(functools.partial(produce, steps, size // divisor)):
            work(steps)
            total += value
        yield phase, total


def plain(size: int, _folder: str) -> Phases:
    """Generate and consume in turn."""
    return drive(size, lambda generator: generator())


def buffered(size: int, _folder: str) -> Phases:
    """Let a Buffer run ahead."""

    def stream(generator: Callable[[], Iterator[int]]) -> Iterator[int]:
        with Buffer(generator, AHEAD) as ahead:
            yield from ahead

    return drive(size, stream)


def fill(pipe: Any, generator: Callable[[], Iterator[int]]) -> None:
    """Put all values into a queue, and an end mark."""
    for value in itertools.chain(generator(), [END]):
        pipe.put(value)


def by_process_queue(size: int, _folder: str) -> Phases:
    """Start a process that fills a multiprocessing.Queue."""

    def stream(generator: Callable[[], Iterator[int]]) -> Iterator[int]:
        pipe: Any = multiprocessing.Queue(AHEAD)
        process = multiprocessing.Process(target=fill, args=(pipe, generator))
        process.start()
        yield from iter(pipe.get, END)
        process.join()

    return drive(size, stream)


def by_thread_queue(size: int, _folder: str) -> Phases:
    """Start a thread that fills a queue: one core, whatever it costs."""

    def stream(generator: Callable[[], Iterator[int]]) -> Iterator[int]:
        pipe: queue.Queue[int] = queue.Queue(AHEAD)
        thread = threading.Thread(target=fill, args=(pipe, generator))
        thread.start()
        yield from iter(pipe.get, END)
        thread.join()

    return drive(size, stream)


if __name__ == "__main__":
    everybody = {
        "generator": plain,
        "Buffer": buffered,
        "multiprocessing.Queue": by_process_queue,
        "queue.Queue, thread": by_thread_queue,
    }
    contest(__file__, everybody, 50_000, "values without work, fewer with")
