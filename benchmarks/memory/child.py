"""One process of one peer: opens its store, does some workloads, closes it, and tells what they took."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memory import dict_peers, dict_workloads, list_peers, list_workloads
from memory.sessions import CLOSE, OPEN, Outcome, Task
from memory.watch import Memory, Watch, require

if TYPE_CHECKING:
    from memory.peer import Peer

STRUCTURES: dict[str, tuple[Any, Any]] = {
    "dict": (dict_peers, dict_workloads),
    "list": (list_peers, list_workloads),
}


def run(task: Task) -> Outcome:
    """Do the task in this process."""
    _arrange_numpy(task)
    peers, workloads = STRUCTURES[task.structure]
    start, memory, outcome = Memory(), Memory(), Outcome()
    start.look()
    kind = peers.PEERS[task.peer]
    kind.load()
    peer = _open(kind, workloads, task, memory, outcome)
    for name in task.session.workloads:
        if name != OPEN:
            watch = Watch(task.cap, memory)
            failure = _try(workloads.WORKLOADS[name], peer, watch, task.size)
            if failure:
                outcome.failures[name] = failure.replace(task.folder, "<folder>")
            else:
                outcome.timings[name] = asdict(watch.timing)
    outcome.count = task.size if task.session.built else peer.count()
    closing = Watch(task.cap, memory)
    closing.time(peer.close, operations=1)
    outcome.timings[CLOSE] = asdict(closing.timing)
    memory.look()
    outcome.resident = memory.resident - start.resident
    outcome.anonymous = memory.anonymous - start.anonymous
    outcome.numpy = sys.modules.get("numpy") is not None
    return outcome


def import_numpy() -> dict[str, float]:
    """Import numpy, and return what that costs."""
    before, after = Memory(), Memory()
    before.look()
    watch = Watch(0.0, after)
    watch.time(importlib.import_module, "numpy")
    return {
        "anonymous": after.anonymous - before.anonymous,
        "resident": after.resident - before.resident,
        "seconds": watch.timing.seconds,
    }


def _arrange_numpy(task: Task) -> None:
    """See that numpy cannot be imported, or is already, where the task says so."""
    if not task.numpy:
        sys.modules["numpy"] = None  # type: ignore[assignment]  # this is how an import is made to fail
    elif task.session.numpy_apart:
        with contextlib.suppress(ImportError):
            importlib.import_module("numpy")


def _open(kind: type[Peer], workloads: Any, task: Task, memory: Memory, outcome: Outcome) -> Peer:
    """Open the store; with a first look at it, where there is something in it."""
    if OPEN in task.session.workloads:
        _open_another(kind)
    watch = Watch(task.cap, memory)
    peer: Peer = watch.time(kind, Path(task.folder), operations=1)
    if OPEN in task.session.workloads:
        watch.time(workloads.first_get, peer, task.size)
        outcome.timings[OPEN] = asdict(watch.timing)
    return peer


def _open_another(kind: type[Peer]) -> None:
    """Open and close an empty store, so that imports which only then take place are not on the watch."""
    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        kind(Path(folder)).close()


def _try(workload: Any, peer: Peer, watch: Watch, size: int) -> str:
    """Do the workload; return why it could not be done, or nothing."""
    try:
        workload(peer, watch, size)
        require("that nothing was done", watch.timing.done == 0, False)
    except Exception as error:  # noqa: BLE001 -- what a peer cannot do is a result
        return f"{type(error).__name__}: {error}"
    return ""
