"""Runs a contender in a process of its own, one at a time on this machine, and ends what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = Path(tempfile.gettempdir(), "pyspeedup-bench.lock")
LINGERING = 2.0
"""Seconds in which what a child has started may end by itself: trackers of shared memory have to tidy up."""


class ChildFailedError(Exception):
    """A process that was to measure something ended in another way; says how."""


def answer_of(command: list[str], patience: float | None = None) -> dict[str, Any]:
    """Run a child, wait `patience` seconds at most, and return what it printed last: a line of JSON.

    Whatever it has started ends with it.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = _status_of(command, patience, out, err)
        if status:
            said = _lines(err) or [f"exit status {status}"]
            died = f"{signal.Signals(-status).name}: " if status < 0 else ""
            raise ChildFailedError(died + said[-1])
        answer: dict[str, Any] = json.loads(_lines(out)[-1])
        return answer


def _status_of(command: list[str], patience: float | None, out: IO[bytes], err: IO[bytes]) -> int:
    """Return how it ended; files, not pipes, so that nobody who holds them is waited for.

    A group of its own can be ended as a whole. In a session of its own it would be scheduled apart from
    this one: Linux shares the processor among sessions first, and whoever gives this one more of it
    means the child.
    """
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0
    )
    grace = 0.0
    try:
        status = child.wait(patience)
        grace = LINGERING
    except subprocess.TimeoutExpired:
        raise ChildFailedError(f"given up after {patience:.0f} s") from None
    finally:
        _end_group(child.pid, grace)
        child.wait()
    return status


def _end_group(group: int, grace: float) -> None:
    """Kill what is left of a process group after `grace` seconds."""
    until = time.monotonic() + grace
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(0.01)
        os.killpg(group, signal.SIGKILL)


def _lines(file: IO[bytes]) -> list[str]:
    file.seek(0)
    return file.read().decode(errors="replace").strip().splitlines()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let no other benchmark run on this machine at the same time."""
    with LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show("waiting for another benchmark to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def show(text: str) -> None:
    """Show on a terminal where it is, in place of what was shown before."""
    if sys.stderr.isatty():
        print(f"\r{text:<78}\r", end="", file=sys.stderr, flush=True)
