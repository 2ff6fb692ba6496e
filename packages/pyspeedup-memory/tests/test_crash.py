"""Writers killed at any moment leave a DiskDict and a DiskList whole, at or after the last sync.

PYSPEEDUP_CRASH_ROUNDS=1000 kills so many of them on each page store, PYSPEEDUP_CRASH_SEED begins with
another seed. A round that fails tells its seed, and leaves a copy of what the killed writer left.
What the kills fell into is printed at the end (``pytest -rP``).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from itertools import islice
from pathlib import Path

import crash_journal
import crash_writer
import pytest
from crash_remains import Remains, find_state

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no signal that cannot be caught"
)

ROUNDS = int(os.environ.get("PYSPEEDUP_CRASH_ROUNDS", "4"))
SEED = int(os.environ.get("PYSPEEDUP_CRASH_SEED", "0"))
ROUNDS_A_STORE = 3
SCALES = [1, 100 if ROUNDS > 50 else 30, 1]
"""How much the writers of one store and the next do a step."""
WRITER = Path(crash_writer.__file__)
WITHIN = ("steps", "commits", "compactions", "transactions")


@pytest.fixture(params=["file", "sqlite", "lmdb", "fsspec", "mapping"])
def page_store(request):
    if request.param in {"lmdb", "fsspec"}:
        pytest.importorskip(request.param)
    return request.param


def test_killed_writers_leave_what_was_synced_or_what_came_after(tmp_path, page_store):
    tally, most = Counter(), 0
    for number in range(ROUNDS):
        if number % ROUNDS_A_STORE == 0:
            folder = tmp_path / f"stores {number}"
            folder.mkdir()
            contents = {"dict": [], "list": []}
        scale = SCALES[number // ROUNDS_A_STORE % len(SCALES)]
        remains = write_and_kill(folder, page_store, SEED + number, scale)
        keep_copy(folder, tmp_path / "left by the killed writer")
        tally.update(what_it_fell_into(remains.counters))
        for kind, before in contents.items():
            found, step = remains.whole(kind, before)
            contents = {**contents, kind: found}
            tally["later than the last sync"] += step > remains.counters[kind]["steps_synced"]
            most = max(most, len(found))
    print(page_store, json.dumps(tally | {"most items": most}, indent=1))
    assert tally["kills"] == ROUNDS
    assert tally["steps synced"] > ROUNDS, "the writers hardly came to a sync: this tests nothing"
    if ROUNDS > 50:  # so many that it is no matter of luck
        assert tally["kills after a step was done"] > ROUNDS / 2
        assert tally["kills within commits"] > 0
        assert tally["later than the last sync"] > 0


def keep_copy(folder, left):
    shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(folder, left)


def write_and_kill(folder, page_store, seed, scale):
    """Run a writer and kill it: some time after a sync, or about when a commit is under way."""
    chance = random.Random(seed)
    aimed = chance.random() < 0.4
    at_commit = chance.randrange(1, 40) if aimed else 0
    lines = chance.choice([1, 2, 2, 5])
    delay = chance.uniform(0, 0.12)
    if aimed:
        delay = chance.choice([0, chance.uniform(0, 0.001), chance.uniform(0, 0.006)])
    journal = folder / "journal"
    options = [f"--seed={seed}", f"--scale={scale}", f"--tell-commit={at_commit}"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", WRITER, folder, page_store, journal, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        told = []
        for line in process.stdout:
            told.append(line)
            if line == "commit\n" if aimed else len(told) == lines:
                break
        time.sleep(delay)  # nothing waits for it: it is the moment that varies
        process.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"seed {seed}: {errors}"
    assert told[0] == "begin\n"
    return Remains(folder, page_store, seed, scale, crash_journal.read_journal(journal))


def what_it_fell_into(counters):
    """Return what a kill counts for."""
    both = counters.values()
    tally = Counter()
    tally["kills"] = 1
    tally["kills after a step was done"] = all(each["steps_done"] for each in both)
    for kind, each in counters.items():
        for what in WITHIN:
            tally[f"{what} done, {kind}"] = each[f"{what}_done"]
            tally[f"kills within {what}, {kind}"] = each.is_within(what)
        waits = each["pages_waiting"] > 0
        tally[f"kills with pages written and not committed, {kind}"] = waits
    tally["kills within commits"] = any(each.is_within("commits") for each in both)
    tally["steps synced"] = counters["dict"]["steps_synced"]
    return tally


@pytest.mark.parametrize("kind", crash_writer.STRUCTURES)
@pytest.mark.parametrize("scale", sorted(set(SCALES)))
def test_playing_the_steps_again_tells_what_a_writer_has_done(kind, scale, tmp_path):
    """Without a kill: the oracle above would be worth nothing if it were wrong."""
    last = 600 if scale == 1 else 50
    held, chance = {}, random.Random(1)
    reopen = partial(crash_writer.open_one, kind, tmp_path, "file", chance, scale)
    structure = reopen()
    for step in islice(crash_writer.steps(kind, 1, scale), last):
        structure = crash_writer.take(step, structure, held, reopen)
    found = list(structure.items()) if kind == "dict" else list(structure)
    structure.close()
    states = partial(crash_writer.states, kind, 1, [], scale)
    steps = range(last, last + 1)
    assert find_state(states(), steps, found) == last
    assert find_state(states(), steps, found[:-1]) is None
    assert find_state(states(), steps, found[::-1]) is None
