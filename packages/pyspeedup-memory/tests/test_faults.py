"""A disk that fails at any moment costs an error, and nothing that was there or was done."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import crash_writer
import pytest
from faulty_stores import FaultyMapping, FaultyStore
from hypothesis import strategies as st
from hypothesis.stateful import rule
from pyspeedup.core.testing import MappingMachine, state_machine_test
from pyspeedup.core.testing._values import fresh, same
from pyspeedup.core.testing.strategies import indexes, of_machine
from pyspeedup.memory import FileStore, MemoryStore, SqliteStore
from pyspeedup.memory.testing import DiskDictMachine, DiskListMachine
from thoroughness import IS_LONG

STRUCTURES = crash_writer.STRUCTURES
READING = ("read", "peek")
STORES = {
    "mapping": lambda folder: FaultyMapping(),
    "file": lambda folder: FaultyStore(FileStore(folder)),
    "sqlite": lambda folder: FaultyStore(SqliteStore(folder)),
    "memory that cannot be read": lambda folder: FaultyStore(MemoryStore(), READING),
    "file that cannot be read": lambda folder: FaultyStore(FileStore(folder), READING),
}
STRIDE = {"mapping": 7, "file": 11, "sqlite": 19}
"""Which calls fail: every so many, in a quick run."""
STEPS = 40


def contents(kind, structure):
    return list(structure.items()) if kind == "dict" else list(structure)


class Story:
    """Steps taken on a structure whose disk fails at one of them, and on what stands for it."""

    def __init__(self, kind, store, sync_every):
        self.kind, self.store = kind, store
        self.stored = STRUCTURES[kind](
            "story", 2, 1, page_store=store, sync_every=sync_every, ram_limit=40_000
        )
        self.model = {} if kind == "dict" else []
        self.held, self.held_by_model = {}, {}
        self.is_told = False

    def take(self, step):
        """Take a step; if the disk fails, it must be done, or not done, and can be done then."""
        parts = list(step.parts)
        try:
            self.attempt(step)
        except OSError:
            self.store.disk.disarm()
            self.is_told = True
            parts = self.finish(step, parts)
        for part in parts:
            part(self.model, self.held_by_model)

    def attempt(self, step):
        if step.whole is None:
            step.parts[0](None, self.held)
            self.stored.sync()
        else:
            step.whole(self.stored, self.held)

    def finish(self, step, parts):
        """Find out how far the step has come, do the rest, and return what the model lacks."""
        if getattr(step.whole, "__name__", "") == "in_transaction":
            self.held.clear()  # what a transaction takes back is connected to nothing any more
            self.held_by_model.clear()
        if self.agrees():
            self.attempt(step)
            return parts
        while parts:
            parts.pop(0)(self.model, self.held_by_model)
            if self.agrees():
                break
        else:
            pytest.fail(f"{step} was neither done nor not done")
        for part in parts:
            part(self.stored, self.held)
        return parts

    def agrees(self):
        found = contents(self.kind, self.stored)
        assert len(self.stored) == len(found)
        if self.kind == "dict":
            assert all(key in self.stored for key, _ in found)
        return same(found, contents(self.kind, self.model))

    def end(self):
        """Sync, close and open again: everything is there."""
        self.store.disk.disarm()
        self.stored.sync()
        assert self.agrees()
        self.stored.close()
        self.stored = STRUCTURES[self.kind]("story", page_store=self.store)
        assert self.agrees()
        self.stored.close()


def fail_at(kind, make_store, number, seed, *, sync_every, lasting):
    """Let the disk fail at call `number` of a story; tell whether it came so far, and was noticed."""
    folder = Path(tempfile.mkdtemp())
    try:
        story = Story(kind, make_store(folder), sync_every)
        story.store.disk.arm(number, lasting=lasting)
        for step in islice(crash_writer.steps(kind, seed), STEPS):
            story.take(step)
        reached = bool(story.store.disk.failed)
        story.end()
    finally:
        shutil.rmtree(folder)
    return reached, story.is_told


@pytest.mark.parametrize("kind", STRUCTURES)
@pytest.mark.parametrize("name", STORES)
def test_whichever_call_fails_nothing_is_lost_and_the_structure_goes_on(kind, name):
    told = 0
    for seed, sync_every, lasting in [(1, 0, True), (2, float("inf"), True), (4, 0, False)]:
        number, reached = seed % STRIDE.get(name, 13), True
        while reached:
            try:
                reached, is_told = fail_at(
                    kind, STORES[name], number, seed, sync_every=sync_every, lasting=lasting
                )
            except BaseException as error:
                error.add_note(f"{name}: call {number}, seed {seed}, {sync_every=}, {lasting=}")
                raise
            told += is_told
            number += 1 if IS_LONG else STRIDE.get(name, 13)
    assert told > 2


# ---- state machines ------------------------------------------------------------------------------


class _Faults:
    """What is done to either structure while the disk is full; the rest of the rules goes on after it."""

    max_pages = 1

    def make_page_store(self):
        return FaultyMapping()

    def try_to(self, operation, calls):
        """Run `operation` while the disk fails at a call: it is done or it is not, and later it can be."""
        try:
            with self._store.disk.failing(calls, lasting=True):
                operation(self.subject)
        except OSError:
            if same(plain(self.subject), plain(self.model)):
                return
        operation(self.model)
        self.compare()

    @rule(calls=st.integers(0, 5))
    def sync_on_a_full_disk(self, calls):
        self.try_to(lambda each: each.sync() if each is self.subject else None, calls)
        self.subject.sync()

    @rule(calls=st.integers(0, 5))
    def close_on_a_full_disk(self, calls):
        try:
            with self._store.disk.failing(calls, lasting=True):
                self.subject.close()
        except OSError:
            assert not self.subject.closed
            self.compare()
            self.subject.close()
        self.replace_subject(self.open())


def plain(structure):
    return list(structure.items()) if hasattr(structure, "items") else list(structure)


CALLS = st.integers(0, 4)
KEYS = MappingMachine.known_keys


class DictOnAFullDisk(_Faults, DiskDictMachine):
    page_size = 2

    @rule(calls=CALLS, key=KEYS, value=of_machine("value_strategy"))
    def set_on_a_full_disk(self, calls, key, value):
        self.try_to(lambda each: each.__setitem__(key, fresh(value)), calls)

    @rule(calls=CALLS, key=KEYS)
    def pop_on_a_full_disk(self, calls, key):
        self.try_to(lambda each: each.pop(key, None), calls)

    @rule(calls=CALLS)
    def pop_item_on_a_full_disk(self, calls):
        self.try_to(lambda each: each.popitem() if each else None, calls)

    @rule(calls=CALLS)
    def clear_on_a_full_disk(self, calls):
        self.try_to(lambda each: each.clear(), calls)

    @rule(calls=CALLS, key=KEYS)
    def set_default_on_a_full_disk(self, calls, key):
        self.try_to(lambda each: each.setdefault(key, []), calls)


PLACES = st.runner().flatmap(lambda machine: indexes(len(machine.model), machine.page_size))
PIECES = st.lists(of_machine("value_strategy"), max_size=9)


class ListOnAFullDisk(_Faults, DiskListMachine):
    page_size = 2

    @rule(calls=CALLS, place=PLACES, value=of_machine("value_strategy"))
    def insert_on_a_full_disk(self, calls, place, value):
        self.try_to(lambda each: each.insert(place, fresh(value)), calls)

    @rule(calls=CALLS, place=PLACES, piece=PIECES)
    def replace_on_a_full_disk(self, calls, place, piece):
        self.try_to(lambda each: each.__setitem__(slice(place, place + 3), fresh(piece)), calls)

    @rule(calls=CALLS, place=PLACES)
    def pop_on_a_full_disk(self, calls, place):
        self.try_to(
            lambda each: each.pop(place) if -len(each) <= place < len(each) else None, calls
        )

    @rule(calls=CALLS)
    def turn_round_on_a_full_disk(self, calls):
        self.try_to(lambda each: each.reverse(), calls)

    @rule(calls=CALLS)
    def sort_on_a_full_disk(self, calls):
        self.try_to(lambda each: each.sort(key=repr), calls)


TestDictOnAFullDisk = state_machine_test(DictOnAFullDisk)
TestListOnAFullDisk = state_machine_test(ListOnAFullDisk)


# ---- a disk that is really full ------------------------------------------------------------------

FILL = """
import errno, itertools, subprocess, sys
from pathlib import Path
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList

disk, page_store = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk], check=True)
ballast = disk / "ballast"
ballast.write_bytes(bytes(4 << 20))
d = DiskDict("dict", 16, 2, disk, page_store=page_store)
l = DiskList("list", 16, 2, disk, page_store=page_store)
model = {}
# LMDB takes a write that was cut short for an error of the device.
FULL = {errno.ENOSPC, errno.EIO} if page_store == "lmdb" else {errno.ENOSPC}
d.sync(), l.sync()
refused = 0
for number in itertools.count():
    value = [number, f"{number:07}" * 700]
    try:
        d[number] = value
    except OSError as error:
        assert error.errno in FULL, error
        refused += 1
    else:
        model[number] = list(value)
    try:
        l.append(value)
        if number % 20 == 0:
            d.sync(), l.sync()
    except OSError as error:
        assert error.errno in FULL, error
        refused += 1
    if refused > 3:
        break
for structure in (d, l):
    try:
        structure.sync()
    except OSError as error:
        assert error.errno in FULL, error
        refused += 1
ballast.unlink()
items = list(l)
assert list(d) == sorted(d) and model.items() <= d.items() and len(d) <= len(model) + refused
model = dict(d)
numbers = [item[0] for item in items]
assert items == [[n, f"{n:07}" * 700] for n in numbers] and numbers == sorted(set(numbers))
assert number + 1 - refused <= len(items) <= number + 1
d["more"] = 1
l.append("more")
d.close(), l.close()
with DiskDict("dict", file_location=disk) as d, DiskList("list", file_location=disk) as l:
    assert dict(d) == model | {"more": 1} and list(l) == [*items, "more"]
for name in ("dict", "list"):
    assert main(["verify", name, "--location", str(disk)]) == 0
print("refused", refused, "kept", len(model), len(items))
"""


@pytest.fixture
def namespace():
    """Return the command that runs another with the right to mount, which few systems refuse."""
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount a small disk")
    return command


@pytest.mark.parametrize("page_store", ["file", "sqlite", "lmdb"])
def test_a_disk_that_is_full_loses_nothing(page_store, namespace, tmp_path):
    if page_store == "lmdb":
        pytest.importorskip("lmdb")
    finished = subprocess.run(
        [*namespace, sys.executable, "-W", "error", "-c", FILL, tmp_path, page_store],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "refused" in finished.stdout
