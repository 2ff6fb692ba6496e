"""Every call that differs between systems, each with what stands in for it elsewhere."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

__all__ = [
    "REORDERS",
    "available_cores",
    "block_interrupts",
    "end_with_parent",
    "ignore_interrupts",
    "restore_interrupts",
    "watch_process",
]

REORDERS = (
    os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
).lower() not in {"x86_64", "amd64", "x86", "i386", "i686"}
"""Whether the processor may show other processors two writes in another order."""

_F_SETSIG = 10
"""``fcntl.F_SETSIG`` of Linux, which the standard library does not name."""


def available_cores() -> int:
    """Return how many cores this process may use: its affinity, within the cgroup's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_quota() or cores))


def _cgroup_quota() -> int | None:
    """Return the whole cores that a container grants, None where it sets no limit."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:  # noqa: PTH123 -- a kernel file
            quota, period = file.read().split()
    except (OSError, ValueError):  # no cgroup v2 here, so no limit that it could set
        return None
    return None if quota == "max" else max(1, int(quota) // int(period))


def end_with_parent(lifeline: int) -> None:
    """End this process when the other end of the pipe `lifeline` is closed, however that happens.

    Nothing is ever written to the pipe and only the parent holds its other end, so the system
    closes it when the parent dies, by SIGKILL too. On Linux the kernel then kills this process
    itself, even inside a long C call; elsewhere a thread waits for the pipe.
    """
    if not _kill_when_closed(lifeline):
        _exit_when_closed(lifeline)


def _kill_when_closed(lifeline: int) -> bool:
    """Have the kernel send SIGKILL when `lifeline` is closed; False where it can't be asked to."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    already_closed = bool(select.select([lifeline], [], [], 0)[0])
    if already_closed:  # the parent died before the signal was asked for
        os._exit(1)
    return True


def _exit_when_closed(lifeline: int) -> None:
    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, name="pyspeedup-lifeline", daemon=True).start()


def block_interrupts() -> set[int] | None:
    """Hold SIGINT back in this thread and return the former mask; None where there are no masks.

    A child started meanwhile inherits the mask, so that Ctrl-C cannot end it half started.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}))


def restore_interrupts(mask: set[int] | None) -> None:
    """Give the thread its former `mask` back."""
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent: this process ignores SIGINT, and no longer holds it back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def watch_process(pid: int) -> int | None:
    """Return a descriptor that is readable once process `pid` has ended; None where there is none.

    The sentinel of `multiprocessing` is a pipe, which a process that the child forked keeps open.
    """
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # no Linux, or an old one, or the process is gone already
        return None
