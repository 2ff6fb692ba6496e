"""Runs the sessions of all peers, round by round and one process at a time, and collects what came out."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from contest import ChildFailedError, alone, answer_of, show
from memory.figures import Figures, Results, Share
from memory.sessions import BUILD, Outcome, Session, Task

FILLED_IN_CAP = 50_000
"""Items that a fill gets one cap for; more items, more time."""

PATIENCE = 120
"""Seconds beyond all caps after which a process is given up."""


@dataclass(frozen=True)
class Run:
    """What is to be measured, and how."""

    script: str
    structure: str
    sessions: list[Session]
    peers: list[str]
    size: int
    rounds: int
    once: list[str]
    """Those of the peers that take part in the first round only."""

    cap: float
    folder: Path | None = None
    numpy: bool = True
    numpy_apart: bool = False


def numpy_share(run: Run) -> Share:
    """Return what numpy costs where it is used; nothing where it is not there."""
    if not run.numpy or importlib.util.find_spec("numpy") is None:
        return Share()
    return Share(**answer_of([sys.executable, run.script, "--numpy-share"]))


def measure(run: Run) -> Results:
    """Run everything, one process at a time, while no other benchmark runs on this machine."""
    figures = {peer: Figures() for peer in run.peers}
    with alone():
        for number in range(run.rounds):
            with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-", dir=run.folder) as folder:
                for session in run.sessions:
                    for peer in run.peers:
                        if number and peer in run.once:
                            continue
                        if session.built and BUILD not in figures[peer].count:
                            continue  # why it could not be built is told already
                        show(f"round {number + 1} of {run.rounds}: {session.name}, {peer}")
                        _measure_session(run, session, peer, Path(folder, peer), figures[peer])
    show("")
    return figures


def _measure_session(run: Run, session: Session, peer: str, home: Path, figures: Figures) -> None:
    built = session.built or session.name == BUILD
    folder = home / (BUILD if built else session.name)
    folder.mkdir(parents=True, exist_ok=True)
    size = figures.count[BUILD][-1] if session.built else run.size
    cap = run.cap * max(1.0, run.size / FILLED_IN_CAP if session.fills else 1.0)
    session = replace(session, numpy_apart=session.numpy_apart or run.numpy_apart)
    task = Task(session, run.structure, peer, str(folder), size, cap, run.numpy)
    command = [sys.executable, run.script, "--task", json.dumps(asdict(task))]
    patience = PATIENCE + cap * 2 * len(session.workloads)
    try:
        outcome = Outcome(**answer_of(command, patience))
    except ChildFailedError as error:
        figures.failures |= dict.fromkeys(session.workloads, str(error))
    else:
        figures.note(session, outcome, disk_use(folder))
    if not built:
        shutil.rmtree(folder)


def disk_use(folder: Path) -> int:
    """Return the bytes that are taken by the files below `folder`: blocks, not lengths."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
