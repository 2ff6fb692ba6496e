"""With ``journal=True`` every change whose call has returned outlives its process."""

from __future__ import annotations

import errno
import math
import os
import random
import shutil
import signal

import pytest
from journal_writer import STRUCTURES, change, within
from left_journals import Crash, left_behind
from pyspeedup.core import SerializationError, StoreCorruptedError, StoreError
from pyspeedup.core.testing._values import same
from pyspeedup.memory import DiskDict, DiskList, MemoryStore, _platform
from pyspeedup.memory._dict.content import DictContent
from pyspeedup.memory._journal import content as journalled
from pyspeedup.memory._journal import lists as journalled_lists
from pyspeedup.memory._list.content import ListContent
from pyspeedup.memory._storage import journal_file
from pyspeedup.memory._storage.marker import JOURNAL_FILE
from storage_toy import Toy, start
from users_keys import Text

SCRIPT = "import sys, journal_writer; journal_writer.main(*sys.argv[1:])"


@pytest.fixture(params=STRUCTURES)
def kind(request):
    return request.param


@pytest.fixture(params=["file", "sqlite", "lmdb"])
def page_store(request):
    if request.param == "lmdb":
        pytest.importorskip("lmdb")
    return request.param


@pytest.fixture
def crash(tmp_path):
    return Crash(tmp_path)


def equal(kind, found, expected):
    """Tell whether both are the same, in the same order too."""
    if kind == "dict":
        return same(list(found.items()), list(expected.items()))
    return same(found, expected)


# Killed


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no signal that cannot be caught")
@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_every_change_that_was_told_outlives_kill_9(kind, page_store, tmp_path):
    chance = random.Random(page_store)
    for seed in "ab" if page_store == "file" else "a":
        folder = tmp_path / seed
        wanted = chance.randrange(20, 200)
        with start(SCRIPT, kind, folder, page_store, seed) as process:
            told = [process.stdout.readline() for _ in range(wanted)]
            process.kill()
            told += process.stdout.readlines()  # what is buffered `communicate` does not know
            errors = process.stderr.read()
        assert process.returncode == -signal.SIGKILL, errors
        count = sum(line.endswith("\n") for line in told)
        assert count >= wanted
        with STRUCTURES[kind](kind, file_location=folder, sync_every=math.inf) as structure:
            found = structure.copy()
        assert any(equal(kind, found, each) for each in within(kind, seed, count))


@pytest.mark.parametrize("sync_every", [math.inf, 0])
def test_whenever_a_process_is_killed_all_changes_are_found(kind, page_store, sync_every, crash):
    model = {} if kind == "dict" else []
    with crash.open(kind, page_store=page_store, sync_every=sync_every) as structure:
        for number in range(50 if page_store == "file" and sync_every else 12):
            if number % 9 == 8:
                structure.sync(durable=number % 2 == 0)
            step = change(kind, "copied", number)
            step(structure)
            step(model)
            assert equal(kind, crash.left(kind), model), number
            assert len(structure) == len(model)
    assert equal(kind, crash.left(kind), model)


@pytest.mark.parametrize("serializer", ["json", "safe-pickle"])
def test_a_journal_is_written_by_the_stores_serializer(kind, serializer, crash):
    expected = {"a": [1], "b": None} if kind == "dict" else [[1], None]
    with crash.open(kind, serializer=serializer) as structure:
        if kind == "dict":
            structure.update(expected)
        else:
            structure.extend(expected)
        assert equal(kind, crash.left(kind), expected)
        journal = (crash.folder / f"{kind}.pyspeedup" / JOURNAL_FILE).read_bytes()
        assert (b"[1]" in journal) == (serializer == "json")


def test_a_journal_that_is_taken_up_again_and_again_is_the_same(crash):
    with crash.open("list") as numbers:
        numbers.extend([1, 2])
        numbers.append(3)
        crash.strike()
        journal = crash.journal("list").read_bytes()
        assert crash.found("list") == [1, 2, 3]
        crash.journal("list").write_bytes(journal)  # killed after the commit, before it was removed
        assert crash.found("list") == [1, 2, 3]


def test_closing_leaves_no_journal(kind, crash):
    with crash.open(kind) as structure:
        change(kind, "x", 0)(structure)
        folder = crash.folder / f"{kind}.pyspeedup"
        assert (folder / JOURNAL_FILE).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["data", "lock", "pyspeedup.json"]


def test_a_commit_empties_the_journal(crash):
    with crash.open("dict") as d:
        d["a"] = 1
        path = crash.folder / "dict.pyspeedup" / JOURNAL_FILE
        assert path.stat().st_size > 0
        d.sync()
        assert path.stat().st_size == 0
        d["b"] = 2
        assert crash.left("dict") == {"a": 1, "b": 2}


def test_a_long_journal_is_committed(crash, monkeypatch):
    monkeypatch.setattr(journalled, "MOST_BYTES", 2000)
    with crash.open("list") as words:
        path = crash.folder / "list.pyspeedup" / JOURNAL_FILE
        longest = 0
        for number in range(200):
            words.append("x" * 100)
            longest = max(longest, path.stat().st_size)
            if number % 40 == 0:
                assert len(crash.left("list")) == number + 1
    assert 2000 < longest < 2500


def test_what_is_changed_in_place_waits_for_the_next_commit(crash):
    with crash.open("dict") as d:
        d["a"] = [1]
        d["a"].append(2)
        d["b"] = 1
        assert crash.left("dict") == {"a": [1], "b": 1}
        d.sync()
        assert crash.left("dict") == {"a": [1, 2], "b": 1}


# What is not repeated from a record


def test_keys_that_only_their_own_object_equals_are_kept_once(crash):
    nan, key = math.nan, Text("a")
    with crash.open("dict") as d:
        for value in range(3):
            d[nan] = value
            d[key] = value
            d[int] = value
        found = crash.left("dict")
        assert list(found.values()) == [2, 2, 2]
        assert len(found) == 3
        del d[nan], d[key], d[int]
        assert crash.left("dict") == {}


def test_a_transaction_is_there_as_a_whole_or_not_at_all(kind, crash):
    with crash.open(kind) as structure:
        step = change(kind, "first", 0)
        step(structure)
        before = structure.copy()
        with structure.transaction():
            if kind == "dict":
                structure["in"] = 1
            else:
                structure.append("in")
            assert equal(kind, crash.left(kind), before)
        assert equal(kind, crash.left(kind), structure.copy())
        assert len(structure) == len(before) + 1


def test_a_large_change_is_committed_at_once(crash):
    with crash.open("list") as numbers:
        numbers.append(-1)
        numbers.extend(range(10_000))
        numbers[1:1] = (number for number in range(5_000))
        numbers.append(-2)
        expected = [-1, *range(5_000), *range(10_000), -2]
        assert numbers == expected
        assert crash.left("list") == expected


def test_a_change_of_many_bytes_is_not_held_in_ram_to_be_recorded(crash, monkeypatch):
    monkeypatch.setattr(journalled_lists, "MOST_BYTES", 1_000)
    taken = []

    def values():
        for number in range(100):
            taken.append(number)
            yield bytes([number]) * 200

    with crash.open("list") as blobs:
        blobs.append(b"first")
        replace = ListContent.replace
        ahead = []

        def replaces(*arguments):
            ahead.append(len(taken))
            replace(*arguments)

        monkeypatch.setattr(ListContent, "replace", replaces)
        blobs[0:0] = values()
        assert ahead == [5]
        del blobs[0]
        assert len(blobs) == 100
        assert crash.left("list") == blobs
        blobs[::2] = [b"x" * 300] * 50
        del blobs[0]
        assert crash.left("list") == blobs


def test_numbers_of_any_size_can_be_recorded(crash):
    far = 2**70
    with crash.open("list") as numbers:
        model = list(range(7))
        numbers.extend(model)
        for index in (far, -far):
            with pytest.raises(IndexError):
                numbers[index] = 0
            with pytest.raises(IndexError):
                del numbers[index]
        for each in (numbers, model):
            each[::far] = ["first"]
            each[::-far] = ["last"]
            each[far:-far:-far] = ["again"]
            del each[3::far]
            each.insert(2**62, "end")
            each.insert(-(2**62), "begin")
            each[far:] = ["more"]
            each[::2] = [0] * len(each[::2])
            del each[::-3]
        assert numbers == model
        assert crash.left("list") == model


def test_changes_within_a_change_are_kept(crash):
    with crash.open("list") as numbers:
        numbers.extend([3, 1, 2])

        def grows():
            for number in range(5):
                numbers.append(number)
                yield -number

        def saves(number):
            numbers.sync()
            return number

        numbers[0:1] = grows()
        assert crash.left("list") == numbers.copy()
        numbers.sort(key=saves)
        numbers.append(9)
        assert crash.left("list") == numbers.copy()


class Meddling:
    """A value whose pickling does something else, when it is pickled for the second time."""

    action = None
    count = 0

    def __reduce__(self):
        Meddling.count += 1
        if Meddling.count == 2:
            Meddling.action()
        return Meddling, ()


@pytest.mark.parametrize("saves", [0, 1, 2])
def test_changes_by_code_of_a_value_are_kept(saves, kind, crash, monkeypatch):
    def meddle():
        add(structure, "meddled")
        if saves:
            structure.sync()
        if saves == 2:
            add(structure, "again")

    monkeypatch.setattr(Meddling, "action", meddle)
    with crash.open(kind) as structure:
        for _ in range(2):
            add(structure, "before")
            Meddling.count = 0
            add(structure, Meddling() if kind == "list" else "after")
            if kind == "dict":
                structure["value"] = Meddling()
            assert Meddling.count >= 2
            found = crash.left(kind)
            names = [each for each in found if isinstance(each, str)]
            assert names == [each for each in structure if isinstance(each, str)]
            assert "meddled" in names
            assert len(found) == len(structure)


def test_a_commit_that_falls_due_between_a_record_and_its_change_loses_neither(
    kind, crash, monkeypatch
):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    for name in ("_dict", "_list"):
        target = f"pyspeedup.memory.{name}.content.monotonic"
        monkeypatch.setattr(target, lambda: clock[0], raising=False)
    with crash.open(kind, sync_every=10) as structure:
        journal = structure._shared.store.journal
        append = journal.append

        def slowly(record):
            append(record)
            clock[0] += 11

        monkeypatch.setattr(journal, "append", slowly)
        for number in range(4):
            add(structure, number)
            add(structure, str(number))
            assert len(crash.left(kind)) == len(structure) == 2 * number + 2


class Meddler:
    """A key whose code changes the dict that it is a key of."""

    target = None

    def __eq__(self, other):
        return isinstance(other, Meddler)

    def __hash__(self):
        if Meddler.target is not None:
            target, Meddler.target = Meddler.target, None
            target["meddled"] = len(target)
            target.sync()
            target["again"] = len(target)
        return 7


def test_changes_by_code_of_a_key_are_kept(crash):
    with crash.open("dict") as d:
        for round_ in range(3):
            d["before"] = round_
            Meddler.target = d
            d[Meddler()] = round_
            found = crash.left("dict")
            assert {str(key): value for key, value in found.items() if type(key) is str} == {
                "before": round_,
                "meddled": d["meddled"],
                "again": d["again"],
            }
            assert len(found) == len(d)


# What is refused, or fails


class Refused:
    """A value that cannot be pickled."""

    def __reduce__(self):
        raise RuntimeError("no")


def test_what_is_refused_leaves_no_record(crash):
    with crash.open("dict") as d, crash.open("list") as numbers:
        for number in range(3):
            d["a"] = number
            numbers.append(number)
            with pytest.raises(SerializationError, match="'b'"):
                d["b"] = Refused()
            with pytest.raises(TypeError, match="unhashable"):
                d[[]] = 1
            with pytest.raises(KeyError):
                del d["missing"]
            with pytest.raises(SerializationError, match="index"):
                numbers.append(Refused())
            with pytest.raises(IndexError):
                numbers[10] = 1
            with pytest.raises(IndexError):
                numbers.pop(10)
            numbers[:] = range(number + 1)
            with pytest.raises(ZeroDivisionError):
                numbers.sort(key=lambda _: 1 / 0)
            assert crash.left("dict") == {"a": number}
            assert crash.left("list") == list(range(number + 1))


def test_a_full_disk_is_told_before_anything_is_changed(kind, crash, monkeypatch):
    def fails_half_way(descriptor, data, offset):
        if descriptor == journal_descriptor and room:
            room.pop()
            write(descriptor, bytes(data)[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor, data, offset)

    write, room, journal_descriptor = _platform.write_at, [], -1
    with crash.open(kind) as structure:
        journal_descriptor = structure._shared.store.journal._file
        monkeypatch.setattr(_platform, "write_at", fails_half_way)
        model = {} if kind == "dict" else []
        for number in range(20):
            room.append("none")
            with pytest.raises(OSError, match="No space") as caught:
                add(structure, "full" * 500)
            assert caught.value.filename.endswith(JOURNAL_FILE)
            assert len(structure) == len(model)
            add(structure, number)
            add(model, number)
            assert equal(kind, crash.left(kind), model)


def add(structure, value):
    """Add an item to a list, or to a dict."""
    if hasattr(structure, "append"):
        structure.append(value)
    else:
        structure[value] = value


def test_a_change_that_was_interrupted_leaves_the_journal_true(crash, monkeypatch):
    def interrupted(content, index, value):
        insert(content, index, value)
        raise KeyboardInterrupt

    with crash.open("list") as numbers:
        numbers.extend([1, 2])
        insert = ListContent.insert
        monkeypatch.setattr(ListContent, "insert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            numbers.insert(0, 0)
        numbers[1] = "one"  # of which only this process knows that it is not the first
        assert numbers == [0, "one", 2]
        assert crash.left("list") == [0, "one", 2]


def interrupted_after(monkeypatch, content_class, method, error):
    """Let the next call of `method` do its work, and raise `error` then."""
    work = getattr(content_class, method)

    def works_and_raises(*arguments, **options):
        monkeypatch.undo()
        work(*arguments, **options)
        raise error

    monkeypatch.setattr(content_class, method, works_and_raises)


@pytest.mark.parametrize(
    ("method", "operation"),
    [
        ("sort", lambda numbers: numbers.sort()),
        ("reverse", lambda numbers: numbers.reverse()),
        ("repeat", lambda numbers: numbers.__imul__(2)),
        ("replace", lambda numbers: numbers.__setitem__(slice(1, 1), range(5_000))),
    ],
)
def test_after_a_change_without_a_record_was_interrupted_records_are_true(
    method, operation, crash, monkeypatch
):
    with crash.open("list") as numbers:
        numbers.extend([3, 1, 2])
        numbers.sync()
        interrupted_after(monkeypatch, ListContent, method, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            operation(numbers)
        del numbers[0]  # which counts from where the items are now
        assert numbers != [1, 2]
        assert crash.left("list") == numbers.copy()


def test_after_a_key_without_a_record_was_interrupted_records_are_true(crash, monkeypatch):
    with crash.open("dict") as d:
        d["a"] = 1
        d.sync()
        interrupted_after(monkeypatch, DictContent, "set", KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            d[math.nan] = 1
        d.popitem()  # which takes the one that is last now
        assert d == crash.left("dict") == {"a": 1}


@pytest.mark.parametrize("error", [KeyError, TypeError, ValueError])
def test_what_was_made_and_raised_all_the_same_is_kept(error, kind, crash, monkeypatch):
    with crash.open(kind) as structure:
        for number in range(3):
            add(structure, number)
        structure.sync()
        method = {"dict": "set", "list": "append"}[kind]
        content_class = {"dict": DictContent, "list": ListContent}[kind]
        interrupted_after(monkeypatch, content_class, method, error("of a key's own"))
        with pytest.raises(error, match="own"):
            structure.update({"4": [4]}) if kind == "dict" else structure.append([4])
        assert len(structure) == 4
        structure.popitem() if kind == "dict" else structure.pop(0)
        assert equal(kind, crash.left(kind), structure.copy())


def test_a_durable_commit_of_nothing_that_failed_loses_no_change_after_it(kind, crash, monkeypatch):
    def fails(meta, *, durable=False):
        monkeypatch.undo()
        raise OSError(errno.EIO, "it failed")

    with crash.open(kind) as structure:
        add(structure, "a")
        structure.sync()
        monkeypatch.setattr(structure._content.volume._store, "commit", fails)
        with pytest.raises(OSError, match="it failed"):
            structure.sync(durable=True)
        add(structure, "b")
        assert equal(kind, crash.left(kind), structure.copy())


def test_a_record_is_refused_while_it_is_not_known_what_it_follows(crash, monkeypatch):
    with crash.open("dict") as d:
        journal = d._shared.store.journal
        with monkeypatch.context() as patch:
            patch.setattr(type(d._content.volume), "commit_mark", None)
            with pytest.raises(RuntimeError, match="which commit"):
                journal.append(b"a record")
        assert not journal.place.end


def test_a_journal_that_could_not_be_emptied_is_emptied_before_the_next_record(crash, monkeypatch):
    def fails(descriptor, length):
        monkeypatch.undo()
        raise OSError(errno.EIO, "it failed")

    with crash.open("dict") as d:
        for number in range(10):
            d[number] = "v" * 20
        monkeypatch.setattr(os, "ftruncate", fails)
        with pytest.raises(OSError, match="it failed"):
            d.sync()
        assert crash.left("dict") == d
        d["after"] = 1
        assert crash.left("dict") == d


@pytest.mark.parametrize("is_made", [False, True])
def test_changes_after_a_commit_that_failed_are_kept(is_made, kind, crash, monkeypatch):
    def fails(meta, *, durable=False):
        monkeypatch.undo()
        if is_made:
            commit(meta, durable=durable)
        raise OSError(errno.EIO, "it failed")

    with crash.open(kind) as structure:
        model = {} if kind == "dict" else []
        for number in range(3):
            add(structure, number)
            add(model, number)
            store = structure._content.volume._store
            commit = store.commit
            monkeypatch.setattr(store, "commit", fails)
            with pytest.raises(OSError, match="it failed"):
                structure.sync()
            assert equal(kind, crash.left(kind), model)
            add(structure, str(number))
            add(model, str(number))
            assert equal(kind, crash.left(kind), model)


def test_a_value_that_cannot_be_written_any_more_keeps_no_record_back(crash):
    with crash.open("dict") as d:
        d["a"] = held = [1]
        d["b"] = 1
        d.sync()
        held.append(Refused())
        with pytest.raises(SerializationError, match="'a'"):
            d.sync()
        d["c"] = 2
        assert crash.left("dict") == {"a": [1], "b": 1, "c": 2}
        held.pop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_leaves_the_journal_to_its_parent(crash):
    with crash.open("dict") as d:
        d["a"] = 1
        child = os.fork()
        if not child:
            del d
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        d["b"] = 2
        assert crash.left("dict") == {"a": 1, "b": 2}


# What is found at opening


def test_a_last_record_that_is_cut_short_was_never_told(crash):
    path = left_behind(crash)
    whole = path.read_bytes()
    ends = []
    for length in [*range(0, len(whole) - 50, 7), *range(len(whole) - 50, len(whole))]:
        crash.strike_again(path, whole[:length])
        found = crash.found("list")
        assert found == list(range(len(found)))
        ends.append(len(found))
    assert ends == sorted(ends)
    assert set(ends) == {0, 1, 2}


def test_any_other_damage_is_told(crash):
    path = left_behind(crash)
    whole = path.read_bytes()
    for place in range(0, len(whole), 2):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(StoreError, match=f"{JOURNAL_FILE}: (its|record|it belongs)"):
            DiskList("list", file_location=crash.copy)
        with pytest.raises(StoreCorruptedError):
            DiskList("list", file_location=crash.copy, readonly=True)
    path.write_bytes(whole)
    assert crash.found("list") == [0, 1, 2]  # nothing was lost by trying


def test_after_a_restart_of_the_machine_what_reached_the_disk_counts(crash, monkeypatch):
    path = left_behind(crash)
    whole = path.read_bytes()
    hole = whole[:-40] + bytes(40)  # as a file system leaves what was not synced
    path.write_bytes(hole)
    with pytest.raises(StoreCorruptedError):
        DiskList("list", file_location=crash.copy)
    monkeypatch.setattr(journal_file, "_this_boot", lambda: b"another".ljust(36, b"\0"))
    found = crash.found("list")
    assert found in ([0], [0, 1])


def test_a_journal_of_which_nothing_reached_the_disk_holds_nothing(crash):
    path = left_behind(crash)
    path.write_bytes(bytes(path.stat().st_size))  # its length is all that outlived a loss of power
    assert crash.found("list") == []


def test_a_journal_that_follows_another_commit_is_left_out(crash):
    path = left_behind(crash)
    journal = path.read_bytes()
    with DiskList("list", file_location=crash.copy) as numbers:
        numbers.append("later")
    path.write_bytes(journal)
    assert crash.found("list") == [0, 1, 2, "later"]


def test_a_journal_of_another_store_is_damage(crash):
    other = left_behind(crash).read_bytes()
    shutil.rmtree(crash.folder)
    left_behind(crash).write_bytes(other)
    with pytest.raises(StoreCorruptedError, match=f"{JOURNAL_FILE}: it belongs to another store"):
        DiskList("list", file_location=crash.copy)


def test_a_journal_of_a_newer_release_is_refused_by_its_format(crash, monkeypatch):
    monkeypatch.setattr(journal_file, "FORMAT", 2)
    path = left_behind(crash)
    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"format 2.*up to 1"):
        DiskList("list", file_location=crash.copy)
    assert path.exists()


def test_reading_alone_tells_of_changes_that_wait_in_a_journal(kind, crash):
    with crash.open(kind) as structure:
        add(structure, 1)
        crash.strike()
    with pytest.raises(
        StoreError, match=r"left 1 changes in its journal; open it once for writing"
    ):
        STRUCTURES[kind](kind, file_location=crash.copy, readonly=True)
    with STRUCTURES[kind](kind, file_location=crash.copy):
        pass
    with STRUCTURES[kind](kind, file_location=crash.copy, readonly=True) as structure:
        assert len(structure) == 1


class Gone:
    """A class that is not there any more when the journal is read."""


def test_a_value_whose_class_is_gone_keeps_the_journal(crash, monkeypatch):
    with crash.open("list") as values:
        values.extend([1, Gone()])
        crash.strike()
    with monkeypatch.context() as patch:
        patch.delattr(f"{__name__}.Gone")
        with pytest.raises(
            SerializationError, match=f"{JOURNAL_FILE}: change 1 of 1.*Gone.*import"
        ):
            DiskList("list", file_location=crash.copy)
    assert [type(value) for value in crash.found("list")] == [int, Gone]


def test_a_value_of_a_dict_whose_class_is_gone_is_told_by_its_key(crash, monkeypatch):
    with crash.open("dict") as d:
        d["a"] = 1
        d["job"] = Gone()
        d["b"] = 2
        crash.strike()
    with monkeypatch.context() as patch:
        patch.delattr(f"{__name__}.Gone")
        with pytest.raises(SerializationError, match=r"change 2 of 3.*key 'job'.*Gone.*import"):
            DiskDict("dict", file_location=crash.copy)
    assert list(crash.found("dict")) == ["a", "job", "b"]


# What the constructor takes


def test_a_journal_is_refused_where_it_cannot_be(tmp_path):
    with pytest.raises(ValueError, match=r"journal=True.*readonly=True"):
        DiskDict("x", file_location=tmp_path, journal=True, readonly=True)
    for page_store in ({}, MemoryStore(), "memory"):
        with pytest.raises(ValueError, match="journal=True needs a page store in a folder"):
            DiskDict("x", file_location=tmp_path, journal=True, page_store=page_store)
    with pytest.raises(ValueError, match="journal=True is for a dict or a list"):
        Toy("x", file_location=tmp_path, journal=True)
    assert not list(tmp_path.iterdir())


def test_a_second_handle_has_the_journal_of_the_first(crash):
    with crash.open("dict") as d, crash.open("dict") as again:
        again["a"] = 1
        assert crash.left("dict") == {"a": 1} == d
        with pytest.raises(
            ValueError, match="journal=True; a second handle cannot have journal=Fal"
        ):
            crash.open("dict", journal=False)
