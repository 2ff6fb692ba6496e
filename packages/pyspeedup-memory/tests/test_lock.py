"""One writer or many readers across processes, with and without the system's better lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import types
from pathlib import Path

import pytest
from pyspeedup.core import StoreLockedError
from pyspeedup.memory import _platform
from pyspeedup.memory._storage.folder_lock import FileLock
from storage_toy import Toy, run, start

HOLD = """
import os, sys
from storage_toy import Toy
toy = Toy("x", file_location=sys.argv[1], page_store=sys.argv[2], readonly=sys.argv[3] == "read")
print(os.getpid(), flush=True)
sys.stdin.readline()
toy.close()
"""

TRY = """
import sys
from pyspeedup.core import StoreLockedError
from storage_toy import Toy
try:
    with Toy("x", file_location=sys.argv[1], readonly=sys.argv[2] == "read") as toy:
        print(toy.content())
except StoreLockedError as error:
    print("locked by", error.pid, str(error.pid) in str(error))
"""


@pytest.fixture(params=["file", "sqlite"])
def page_store(request):
    return request.param


def hold(tmp_path, page_store, how):
    process = start(HOLD, tmp_path, page_store, how)
    return process, int(process.stdout.readline())


def release(process):
    output, errors = process.communicate("\n", timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.fixture(autouse=True)
def store(tmp_path, page_store):
    with Toy("x", file_location=tmp_path, page_store=page_store) as toy:
        toy["a"] = 1


def test_a_writer_keeps_writers_and_readers_out_and_is_named(tmp_path, page_store):
    process, pid = hold(tmp_path, page_store, "write")
    for how in ("write", "read"):
        assert run(TRY, tmp_path, how) == f"locked by {pid} True"
        with pytest.raises(StoreLockedError, match=str(pid)):
            Toy("x", file_location=tmp_path, readonly=how == "read")
    release(process)
    assert run(TRY, tmp_path, "write") == "{'a': 1}"


def test_readers_share_and_keep_writers_out(tmp_path, page_store):
    readers = [hold(tmp_path, page_store, "read") for _ in range(2)]
    assert run(TRY, tmp_path, "read") == "{'a': 1}"
    told = run(TRY, tmp_path, "write")
    assert told in {f"locked by {pid} True" for _, pid in readers}
    for process, _ in readers:
        release(process)
    assert run(TRY, tmp_path, "write") == "{'a': 1}"


def test_a_killed_writer_holds_no_lock(tmp_path, page_store):
    process, _ = hold(tmp_path, page_store, "write")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert run(TRY, tmp_path, "write") == "{'a': 1}"


HOLD_AND_FORK = """
import os, sys, time
from storage_toy import Toy
toy = Toy("x", file_location=sys.argv[1], page_store=sys.argv[2])
child = os.fork()
if child == 0:
    sys.stdin.readline()
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_that_outlives_a_killed_writer_holds_no_lock(tmp_path, page_store):
    process = start(HOLD_AND_FORK, tmp_path, page_store)
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    os.kill(child, 0)
    assert run(TRY, tmp_path, "write") == "{'a': 1}"
    process.communicate("\n", timeout=60)


def test_creating_at_the_same_time_leaves_one_store(tmp_path, page_store):
    create = """
import sys
from pyspeedup.core import StoreLockedError
from storage_toy import Toy
for turn in range(15):
    try:
        with Toy(f"new{turn}", file_location=sys.argv[1], page_store=sys.argv[2]) as toy:
            toy[sys.argv[3]] = turn
    except StoreLockedError:
        pass
"""
    processes = [start(create, tmp_path, page_store, name) for name in "abc"]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    for turn in range(15):
        with Toy(f"new{turn}", file_location=tmp_path) as toy:
            assert set(toy.content().values()) == {turn}
            assert set(toy.content()) <= {"a", "b", "c"}


class LikeWindows(types.ModuleType):
    """A stand-in for `msvcrt` made of another kind of lock, which this process's own files obey."""

    LK_NBLCK = 2

    def __init__(self):
        super().__init__("msvcrt")
        self.locks = {}

    def locking(self, descriptor, mode, length):
        assert mode == self.LK_NBLCK
        start_ = os.lseek(descriptor, 0, os.SEEK_CUR)
        wanted = set(range(start_, start_ + length))
        for other, taken in list(self.locks.items()):
            try:
                same_file = os.path.sameopenfile(other, descriptor)
            except OSError:
                del self.locks[other]
                continue
            if same_file and taken & wanted and other != descriptor:
                raise OSError(13, "Permission denied")
        self.locks[descriptor] = wanted


def test_a_file_that_is_replaced_while_it_is_being_locked_is_not_what_is_locked(
    tmp_path, monkeypatch
):
    def replaced_first(descriptor, *, exclusive):
        monkeypatch.undo()
        beside = tmp_path / "beside"
        beside.write_bytes(b"")
        beside.replace(path)
        return lock(descriptor, exclusive=exclusive)

    path, lock = tmp_path / "lock", _platform.lock
    monkeypatch.setattr(_platform, "lock", replaced_first)
    held = FileLock(path, exclusive=True, name="it")
    with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"):
        FileLock(path, exclusive=True, name="it")
    held.release()


def test_a_folder_that_is_removed_while_it_is_being_locked_is_not_there(tmp_path, monkeypatch):
    def removed_first(descriptor, *, exclusive):
        shutil.rmtree(path.parent)
        return lock(descriptor, exclusive=exclusive)

    path, lock = tmp_path / "folder" / "lock", _platform.lock
    path.parent.mkdir()
    monkeypatch.setattr(_platform, "lock", removed_first)
    with pytest.raises(FileNotFoundError):
        FileLock(path, exclusive=True, name="it")


def test_locks_of_byte_ranges_do_where_flock_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(_platform, "fcntl", None)
    monkeypatch.setattr(_platform, "msvcrt", LikeWindows())
    monkeypatch.setattr(_platform, "lock_holder", lambda _: None)
    path = tmp_path / "lock"
    writer = FileLock(path, exclusive=True, name="it")
    for exclusive in (True, False):
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"):
            FileLock(path, exclusive=exclusive, name="it")
    writer.release()
    readers = [FileLock(path, exclusive=False, name="it") for _ in range(3)]
    with pytest.raises(StoreLockedError):
        FileLock(path, exclusive=True, name="it")
    for reader in readers:
        reader.release()
    FileLock(path, exclusive=True, name="it").release()
    assert path.stat().st_size < 100


def test_everything_works_without_what_only_some_systems_have(tmp_path, monkeypatch):
    for name in ("pread", "pwrite", "fdatasync", "O_DIRECTORY"):
        monkeypatch.delattr(os, name)
    monkeypatch.setattr(_platform, "fcntl", None)
    monkeypatch.setattr(_platform, "msvcrt", LikeWindows())
    monkeypatch.setattr(_platform, "boot_id", lambda: "")
    for name in ("y", "y"):
        with Toy(name, file_location=tmp_path) as toy:
            toy["a"] = toy.content().get("a", 0) + 1
            toy.sync(durable=True)
    with Toy("y", file_location=tmp_path) as toy:
        assert toy["a"] == 2


def test_the_lock_of_this_system_is_the_better_one():
    assert _platform.fcntl is fcntl


def test_a_new_store_that_two_open_at_once_is_in_nobodys_way(tmp_path, monkeypatch):
    def is_dir(path):
        if path.name == "new.pyspeedup" and not was_dir(path):
            path.mkdir()  # as another process does just now
            return False
        return was_dir(path)

    was_dir = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", is_dir)
    with Toy("new", file_location=tmp_path) as toy:
        toy["a"] = 1
    (tmp_path / "file.pyspeedup").touch()
    for readonly in (True, False):
        with pytest.raises(NotADirectoryError, match="in the way"):
            Toy("file", file_location=tmp_path, readonly=readonly)


def test_a_lock_file_that_is_never_the_one_at_its_path_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os.path, "samestat", lambda _, __: False)
    with pytest.raises(StoreLockedError, match="replaced again and again"):
        FileLock(tmp_path / "lock", exclusive=True, name="the store")
