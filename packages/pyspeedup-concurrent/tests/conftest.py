"""What several tests share: modules of their own folder, an engine, a log, and Buffers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pyspeedup.concurrent import Buffer
from pyspeedup.concurrent.engines.processes import Processes

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def engine():
    with Processes(workers=2) as made:
        yield made


@pytest.fixture
def log(tmp_path):
    """Return a way to note a line from any process, and one to read what was noted."""
    path = tmp_path / "log"
    path.touch()

    def note(line):
        with path.open("a") as file:
            file.write(f"{line}\n")

    return note, lambda: path.read_text().splitlines()


@pytest.fixture
def make():
    """Make Buffers that are closed when the test is over."""
    made = []

    def make(*args, **kwargs):
        made.append(Buffer(*args, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()
