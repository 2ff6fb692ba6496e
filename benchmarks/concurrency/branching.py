"""C4 and C5 as they are measured: how many times as fast as one core a graph is evaluated."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from concurrency import graphs
from concurrency.graph_peers import COARSE, FINE
from concurrency.spin import steps_of
from contests.workload import Peer, Workload, require, scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrency.graphs import Graph
    from contests.workload import Figures

COARSE_NODES, COARSE_SECONDS = 400, 5e-3
FINE_NODES, FINE_SECONDS = 5_000, 200e-6
UNITS = {"speedup": "x serial", "seconds": "s", "serial_seconds": "s, serial", "nodes": "nodes"}


def branching(
    draw: Callable[[int, int], Graph], nodes: int, seconds: float, peer: Peer, scale: float
) -> Figures:
    """Return how many times as fast as node after node in this process the graph was evaluated.

    Half of the nodes are done here before, the others after: the machine may change its speed.
    """
    graph = draw(scaled(nodes, scale * peer.part, 15), steps_of(seconds))
    values: list[int] = []
    serial = _go_on(graph, values, len(graph.needs) // 2)
    with peer.use(graph) as evaluate:
        start = time.perf_counter()
        found = evaluate()
        took = time.perf_counter() - start
    serial += _go_on(graph, values, len(graph.needs))
    require("the result", found, values[graph.root])
    return {
        "speedup": serial / took,
        "seconds": took,
        "serial_seconds": serial,
        "nodes": float(len(values)),
    }


def _go_on(graph: Graph, values: list[int], end: int) -> float:
    """Do the nodes up to `end`; return how long it took."""
    start = time.perf_counter()
    for node in range(len(values), end):
        total = sum(values[need] for need in graph.needs[node])
        values.append(graphs.value_of(node, graph.steps[node], total))
    return time.perf_counter() - start


def _workload(
    title: str,
    draw: Callable[[int, int], Graph],
    nodes: int,
    seconds: float,
    peers: dict[str, Peer],
) -> Workload:
    return Workload(
        title, functools.partial(branching, draw, nodes, seconds), peers, UNITS, more_is_better=True
    )


WORKLOADS = {
    "C4": _workload(
        "irregular graph, 400 nodes of 5 ms",
        graphs.irregular,
        COARSE_NODES,
        COARSE_SECONDS,
        COARSE,
    ),
    "C4t": _workload("tree, 400 nodes of 5 ms", graphs.tree, COARSE_NODES, COARSE_SECONDS, COARSE),
    "C5": _workload(
        "irregular graph, 5,000 nodes of 200 us",
        graphs.irregular,
        FINE_NODES,
        FINE_SECONDS,
        FINE,
    ),
    "C5t": _workload("tree, 5,000 nodes of 200 us", graphs.tree, FINE_NODES, FINE_SECONDS, FINE),
}
