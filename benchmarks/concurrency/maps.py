"""C6 and C7: a function called for each of many arguments, nothing being told about chunks where that can be."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from concurrency.map_peers import COARSE, FINE, task
from concurrency.spin import spin, steps_of
from contests.workload import Peer, Workload, require, scaled

if TYPE_CHECKING:
    from contests.workload import Figures

UNITS = {
    "speedup": "x serial",
    "us_per_task": "us a call",
    "serial_us": "us, serial",
    "tasks": "calls",
}


def mapping(count: int, seconds: float, peer: Peer, scale: float) -> Figures:
    """Return how many times as fast as calls in this process a map is, workers there.

    An eighth of the calls is made here before, another after: the machine may change its speed.
    """
    count = scaled(count, scale * peer.part, 20)
    steps = steps_of(seconds)
    sample = range(max(1, count // 8))
    before = _in_turn(steps, sample)
    with peer.use() as mapped:
        start = time.perf_counter()
        found = sum(mapped(steps, range(count)))
        took = time.perf_counter() - start
    serial = (before + _in_turn(steps, sample)) / 2 / len(sample)
    spun = spin(steps)
    require("the sum of the results", found, sum(spun ^ number for number in range(count)))
    return {
        "speedup": serial * count / took,
        "us_per_task": took / count * 1e6,
        "serial_us": serial * 1e6,
        "tasks": float(count),
    }


def _in_turn(steps: int, numbers: range) -> float:
    """Return how long the calls take here."""
    start = time.perf_counter()
    for number in numbers:
        task(steps, number)
    return time.perf_counter() - start


WORKLOADS = {
    "C6": Workload(
        "map, 2,000 calls of 2 ms",
        functools.partial(mapping, 2_000, 2e-3),
        COARSE,
        UNITS,
        more_is_better=True,
    ),
    "C7": Workload(
        "map, 100,000 calls of 10 us",
        functools.partial(mapping, 100_000, 10e-6),
        FINE,
        UNITS,
        more_is_better=True,
    ),
}
