"""Which processes come from this one, and when they have ended.

Linux tells all of them in ``/proc``; elsewhere they are those that `multiprocessing` started.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["child_processes", "wait_for_processes"]

PROC = Path("/proc")
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that `multiprocessing` starts once and keeps until the interpreter ends."""


class _Process(NamedTuple):
    parent: int
    group: int
    ended: bool


def child_processes() -> dict[int, str]:
    """Return the command line of each child, grandchild and orphan of this process, by pid.

    Left out are those that ended already and those that `multiprocessing` keeps for itself. An
    orphan is a process of our process group whose parent is outside of it. Cost: one small read
    for each process of the machine.

    >>> child_processes()
    {}
    """
    running = multiprocessing.active_children()  # reaps those that ended
    if not _shows_all():
        return {child.pid: child.name for child in running if child.pid is not None}
    table = dict(_table())
    commands = {pid: _command(pid) for pid in _descendants(table)}
    return {
        pid: command
        for pid, command in commands.items()
        if command and (not _is_helper(command) or _is_helper(commands.get(table[pid].parent, "")))
    }


def _is_helper(command: str) -> bool:
    """Tell whether `command` is a helper's; a worker of the fork server is called as it is."""
    return any(helper in command for helper in HELPERS)


def wait_for_processes(pids: Iterable[int], timeout: float) -> bool:
    """Wait until all of `pids` have ended, `timeout` seconds at most; tell whether they have.

    >>> wait_for_processes([], 1.0)
    True
    """
    deadline = time.monotonic() + timeout
    ended = [_wait_for(pid, deadline) for pid in pids]
    return all(ended)


def _wait_for(pid: int, deadline: float) -> bool:
    remaining = max(0.0, deadline - time.monotonic())
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], remaining)[0])
        finally:
            os.close(descriptor)
    for child in multiprocessing.active_children():
        if child.pid == pid:
            child.join(remaining)
            return not child.is_alive()
    return True


def _shows_all() -> bool:
    return (PROC / "self" / "stat").exists()


def _table() -> Iterator[tuple[int, _Process]]:
    for name in os.listdir(PROC):  # noqa: PTH208 -- paths cost more than reading does, for each test
        if name.isdigit() and (text := _read(f"{PROC}/{name}/stat")):
            # The command stands in parentheses and may hold any character, these included.
            state, parent, group = text.rpartition(")")[2].split()[:3]
            yield int(name), _Process(int(parent), int(group), ended=state in "ZX")


def _descendants(table: dict[int, _Process]) -> set[int]:
    ours, group = os.getpid(), os.getpgrp()
    above = set(_ancestors(ours, table))
    found = {
        pid
        for pid, process in table.items()
        if process.group == group
        and getattr(table.get(process.parent), "group", None) != group
        and pid not in above
    }
    front = {ours} | found
    while front := {pid for pid, process in table.items() if process.parent in front} - found:
        found |= front
    return {pid for pid in found if not table[pid].ended}


def _ancestors(pid: int, table: dict[int, _Process]) -> Iterator[int]:
    while pid in table:
        yield pid
        pid = table[pid].parent


def _command(pid: int) -> str:
    """Return the command line of a process, nothing if it has ended meanwhile."""
    return _read(f"{PROC}/{pid}/cmdline").replace("\0", " ").strip()


def _read(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 -- as above
            return file.read().decode(errors="replace")
    except OSError:  # it ended between being listed and being read
        return ""
