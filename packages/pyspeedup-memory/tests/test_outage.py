"""A store that goes away while a transaction is taken back: nothing of that shows, and all goes on once it is back."""

from __future__ import annotations

import errno
import gc
import sys
import threading
from contextlib import suppress

import pytest
from faulty_stores import Disk, FaultyMapping, FaultyStore
from interrupting import SignalInterrupter
from pyspeedup.core import StoreError
from pyspeedup.memory import DiskDict, DiskList, FileStore, MemoryStore, SqliteStore

STRUCTURES = {"dict": DiskDict, "list": DiskList}
TAKING_BACK = ("commit", "open", "rollback")


def lmdb_store(folder):
    pytest.importorskip("lmdb")
    from pyspeedup.memory.stores.lmdb import LmdbStore

    return LmdbStore(folder)


class Network(FaultyMapping):
    """A mapping of bytes that cannot be reached while its disk fails, neither for reading.

    That begins when `HEAD` is put once it `falls`: what was never tried needs no connection to be taken back.
    """

    falls = False

    def __setitem__(self, key, value):
        if self.falls and key == "HEAD":
            self.go_away()
        super().__setitem__(key, value)

    def go_away(self):
        self.falls = False
        self.disk.arm(0, lasting=True)

    def __getitem__(self, key):
        self.disk.call()
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.disk.call()
        return super().get(key, default)

    def __delitem__(self, key):
        self.disk.call()
        super().__delitem__(key)

    def pop(self, key, *default):
        self.disk.call()
        return super().pop(key, *default)


class KnowsOnlyClosing(FaultyStore):
    """A page store on such a disk, without ``rollback``."""

    def __getattr__(self, name):
        if name == "rollback":
            raise AttributeError(name)
        return super().__getattr__(name)


STORES = {
    "mapping": lambda folder: Network(),
    "memory": lambda folder: FaultyStore(MemoryStore(), TAKING_BACK),
    "file": lambda folder: FaultyStore(FileStore(folder), TAKING_BACK),
    "sqlite": lambda folder: FaultyStore(SqliteStore(folder), TAKING_BACK),
    "lmdb": lambda folder: FaultyStore(lmdb_store(folder), TAKING_BACK),
    "file that knows only closing": lambda folder: KnowsOnlyClosing(FileStore(folder), TAKING_BACK),
}


@pytest.fixture(params=STRUCTURES)
def kind(request):
    return request.param


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return STORES[request.param](tmp_path)


def opened(kind, store):
    return STRUCTURES[kind]("x", 2, 1, page_store=store, sync_every=float("inf"))


def add(structure, *numbers):
    for number in numbers:
        if isinstance(structure, DiskDict):
            structure[number] = [number]
        else:
            structure.append([number])


def numbers_in(structure):
    values = structure.values() if isinstance(structure, DiskDict) else structure
    numbers = [value[0] for value in values]
    assert len(structure) == len(numbers)
    if isinstance(structure, DiskDict):
        assert list(structure) == numbers
        assert all(number in structure and structure[number] == [number] for number in numbers)
        assert 99 not in structure
        assert structure.get(99) is None
    return numbers


def go_away(store):
    if isinstance(store, Network):
        store.falls = True
    else:
        store.disk.arm(0, lasting=True)


def lose(structure, store, *, at_end=True, meanwhile=lambda: None):
    """Let the store go away at the end of a transaction, or in it; it cannot be taken back then."""
    with pytest.raises(OSError, match="No space"):
        _transact(structure, store, meanwhile, at_end=at_end)


def _transact(structure, store, meanwhile, *, at_end):
    with structure.transaction():
        add(structure, 4, 99)
        meanwhile()
        if not at_end:
            store.disk.arm(0, lasting=True)
            raise OSError(errno.ENOSPC, "No space: of the block itself")
        go_away(store)


READS = {
    "one": lambda structure: structure[0],
    "all": list,
    "absent": lambda structure: 99 in structure,
    "last": lambda structure: next(reversed(structure)),
}
CHANGES = {
    "add": lambda structure: add(structure, 5),
    "pop": lambda structure: structure.pop(0),
    "clear": lambda structure: structure.clear(),
    "sync": lambda structure: structure.sync(),
    "durable": lambda structure: structure.sync(durable=True),
    "transaction": lambda structure: structure.transaction().__enter__(),
}


@pytest.mark.parametrize("at_end", [True, False])
def test_all_is_as_it_was_once_the_store_is_back(kind, store, at_end):
    with opened(kind, store) as structure:
        add(structure, 0, 1, 2, 3)
        lose(structure, store, at_end=at_end)
        store.disk.disarm()
        assert numbers_in(structure) == [0, 1, 2, 3]
        add(structure, 5)
        structure.sync()
        with structure.transaction():
            add(structure, 6)
        assert numbers_in(structure) == [0, 1, 2, 3, 5, 6]
        if kind == "dict":
            structure._content.check()
    with opened(kind, store) as structure:
        assert numbers_in(structure) == [0, 1, 2, 3, 5, 6]


@pytest.mark.parametrize("use", [*READS, *CHANGES])
def test_until_then_whatever_is_asked_says_so_and_is_not_done(kind, store, use):
    with opened(kind, store) as structure:
        add(structure, 0, 1, 2, 3)
        lose(structure, store)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"'x'.*taken back.*No space"):
                (READS | CHANGES)[use](structure)
            assert not structure.closed
        store.disk.disarm()
        assert numbers_in(structure) == [0, 1, 2, 3]


@pytest.mark.parametrize("use", [*READS, *CHANGES])
def test_whatever_comes_first_after_that_is_done(kind, use):
    store = Network()
    with opened(kind, store) as structure:
        add(structure, 0, 1, 2, 3)
        lose(structure, store)
        store.disk.disarm()
        assert len(structure) == 4
        if use != "transaction":
            (READS | CHANGES)[use](structure)
        else:
            with structure.transaction():
                add(structure, 5)
        expected = {"add": [0, 1, 2, 3, 5], "pop": [1, 2, 3], "clear": []}
        expected["transaction"] = expected["add"]
        assert numbers_in(structure) == expected.get(use, [0, 1, 2, 3])


def test_closing_meanwhile_lets_go(kind, store):
    structure, other = opened(kind, store), opened(kind, store)
    add(structure, 0, 1)
    lose(structure, store)
    for handle in (structure, other):
        if isinstance(store, Network):
            handle.close()
        else:
            with handle:
                pass
        assert handle.closed
    with pytest.raises(OSError, match="No space"):
        opened(kind, store)
    store.disk.disarm()
    with opened(kind, store) as structure:
        assert numbers_in(structure) == [0, 1]


def test_a_handle_that_is_forgotten_meanwhile_lets_go(kind):
    store = Network()
    structure = opened(kind, store)
    add(structure, 0, 1)
    lose(structure, store)
    del structure
    gc.collect()
    store.disk.disarm()
    with opened(kind, store) as structure:
        assert numbers_in(structure) == [0, 1]


def test_a_second_handle_sees_the_same(kind, store):
    with opened(kind, store) as structure, opened(kind, store) as other:
        add(structure, 0, 1)
        lose(structure, store)
        with opened(kind, store) as late, pytest.raises(StoreError, match="taken back"):
            list(late)
        store.disk.disarm()
        assert numbers_in(other) == [0, 1] == numbers_in(structure)


class LateNetwork(Network):
    """What is put as `HEAD` arrives, and goes away with the answer."""

    is_late = False

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if self.is_late and key == "HEAD":
            self.go_away()
            self.disk.call()


def test_a_commit_that_was_made_all_the_same_counts(kind):
    store = LateNetwork()
    with opened(kind, store) as structure:
        add(structure, 0, 1)
        structure.sync()
        store.is_late = True
        with pytest.raises(OSError, match="No space"), structure.transaction():
            add(structure, 2)
        with pytest.raises(StoreError, match="taken back"):
            structure[0]
        store.is_late = False
        store.disk.disarm()
        assert numbers_in(structure) == [0, 1, 2]


def test_a_store_that_another_has_changed_meanwhile_stays_refused_and_can_be_closed(kind):
    store = Network()
    structure = opened(kind, store)
    add(structure, 0, 1)
    lose(structure, store)
    store.disk.disarm()
    copy = dict(store)
    with opened(kind, copy) as other:
        add(other, 7)
    store.update(copy)
    for _ in range(2):
        with pytest.raises(StoreError, match="changed by another process"):
            structure.sync()
    structure.close()
    with opened(kind, store) as structure:
        assert numbers_in(structure) == [0, 1, 7]


def test_iterations_under_way_find_out(kind, store):
    with opened(kind, store) as structure:
        add(structure, *range(40))
        iterator = iter(structure)
        next(iterator)
        lose(structure, store)
        with pytest.raises((StoreError, RuntimeError)):
            list(iterator)
        store.disk.disarm()
        assert numbers_in(structure) == list(range(40))


@pytest.mark.parametrize("use", [*READS, "add", "sync", "clear"])
def test_a_thread_that_waited_does_nothing_to_what_is_gone(kind, store, use):
    raised = []

    def run():
        try:
            (READS | CHANGES)[use](structure)
        except (OSError, StopIteration) as error:
            raised.append(error)

    def let_it_wait():
        thread.start()
        thread.join(0.01)  # where it does not wait for the lock yet, all holds too

    thread = threading.Thread(target=run)
    with opened(kind, store) as structure:
        add(structure, 0, 1, 2, 3)
        structure.sync()
        lose(structure, store, meanwhile=let_it_wait)
        thread.join(60)
        assert not thread.is_alive()
        assert use in READS or len(raised) == 1
        store.disk.disarm()
        assert numbers_in(structure) == [0, 1, 2, 3]


def in_a_thread(operation):
    """Return what an operation of another thread returns, which no lock may keep from it."""
    results = []
    thread = threading.Thread(target=lambda: results.append(operation()), daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return results[0]


TAKEN_BACK = ("_content.py", "_storage/volume.py", "_dict/live_parts.py", "_list/items.py")


def look(structure):
    structure[0]


def abandon(structure):
    with suppress(ZeroDivisionError), structure.transaction():
        add(structure, 4)
        raise ZeroDivisionError


def interrupt(kind, operation, at):
    """Interrupt taking back at a place; return what did so once it is seen that all is as it was."""
    store = STORES["memory"](None)
    with opened(kind, store) as structure:
        add(structure, 0, 1, 2, 3)
        if operation is look:
            lose(structure, store)
            store.disk.disarm()
        interrupter = SignalInterrupter(at, *TAKEN_BACK)
        with suppress(KeyboardInterrupt), interrupter:
            operation(structure)
        assert in_a_thread(lambda: numbers_in(structure)) == [0, 1, 2, 3], interrupter.where
    return interrupter


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="3.13 does not trace each step of new frames"
)
@pytest.mark.parametrize("operation", [look, abandon])
def test_an_interruption_leaves_it_taken_back_and_no_lock_held(kind, operation):
    for _ in range(2):  # from 3.12 on, code is traced step by step only at its next call
        places = interrupt(kind, operation, sys.maxsize).places
    assert len(places) > 8
    interrupted = [not interrupt(kind, operation, at).left for at in range(1, len(places) + 1)]
    assert sum(interrupted) > len(places) // 2


class Folder:
    """What stands for a page store in a folder: its disk, which all of that type have."""

    def __init__(self, store_type, monkeypatch):
        self.disk = Disk()
        for name in TAKING_BACK:
            monkeypatch.setattr(store_type, name, self.checked(getattr(store_type, name)))

    def checked(self, method):
        def call(store, *arguments, **named):
            self.disk.call()
            return method(store, *arguments, **named)

        return call


@pytest.mark.parametrize("journal", [False, True])
@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_store_in_a_folder_does_so_too(kind, page_store, journal, tmp_path, monkeypatch):
    store = Folder({"file": FileStore, "sqlite": SqliteStore}[page_store], monkeypatch)
    options = {"file_location": tmp_path, "page_store": page_store, "journal": journal}
    with STRUCTURES[kind]("x", 2, 1, **options) as structure:
        add(structure, 0, 1)
        lose(structure, store)
        with pytest.raises(StoreError, match="taken back"):
            structure.sync()
        store.disk.disarm()
        assert numbers_in(structure) == [0, 1]
        add(structure, 3)
        lose(structure, store)
    assert structure.closed
    store.disk.disarm()
    with STRUCTURES[kind]("x", **options) as structure:
        assert numbers_in(structure) == [0, 1, 3]
