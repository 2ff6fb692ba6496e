"""Ctrl-C between any two lines of a volume and its store: the operation is done, or not, and all goes on."""

from __future__ import annotations

import pytest
from interrupting import STORING, Interrupter
from pyspeedup.memory import FileStore, MemoryStore, SqliteStore
from pyspeedup.memory._storage.volume import Volume


@pytest.fixture(params=["file", "sqlite", "memory", "mapping"])
def make_store(request, tmp_path):
    kind = request.param

    def make(number):
        if kind in {"memory", "mapping"}:
            return MemoryStore() if kind == "memory" else {}
        (tmp_path / str(number)).mkdir(exist_ok=True)
        return (FileStore if kind == "file" else SqliteStore)(tmp_path / str(number))

    make.step = 7 if kind == "sqlite" else 1  # each makes a database
    return make


def open_volume(store):
    return Volume(store, kind="toy", page_size=1)


OPERATIONS = {
    "write": lambda volume: volume.write(0, b"new"),
    "write again": lambda volume: volume.write(1, b"new"),
    "append": lambda volume: volume.append(b"new"),
    "delete": lambda volume: volume.delete(0),
    "commit": lambda volume: volume.commit(b"new"),
    "durable": lambda volume: volume.commit(b"new", durable=True),
}


def contents(volume):
    return {page: bytes(volume.read(page)) for page in volume.pages()}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_interrupted_operation_is_done_or_not(operation, make_store):
    for at in range(1, 400, make_store.step):
        store = make_store(at)
        volume = open_volume(store)
        for number in range(3):
            volume.append(b"old%d" % number)
        volume.commit(b"old")
        volume.write(1, b"changed")
        before = contents(volume)
        interrupter = Interrupter(at, *STORING)
        try:
            with interrupter:
                OPERATIONS[operation](volume)
        except KeyboardInterrupt:
            pass
        if interrupter.left > 0:
            assert at > 1, "nothing was interrupted"
            volume.close()
            break
        now = contents(volume)
        changed = {page: data for page, data in now.items() if before.get(page) != data}
        assert set(changed.values()) <= {b"new"}
        assert len(before.keys() ^ now.keys()) <= 1
        added = volume.append(b"added")
        volume.write(2, b"later")
        now = {**now, added: b"added", 2: b"later"}
        assert contents(volume) == now
        volume.commit(b"last")
        for _ in range(3):
            volume.append(b"x")
            volume.rollback()
        assert contents(volume) == now
        volume.close()
        again = open_volume(store)
        assert (again.state, contents(again)) == (b"last", now)
        again.close()
    else:
        pytest.fail("no operation has that many lines")


def test_going_back_after_an_interrupted_commit_finds_what_was_committed(make_store):
    for at in range(1, 400, make_store.step):
        volume = open_volume(make_store(at))
        volume.append(b"old")
        volume.commit(b"old")
        volume.write(0, b"new")
        interrupter = Interrupter(at, *STORING)
        try:
            with interrupter:
                volume.commit(b"new")
        except KeyboardInterrupt:
            pass
        if interrupter.left <= 0:
            volume.rollback()
        found = bytes(volume.state), contents(volume)
        assert found in [(b"old", {0: b"old"}), (b"new", {0: b"new"})]
        volume.close()
        if interrupter.left > 0:
            assert at > 1, "nothing was interrupted"
            break


class Interruptions:
    """These tests for another store: that of a subclass's fixture `make_store`."""

    test_operations = staticmethod(test_an_interrupted_operation_is_done_or_not)
    test_going_back = staticmethod(
        test_going_back_after_an_interrupted_commit_finds_what_was_committed
    )
