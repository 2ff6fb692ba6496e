"""A DiskDict whose process is killed at any moment is found as it was at a sync, or after it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from pyspeedup.memory.diskdict import DiskDict

WRITER = """
import random, sys
sys.path.append(sys.argv[4])
from pyspeedup.memory.diskdict import DiskDict
from test_dict_kill import SYNC_EVERY, steps

folder, page_store, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
d = DiskDict("killed", 8, 2, folder, page_store=page_store)
print("open", flush=True)
for number, step in enumerate(steps(seed)):
    step(d)
    if (number + 1) % SYNC_EVERY == 0:
        d.sync()
        print(number + 1, flush=True)
"""


pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no signal that cannot be caught"
)

SYNC_EVERY = 37  # steps
TESTS = str(Path(__file__).parent)


def steps(seed):
    """Yield functions, each of which changes a dict in one way; the same ones for the same seed."""
    choose = random.Random(seed)
    number = 0
    while True:
        number += 1
        key = choose.choice(
            [choose.randrange(60), f"key {choose.randrange(60)}", (choose.random(),)]
        )
        value = choose.choice([number, "x" * choose.randrange(200), [number], "y" * 20_000])
        kind = choose.choices(KINDS, [40, 25, 10, 5, 1, 10])[0]
        yield lambda d, kind=kind, key=key, value=value: kind(d, key, value)


def put(d, key, value):
    d[key] = value


def take(d, key, _value):
    d.pop(key, None)


def append(d, key, value):
    found = d.setdefault(key, [])
    if isinstance(found, list):
        found.append(value)


def take_last(d, _key, _value):
    if d:
        d.popitem()


def clear(d, _key, _value):
    d.clear()


def put_many(d, key, value):
    d.update({(key, number): value for number in range(5)})


KINDS = [put, take, append, take_last, clear, put_many]


def state_after(seed, count):
    """Return what a dict holds after so many steps."""
    model = {}
    for step in islice(steps(seed), count):
        step(model)
    return model


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_killed_writer_leaves_what_was_synced(tmp_path, page_store):
    """Kill writers after a random number of syncs and a random moment more."""
    choose = random.Random(page_store)
    synced_in_all = 0
    for round_number in range(5):
        folder = tmp_path / str(round_number)
        synced = write_and_kill(folder, page_store, round_number, choose)
        synced_in_all += synced
        with DiskDict("killed", file_location=folder, page_store=page_store) as found:
            require_state_at_or_after(found, round_number, synced)
    assert synced_in_all > 0


def write_and_kill(folder, page_store, seed, choose):
    """Return after how many steps the last sync was that the killed writer told of."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), page_store, str(seed), TESTS],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        told = [process.stdout.readline() for _ in range(choose.randrange(2, 12))]
        time.sleep(choose.random() * 0.02)  # nothing waits for it: it is the moment that varies
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines()
    assert process.returncode == -signal.SIGKILL
    return int(told[-1])


def require_state_at_or_after(found, seed, synced):
    items = list(found.items())
    assert len(found) == len(items)
    assert all(found[key] == value for key, value in items)
    found._content.check()
    model = state_after(seed, synced)
    for step in islice(
        steps(seed), synced, synced + SYNC_EVERY + 1
    ):  # one that was not told of yet
        if list(model.items()) == items:
            return
        step(model)
    pytest.fail(f"what was found is no state at or after step {synced}")
