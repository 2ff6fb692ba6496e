"""Writers killed at any moment leave a DiskDict and a DiskList whole, at or after the last sync.

PYSPEEDUP_CRASH_ROUNDS=1000 kills so many of them on each page store, PYSPEEDUP_CRASH_SEED begins with
another seed. A round that fails tells its seed, and leaves a copy of what the killed writer left.
What the kills fell into is printed at the end (``pytest -rP``).
"""

from __future__ import annotations

import contextlib
import io
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
from pyspeedup.core.cli import main
from pyspeedup.core.testing._values import same

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no signal that cannot be caught"
)

ROUNDS = int(os.environ.get("PYSPEEDUP_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("PYSPEEDUP_CRASH_SEED", "0"))
ROUNDS_A_STORE = 4
SCALES = [1, 100, 1]
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
        kill = Kill(folder, page_store, SEED + number, scale)
        kill.strike(random.Random(SEED + number))
        kill.keep_copy(tmp_path / "left by the killed writer")
        contents = {kind: kill.whole(kind, before) for kind, before in contents.items()}
        tally.update(kill.tally)
        most = max(most, *map(len, contents.values()))
    print(page_store, json.dumps(tally | {"most items": most}, indent=1))
    assert tally["kills"] == ROUNDS
    assert tally["kills after a step was done"] > ROUNDS / 2, "this tests nothing but creation"
    assert tally["steps synced"] > ROUNDS, "the writers hardly came to a sync: this tests nothing"
    assert tally["later than the last sync"] > 0 or ROUNDS < ROUNDS_A_STORE


class Kill:
    """A writer that is killed, and what is asked of what it leaves."""

    def __init__(self, folder, page_store, seed, scale):
        self.folder, self.page_store, self.seed, self.scale = folder, page_store, seed, scale
        self.tally = Counter()

    def strike(self, chance):
        """Run a writer and kill it: some time after a sync, or about when a commit is under way."""
        aimed = chance.random() < 0.4
        at_commit = chance.randrange(1, 40) if aimed else 0
        lines = chance.choice([1, 2, 2, 5])
        delay = chance.uniform(0, 0.12)
        if aimed:
            delay = chance.choice([0, chance.uniform(0, 0.001), chance.uniform(0, 0.006)])
        journal = self.folder / "journal"
        options = [f"--seed={self.seed}", f"--scale={self.scale}", f"--tell-commit={at_commit}"]
        with subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                WRITER,
                self.folder,
                self.page_store,
                journal,
                *options,
            ],
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
        assert process.returncode == -signal.SIGKILL, f"seed {self.seed}: {errors}"
        assert told[0] == "begin\n"
        self.counters = crash_journal.read_journal(journal)
        self.count(aimed)

    def count(self, aimed):
        """Note what the kill fell into."""
        both = self.counters.values()
        self.tally.update({"kills": 1, "kills aimed at a commit": aimed})
        self.tally["kills after a step was done"] += all(each["steps_done"] for each in both)
        for kind, each in self.counters.items():
            for what in WITHIN:
                self.tally[f"{what} done, {kind}"] += each[f"{what}_done"]
                self.tally[f"kills within {what}, {kind}"] += each.is_within(what)
            waits = each["pages_waiting"] > 0
            self.tally[f"kills with pages written and not committed, {kind}"] += waits
        self.tally["kills within commits"] += any(each.is_within("commits") for each in both)
        self.tally["steps synced"] += self.counters["dict"]["steps_synced"]

    def keep_copy(self, left):
        shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(self.folder, left)

    def whole(self, kind, before):
        """Return what is found, which is what writing onto `before` had come to, after the last commit."""
        counters = self.counters[kind]
        found = self.read(kind)
        first = max(counters["steps_kept"], counters["steps_synced"])
        steps = range(first, counters["steps_begun"] + 1)
        states = crash_writer.states(kind, self.seed, before, self.scale)
        step = find_state(states, steps, found)
        assert step is not None, f"seed {self.seed}: the {kind} is in no state of {steps}"
        self.tally["later than the last sync"] += step > counters["steps_synced"]
        return found

    def read(self, kind):
        """Open what was left, ask for it in every way, and return its items."""
        chance = random.Random(self.seed)
        # SQLite cannot go back to before a change of its journal mode without writing.
        was_made = self.counters[kind]["steps_synced"]
        can_be_read = was_made and not list(self.folder.rglob("*-journal"))
        if can_be_read and chance.random() < 0.3:
            self.require_verified(kind)
        if can_be_read and chance.random() < 0.3:
            self.open(kind, readonly=True).close()
        with self.open(kind) as structure:
            items = items_of_dict(structure) if kind == "dict" else items_of_list(structure)
        self.require_verified(kind)
        return items

    def open(self, kind, **options):
        return crash_writer.open_again(kind, self.folder, self.page_store, **options)

    def require_verified(self, kind):
        """Hold ``pyspeedup verify`` to finding nothing, where the writer came so far as to make a store."""
        if not (self.folder / f"{kind}.pyspeedup").exists():
            return
        with contextlib.redirect_stdout(io.StringIO()) as told:
            status = main(["verify", kind, "--location", str(self.folder)])
        assert status == 0, f"seed {self.seed}: {told.getvalue()}"


def items_of_dict(d):
    items = list(d.items())
    assert len(d) == len(items)
    assert list(d) == [key for key, _ in items]
    assert same(list(d.values()), [value for _, value in items])
    assert same(list(reversed(d.items())), items[::-1])
    for key, value in items:
        assert key in d
        assert same(d[key], value)
    assert not any(absent in d for absent in [-1, "absent", ("key 1",), crash_writer.Text("x")])
    return items


def items_of_list(stored):
    items = list(stored)
    assert len(stored) == len(items)
    assert same([stored[index] for index in range(len(items))], items)
    assert same(list(reversed(stored)), items[::-1])
    assert same(stored[::3], items[::3])
    return items


def find_state(states, steps, found):
    """Return which of `steps`, a range, may have left what was `found`; None for none of them."""
    for step, state in states:
        if step >= steps.stop:
            break
        if step in steps and len(state) == len(found):
            items = list(state.items()) if isinstance(state, dict) else state
            if same(items[-1:], found[-1:]) and same(items, found):
                return step
    return None


@pytest.mark.parametrize("kind", crash_writer.STRUCTURES)
@pytest.mark.parametrize("scale", sorted(set(SCALES)))
def test_playing_the_steps_again_tells_what_a_writer_has_done(kind, scale, tmp_path):
    """Without a kill: the oracle above would be worth nothing if it were wrong."""
    last = 600 if scale == 1 else 50
    held, chance = {}, random.Random(1)
    structure = crash_writer.open_one(kind, tmp_path, "file", chance, scale)
    for step in islice(crash_writer.steps(kind, 1, scale), last):
        if step.whole is None:
            step.parts[0](None, held)
            structure.close()
            structure = crash_writer.open_one(kind, tmp_path, "file", chance, scale)
        else:
            step.whole(structure, held)
    found = list(structure.items()) if kind == "dict" else list(structure)
    structure.close()
    states = partial(crash_writer.states, kind, 1, [], scale)
    steps = range(last, last + 1)
    assert find_state(states(), steps, found) == last
    assert find_state(states(), steps, found[:-1]) is None
    assert find_state(states(), steps, found[::-1]) is None
