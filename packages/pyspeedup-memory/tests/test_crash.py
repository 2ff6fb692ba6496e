"""Writers killed at any moment leave a DiskDict and a DiskList whole, at or after the last sync.

PYSPEEDUP_CRASH_ROUNDS=1000 kills so many of them on each page store, PYSPEEDUP_CRASH_SEED begins with
another seed. A round that fails tells its seed, and leaves a copy of what the killed writer left.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import crash_writer
import pytest
from pyspeedup.core import UnknownNameError, page_stores
from pyspeedup.core.cli import main
from pyspeedup.core.testing._values import same

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no signal that cannot be caught"
)

ROUNDS = int(os.environ.get("PYSPEEDUP_CRASH_ROUNDS", "8"))
SEED = int(os.environ.get("PYSPEEDUP_CRASH_SEED", "0"))
ROUNDS_A_STORE = 6
WRITER = Path(crash_writer.__file__)


@pytest.fixture(params=["file", "sqlite", "lmdb"])
def page_store(request):
    if request.param == "lmdb":
        pytest.importorskip("lmdb")
    try:
        page_stores.get(request.param)
    except UnknownNameError:
        pytest.skip(f"no page store is called {request.param!r}")
    return request.param


def test_killed_writers_leave_what_was_synced_or_what_came_after(tmp_path, page_store):
    synced, later = 0, 0
    for number in range(ROUNDS):
        seed = SEED + number
        if number % ROUNDS_A_STORE == 0:
            folder = tmp_path / f"stores {seed}"
            folder.mkdir()
            contents = {"dict": [], "list": []}
        told = write_and_kill(folder, page_store, seed)
        left = tmp_path / "left by the killed writer"
        shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(folder, left)
        for kind, before in contents.items():
            found = read_whole(kind, folder, page_store, seed, told)
            later += find_state(kind, seed, before, told, found) > told
            contents = {**contents, kind: found}
        synced += told // crash_writer.STEPS_A_SYNC
    assert synced > ROUNDS, "the writers hardly came to a sync: this tests nothing"
    assert later > 0 or ROUNDS < ROUNDS_A_STORE


def write_and_kill(folder, page_store, seed):
    """Run a writer, kill it, and return how many steps it had told to be synced."""
    chance = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", WRITER, folder, page_store, str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        lines = [process.stdout.readline() for _ in range(chance.choice([1, 1, 2, 5]))]
        time.sleep(chance.uniform(0, 0.12))  # nothing waits for it: it is the moment that varies
        process.kill()
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"seed {seed}: {errors}"
    assert lines[0] == "begin\n"
    lines += rest.splitlines(keepends=True)
    return max([int(line) for line in lines[1:] if line.endswith("\n")], default=0)


def read_whole(kind, folder, page_store, seed, told):
    """Open what was left, ask for it in every way, and return its items."""
    chance = random.Random(seed)
    # SQLite cannot go back to before a change of its journal mode without writing.
    can_be_read = told and not list(folder.rglob("*-journal"))
    if can_be_read and chance.random() < 0.3:
        require_verified(kind, folder, seed)
    if can_be_read and chance.random() < 0.3:
        open_again(kind, folder, page_store, readonly=True).close()
    with open_again(kind, folder, page_store) as structure:
        items = items_of_dict(structure) if kind == "dict" else items_of_list(structure)
    require_verified(kind, folder, seed)
    return items


def open_again(kind, folder, page_store, **options):
    structure = crash_writer.STRUCTURES[kind]
    return structure(kind, 8, 4, folder, page_store=page_store, **options)


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


def require_verified(kind, folder, seed):
    """Hold ``pyspeedup verify`` to finding nothing, where the writer came so far as to make a store."""
    if not (folder / f"{kind}.pyspeedup").exists():
        return
    with contextlib.redirect_stdout(io.StringIO()) as told:
        status = main(["verify", kind, "--location", str(folder)])
    assert status == 0, f"seed {seed}: {told.getvalue()}"


def find_state(kind, seed, content, told, found):
    """Return the step, at or after `told`, after which a writer that began with `content` had `found`."""
    last = told + 2 * crash_writer.STEPS_A_SYNC  # the next sync may have been made and not told
    for step, state in crash_writer.states(kind, seed, content):
        if step > last:
            break
        if step >= told and len(state) == len(found):
            items = list(state.items()) if kind == "dict" else state
            if same(items, found):
                return step
    pytest.fail(f"seed {seed}: the {kind} is in no state at or after step {told}")


@pytest.mark.parametrize("kind", crash_writer.STRUCTURES)
def test_playing_the_steps_again_tells_what_a_writer_has_done(kind, tmp_path):
    """Without a kill: the oracle above would be worth nothing if it were wrong."""
    held, chance = {}, random.Random(1)
    structure = crash_writer.open_one(kind, tmp_path, "file", chance)
    for step in islice(crash_writer.steps(kind, 1), 600):
        if step.whole is None:
            step.parts[0](None, held)
            structure.close()
            structure = crash_writer.open_one(kind, tmp_path, "file", chance)
        else:
            step.whole(structure, held)
    found = list(structure.items()) if kind == "dict" else list(structure)
    structure.close()
    assert find_state(kind, 1, [], 600, found) == 600
    with pytest.raises(pytest.fail.Exception, match="no state"):
        find_state(kind, 1, [], 600, found[:-1])
