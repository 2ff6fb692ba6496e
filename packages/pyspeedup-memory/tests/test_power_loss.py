"""The store in one file after a loss of power, played through: what was not synced is there in part."""

from __future__ import annotations

import random

import pytest
from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory import FileStore, _platform
from pyspeedup.memory.stores import _data_file
from pyspeedup.memory.stores import file as file_module


class Recorder:
    """Notes what a store does to its file, and makes the file that a loss of power leaves."""

    def __init__(self, monkeypatch):
        self.steps = []
        self.passing = True
        for name in ("write_at", "sync_file"):
            self.watch(monkeypatch, _platform, name)

    def watch(self, monkeypatch, module, name):
        original = getattr(module, name)

        def noted(descriptor, *arguments):
            if self.passing:
                copied = [
                    bytes(each) if isinstance(each, memoryview) else each for each in arguments
                ]
                self.steps.append((name, *copied))
            return original(descriptor, *arguments)

        monkeypatch.setattr(module, name, noted)

    def file_after(self, step, base, chance):
        """Return the file where power was lost before `step`: later than the last sync, who knows."""
        done = self.steps[:step]
        syncs = [number for number, (name, *_) in enumerate(done) if name == "sync_file"]
        certain = syncs[-1] if syncs else 0
        image = bytearray(base)
        share = chance.choice([0, 0.3, 0.7, 0.95, 1])
        for number, (name, *arguments) in enumerate(done):
            if name == "write_at" and (number < certain or chance.random() < share):
                data, offset = arguments
                image.extend(bytes(max(0, offset + len(data) - len(image))))
                image[offset : offset + len(data)] = data
        return bytes(image)


def content(store):
    return {page: bytes(store.read(page)) for page, _ in store._state.table.items()}


@pytest.mark.parametrize("seed", range(4))
def test_after_a_loss_of_power_the_last_durable_commit_or_a_later_one_is_whole(
    seed, tmp_path, monkeypatch
):
    chance = random.Random(seed)
    monkeypatch.setattr(_data_file, "boot_id", lambda: "before")
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.commit(b"0", durable=True)
    data = tmp_path / "data"
    base = data.read_bytes()
    recorder = Recorder(monkeypatch)
    models, acknowledged = {0: {}}, []
    for number in range(1, 25):
        for _ in range(chance.randrange(1, 5)):
            store.write(chance.randrange(6), chance.randbytes(chance.choice([5, 300, 5000])))
        models[number] = {page: bytes(store.read(page)) for page in range(6) if has(store, page)}
        durable = chance.random() < 0.3
        store.commit(str(number).encode(), durable=durable)
        acknowledged.append((len(recorder.steps), number if durable else None))
    store.close()
    recorder.passing = False
    monkeypatch.setattr(_data_file, "boot_id", lambda: "after")
    older, lost = 0, 0
    for _ in range(150):
        step = chance.randrange(1, len(recorder.steps))
        data.write_bytes(recorder.file_after(step, base, chance))
        promised = max([n for at, n in acknowledged if n is not None and at <= step], default=0)
        newest = max(
            [number for number, (at, _) in enumerate(acknowledged, 1) if at <= step], default=0
        )
        reader = FileStore(tmp_path)
        meta = int(reader.open(create=False, readonly=True))
        assert content(reader) == models[meta]
        reader.close()
        assert meta >= promised
        lost += meta < newest
        older += meta > promised
        check_that_it_goes_on(tmp_path, meta, models[meta])
    assert older > 10, "nothing beyond the durable commits was ever found"
    assert lost > 10, "nothing was ever lost: the test plays no loss of power"


def has(store, page):
    try:
        store.read(page)
    except KeyError:
        return False
    return True


def check_that_it_goes_on(folder, meta, model):
    """Write to the store that was found, and open it twice more."""
    for _ in range(2):
        store = FileStore(folder)
        assert int(store.open(create=False, readonly=False)) == meta
        assert content(store) == model
        store.write(99, b"more")
        store.commit(str(meta).encode())
        model = {**model, 99: b"more"}
        store.close()


def test_without_a_restart_an_unfinished_slot_is_damage(tmp_path):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    for number in range(3):
        store.write(0, b"x%d" % number)
        store.commit(b"%d" % number)
    store.close()
    with (tmp_path / "data").open("r+b") as file:
        file.seek(store._state.slots.index(store._state.newest) * 4096 + 20)
        file.write(b"\xff")
    with pytest.raises(StoreCorruptedError, match="checksum"):
        store.open(create=False, readonly=False)


def test_a_restart_alone_loses_nothing(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"not synced")
    store.commit(b"meta")
    store.close()
    for boot in ("another", "", "third", ""):
        monkeypatch.setattr(_data_file, "boot_id", lambda boot=boot: boot)
        for readonly in (True, False):
            assert store.open(create=False, readonly=readonly) == b"meta"
            assert store.read(0) == b"not synced"
            store.close()


class Failing:
    """Makes the n-th call of a function of the platform fail as a disk does."""

    def __init__(self, monkeypatch, name, at):
        self.calls, self.at = 0, at
        original = getattr(_platform, name)

        def maybe(*arguments):
            self.calls += 1
            if self.calls == self.at:
                raise OSError("the disk says no")
            return original(*arguments)

        monkeypatch.setattr(file_module._platform, name, maybe)


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("name", ["write_at", "sync_file"])
@pytest.mark.parametrize("ending", ["retry", "rollback", "close"])
def test_a_disk_that_fails_once_costs_nothing_but_an_error(name, at, ending, tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"old")
    store.commit(b"old", durable=True)
    failed = 0
    with monkeypatch.context() as patch:
        Failing(patch, name, at)
        for attempt in (
            lambda: store.write(0, b"new"),
            lambda: store.write(1, b"one"),
            lambda: store.commit(b"new", durable=True),
        ):
            try:
                attempt()
            except OSError:
                failed += 1
                if ending == "retry":
                    attempt()
                else:
                    break
    assert failed == (1 if at <= {"write_at": 4, "sync_file": 2}[name] else 0)
    new = ending == "retry" or not failed
    if ending == "rollback":
        store.rollback()
        assert bytes(store.read(0)) == (b"new" if new else b"old")
    store.close()
    assert store.open(create=False, readonly=True) == (b"new" if new else b"old")
    assert content(store) == ({0: b"new", 1: b"one"} if new else {0: b"old"})
    store.close()
    assert (tmp_path / "data").stat().st_size < 40_000
