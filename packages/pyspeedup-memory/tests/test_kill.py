"""A writer that is killed at any moment leaves the last commit, or one that was under way."""

from __future__ import annotations

import random
import signal
import time

import pytest
import storage_writer
from storage_toy import start
from thoroughness import IS_LONG

ROUNDS = (
    {"file": 12, "mapping": 6, "sqlite": 6} if IS_LONG else {"file": 5, "mapping": 3, "sqlite": 3}
)
SCRIPT = "import sys, storage_writer; storage_writer.main(*sys.argv[1:])"


def killed_writer(kind, folder, delay):
    """Run a writer, kill it `delay` seconds after its first commit, and return the last one it told."""
    with start(SCRIPT, kind, folder) as process:
        first = process.stdout.readline()
        time.sleep(delay)
        process.kill()
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    return int(whole[-1]), len(whole)


@pytest.mark.parametrize("kind", ROUNDS)
def test_a_killed_writer_leaves_a_whole_commit(kind, tmp_path):
    chance = random.Random()
    told = 0
    for _ in range(ROUNDS[kind]):
        last, count = killed_writer(kind, tmp_path, chance.uniform(0, 0.15))
        told += count
        volume = storage_writer.open_volume(kind, tmp_path)
        number, pages = storage_writer.decode(volume.state)
        held = {index: bytes(volume.read(page)) for index, page in pages.items()}
        volume.close()
        assert number in {last, last + 1}
        assert held == storage_writer.model_after(number)
        assert sorted(pages.values()) == volume.pages()
    assert told > ROUNDS[kind]
