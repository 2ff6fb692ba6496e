"""Parts of pages, from a map of the file or without one: never other bytes than a read gives."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from contextlib import suppress

import pytest
from interrupting import STORING, Interrupter
from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory import FileStore, MemoryStore, _platform
from pyspeedup.memory._storage.recent_pages import RecentPages
from pyspeedup.memory._storage.volume import Volume
from pyspeedup.memory.stores import _data_file
from pyspeedup.memory.stores._slots import HEADER_SIZE

LIMIT = HEADER_SIZE + 50_000


def opened(folder, *, readonly=False, **options):
    store = FileStore(folder, **options)
    store.open(create=not readonly, readonly=readonly)
    return store


def content(page, length=10_000):
    return (b"%d," % page * length)[:length]


def fill(store, pages=20):
    for page in range(pages):
        store.write(page, content(page))
    store.commit(b"")


def peeks_as_it_reads(store, pages=20):
    for page in range(pages):
        data = store.read(page)
        assert data == content(page)
        for start, stop in [(0, 40), (9_000, 99_000), (17, 17), (10_000, 10_001), (-5, -2), (9, 2)]:
            assert store.peek(page, start, stop) == data[start:stop]
    return True


@pytest.mark.parametrize("limit", [0, 1, LIMIT, 1 << 30])
def test_any_limit_gives_the_same_bytes_and_maps_no_more(limit, tmp_path):
    store = opened(tmp_path, map_limit=limit)
    fill(store)
    assert peeks_as_it_reads(store)
    assert len(store._window.view) <= limit
    store.close()
    reader = opened(tmp_path, readonly=True, map_limit=limit)
    assert peeks_as_it_reads(reader)
    assert len(reader._window.view) <= min(limit, (tmp_path / "data").stat().st_size)
    reader.close()


def test_a_limit_below_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="map_limit must be 0 bytes or more, not -1"):
        FileStore(tmp_path, map_limit=-1)


def no_map(*_):
    return None


def test_where_nothing_can_be_mapped_the_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(_platform, "map_file", no_map)
    store = opened(tmp_path)
    fill(store)
    assert peeks_as_it_reads(store)
    assert not store._window.view
    store.close()


def test_where_there_is_neither_mmap_nor_pread_the_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmap", None)
    for name in ("pread", "pwrite"):
        monkeypatch.delattr(os, name)
    store = opened(tmp_path)
    fill(store)
    assert peeks_as_it_reads(store)
    assert not store._window.view
    store.close()


def test_a_file_system_that_maps_nothing_is_no_error(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENODEV, "no such device")

    with (tmp_path / "file").open("wb+") as file:
        file.truncate(10)
        monkeypatch.setattr("mmap.mmap", refuse)
        assert _platform.map_file(file.fileno(), 10) is None


def test_a_peek_sees_what_was_just_written_wherever_the_file_has_grown_to(tmp_path):
    store = opened(tmp_path)
    maps = set()
    for page in range(400):
        store.write(page, content(page))
        assert store.peek(page, 9_990, 10_000) == content(page)[9_990:]
        assert store.peek(page // 2, 0, 9) == content(page // 2)[:9]
        maps.add(len(store._window.view))
    assert max(maps) >= 4_000_000
    assert len(maps) < 12, "the file is mapped anew too often"
    store.close()


def test_a_page_written_again_is_never_seen_as_it_was(tmp_path):
    store = opened(tmp_path)
    fill(store)
    for round_ in range(50):
        for page in range(20):
            store.peek(page, 0, 5)
            data = b"%d " % round_ * (1 + page * round_)
            if (page + round_) % 3:
                store.write(page, data)
                assert store.peek(page, 0, 10**6) == data
        if round_ % 4 == 3:
            store.rollback()
        elif round_ % 4 == 1:
            store.commit(b"", durable=round_ % 8 == 1)
        for page in range(20):
            assert store.peek(page, 0, 10**6) == store.read(page)
    store.close()


def test_peeking_alone_leaves_the_file_as_it_was(tmp_path):
    store = opened(tmp_path)
    fill(store)
    store.close()
    before = (tmp_path / "data").stat()
    store = opened(tmp_path)
    assert peeks_as_it_reads(store)
    store.close()
    after = (tmp_path / "data").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_a_file_that_was_lengthened_for_a_map_is_whole_after_a_kill_and_cut_at_close(tmp_path):
    store = opened(tmp_path)
    fill(store)
    assert peeks_as_it_reads(store)
    path = tmp_path / "data"
    assert path.stat().st_size == len(store._window.view) > 1_000_000
    (tmp_path / "killed").mkdir()
    shutil.copy(path, tmp_path / "killed")
    store.close()
    assert path.stat().st_size < 300_000
    for readonly in (True, False, True):
        killed = opened(tmp_path / "killed", readonly=readonly)
        assert peeks_as_it_reads(killed)
        if not readonly:
            killed.write(0, content(0))
        killed.close()
    assert (tmp_path / "killed" / "data").stat().st_size < 300_000


def test_a_file_that_may_not_be_lengthened_is_mapped_as_far_as_it_goes(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    store = opened(tmp_path)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(os, "ftruncate", full)
        fill(store)
        assert peeks_as_it_reads(store)
        assert len(store._window.view) == (tmp_path / "data").stat().st_size
    store.close()


@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_a_file_that_was_cut_short_is_damage_and_kills_nobody(limit, tmp_path):
    store = opened(tmp_path)
    fill(store)
    store.close()
    store = opened(tmp_path, map_limit=limit)
    os.truncate(tmp_path / "data", HEADER_SIZE + 35_000)
    assert store.peek(1, 0, 9) == content(1)[:9]
    with pytest.raises(StoreCorruptedError, match="page 15: the file has become shorter"):
        store.peek(15, 0, 9)
    store.close()


def test_a_child_lets_go_of_its_map_and_harms_nobody(tmp_path):
    store = opened(tmp_path)
    fill(store)
    assert peeks_as_it_reads(store)
    child = os.fork()
    if not child:
        refused = False
        store.abandon()
        try:
            store.peek(0, 0, 1)
        except ValueError:
            refused = not store._window.view
        os._exit(17 if refused else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
    store.write(0, content(0))
    assert peeks_as_it_reads(store)
    store.close()


def test_a_closed_store_maps_nothing_and_can_be_opened_again(tmp_path):
    store = opened(tmp_path)
    fill(store)
    store.peek(0, 0, 1)
    view = store._window.view
    store.close()
    assert view.closed
    with pytest.raises(ValueError, match="not open"):
        store.peek(0, 0, 1)
    store.open(create=False, readonly=False)
    assert peeks_as_it_reads(store)
    store.close()


def test_a_page_is_whole_after_a_restart_by_the_checksum_that_the_volume_handed_over(
    tmp_path, monkeypatch
):
    volume = Volume(FileStore(tmp_path), kind="toy", page_size=1)
    page = volume.append(content(1))
    volume.commit(b"not synced")
    volume.close()
    monkeypatch.setattr(_data_file, "boot_id", lambda: "another")
    volume = Volume(FileStore(tmp_path), kind="toy", page_size=1)
    assert (volume.state, volume.read(page)) == (b"not synced", content(1))
    volume.close()


CHANGES = {
    "write": lambda volume: volume.write(1, content(1, 30_000)),
    "delete": lambda volume: volume.delete(1),
    "rollback": lambda volume: volume.rollback(),
    "peek": lambda volume: volume.peek(3, 0, 9),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_peek_gives_what_a_read_does_after_any_interruption(change, tmp_path):
    for at in range(1, 200):
        (tmp_path / str(at)).mkdir()
        volume = Volume(FileStore(tmp_path / str(at)), kind="toy", page_size=1)
        for number in range(5):
            volume.append(content(number))
        volume.commit(b"")
        volume.write(2, content(7, 20_000))
        for page in (0, 1, 2):
            volume.peek(page, 0, 9)
        interrupter = Interrupter(at, *STORING)
        with suppress(KeyboardInterrupt), interrupter:
            CHANGES[change](volume)
        for _ in range(2):
            for page in volume.pages():
                assert volume.peek(page, 0, 99_999) == volume.read(page)
            volume.append(content(9))
        volume.close()
        if interrupter.left > 0:
            assert at > 1, "nothing was interrupted"
            return
    pytest.fail("no change has that many lines")


class WholePages:
    """A page store without abilities, which counts what is read."""

    def __init__(self):
        self.inner = MemoryStore()
        self.reads = 0
        for name in ("open", "write", "delete", "commit", "close"):
            setattr(self, name, getattr(self.inner, name))

    def read(self, page):
        self.reads += 1
        return memoryview(self.inner.read(page))


def test_a_store_that_reads_whole_pages_reads_the_last_of_them_once():
    store = WholePages()
    volume = Volume(store, kind="toy", page_size=1)
    pages = [volume.append(content(page, 400_000)) for page in range(4)]
    for _ in range(10):
        for page in pages[:2]:
            assert volume.peek(page, 3, 30) == content(page, 99)[3:30]
    assert store.reads == 2
    for page in pages:
        volume.peek(page, 0, 1)
    volume.peek(pages[0], 0, 1)
    assert store.reads == 5, "it keeps more than a megabyte"
    volume.close()
    with pytest.raises(ValueError, match="closed"):
        volume.peek(0, 0, 1)


def test_a_store_that_reads_whole_pages_checks_them_before_a_peek():
    store = WholePages()
    volume = Volume(store, kind="toy", page_size=1)
    page = volume.append(b"whole")
    store.inner.write(page, b"wrong")
    with pytest.raises(StoreCorruptedError, match="checksum"):
        volume.peek(page, 0, 1)


def test_two_pages_are_kept_however_long_they_are():
    read = []

    def long(page):
        read.append(page)
        return bytes(1000)

    recent = RecentPages(long, limit=10)
    for page in (1, 2, 1, 2, 3, 2, 3, 1):
        assert recent.peek(page, 0, 2) == b"\0\0"
    assert read == [1, 2, 3, 1]
    recent.forget(1)
    recent.forget(9)
    recent.peek(1, 0, 2)
    recent.clear()
    recent.peek(1, 0, 2)
    assert read == [1, 2, 3, 1, 1, 1]
