"""How the quickstart measures: each variant of a step runs in a Python process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIB = 1 << 20
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Measurement:
    """What a variant answered, how long it took and how much memory it needed."""

    answer: Any
    seconds: float
    mebibytes: float


def run_apart(script: str, arguments: Sequence[str]) -> Measurement:
    """Run `script` with `arguments` in a fresh interpreter; it ends by calling `report`."""
    command = [sys.executable, script, *arguments]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed with exit status {finished.returncode}")
    return Measurement(**json.loads(finished.stdout))


def report(variant: Callable[[], Any]) -> None:
    """Run `variant` and print its measurement for `run_apart`."""
    before, start = peak_memory(), time.perf_counter()
    answer = variant()
    seconds = time.perf_counter() - start
    mebibytes = (peak_memory() - before) / MIB
    print(json.dumps({"answer": answer, "seconds": seconds, "mebibytes": mebibytes}))


def peak_memory() -> int:
    """Return the most memory that this process has ever had resident, in bytes."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows has no such module; the table then shows no memory.
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
