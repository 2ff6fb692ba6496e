"""Runs all peers of all workloads, round by round, each in a process of its own, one at a time."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contest import ChildFailedError, answer_of, show
from contests import machine_use
from contests.figures import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contests.workload import Workload


@dataclass(frozen=True)
class Run:
    """How often and how much is to be done: `scale` times the usual."""

    script: str
    rounds: int
    scale: float = 1.0
    slow_once: bool = False
    method: str | None = None
    """How processes are started; None for what Python does by itself."""


def measure(run: Run, name: str, workload: Workload, peers: Iterable[str]) -> Table:
    """Return the rows of a workload; who is not installed has an empty one that says so."""
    table = {peer: Row(missing=workload.peers[peer].missing) for peer in peers}
    for number in range(run.rounds):
        for peer, row in table.items():
            if row.missing or row.failures:  # what failed once is not waited for again
                continue
            if number and run.slow_once and workload.peers[peer].slow:
                continue
            show(f"round {number + 1} of {run.rounds}: {name}, {peer}")
            row.busy.append(machine_use.others())
            _measure(run, name, workload, peer, row)
    show("")
    return table


def _measure(run: Run, name: str, workload: Workload, peer: str, row: Row) -> None:
    asked = {"workload": name, "peer": peer, "scale": run.scale, "method": run.method}
    task = json.dumps(asked)
    try:
        row.note(answer_of([sys.executable, run.script, "--task", task], workload.patience))
    except ChildFailedError as error:
        row.failures.append(str(error).replace(tempfile.gettempdir(), "<folder>"))
