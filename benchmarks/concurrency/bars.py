"""What Buffer and Cache have to reach: ratios to peers of the same run, and limits."""

from __future__ import annotations

from contests.bars import BEST, Bar

IN_PROCESS = ("generator", "memcpy", "thread")
"""Where nothing has to get from one process to another."""

QUEUE, PIPE = "mp.Queue", "mp.Pipe"
BARS = [
    Bar("B1", "rate_16", "small ints, 16 ahead", 6, None, QUEUE),
    Bar("B1", "rate_16", "small ints, 16 ahead", None, 1.5e6, unit=" items/s"),
    Bar("B1", "rate_1024", "small ints, 1,024 ahead", 10, None, QUEUE),
    Bar("B1", "rate_1024", "small ints, 1,024 ahead", None, 1, BEST),
    Bar("B1", "rate_1024", "small ints, 1,024 ahead", None, 0.8, "generator"),
    Bar("B1", "rate_16384", "small ints, 16,384 ahead", 20, None, QUEUE),
    Bar("B1", "rate_16384", "small ints, 16,384 ahead", None, 1, BEST),
    Bar("B1", "rate_16384", "small ints, 16,384 ahead", None, 0.8, "generator"),
    Bar("B2", "rate_1024", "small dicts", 0.7, 1.2, BEST),
    Bar("B2", "rate_1024", "small dicts", 5, None, QUEUE),
    Bar("B3", "GBps_8MB", "arrays of 8 MB", 5, None, PIPE),
    Bar("B3", "GBps_8MB", "arrays of 8 MB", None, 0.35, "memcpy"),
    Bar("B3", "GBps_100kB", "arrays of 100 kB", 5, None, PIPE),
    Bar("B3", "GBps_100kB", "arrays of 100 kB", None, 0.35, "memcpy"),
    Bar("B3", "stale_8MB", "stale arrays of 8 MB", 0, 0, less_is_better=True),
    Bar("B3", "stale_100kB", "stale arrays of 100 kB", 0, 0, less_is_better=True),
    Bar("B4", "times_ideal", "overlap", 1.1, 1.05, unit="x ideal", less_is_better=True),
    Bar("B6", "p50_us", "latency, p50", 1, 0.7, PIPE, less_is_better=True),
    Bar("B7", "index_times", "cached, index", 4, 3, unit="x list", less_is_better=True),
    Bar("B7", "iteration_times", "cached, iteration", 1.5, 1, unit="x list", less_is_better=True),
    Bar("C1", "times", "hit", 1.5, 1, unit="x lru_cache", less_is_better=True),
    Bar("C2", "ms", "fibonacci(200)", 1, None, unit=" ms", less_is_better=True),
    Bar(
        *("C2", "times_aim", "fibonacci(200)", None, 1),
        unit="x (round trip + 1.5x lru_cache)",
        less_is_better=True,
    ),
    Bar("C3", "times", "fine DP", 1.6, 1.2, unit="x lru_cache", less_is_better=True),
    Bar("C4", "speedup", "graph of 5 ms", 1.65, 1.95, unit="x serial"),
    Bar("C4t", "speedup", "tree of 5 ms", 1.75, 1.95, unit="x serial"),
    Bar("C5", "speedup", "graph of 200 us", 1.4, 1.7, unit="x serial"),
    Bar("C5t", "speedup", "tree of 200 us", 1.4, 1.7, unit="x serial"),
    Bar("C6", "speedup", "map of 2 ms", 1.85, 1.98, unit="x serial"),
    Bar("C7", "speedup", "map of 10 us", 1.5, 1.9, unit="x serial"),
    Bar("C8", "first_ms", "start to first result", 1.5, 1, "executor", less_is_better=True),
    Bar("C9", "depth", "recursion", 100_000, None, unit=" deep"),
    Bar("C9m", "depth", "recursion", None, 1_000_000, unit=" deep"),
]
