"""Runs contenders on the same work, each in a process of its own, and prints how they compare.

A contender is a generator function of the size of the work and of a folder that it may use. It does
the work in phases and yields, after each, the phase's name and a number that shows that the work
was done: that number has to be the same for all. Time runs between one yield and the next.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pyspeedup.core.tables import format_table

Phases: TypeAlias = Iterator[tuple[str, Any]]
Contender: TypeAlias = Callable[[int, str], Phases]

STATUS = Path("/proc/self/status")
MIB = 1 << 20


class ChildFailedError(Exception):
    """A process that was to measure something ended in another way; says how."""


@dataclass
class Result:
    """What a contender took: seconds for each phase, MiB at most, and the proofs of its work."""

    seconds: dict[str, float] = field(default_factory=dict)
    proofs: dict[str, Any] = field(default_factory=dict)
    mebibytes: float = 0.0
    failure: str = ""


def contest(script: str, contenders: dict[str, Contender], size: int, unit: str) -> None:
    """Run the contest that the command line asks for; the first contender is what others are held to."""
    arguments = _arguments(size, unit)
    if arguments.only:
        print(json.dumps(asdict(_measure(contenders[arguments.only], arguments.size))))
        return
    results = {name: _run_apart(script, name, arguments.size) for name in contenders}
    _print_results(results, arguments.size, unit)
    if arguments.json:
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        content = {name: asdict(result) for name, result in results.items()}
        text = json.dumps({"size": arguments.size, "unit": unit, **machine, "results": content})
        arguments.json.write_text(text + "\n", encoding="utf-8")


def _arguments(size: int, unit: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=size, help=f"{unit} (default: {size:,})")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    return parser.parse_args()


def answer_of(command: list[str], patience: float | None = None) -> dict[str, Any]:
    """Run a child, wait `patience` seconds at most, and return what it printed: one line of JSON."""
    try:
        finished = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailedError(f"given up after {patience:.0f} s") from error
    if finished.returncode != 0:
        lines = finished.stderr.strip().splitlines() or [f"exit status {finished.returncode}"]
        raise ChildFailedError(lines[-1])
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def _run_apart(script: str, name: str, size: int) -> Result:
    try:
        return Result(**answer_of([sys.executable, script, "--only", name, "--size", str(size)]))
    except ChildFailedError as error:
        return Result(failure=str(error))


def _measure(contender: Contender, size: int) -> Result:
    result = Result()
    before = _peak_memory()
    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        start = time.perf_counter()
        for phase, proof in contender(size, folder):
            result.seconds[phase] = time.perf_counter() - start
            result.proofs[phase] = proof
            start = time.perf_counter()
    result.mebibytes = (_peak_memory() - before) / MIB
    return result


def _peak_memory() -> int:
    """Return the most memory that this process has had resident, in bytes; 0 where unknown."""
    if not STATUS.exists():
        return 0
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _print_results(results: dict[str, Result], size: int, unit: str) -> None:
    first = next(iter(results.values()))
    phases = list(first.seconds)
    rows = []
    for name, result in results.items():
        cells = [_cell(result, first, phase) for phase in phases]
        rows.append([name, *cells, f"{result.mebibytes:.0f}"])
    print(f"{size:,} {unit}; the first row in seconds, the others as multiples of it\n")
    print(format_table(["", *phases, "MB"], rows))
    for name, result in results.items():
        if result.failure:
            print(f"\n{name} failed: {result.failure}")


def _cell(result: Result, first: Result, phase: str) -> str:
    if phase not in result.seconds:
        return ""
    if result.proofs[phase] != first.proofs[phase]:
        return f"wrong: {result.proofs[phase]}"
    if result is first:
        return f"{result.seconds[phase]:.4f} s"
    return f"{result.seconds[phase] / first.seconds[phase]:.3g}"
