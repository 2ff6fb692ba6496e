"""Fails a test that leaves something behind: a process, a thread, a descriptor, a temporary file.

A pytest plugin: ``pytest_plugins = ["pyspeedup.core.testing.leaks"]`` in the topmost
``conftest.py`` makes its fixtures known, and `no_leaks` is used by each test that asks for it.
Processes are watched by `pyspeedup.core.testing.processes`; descriptors are seen where the system
has a ``/proc/self/fd`` or a ``/dev/fd``.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from pyspeedup.core.testing.processes import child_processes, wait_for_processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Leak", "leak_check", "no_leaks", "private_folders"]

K = TypeVar("K")

GRACE = 10.0
"""Seconds that what was told to end may take for it."""
GLANCE = 0.1
"""Seconds after which garbage is looked for again."""

DESCRIPTOR_FOLDERS = (Path("/proc/self/fd"), Path("/dev/fd"))

OF_MULTIPROCESSING = "pymp-"
"""How the one temporary folder begins that `multiprocessing` keeps until the interpreter ends."""


class Leak(AssertionError):  # noqa: N818 -- not an error: what a test is found guilty of
    """A test left something behind; the message lists it.

    >>> raise Leak("left behind: process 4711 (python worker.py)")
    Traceback (most recent call last):
    pyspeedup.core.testing.leaks.Leak: left behind: process 4711 (python worker.py)
    """


@pytest.fixture(scope="session")
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Give the session a home and a temporary folder of its own, and return both.

    Tests can then neither read nor write the user's, and what they leave there is seen.
    """
    home, temporary = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("HOME", "USERPROFILE"):
            patch.setenv(variable, str(home))
        for variable in ("TMPDIR", "TEMP", "TMP"):
            patch.setenv(variable, str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        yield home, temporary


@pytest.fixture
def no_leaks(private_folders: tuple[Path, Path]) -> Iterator[None]:
    """Fail the test if it leaves something behind, in `private_folders` or as `leak_check` says."""
    with leak_check(*private_folders):
        yield


@contextlib.contextmanager
def leak_check(*folders: Path) -> Iterator[None]:
    """Raise `Leak` at the end of the block if what it started or made is still there.

    That is: child processes and orphans of them, threads, file descriptors, and entries of
    `folders`. What is ending already is waited for, 10 seconds at most. Cost: some milliseconds.

    >>> import os
    >>> left_open = open(os.devnull)
    >>> with leak_check():
    ...     left_open.close()
    >>> with leak_check():
    ...     left_open = open(os.devnull)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    pyspeedup.core.testing.leaks.Leak: left behind: descriptor ... (/dev/null)
    >>> left_open.close()
    """
    before = _Inventory.take(folders)
    yield
    left = _Inventory.take(folders).beyond(before)
    if left:
        _wait_for_ends(before)
        left = _Inventory.take(folders).beyond(before)
    if left:
        raise Leak(f"left behind: {'; '.join(left)}")


@dataclass(frozen=True)
class _Inventory:
    processes: Mapping[int, str]
    threads: Mapping[threading.Thread, str]
    descriptors: Mapping[tuple[int, str], str]
    entries: Mapping[Path, str]

    @classmethod
    def take(cls, folders: tuple[Path, ...]) -> _Inventory:
        processes = {pid: f"process {pid} ({name})" for pid, name in child_processes().items()}
        return cls(processes, _threads(), _descriptors(), _entries(folders))

    def beyond(self, before: _Inventory) -> list[str]:
        return [
            *_new(self.processes, before.processes),
            *_new(self.threads, before.threads),
            *_new(self.descriptors, before.descriptors),
            *_new(self.entries, before.entries),
        ]


def _new(now: Mapping[K, str], then: Mapping[K, str]) -> Iterator[str]:
    return (text for key, text in now.items() if key not in then)


def _wait_for_ends(before: _Inventory) -> None:
    """Wait for new threads and processes to end, and for what ends with them or with garbage."""
    deadline = time.monotonic() + GRACE
    while (remaining := deadline - time.monotonic()) > 0:
        gc.collect()  # each time anew: a thread may have had the last hold on it a moment ago
        threads = [thread for thread in _threads() if thread not in before.threads]
        started = [pid for pid in child_processes() if pid not in before.processes]
        if not threads and not started:
            gc.collect()
            return
        for thread in threads:
            thread.join(min(remaining, GLANCE))
        wait_for_processes(started, min(remaining, GLANCE))


def _threads() -> dict[threading.Thread, str]:
    return {thread: f"thread {thread.name!r}" for thread in threading.enumerate()}


def _descriptors() -> dict[tuple[int, str], str]:
    folder = next((folder for folder in DESCRIPTOR_FOLDERS if folder.is_dir()), None)
    kept = _kept_by_multiprocessing()
    found = {}
    for path in folder.iterdir() if folder else ():
        with contextlib.suppress(OSError):  # the one that lists the folder is closed by now
            number, target = int(path.name), str(path.readlink())
            if number not in kept:
                found[number, target] = f"descriptor {number} ({target})"
    return found


def _kept_by_multiprocessing() -> set[int]:
    """Return the pipes to the two processes that `multiprocessing` starts once and keeps."""
    kept = set()
    for module, holder, attribute in (
        ("multiprocessing.resource_tracker", "_resource_tracker", "_fd"),
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_alive_fd"),
    ):
        kept.add(getattr(getattr(sys.modules.get(module), holder, None), attribute, None))
    return {number for number in kept if number is not None}


def _entries(folders: tuple[Path, ...]) -> dict[Path, str]:
    return {
        path: f"{'folder' if path.is_dir() else 'file'} {path}"
        for folder in folders
        for path in sorted(folder.iterdir())
        if not path.name.startswith(OF_MULTIPROCESSING)
    }
