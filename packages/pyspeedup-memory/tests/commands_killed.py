"""Running a command in a forked child that kills itself at a chosen step."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
from pathlib import Path

import pytest
from pyspeedup.core.cli import main

can_kill = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system has no fork, and no signal that cannot be caught"
)


class Reached:
    """Tells the parent that the step was reached, and ends the child."""

    def __init__(self, pipe):
        self.pipe = pipe

    def __call__(self):
        os.write(self.pipe, b"reached")
        os.kill(os.getpid(), signal.SIGKILL)


def kill_command(arguments, *step, exchange=True):
    """Run a command that is killed at `step`: a module, a name in it, and when in its call."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            if not exchange:
                replacing = importlib.import_module("pyspeedup.memory._storage.replacing")
                replacing.exchange_folders = lambda *_: False
            set_trap(Reached(writing), *step)
            main([str(argument) for argument in arguments])
        os._exit(1)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        assert (os.waitstatus_to_exitcode(status), pipe.read()) == (-signal.SIGKILL, b"reached")


def set_trap(end, module, name, when):
    holder = importlib.import_module(module)
    original = getattr(holder, name)

    def amid(items, *_):
        for number, item in enumerate(items):
            if number == when:
                end()
            yield item

    def trap(*arguments, **options):
        if when == "before":
            end()
        if isinstance(when, int):  # of so many items
            return amid(*arguments)
        if when == "half":  # of a folder that is removed
            next(path for path in Path(arguments[0]).rglob("*") if path.is_file()).unlink()
            end()
        original(*arguments, **options)
        return end()

    setattr(holder, name, trap)
