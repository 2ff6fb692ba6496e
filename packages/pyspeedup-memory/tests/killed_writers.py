"""Killing writers of a store at random moments, and holding what they leave to what they had told of."""

from __future__ import annotations

import random
import signal
import time

from pyspeedup.memory._storage.volume import Volume
from storage_toy import start
from storage_writer import decode, model_after
from thoroughness import IS_LONG

WRITERS = 12 if IS_LONG else 4


def kill_writer(script, *arguments):
    """Start `script`, which runs ``storage_writer.main``, kill it, and return the commits that it told of."""
    with start(script, *arguments) as process:
        first = process.stdout.readline()
        time.sleep(random.uniform(0, 0.1))  # nothing waits for it: it is the moment that varies
        process.kill()
        told = [first, *process.stdout.readlines()]  # what is buffered `communicate` does not know
        errors = process.stderr.read()
    assert process.returncode == -signal.SIGKILL, errors
    return [int(line) for line in told if line.endswith("\n")]


def check_killed_writers(script, *arguments, make_store, check=lambda pages: None):
    """Kill writers, one after the other: nothing that they told of may be lost, and nothing be half.

    `check` is called with the number of each page that is there then.
    """
    count = 0
    for _ in range(WRITERS):
        told = kill_writer(script, *arguments)
        count += len(told)
        volume = Volume(make_store(), kind="toy", page_size=1)
        number, pages = decode(volume.state)
        held = {index: bytes(volume.read(page)) for index, page in pages.items()}
        volume.close()
        assert number in {told[-1], told[-1] + 1}
        assert held == model_after(number)
        assert sorted(pages.values()) == volume.pages()
        check(pages)
    assert count > WRITERS
