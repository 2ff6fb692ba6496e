"""Every page store against a dict of bytes, and what each promises beyond the protocol."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.core import PageStore, StoreCorruptedError, StoreError, StoreLockedError
from pyspeedup.core.testing import PageStoreMachine, state_machine_test
from pyspeedup.memory import FileStore, MemoryStore, ShadowStore, SqliteStore, _platform
from pyspeedup.memory.stores._page_table import Extent, PageTable
from pyspeedup.memory.stores._slots import HEADER_SIZE
from pyspeedup.memory.stores.sqlite import DATABASE_FILE
from storage_toy import start


class InFolder(PageStoreMachine):
    store_class = FileStore

    def make_store(self):
        if not hasattr(self, "folder"):
            self.folder = tempfile.mkdtemp()
        return self.store_class(self.folder)

    def teardown(self):
        super().teardown()
        shutil.rmtree(self.folder)


class FileMachine(InFolder):
    def check(self, store):
        kept = [*store._state.table.places(), *store._state.pinned]
        used = sum(length for _, length in kept)
        used += sum(extent.length for extent in store._state.pages.put_since.values())
        assert store._space.end <= HEADER_SIZE + 8 * used + 2**20


class HalfMappedMachine(InFolder):
    """Only the beginning of the file is mapped, so that some pages are read."""

    @staticmethod
    def store_class(folder):
        return FileStore(folder, map_limit=HEADER_SIZE + 2000)


class SqliteMachine(InFolder):
    store_class = SqliteStore


class MemoryMachine(PageStoreMachine):
    def make_store(self):
        self.store = getattr(self, "store", None) or MemoryStore()
        return self.store


class ShadowMachine(PageStoreMachine):
    def make_store(self):
        self.blobs = getattr(self, "blobs", {})
        return ShadowStore(self.blobs)

    def check(self, store):
        uncommitted = len(store._pages.put_since)
        assert len(self.blobs) == 1 + len(self.committed) + uncommitted, "keys are left behind"


TestFileMachine = state_machine_test(FileMachine)
TestHalfMappedMachine = state_machine_test(HalfMappedMachine)
TestSqliteMachine = state_machine_test(SqliteMachine)
TestMemoryMachine = state_machine_test(MemoryMachine)
TestShadowMachine = state_machine_test(ShadowMachine)


@pytest.fixture(params=[FileStore, SqliteStore])
def store_class(request):
    return request.param


@pytest.fixture(params=["file", "sqlite", "memory", "mapping"])
def make_store(request, tmp_path):
    """Return a function that returns a store of the same place at every call, not open yet."""
    memory, blobs = MemoryStore(), {}
    return {
        "file": lambda: FileStore(tmp_path),
        "sqlite": lambda: SqliteStore(tmp_path),
        "memory": lambda: memory,
        "mapping": lambda: ShadowStore(blobs),
    }[request.param]


def test_is_a_page_store(store):
    assert isinstance(store, PageStore)


def test_rollback_goes_back_to_the_last_commit(store):
    store.write(1, b"one")
    store.write(2, b"two")
    store.commit(b"first")
    store.write(1, b"uno")
    store.delete(2)
    store.write(3, b"tre")
    store.rollback()
    assert (bytes(store.read(1)), bytes(store.read(2))) == (b"one", b"two")
    with pytest.raises(KeyError):
        store.read(3)


def test_a_page_written_after_being_deleted_is_there(store):
    store.write(1, b"one")
    store.commit(b"")
    store.delete(1)
    store.write(1, b"uno")
    store.commit(b"")
    assert bytes(store.read(1)) == b"uno"


def test_a_negative_page_is_refused(store):
    with pytest.raises(ValueError, match="-1"):
        store.write(-1, b"")
    with pytest.raises(KeyError):
        store.read(-1)


def test_use_before_open_and_after_close_says_so(make_store):
    store = make_store()
    with pytest.raises(ValueError, match="not open"):
        store.read(0)
    store.open(create=True, readonly=False)
    store.close()
    with pytest.raises(ValueError, match="not open"):
        store.write(0, b"")


def test_a_reader_cannot_change_anything(make_store):
    store = make_store()
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"meta")
    store.close()
    reader = make_store()
    reader.open(create=False, readonly=True)
    for change in (
        lambda: reader.write(0, b""),
        lambda: reader.delete(0),
        lambda: reader.commit(b""),
        reader.rollback,
    ):
        with pytest.raises(StoreError, match="readonly"):
            change()
    assert bytes(reader.read(0)) == b"zero"
    reader.close()


def test_what_is_missing_is_not_made_for_a_reader(make_store):
    store = make_store()
    if isinstance(store, MemoryStore):
        pytest.skip("a store in RAM is never missing")
    with pytest.raises(FileNotFoundError):
        store.open(create=False, readonly=False)
    with pytest.raises(FileNotFoundError):
        make_store().open(create=True, readonly=True)


def test_one_writer_or_many_readers(store_class, tmp_path):
    writer = store_class(tmp_path)
    writer.open(create=True, readonly=False)
    writer.commit(b"meta")
    for readonly in (True, False):
        with pytest.raises(StoreLockedError) as caught:
            store_class(tmp_path).open(create=False, readonly=readonly)
        assert caught.value.pid in {os.getpid(), None}
    writer.close()
    readers = [store_class(tmp_path) for _ in range(3)]
    for reader in readers:
        reader.open(create=False, readonly=True)
    with pytest.raises(StoreLockedError):
        store_class(tmp_path).open(create=False, readonly=False)
    for reader in readers:
        reader.close()
    writer.open(create=False, readonly=False)
    writer.close()


def test_files_are_their_owners_alone(store_class, tmp_path):
    old = os.umask(0)
    try:
        store = store_class(tmp_path)
        store.open(create=True, readonly=False)
        store.write(0, b"zero" * 10_000)
        store.commit(b"", durable=True)
        modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(old)
    assert not any(modes.values()), modes


def test_replaced_pages_give_their_space_back(store_class, tmp_path):
    store = store_class(tmp_path)
    store.open(create=True, readonly=False)
    for round_ in range(60):
        for page in range(10):
            store.write(page, os.urandom(3000 + 50 * round_))
        store.commit(b"meta")
    sizes = sum(path.stat().st_size for path in tmp_path.iterdir())
    store.close()
    assert sizes < 5_000_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4 * 10 * 6000


def test_space_at_the_end_is_given_back_when_closed(tmp_path):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    for page in range(100):
        store.write(page, b"x" * 10_000)
    store.commit(b"")
    for page in range(1, 100):
        store.delete(page)
    store.commit(b"")
    store.commit(b"")
    store.close()
    assert (tmp_path / "data").stat().st_size < 50_000


def test_opening_reads_no_page(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    for page in range(100):
        store.write(page, b"x" * 10_000)
    store.commit(b"meta")
    store.close()
    read = 0
    whole = os.pread

    def count(descriptor, length, offset):
        nonlocal read
        read += length
        return whole(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", count)
    store.open(create=False, readonly=False)
    store.close()
    assert 0 < read < 50_000


def test_a_durable_commit_is_not_overwritten_before_the_next(tmp_path):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"durable" * 100)
    store.commit(b"", durable=True)
    extent = store._state.table[0]
    for _ in range(20):
        store.write(0, b"passing" * 100)
        store.commit(b"")
    with (tmp_path / "data").open("rb") as data:
        data.seek(extent.offset)
        assert data.read(extent.length) == b"durable" * 100
    store.commit(b"", durable=True)
    assert not store._state.pinned
    store.close()


def test_a_durable_commit_is_not_overwritten_by_later_openings_either(tmp_path):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    for page in (0, 1, 2, 2**40):
        store.write(page, b"durable" * 100)
    store.commit(b"", durable=True)
    places = list(store._state.table.places())
    for _ in range(5):
        store.write(0, b"passing" * 100)
        store.write(2**40, b"passing" * 100)
        store.commit(b"")
        store.delete(1)
        store.write(1, b"passing" * 100)
        store.close()
        store.open(create=False, readonly=False)
    store.close()
    data = (tmp_path / "data").read_bytes()
    for offset, length in places:
        assert data[offset : offset + length] == b"durable" * 100


NEAR_AND_FAR = st.one_of(st.integers(0, 20), st.integers(1000, 5000), st.integers(0, 2**62))
CHANGES = st.lists(st.tuples(NEAR_AND_FAR, st.integers(0, 2**35)), max_size=30)


def change(table, model, changes, first):
    """Give pages places that none had before, or take them out where the length would be odd."""
    for number, (page, length) in enumerate(changes, first):
        if length % 2 and page in model:
            del table[page], model[page]
        else:
            table[page] = model[page] = Extent(number << 36, length, number, length % 2**32)


@settings(deadline=None)
@given(CHANGES, CHANGES)
def test_a_page_table_is_a_dict_of_extents(first, later):
    table, model = PageTable(), {}
    change(table, model, first, 1)
    before, old = table.copy(), dict(model)
    change(table, model, later, 1 + len(first))
    for each, expected in ((table, model), (before, old)):
        again = PageTable.from_bytes(each.to_bytes())
        assert dict(each.items()) == dict(again.items()) == expected
        assert all(each[page] == again[page] == expected[page] for page in expected)
        places = sorted((extent.offset, extent.length) for extent in expected.values())
        assert sorted(again.places()) == places
        assert again.end == (sum(places[-1]) if places else 0)
        for page in {page for page, _ in first + later} - set(expected) | {-1, 2**63}:
            assert page not in again
            with pytest.raises(KeyError):
                again[page]
            with pytest.raises(KeyError):
                del again[page]
    moved = {extent[:2] for page, extent in old.items() if model.get(page) != extent}
    assert set(before.places_not_in(table)) == moved


def test_bytes_of_another_length_are_no_page_table():
    table = PageTable()
    table[3] = Extent(4096, 10, 1, 2)
    data = table.to_bytes()
    for wrong in (data[:-1], data + b"x", data[:-8]):
        with pytest.raises(ValueError, match=r"page table|multiple"):
            PageTable.from_bytes(wrong)


def test_a_page_that_the_table_names_is_never_overwritten_before_the_commit(tmp_path):
    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"old" * 100)
    store.commit(b"")
    snapshot = (tmp_path / "data").read_bytes()
    for _ in range(5):
        store.write(0, b"new" * 100)
    after = (tmp_path / "data").read_bytes()
    extent = store._state.table[0]
    store.close()
    inside = slice(extent.offset, extent.offset + extent.length)
    assert after[inside] == snapshot[inside] == b"old" * 100


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    store = FileStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")  # the session block is behind us
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(_platform, "_pwrite", full)
        with pytest.raises(OSError, match="no space left") as told:
            store.write(1, b"one")
    assert told.value.filename == str(tmp_path / "data")
    store.write(1, b"one")
    store.commit(b"more")
    assert (store.read(0), store.read(1)) == (b"zero", b"one")
    store.close()


def test_keys_of_others_in_a_mapping_are_left_alone():
    blobs = {"page-mine": b"mine", "note": b"kept"}
    store = ShadowStore(blobs)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.close()
    assert blobs["page-mine"] == b"mine"
    assert blobs["note"] == b"kept"


def test_pages_of_a_killed_writer_are_swept_from_a_mapping():
    blobs = {}
    killed = ShadowStore(blobs)
    killed.open(create=True, readonly=False)
    killed.write(0, b"lost")
    store = ShadowStore(blobs)
    store.open(create=False, readonly=False)
    assert list(blobs) == ["HEAD"]
    store.close()


def test_a_mapping_without_its_head_is_damaged_and_not_new():
    blobs = {}
    store = ShadowStore(blobs)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"meta")
    store.close()
    del blobs["HEAD"]
    with pytest.raises(StoreCorruptedError, match="HEAD"):
        ShadowStore(blobs).open(create=True, readonly=False)


def test_two_writers_of_a_mapping_are_told_apart():
    blobs = {}
    first, second = ShadowStore(blobs), ShadowStore(blobs)
    first.open(create=True, readonly=False)
    second.open(create=True, readonly=False)
    second.write(0, b"second")
    second.commit(b"second")
    first.write(0, b"first")
    with pytest.raises(StoreLockedError):
        first.commit(b"first")
    second.close()
    third = ShadowStore(blobs)
    assert third.open(create=False, readonly=True) == b"second"
    assert third.read(0) == b"second"


class Failing(dict):
    """A mapping whose next puts or deletions fail, before or after they have taken effect."""

    fail_put = fail_delete = after = False

    def __setitem__(self, key, value):
        if self.fail_put and self.after:
            super().__setitem__(key, value)
        if self.fail_put:
            raise OSError("no connection")
        super().__setitem__(key, value)

    def pop(self, key, default=None):
        if self.fail_delete:
            raise OSError("no connection")
        return super().pop(key, default)


@pytest.mark.parametrize("after", [False, True])
def test_a_put_that_fails_leaves_a_mapping_as_it_was_or_commits(after):
    blobs = Failing()
    store = ShadowStore(blobs)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"first")
    store.write(0, b"uno")
    blobs.fail_put, blobs.after = True, after
    if after:
        store.commit(b"second")
    else:
        with pytest.raises(OSError, match="no connection"):
            store.commit(b"second")
    blobs.fail_put = False
    other = ShadowStore(blobs)
    assert other.open(create=False, readonly=True) == (b"second" if after else b"first")
    store.commit(b"third")
    store.close()
    last = ShadowStore(blobs)
    assert last.open(create=False, readonly=True) == b"third"
    assert last.read(0) == b"uno"


def test_a_deletion_that_fails_does_not_fail_the_commit():
    blobs = Failing()
    store = ShadowStore(blobs)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"first")
    blobs.fail_delete = True
    store.write(0, b"uno")
    store.commit(b"second")
    blobs.fail_delete = False
    store.write(1, b"one")
    store.commit(b"third")
    assert len(blobs) == 3
    store.close()


def test_a_mapping_is_closed_with_its_store_only_if_it_belongs_to_it():
    class Closing(dict):
        closed = False

        def close(self):
            self.closed = True

    for owned in (False, True):
        blobs = Closing()
        store = ShadowStore(blobs, owned=owned)
        store.open(create=True, readonly=False)
        store.close()
        assert blobs.closed is owned


def test_only_the_folder_given_is_touched(store_class, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    store = store_class(tmp_path / "here")
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"", durable=True)
    store.close()
    assert {path.name for path in Path(tmp_path).iterdir()} == {"here", "notes.txt"}


@pytest.fixture
def half_changed(tmp_path):
    """Return the folder of a database that a killed process was changing."""
    with start(UNFINISHED, tmp_path) as process:
        assert process.stdout.readline() == "changing\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert (tmp_path / f"{DATABASE_FILE}-journal").stat().st_size > 0
    return tmp_path


@pytest.mark.parametrize("readonly", [True, False])
def test_what_a_killed_process_was_changing_in_a_database_is_undone_at_opening(
    half_changed, readonly
):
    store = SqliteStore(half_changed)
    assert store.open(create=False, readonly=readonly) == b"meta"
    assert store.read(0) == bytes(100_000)
    store.close()


def test_where_it_cannot_be_undone_opening_says_so(half_changed, monkeypatch):
    connect = SqliteStore._connect
    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "_connect", lambda store, **_: connect(store, readonly=True))
        with pytest.raises(StoreError, match=r"a process was killed .* open it once where it can"):
            SqliteStore(half_changed).open(create=False, readonly=True)


UNFINISHED = """
import sqlite3, sys, time
from pyspeedup.memory import SqliteStore
store = SqliteStore(sys.argv[1])
store.open(create=True, readonly=False)
store.write(0, bytes(100_000))
store.commit(b"meta")
store.close()
database = sqlite3.connect(f"{sys.argv[1]}/pages.sqlite3", isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE content SET data = zeroblob(200000)")
database.execute("UPDATE meta SET data = zeroblob(200000)")
print("changing", flush=True)
time.sleep(60)
"""
