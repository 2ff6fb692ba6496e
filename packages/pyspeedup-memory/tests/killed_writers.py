"""Killing writers of a store at random moments, and holding what they leave to what they had told of."""

from __future__ import annotations

import random
import signal
import time

from pyspeedup.memory._storage.volume import Volume
from storage_toy import start
from storage_writer import decode, model_after
from thoroughness import IS_LONG

WRITERS = 5 if IS_LONG else 3


def check_killed_writers(script, *arguments, make_store, check=lambda pages: None):
    """Start `script`, which runs ``storage_writer.main``, and kill it, some times over; nothing may be half.

    `check` is called with the number of each page that is there then.
    """
    told = 0
    for _ in range(WRITERS):
        with start(script, *arguments) as process:
            first = process.stdout.readline()
            time.sleep(random.uniform(0, 0.1))  # nothing waits for it: it is the moment that varies
            process.kill()
            rest, errors = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, errors
        whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
        told += len(whole)
        volume = Volume(make_store(), kind="toy", page_size=1)
        number, pages = decode(volume.state)
        held = {index: bytes(volume.read(page)) for index, page in pages.items()}
        volume.close()
        assert number in {int(whole[-1]), int(whole[-1]) + 1}
        assert held == model_after(number)
        assert sorted(pages.values()) == volume.pages()
        check(pages)
    assert told > WRITERS
