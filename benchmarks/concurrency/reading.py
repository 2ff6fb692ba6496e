"""B7: what it costs to read again what is cached already, beside a list of the same process."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import tempfile
from multiprocessing import shared_memory
from typing import TYPE_CHECKING, Any

from concurrency.streams import numbers
from concurrency.timing import compared, own
from contests.workload import OURS, Peer, Workload, require, scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contests.workload import Figures

ITEMS = 10_000


@contextlib.contextmanager
def plain_list(items: list[int]) -> Iterator[Sequence[int]]:
    """Use a list."""
    yield items


@contextlib.contextmanager
def ours(items: list[int]) -> Iterator[Sequence[int]]:
    """Use a Buffer that has been read to its end."""
    from pyspeedup.concurrent import Buffer

    with Buffer(functools.partial(numbers, len(items)), 1024) as buffer:
        require("what was read at first", list(buffer), items)
        yield buffer


@contextlib.contextmanager
def manager_list(items: list[int]) -> Iterator[Any]:
    """Use the list of a multiprocessing.Manager."""
    with multiprocessing.Manager() as manager:
        yield manager.list(items)


@contextlib.contextmanager
def shareable_list(items: list[int]) -> Iterator[Any]:
    """Use multiprocessing.shared_memory.ShareableList."""
    shared = shared_memory.ShareableList(items)
    try:
        yield shared
    finally:
        shared.shm.close()
        shared.shm.unlink()


@contextlib.contextmanager
def disk_deque(items: list[int]) -> Iterator[Any]:
    """Use diskcache.Deque."""
    import diskcache

    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        yield diskcache.Deque(items, folder)


def reading(peer: Peer, scale: float) -> Figures:
    """Return how many times a list's time an index and an iteration take, and nanoseconds.

    The loop is part of both.
    """
    items = list(range(scaled(ITEMS, scale * peer.part, 200)))
    count = len(items)
    index_mine, index_other = own(_index), own(_index)
    iterate_mine, iterate_other = own(_iterate), own(_iterate)
    with peer.use(items) as shared:
        index = compared(
            lambda: index_mine(shared, count), lambda: index_other(items, count), None, count
        )
        iteration = compared(
            lambda: iterate_mine(shared), lambda: iterate_other(items), None, count
        )
        require("the item in the middle", shared[count // 2], count // 2)
        require("the sum of the items", sum(shared), sum(items))
    return {
        "index_times": index.ratio,
        "iteration_times": iteration.ratio,
        "index_ns": index.nanoseconds,
        "iteration_ns": iteration.nanoseconds,
    }


def _index(items: Sequence[int], count: int) -> None:
    for place in range(count):
        items[place]


def _iterate(items: Sequence[int]) -> None:
    for _ in items:
        pass


WORKLOADS = {
    "B7": Workload(
        "cached items read again",
        reading,
        {
            "list": Peer(plain_list),
            OURS: Peer(ours),
            "manager-list": Peer(manager_list, part=0.05),
            "shareable-list": Peer(shareable_list, part=0.1),
            "diskcache": Peer(disk_deque, "diskcache", part=0.02),
        },
        {
            "index_times": "index, x list",
            "iteration_times": "iteration, x list",
            "index_ns": "index, ns",
            "iteration_ns": "iteration, ns an item",
        },
    )
}
