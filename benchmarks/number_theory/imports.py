"""I1: how long an import takes, beyond that of numpy, and how many processes it leaves running."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from contests.workload import OURS, Peer, Workload, scaled

if TYPE_CHECKING:
    from contests.workload import Figures

TIMES = 15
PROGRAM = """
import sys, time, json, pathlib, numpy
start = time.perf_counter()
import {module}
took = time.perf_counter() - start
tasks = pathlib.Path("/proc/self/task").glob("*/children")
print(json.dumps([took * 1e3, sum(len(task.read_text().split()) for task in tasks)]))
"""


def importing(peer: Peer, scale: float) -> Figures:
    """Import in a fresh interpreter that has numpy, again and again; the first time compiles."""
    program = PROGRAM.format(module=peer.use)
    _found(program)
    found = [_found(program) for _ in range(scaled(TIMES, scale, 3))]
    times, processes = zip(*found, strict=True)
    return {"ms": statistics.median(times), "processes": float(max(processes))}


def _found(program: str) -> list[float]:
    answer = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)
    found: list[float] = json.loads(answer.stdout)
    return found


WORKLOADS = {
    "I1": Workload(
        "import, numpy imported before",
        importing,
        {
            "gmpy2": Peer("gmpy2", "gmpy2"),
            "flint": Peer("flint", "flint"),
            "cypari": Peer("cypari", "cypari"),
            "sympy": Peer("sympy", "sympy"),
            OURS: Peer("pyspeedup.algorithms", "numpy"),
        },
        {"ms": "ms", "processes": "processes left running"},
    )
}
