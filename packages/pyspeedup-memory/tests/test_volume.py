"""A volume: numbered pages, commits, and that no damage passes for data."""

from __future__ import annotations

import io
import random
import shutil
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.core import StoreCorruptedError, StoreError
from pyspeedup.memory import FileStore, JsonSerializer, MemoryStore, SqliteStore
from pyspeedup.memory._storage.volume import Volume


def open_volume(store, **options):
    return Volume(store, **{"kind": "toy", "page_size": 4, **options})


@pytest.fixture(params=["file", "sqlite", "memory", "mapping"])
def make_store(request, tmp_path):
    memory, blobs = MemoryStore(), {}
    return {
        "file": lambda: FileStore(tmp_path),
        "sqlite": lambda: SqliteStore(tmp_path),
        "memory": lambda: memory,
        "mapping": lambda: blobs,
    }[request.param]


def test_a_new_volume_has_no_state_and_a_reopened_one_has_its_last(make_store):
    volume = open_volume(make_store())
    assert volume.state is None
    volume.commit(b"")
    volume.commit(b"state")
    volume.close()
    reopened = open_volume(make_store(), page_size=99)
    assert (reopened.state, reopened.page_size) == (b"state", 4)
    reopened.close()


def test_what_was_not_committed_is_gone_after_closing(make_store):
    volume = open_volume(make_store())
    kept = volume.append(b"kept")
    volume.commit(b"state")
    volume.write(kept, b"changed")
    volume.append(b"lost")
    volume.close()
    reopened = open_volume(make_store())
    assert reopened.pages() == [kept]
    assert bytes(reopened.read(kept)) == b"kept"
    reopened.close()


def test_rollback_gives_pages_numbers_and_reservations_back(make_store):
    volume = open_volume(make_store())
    first, second = volume.append(b"first"), volume.append(b"second")
    volume.commit(b"state")
    volume.delete(first)
    volume.write(second, b"zwei")
    volume.reserve()
    volume.append(b"third")
    assert volume.changed_pages == 3
    volume.rollback()
    assert volume.changed_pages == 0
    assert (volume.pages(), volume.page_count) == ([first, second], 2)
    assert [bytes(volume.read(page)) for page in (first, second)] == [b"first", b"second"]
    volume.close()


def test_going_back_brings_the_last_pages_of_an_opened_store_back(make_store):
    volume = open_volume(make_store())
    pages = [volume.append(b"%d" % number) for number in range(4)]
    volume.commit(b"state")
    volume.close()
    volume = open_volume(make_store())
    for page in pages[1:]:
        volume.delete(page)
    assert volume.append(b"new") in pages
    volume.rollback()
    assert [bytes(volume.read(page)) for page in pages] == [b"0", b"1", b"2", b"3"]
    assert volume.append(b"new") not in pages
    volume.close()


def test_rollback_of_a_store_that_knows_only_closing():
    class Minimal:
        """The protocol and nothing more."""

        def __init__(self):
            self.inner = MemoryStore()

        def __getattr__(self, name):
            if name in {"open", "read", "write", "delete", "commit", "close"}:
                return getattr(self.inner, name)
            raise AttributeError(name)

    volume = open_volume(Minimal())
    page = volume.append(b"kept")
    volume.commit(b"state")
    volume.write(page, b"changed")
    volume.rollback()
    assert bytes(volume.read(page)) == b"kept"
    volume.write(page, b"changed again")
    volume.commit(b"state")
    assert bytes(volume.read(page)) == b"changed again"


class Unsure(MemoryStore):
    """Its next commits raise, though they may have been made."""

    fails = made = False

    def commit(self, meta, *, durable=False):
        if not self.fails or self.made:
            super().commit(meta, durable=durable)
        if self.fails:
            raise OSError("no connection")


@pytest.mark.parametrize("made", [False, True])
def test_going_back_after_a_commit_that_failed_tells_what_became_of_it(made):
    store = Unsure()
    volume = open_volume(store)
    page = volume.append(b"old")
    volume.commit(b"old")
    store.fails, store.made = True, made
    volume.write(page, b"new")
    with pytest.raises(OSError, match="no connection"):
        volume.commit(b"new")
    store.fails = False
    volume.rollback()
    expected = b"new" if made else b"old"
    assert (volume.state, bytes(volume.read(page))) == (expected, expected)
    volume.append(b"more")
    volume.commit(b"more")
    assert open_again(volume, store).state == b"more"


def test_going_back_that_fails_once_can_be_done_again():
    class FailsOnce(MemoryStore):
        left = 0

        def rollback(self):
            self.left -= 1
            if self.left >= 0:
                raise OSError("no connection")
            super().rollback()

    for times in (1, 2):
        store = FailsOnce()
        volume = open_volume(store)
        page = volume.append(b"old")
        volume.commit(b"old")
        volume.write(page, b"new")
        store.left = times
        with pytest.raises(OSError, match="no connection"):
            volume.rollback()
        store.left = 0
        volume.rollback()
        assert bytes(volume.read(page)) == b"old"
        volume.commit(b"still")
        assert bytes(open_again(volume, store).read(page)) == b"old"


def open_again(volume, store):
    volume.close()
    return open_volume(store)


def test_numbers_of_deleted_pages_are_used_again():
    volume = open_volume({})
    pages = [volume.append(b"x") for _ in range(5)]
    for page in pages:
        volume.delete(page)
    assert volume.page_count == 0
    assert {volume.append(b"y") for _ in range(5)} == set(pages)


def test_a_reserved_number_is_no_page_until_it_is_written():
    volume = open_volume({})
    page = volume.reserve()
    with pytest.raises(KeyError):
        volume.read(page)
    assert (volume.pages(), volume.page_count) == ([], 0)
    assert volume.append(b"other") != page
    volume.write(page, b"now")
    assert bytes(volume.read(page)) == b"now"
    given_up = volume.reserve()
    volume.delete(given_up)
    assert volume.reserve() == given_up


def test_pages_that_do_not_exist_are_key_errors():
    volume = open_volume({})
    for page in (0, 5, -1):
        for use in (volume.read, volume.delete, lambda page: volume.write(page, b"")):
            with pytest.raises(KeyError):
                use(page)


STEPS = ["append", "write", "delete", "commit", "rollback", "reopen"]


@settings(max_examples=60)
@given(st.data())
def test_against_a_dict_of_bytes(data):
    blobs, model, committed = {}, {}, {}
    volume = open_volume(blobs)
    volume.commit(b"")
    for _ in range(data.draw(st.integers(1, 30))):
        match data.draw(st.sampled_from(STEPS)):
            case "append":
                content = data.draw(st.binary(max_size=20))
                page = volume.append(content)
                assert page not in model
                model[page] = content
            case "write" if model:
                page = data.draw(st.sampled_from(sorted(model)))
                model[page] = data.draw(st.binary(max_size=20))
                volume.write(page, model[page])
            case "delete" if model:
                page = data.draw(st.sampled_from(sorted(model)))
                volume.delete(page)
                del model[page]
            case "commit":
                volume.commit(repr(model).encode())
                committed = dict(model)
            case "rollback":
                volume.rollback()
                model = dict(committed)
            case "reopen":
                volume.close()
                volume = open_volume(blobs)
                model = dict(committed)
        assert {page: bytes(volume.read(page)) for page in volume.pages()} == model
        assert volume.page_count == len(model)


def test_another_kind_is_refused_and_the_store_stays_usable(make_store):
    volume = open_volume(make_store())
    volume.commit(b"state")
    volume.close()
    with pytest.raises(ValueError, match=r"holds a toy, and cannot be opened as a list"):
        open_volume(make_store(), kind="list")
    open_volume(make_store()).close()


def test_the_recorded_serializer_is_used_and_another_refused():
    blobs = {}
    open_volume(blobs, serializer="json").close()
    assert isinstance(open_volume(blobs).serializer, JsonSerializer)
    assert isinstance(open_volume(blobs, serializer="json").serializer, JsonSerializer)
    mine = JsonSerializer()
    assert open_volume(blobs, serializer=mine).serializer is mine
    with pytest.raises(ValueError, match="serializer is 'pickle', but it was written with 'json'"):
        open_volume(blobs, serializer="pickle")


def test_a_reader_cannot_change_a_volume():
    blobs = {}
    volume = open_volume(blobs)
    page = volume.append(b"x")
    volume.commit(b"state")
    reader = open_volume(blobs, readonly=True)
    for change in (
        lambda: reader.write(page, b""),
        lambda: reader.append(b""),
        lambda: reader.delete(page),
        lambda: reader.commit(b""),
        reader.rollback,
        reader.reserve,
    ):
        with pytest.raises(StoreError, match="readonly"):
            change()


def test_use_after_close_says_so(make_store):
    volume = open_volume(make_store())
    page = volume.append(b"x")
    volume.close()
    volume.close()
    with pytest.raises(ValueError, match="closed"):
        volume.read(page)
    with pytest.raises(ValueError, match="closed"):
        volume.commit(b"")


def test_what_is_no_store_is_named():
    with pytest.raises(TypeError, match="page_store must be"):
        open_volume(object())


def test_a_store_of_somebody_else_is_not_taken_for_damage():
    store = MemoryStore()
    store.open(create=True, readonly=False)
    store.commit(b"something else entirely")
    store.close()
    with pytest.raises(StoreError, match="not a store of pyspeedup"):
        open_volume(store)


def test_a_format_of_before_the_first_release_is_refused_by_name(monkeypatch):
    blobs = {}
    with monkeypatch.context() as patch:
        patch.setattr("pyspeedup.memory._storage.header.FORMAT", 0)
        open_volume(blobs).close()
    with pytest.raises(StoreError, match=r"format 0, which was written before the first release"):
        open_volume(blobs)


def test_a_newer_format_is_refused_by_name(monkeypatch):
    blobs = {}
    with monkeypatch.context() as patch:
        patch.setattr("pyspeedup.memory._storage.header.FORMAT", 7)
        open_volume(blobs).close()
    with pytest.raises(StoreError, match="format 7"):
        open_volume(blobs)


def test_pages_exchanged_within_a_store_are_found():
    store = MemoryStore()
    volume = open_volume(store)
    first, second = volume.append(b"first"), volume.append(b"other")
    volume.commit(b"state")
    pages = store._table
    pages[first], pages[second] = pages[second], pages[first]
    for page in (first, second):
        with pytest.raises(StoreCorruptedError, match=f"page {page}"):
            volume.read(page)


def test_a_page_of_another_time_or_store_is_found():
    store, other = MemoryStore(), MemoryStore()
    volume, second = open_volume(store), open_volume(other)
    page = volume.append(b"old")
    volume.commit(b"")
    old = store._table[page]
    volume.write(page, b"new")
    volume.commit(b"")
    assert second.append(b"of another store") == page
    second.commit(b"")
    for strange in (old, other._pages.committed[page]):
        store._table[page] = strange
        with pytest.raises(StoreCorruptedError, match=f"page {page}"):
            volume.read(page)


def test_a_page_that_went_missing_is_damage():
    store = MemoryStore()
    volume = open_volume(store)
    page = volume.append(b"x")
    volume.commit(b"")
    del store._table[page]
    with pytest.raises(StoreCorruptedError, match=f"page {page}: it is missing"):
        volume.read(page)


def test_another_stores_pages_under_our_identity_are_found():
    blobs = {}
    open_volume(blobs, identity="ours").close()
    open_volume(blobs, identity="ours").close()
    with pytest.raises(StoreCorruptedError, match="another store"):
        open_volume(blobs, identity="theirs")


CONTENTS = [b"first page", b"", b"third" * 40]


def make_small_store(store):
    volume = open_volume(store)
    volume.append(b"replaced")
    volume.commit(b"before")
    volume.write(0, CONTENTS[0])
    for content in CONTENTS[1:]:
        volume.append(content)
    volume.commit(b"the state")
    volume.close()


def read_all(store):
    """Return what a store holds, or None where it says that it is damaged or not a store."""
    try:
        volume = open_volume(store, create=False, readonly=True)
    except (StoreError, FileNotFoundError):
        return None
    try:
        return volume.state, [bytes(volume.read(page)) for page in volume.pages()]
    except StoreError:
        return None
    finally:
        volume.close()


WHOLE = (b"the state", CONTENTS)


def overwrite(path, data):
    """Make `data` the content of a file without making it anew, which would wait for the disk."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def damaged_copies(data, samples=None):
    """Yield `data` with each byte changed in turn, once in one bit and once in all."""
    positions = range(len(data))
    if samples is not None:
        positions = random.Random(1).sample(positions, samples)
    for position in positions:
        for mask in (1 << position % 8, 0xFF):
            copy = bytearray(data)
            copy[position] ^= mask
            yield position, bytes(copy)


def test_no_changed_byte_of_a_file_is_read_as_data(tmp_path):
    make_small_store(FileStore(tmp_path))
    path = tmp_path / "data"
    data = path.read_bytes()
    assert read_all(FileStore(tmp_path)) == WHOLE
    caught = 0
    for position, damaged in damaged_copies(data):
        if not data[position] and position % 16:
            continue  # of the zeros between blocks, every sixteenth
        overwrite(path, damaged)
        found = read_all(FileStore(tmp_path))
        assert found is None or found == WHOLE, position
        caught += found is None
    assert caught > 2 * sum(map(len, CONTENTS))


def test_no_changed_byte_of_a_database_is_read_as_data(tmp_path):
    make_small_store(SqliteStore(tmp_path))
    path = tmp_path / "pages.sqlite3"
    data = path.read_bytes()
    assert read_all(SqliteStore(tmp_path)) == WHOLE
    caught = 0
    for position, damaged in damaged_copies(data, samples=1500):
        overwrite(path, damaged)
        found = read_all(SqliteStore(tmp_path))
        assert found is None or found == WHOLE, position
        caught += found is None
    assert caught > 50


def test_no_changed_byte_of_a_mapping_is_read_as_data():
    blobs = {}
    make_small_store(blobs)
    assert read_all(blobs) == WHOLE
    for key, data in list(blobs.items()):
        for position, damaged in damaged_copies(data):
            blobs[key] = damaged
            assert read_all(blobs) is None, (key, position)
        blobs[key] = data


@pytest.mark.parametrize("store_class", [FileStore, SqliteStore])
def test_a_truncated_or_longer_file_is_damage(store_class, tmp_path):
    make_small_store(store_class(tmp_path))
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    lengths = {0, 1, 100, 4096, len(data) // 2, len(data) - 1, *range(0, len(data), 997)}
    for length in lengths:
        overwrite(path, data[:length])
        assert read_all(store_class(tmp_path)) is None, length
        with pytest.raises((StoreError, FileNotFoundError)):
            open_volume(store_class(tmp_path), create=False)
    for more in (b"\0", b"x", data):
        overwrite(path, data + more)
        assert read_all(store_class(tmp_path)) is None
    overwrite(path, data)
    assert read_all(store_class(tmp_path)) == WHOLE


def test_blocks_of_a_file_that_are_wiped_are_damage(tmp_path):
    make_small_store(FileStore(tmp_path))
    path = tmp_path / "data"
    data = path.read_bytes()
    harmless = 0
    for start in range(0, len(data), 512):
        overwrite(path, data[:start] + bytes(512) + data[start + 512 :])
        found = read_all(FileStore(tmp_path))
        assert found is None or found == WHOLE, start
        harmless += found == WHOLE
    assert harmless < len(data) // 512


def test_whatever_is_written_over_a_file_is_no_wrong_data(tmp_path):
    make_small_store(FileStore(tmp_path))
    path = tmp_path / "data"
    data = path.read_bytes()
    chance = random.Random(5)
    for _ in range(300):
        damaged = bytearray(data)
        start = chance.randrange(len(data))
        damaged[start : start + 64] = chance.randbytes(len(damaged[start : start + 64]))
        overwrite(path, damaged)
        found = read_all(FileStore(tmp_path))
        assert found is None or found == WHOLE


def test_any_mapping_will_do(tmp_path):
    class ZipMapping(dict):
        """A dict that keeps a copy of itself in an archive."""

        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                for name, content in self.items():
                    archive.writestr(name, content)
            (tmp_path / "archive.zip").write_bytes(buffer.getvalue())

    make_small_store(ZipMapping())
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        blobs = {name: archive.read(name) for name in archive.namelist()}
    assert read_all(blobs) == WHOLE


def test_a_copied_folder_is_a_store_of_its_own(tmp_path):
    (tmp_path / "one").mkdir()
    make_small_store(FileStore(tmp_path / "one"))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert read_all(FileStore(tmp_path / "two")) == WHOLE


def test_a_peek_is_a_slice_of_what_was_written(make_store):
    volume = open_volume(make_store())
    pages = {volume.append(bytes(range(100 + number))): 100 + number for number in range(5)}
    for _ in range(2):
        for page, length in pages.items():
            for start, stop in [
                (0, 0),
                (0, 40),
                (30, 70),
                (90, 500),
                (500, 600),
                (70, 30),
                (-9, -3),
            ]:
                assert volume.peek(page, start, stop) == bytes(range(length))[start:stop]
        volume.commit(b"")
    with pytest.raises(KeyError):
        volume.peek(99, 0, 1)
    with pytest.raises(KeyError):
        volume.peek(-1, 0, 1)
    with pytest.raises(KeyError):
        volume.peek(volume.reserve(), 0, 1)
    volume.close()
    with pytest.raises(ValueError, match="closed"):
        volume.peek(0, 0, 1)


def test_a_peek_sees_what_was_written_deleted_and_rolled_back(make_store):
    volume = open_volume(make_store())
    page, other = volume.append(b"old and long"), volume.append(b"other")
    volume.commit(b"")
    assert volume.peek(page, 0, 3) == b"old"
    volume.write(page, b"new")
    assert volume.peek(page, 0, 9) == b"new"
    volume.delete(page)
    with pytest.raises(KeyError):
        volume.peek(page, 0, 3)
    volume.rollback()
    assert volume.peek(page, 4, 7) == b"and"
    assert volume.peek(other, 0, 9) == b"other"
    volume.close()


def test_a_page_that_a_store_lost_is_damage_to_a_peek_too():
    store = MemoryStore()
    volume = open_volume(store)
    page = volume.append(b"x")
    volume.commit(b"")
    del store._table[page]
    with pytest.raises(StoreCorruptedError, match=f"page {page}: it is missing"):
        volume.peek(page, 0, 1)
