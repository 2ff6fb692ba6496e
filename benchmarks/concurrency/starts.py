"""C8: how long it takes from the start of an interpreter to the first result of another process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from contests.workload import OURS, Peer, Workload, require, scaled

if TYPE_CHECKING:
    from contests.workload import Figures

TIMES = 9
SQUARE = "def square(n):\n    return n * n\n"
NOTHING = f"{SQUARE}print(square(12), flush=True)"
CACHE = f"""
from pyspeedup.concurrent import Cache
{SQUARE}
print(Cache(square)(12), flush=True)
"""
LRU_CACHE = f"""
from functools import lru_cache
{SQUARE}
print(lru_cache(None)(square)(12), flush=True)
"""
EXECUTOR = f"""
from concurrent.futures import ProcessPoolExecutor
{SQUARE}
with ProcessPoolExecutor() as pool:
    print(pool.submit(square, 12).result(), flush=True)
"""
POOL = f"""
from multiprocessing import Pool
{SQUARE}
with Pool() as pool:
    print(pool.apply(square, (12,)), flush=True)
"""
LOKY = f"""
from loky import get_reusable_executor
{SQUARE}
print(get_reusable_executor().submit(square, 12).result(), flush=True)
"""
JOBLIB = f"""
from joblib import Parallel, delayed
{SQUARE}
print(Parallel(n_jobs=2)([delayed(square)(12)])[0], flush=True)
"""
PEBBLE = f"""
from pebble import ProcessPool
{SQUARE}
with ProcessPool() as pool:
    print(pool.schedule(square, args=(12,)).result(), flush=True)
"""
MPIRE = f"""
from mpire import WorkerPool
{SQUARE}
with WorkerPool() as pool:
    print(pool.map(square, [12])[0], flush=True)
"""


def start(peer: Peer, scale: float) -> Figures:
    """Return milliseconds to the first result, in all and without those of an interpreter that does nothing."""
    first, idle = [], []
    for _ in range(scaled(TIMES, scale, 3)):
        idle.append(_milliseconds(NOTHING))
        first.append(_milliseconds(peer.use))
    took = statistics.median(first)
    return {"first_ms": took, "without_start_ms": took - statistics.median(idle)}


def _milliseconds(program: str) -> float:
    begin = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        printed = process.stdout.readline() if process.stdout else b""
        took = time.perf_counter() - begin
    require("what was printed", printed, b"144\n")
    return took * 1e3


WORKLOADS = {
    "C8": Workload(
        "from the start of an interpreter to the first result",
        start,
        {
            "lru_cache": Peer(LRU_CACHE),
            OURS: Peer(CACHE),
            "executor": Peer(EXECUTOR),
            "mp.Pool": Peer(POOL),
            "loky": Peer(LOKY, "loky"),
            "joblib": Peer(JOBLIB, "joblib"),
            "pebble": Peer(PEBBLE, "pebble"),
            "mpire": Peer(MPIRE, "mpire"),
        },
        {"first_ms": "ms", "without_start_ms": "ms, without the interpreter"},
        limit="lru_cache",
    )
}
