"""Who evaluates a graph of sub-problems: each a context manager for what does it once, workers there.

Some are given the recursive function, as one writes it, and find the graph by running it. Others cannot wait
for a task within a task; they are given the graph, and a scheduler written here hands them what is ready.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from concurrency import graphs
from concurrency.spin import cores, spin
from contests.workload import OURS, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from concurrency.graphs import Graph

    Evaluate = Callable[[], int]

DEEP = 10_000_000
"""A limit of recursion that nobody runs into."""


@contextlib.contextmanager
def lru_cache(graph: Graph) -> Iterator[Evaluate]:
    """Run the recursive function under functools.lru_cache, on one core."""
    sys.setrecursionlimit(DEEP)

    @functools.lru_cache(None)
    def result(node: int) -> int:
        total = 0
        for need in graph.needs[node]:
            total += result(need)
        return graphs.value_of(node, graph.steps[node], total)

    yield lambda: result(graph.root)


@contextlib.contextmanager
def ours(graph: Graph) -> Iterator[Evaluate]:
    """Run the recursive function under Cache, with its hint."""
    from pyspeedup.concurrent import Cache

    @Cache
    def result(node: int) -> int:
        total = 0
        result.batch_async(*((need,) for need in graph.needs[node]))
        for need in graph.needs[node]:
            total += result(need)
        return graphs.value_of(node, graph.steps[node], total)

    Cache(spin)(1)
    yield lambda: result(graph.root)


@contextlib.contextmanager
def executor(graph: Graph) -> Iterator[Evaluate]:
    """Schedule for a ProcessPoolExecutor."""
    with ProcessPoolExecutor(cores()) as pool:
        yield _scheduled_on(pool, graph)


@contextlib.contextmanager
def loky(graph: Graph) -> Iterator[Evaluate]:
    """Schedule for loky's executor."""
    from loky import get_reusable_executor

    with get_reusable_executor(cores()) as pool:
        yield _scheduled_on(pool, graph)


@contextlib.contextmanager
def pebble(graph: Graph) -> Iterator[Evaluate]:
    """Schedule for pebble's pool."""
    from pebble import ProcessPool

    with ProcessPool(cores()) as pool:

        def submit(*arguments: int) -> Any:
            return pool.schedule(graphs.value_of, args=arguments)

        _warm(submit)
        yield lambda: scheduled(graph, submit)


@contextlib.contextmanager
def dask_graph(graph: Graph) -> Iterator[Evaluate]:
    """Give dask all nodes at once, each with the futures that it needs."""
    with _dask_client() as client:

        def evaluate() -> int:
            futures: list[Any] = []
            for node, needs in enumerate(graph.needs):
                needed = [futures[need] for need in needs]
                steps = graph.steps[node]
                futures.append(client.submit(_value_of_list, node, steps, needed, pure=False))
            return int(futures[graph.root].result())

        yield evaluate


@contextlib.contextmanager
def dask_nested(graph: Graph) -> Iterator[Evaluate]:
    """Have each of dask's tasks submit what it needs, under a key of its own, and wait for it."""
    with _dask_client() as client:
        shared = client.scatter(graph, broadcast=True)

        def evaluate() -> int:
            return int(
                client.submit(_nested, shared, graph.root, key=f"node-{graph.root}").result()
            )

        yield evaluate


def scheduled(graph: Graph, submit: Callable[..., Any]) -> int:
    """Submit each node as soon as what it needs is there; return the root's result."""
    needed_by: list[list[int]] = [[] for _ in graph.needs]
    for node, needs in enumerate(graph.needs):
        for need in needs:
            needed_by[need].append(node)
    lacking = [len(needs) for needs in graph.needs]
    sums = [0] * len(graph.needs)
    done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    def begin(node: int) -> None:
        future = submit(node, graph.steps[node], sums[node])
        future.add_done_callback(lambda future: done.put((node, future)))

    for node, needs in enumerate(graph.needs):
        if not needs:
            begin(node)
    while True:
        node, future = done.get()
        value = future.result()
        if node == graph.root:
            return int(value)
        for after in needed_by[node]:
            sums[after] += value
            lacking[after] -= 1
            if not lacking[after]:
                begin(after)


def _scheduled_on(pool: Executor, graph: Graph) -> Evaluate:
    def submit(*arguments: int) -> Any:
        return pool.submit(graphs.value_of, *arguments)

    _warm(submit)
    return lambda: scheduled(graph, submit)


def _warm(submit: Callable[..., Any]) -> None:
    """Have all workers started."""
    for future in [submit(0, 1_000, 0) for _ in range(4 * cores())]:
        future.result()


@contextlib.contextmanager
def _dask_client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    options = {"n_workers": cores(), "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        for future in client.map(spin, range(4 * cores())):
            future.result()
        yield client


def _value_of_list(node: int, steps: int, values: list[int]) -> int:
    return graphs.value_of(node, steps, sum(values))


def _nested(graph: Graph, node: int) -> int:
    from distributed import worker_client

    values: list[int] = []
    if graph.needs[node]:
        with worker_client() as client:
            needs = [
                client.submit(_nested, graph, need, key=f"node-{need}")
                for need in graph.needs[node]
            ]
            values = client.gather(needs)
    return graphs.value_of(node, graph.steps[node], sum(values))


COARSE = {
    "lru_cache": Peer(lru_cache),
    OURS: Peer(ours),
    "executor": Peer(executor),
    "loky": Peer(loky, "loky"),
    "pebble": Peer(pebble, "pebble"),
    "dask": Peer(dask_graph, "distributed", slow=True),
    "dask-nested": Peer(dask_nested, "distributed", part=0.4, slow=True),
}
FINE = {
    **COARSE,
    "dask": Peer(dask_graph, "distributed", part=0.15, slow=True),
    "dask-nested": Peer(dask_nested, "distributed", part=0.03, slow=True),
}
"""The same, where nodes are small and many: those that take milliseconds a node do fewer of them."""
