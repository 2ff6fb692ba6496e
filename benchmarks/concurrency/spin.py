"""Work of a known length: a loop of so many steps, which takes the processor and nothing else."""

from __future__ import annotations

import os
import statistics
import time

TRIAL = 100_000
"""Steps of which the speed of this process is judged: some 5 ms."""

TRIALS = 5


def spin(steps: int) -> int:
    """Go through so many steps; return where they lead to."""
    state = steps
    for _ in range(steps):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return state


def steps_of(seconds: float) -> int:
    """Return how many steps take so long here and now."""
    took = statistics.median(seconds_of(TRIAL) for _ in range(TRIALS))
    return max(1, round(TRIAL * seconds / took))


def seconds_of(steps: int) -> float:
    """Return how long so many steps take here and now."""
    start = time.perf_counter()
    spin(steps)
    return time.perf_counter() - start


def cores() -> int:
    """Return how many cores this process may use: what every peer gets as its number of workers."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
