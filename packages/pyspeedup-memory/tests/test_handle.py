"""Handles: options, sharing, saving, closing, transactions, threads, forks."""

from __future__ import annotations

import errno
import gc
import math
import multiprocessing
import os
import threading

import pytest
from interrupting import SignalInterrupter
from pyspeedup.core import SerializationError, StoreError
from pyspeedup.memory import DiskList, FileStore, JsonSerializer, MemoryStore, SafePickleSerializer
from pyspeedup.memory._storage.folder_lock import FileLock
from storage_toy import Toy, run


@pytest.fixture
def place(tmp_path):
    return {"file_basename": "x", "file_location": tmp_path}


def saved(place, **options):
    """Return what a new opening finds."""
    with Toy(**place, **options) as toy:
        return toy.content()


# What the constructor takes


@pytest.mark.parametrize("argument", ["size_limit", "max_pages", "ram_limit"])
@pytest.mark.parametrize("value", [0, -1, -(10**30)])
def test_numbers_below_one_are_refused_by_name_and_value(argument, value, place, tmp_path):
    with pytest.raises(ValueError, match=f"{argument}.*{value}"):
        Toy(**place, **{argument: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argument", ["size_limit", "max_pages", "ram_limit"])
@pytest.mark.parametrize("value", [True, 2.0, "3", None, math.nan])
def test_numbers_that_are_no_integers_are_refused_by_name_and_value(argument, value, place):
    with pytest.raises(TypeError, match=f"{argument}.*{value!r}"):
        Toy(**place, **{argument: value})


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (math.nan, ValueError), ("3", TypeError)]
)
def test_sync_every_must_be_a_number_of_seconds(value, error, place):
    with pytest.raises(error, match="sync_every"):
        Toy(**place, sync_every=value)


@pytest.mark.parametrize("page_store", ["file", "lmdb"])
def test_a_map_limit_reaches_the_page_store_that_maps(page_store, place):
    if page_store == "lmdb":
        pytest.importorskip("lmdb")
    with Toy(**place, page_store=page_store, map_limit=12_345) as toy:
        assert toy._content.volume._store._map_limit == 12_345
        toy["a"] = 1
    with Toy(**place) as toy:  # it is not recorded: each opening has its own
        assert toy._content.volume._store._map_limit == 64 << 20


def test_no_more_of_a_file_is_mapped_than_asked_for(place):
    for limit, mapped in ((0, 0), (20_000, 20_000)):
        with DiskList(**place, size_limit=16, max_pages=1, map_limit=limit) as numbers:
            if not numbers:
                numbers.extend(bytes([i % 256]) * 100 for i in range(2000))
                numbers.sync()
            assert numbers[5] == bytes([5]) * 100
            assert numbers[1999] == bytes([1999 % 256]) * 100
            assert len(numbers._content.volume._store._window.view) == mapped


@pytest.mark.parametrize("value", [-1, -(10**30)])
def test_a_negative_map_limit_is_refused_by_name_and_value(value, place, tmp_path):
    with pytest.raises(ValueError, match=f"map_limit.*{value}"):
        Toy(**place, map_limit=value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [True, 2.0, "3", math.nan])
def test_a_map_limit_that_is_no_integer_is_refused_by_name_and_value(value, place):
    with pytest.raises(TypeError, match=f"map_limit.*{value!r}"):
        Toy(**place, map_limit=value)


def test_a_map_limit_is_refused_where_nothing_is_mapped(place):
    with pytest.raises(ValueError, match=r"map_limit=5 .*'sqlite' does not"):
        Toy(**place, page_store="sqlite", map_limit=5)
    with pytest.raises(ValueError, match=r"map_limit=5 .*'memory' does not"):
        Toy(**place, page_store="memory", map_limit=5)
    with pytest.raises(ValueError, match=r"map_limit=5 .*give it to dict itself"):
        Toy(**place, page_store={}, map_limit=5)
    with Toy(**place, page_store="sqlite") as toy:
        toy["a"] = 1
    with pytest.raises(ValueError, match=r"map_limit=5 .*'sqlite' does not"):
        Toy(**place, map_limit=5)
    assert saved(place) == {"a": 1}


def test_a_second_handle_takes_the_map_limit_of_the_first(place):
    with Toy(**place, map_limit=5) as toy, Toy(**place), Toy(**place, map_limit=5):
        with pytest.raises(
            ValueError, match="map_limit=5; a second handle cannot have map_limit=6"
        ):
            Toy(**place, map_limit=6)
        toy["a"] = 1
    with Toy(**place), Toy(**place, map_limit=64 << 20):
        pass


def test_a_second_handle_with_another_right_to_read_is_refused(place):
    first = SafePickleSerializer(allow=[Reversing])
    with Toy(**place, serializer=first) as toy:
        toy["a"] = 1
        for other in (SafePickleSerializer(allow=[LookupError]), "safe-pickle"):
            with pytest.raises(
                ValueError, match=r"open in this process already with serializer .*Rev"
            ):
                Toy(**place, serializer=other)
        with (
            Toy(**place, serializer=SafePickleSerializer(allow=[Reversing])) as again,
            Toy(**place),
        ):
            assert again["a"] == 1


def test_positional_arguments_come_in_the_documented_order(tmp_path):
    with Toy("x", 7, 3, tmp_path) as toy:
        assert (toy._content.volume.page_size, toy._content.max_pages) == (7, 3)
        assert (toy.name, toy.location) == ("x", tmp_path)
    with pytest.raises(TypeError):
        Toy("x", 7, 3, tmp_path, "json")


def test_reopening_with_another_page_size_works_and_the_stored_one_wins(place):
    with Toy(**place, size_limit=7) as toy:
        toy["a"] = 1
    with Toy(**place, size_limit=9, max_pages=2) as toy:
        assert (toy._content.volume.page_size, toy._content.max_pages) == (7, 2)
        assert toy["a"] == 1


def test_an_unknown_name_is_told_with_those_that_are_near(place, tmp_path):
    with pytest.raises(LookupError, match="'sqlite'"):
        Toy(**place, page_store="sqllite")
    with pytest.raises(LookupError, match="'json'"):
        Toy(**place, serializer="jsom")
    assert saved(place) == {}


@pytest.mark.parametrize("argument", ["page_store", "serializer"])
def test_what_cannot_serve_is_refused(argument, place):
    with pytest.raises(TypeError, match=argument):
        Toy(**place, **{argument: object()})


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_reopening_uses_what_wrote_the_store(page_store, place):
    with Toy(**place, page_store=page_store, serializer="json") as toy:
        toy["a"] = [1]
    with Toy(**place) as toy:
        assert isinstance(toy._content.volume.serializer, JsonSerializer)
        assert toy["a"] == [1]
    with pytest.raises(ValueError, match=f"page_store is 'memory'.*written with '{page_store}'"):
        Toy(**place, page_store="memory")
    with pytest.raises(ValueError, match=r"serializer is 'pickle'.*written with 'json'"):
        Toy(**place, serializer="pickle")


class Reversing(JsonSerializer):
    """A serializer that nobody has registered."""

    name = None

    def dumps(self, obj):
        return super().dumps(obj)[::-1]

    def loads(self, data):
        return super().loads(bytes(data)[::-1])


def test_an_unregistered_serializer_has_to_be_brought_again(place):
    with Toy(**place, serializer=Reversing()) as toy:
        toy["a"] = [1]
    with pytest.raises(ValueError, match=r"Reversing.*pass serializer="):
        Toy(**place)
    with pytest.raises(ValueError, match="Reversing"):
        Toy(**place, serializer="json")
    assert saved(place, serializer=Reversing()) == {"a": [1]}


def test_an_objects_page_store_needs_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for page_store in ({}, MemoryStore()):
        with Toy("x", page_store=page_store, file_location="") as toy:
            toy["a"] = 1
            assert toy.location is None
        assert saved({"file_basename": "x", "page_store": page_store}) == {"a": 1}
    assert not list(tmp_path.iterdir())


def test_the_store_called_memory_touches_no_disk_and_ends_with_its_handle(place, tmp_path):
    with Toy(**place, page_store="memory") as toy:
        toy["a"] = 1
        with Toy(**place, page_store="memory") as other:
            assert other["a"] == 1
    assert saved(place, page_store="memory") == {}
    assert not list(tmp_path.iterdir())


# Saving and closing


def test_closing_saves(place):
    toy = Toy(**place)
    toy["a"] = 1
    toy.close()
    assert saved(place) == {"a": 1}


def test_leaving_by_an_exception_saves_and_passes_it_on(place):
    toy = Toy(**place)

    def divide(by):
        with toy:
            toy["a"] = 1
            toy["b"] = 1 / by

    with pytest.raises(ZeroDivisionError):
        divide(by=0)
    assert toy.closed
    assert saved(place) == {"a": 1}


def test_a_collected_handle_has_saved(place):
    toy = Toy(**place)
    toy["a"] = 1
    del toy
    gc.collect()
    assert saved(place) == {"a": 1}


def test_after_closing_everything_says_so(place):
    toy = Toy(**place)
    toy.close()
    toy.close()
    assert toy.closed
    for use in (
        lambda: toy["a"],
        lambda: toy.__setitem__("a", 1),
        toy.sync,
        toy.transaction,
        toy.__enter__,
        toy.content,
    ):
        with pytest.raises(ValueError, match=r"Toy \('x'\) is closed"):
            use()
    assert toy.name == "x"


AT_EXIT = """
import sys
from storage_toy import Toy
toy = Toy("x", file_location=sys.argv[1])
toy["a"] = 1
if sys.argv[2] == "exception":
    sys.excepthook = lambda *_: None
    raise ValueError
if sys.argv[2] == "sys.exit":
    sys.exit(0)
if sys.argv[2] == "cycle":
    toy.myself = toy
    toy["b"] = 2
    del toy
"""


@pytest.mark.parametrize("ending", ["end", "sys.exit", "cycle"])
def test_the_end_of_the_interpreter_saves(ending, place, tmp_path):
    run(AT_EXIT, tmp_path, ending)
    assert saved(place)["a"] == 1


def test_sync_commits_while_open(place, tmp_path):
    with Toy(**place) as toy:
        toy["a"] = 1
        toy.sync()
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "data").write_bytes((tmp_path / "x.pyspeedup" / "data").read_bytes())
        store = FileStore(copy)
        assert store.open(create=False, readonly=True).endswith(b'{"a": 0}')
        store.close()
        toy.sync(durable=True)


def test_nothing_is_written_where_nothing_changed(place, tmp_path):
    with Toy(**place) as toy:
        toy["a"] = 1
    before = (tmp_path / "x.pyspeedup" / "data").read_bytes()
    with Toy(**place) as toy:
        assert toy["a"] == 1
        toy.sync()
    assert (tmp_path / "x.pyspeedup" / "data").read_bytes() == before


def test_changes_are_committed_after_a_time_without_being_asked(place, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("pyspeedup.memory._content.time.monotonic", lambda: now[0])
    with Toy(**place, sync_every=30) as toy:
        toy["a"] = 1
        flushes = toy._content.flushes
        now[0] += 29
        toy["b"] = 2
        assert toy._content.flushes == flushes
        now[0] += 1
        toy["c"] = 3
        assert toy._content.flushes == flushes + 1
        assert not toy._content.volume.changed_pages
        now[0] += 29
        toy["d"] = 4
        assert toy._content.flushes == flushes + 1


def test_a_reader_reads_and_cannot_change(place, tmp_path):
    with Toy(**place) as toy:
        toy["a"] = 1
    before = (tmp_path / "x.pyspeedup" / "data").read_bytes()
    with Toy(**place, readonly=True) as toy:
        assert toy["a"] == 1
        with pytest.raises(StoreError, match="readonly"):
            toy["b"] = 2
        with pytest.raises(StoreError, match="readonly"), toy.transaction():
            pass
        toy.sync()
    assert (tmp_path / "x.pyspeedup" / "data").read_bytes() == before


def test_a_temporary_store_is_removed_when_it_is_closed():
    with Toy.temporary(4, 2, serializer="json") as toy:
        toy["a"] = [1]
        other = Toy("temporary", 4, 2, toy.location)
        folder = toy.location
        assert (folder / "temporary.pyspeedup").is_dir()
    assert other["a"] == [1]
    other.close()
    assert not folder.exists()


def test_a_collected_temporary_store_is_removed():
    toy = Toy.temporary()
    folder = toy.location
    del toy
    gc.collect()
    assert not folder.exists()


def test_a_temporary_store_that_cannot_be_made_leaves_no_folder():
    with pytest.raises(LookupError):
        Toy.temporary(serializer="nothing like it")


# Two handles on one store


def test_two_handles_share_what_is_live_and_the_last_one_closes(place):
    first, second = Toy(**place), Toy(**place)
    first["a"] = [1]
    assert second["a"] is first["a"]
    first.close()
    second["a"].append(2)
    assert second["a"] == [1, 2]
    with pytest.raises(ValueError, match="closed"):
        first["a"]
    second.close()
    assert saved(place) == {"a": [1, 2]}


def test_two_handles_share_an_object_too():
    blobs = {}
    with Toy("x", page_store=blobs) as first, Toy("y", page_store=blobs) as second:
        first["a"] = 1
        assert second["a"] == 1


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("size_limit", 4, 5),
        ("max_pages", 4, 5),
        ("ram_limit", 10_000, 20_000),
        ("sync_every", 1.0, 2.0),
        ("readonly", False, True),
        ("page_store", "file", "sqlite"),
        ("serializer", "json", "pickle"),
    ],
)
def test_options_that_conflict_are_told_with_both_values(option, one, other, place):
    with Toy(**place, **{option: one}) as toy:
        toy["a"] = 1
        with pytest.raises(ValueError, match=rf"{option}.*{other!r}|{option}.*{one!r}") as caught:
            Toy(**place, **{option: other})
        assert repr(one) in str(caught.value)
        assert repr(other) in str(caught.value)
        toy["b"] = 2
        Toy(**place, **{option: one}).close()
    assert saved(place) == {"a": 1, "b": 2}


def test_a_second_handle_may_leave_out_what_the_first_chose(place):
    with Toy(**place, page_store="sqlite", serializer="json") as first, Toy(**place) as second:
        first["a"] = 1
        assert second["a"] == 1


def test_a_failed_second_opening_does_not_close_the_first(place):
    with Toy(**place) as toy:
        for _ in range(3):
            with pytest.raises(ValueError, match="max_pages"):
                Toy(**place, max_pages=1)
        toy["a"] = 1
    assert saved(place) == {"a": 1}


# Transactions


def change_and_fail(toy):
    with toy.transaction():
        toy["a"] = [2]
        with toy.transaction():
            toy["b"] = 3
        toy._content.write_back()
        raise KeyError


def test_a_transaction_is_kept_as_a_whole(place):
    with Toy(**place) as toy:
        toy["a"] = 1
        with toy.transaction():
            toy["a"] = 2
            toy["b"] = 3
        assert not toy._content.volume.changed_pages
        assert toy.content() == {"a": 2, "b": 3}


def test_a_transaction_that_fails_leaves_no_trace(place):
    with Toy(**place) as toy:
        toy["a"] = [1]
        with pytest.raises(KeyError):
            change_and_fail(toy)
        assert toy.content() == {"a": [1]}
        toy["c"] = 4
    assert saved(place) == {"a": [1], "c": 4}


def test_a_transaction_inside_another_is_part_of_it(place):
    with Toy(**place) as toy:
        with pytest.raises(KeyError):
            change_and_fail(toy)
        assert toy.content() == {}


def test_nothing_is_committed_within_a_transaction(place):
    with Toy(**place, sync_every=0) as toy, toy.transaction():
        flushes = toy._content.flushes
        toy["a"] = 1
        toy["b"] = 2
        assert toy._content.flushes == flushes
        with pytest.raises(RuntimeError, match="transaction"):
            toy.sync()
        with pytest.raises(RuntimeError, match="transaction"):
            toy.close()
    assert saved(place) == {"a": 1, "b": 2}


def test_a_transaction_that_cannot_be_written_leaves_no_trace(place):
    with Toy(**place) as toy:
        toy["a"] = 1
        transaction = toy.transaction()
        transaction.__enter__()
        toy["a"] = 2
        toy["b"] = lambda: None
        with pytest.raises(SerializationError):
            transaction.__exit__(None, None, None)
        assert toy.content() == {"a": 1}


# What goes wrong while saving


def test_a_close_that_cannot_save_stays_open_and_loses_nothing(place):
    toy = Toy(**place)
    toy["a"] = 1
    toy["b"] = lambda: None
    with pytest.raises(SerializationError):
        toy.close()
    assert not toy.closed
    toy["b"] = 2
    toy.close()
    assert saved(place) == {"a": 1, "b": 2}


class Full(MemoryStore):
    """A disk that is full when told so."""

    at_write = at_commit = False

    def write(self, page, data):
        if self.at_write:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(page, data)

    def commit(self, meta, *, durable=False):
        if self.at_commit:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().commit(meta, durable=durable)


@pytest.mark.parametrize("when", ["at_write", "at_commit"])
def test_a_full_disk_is_an_os_error_and_everything_is_kept(when):
    store = Full()
    with Toy("x", page_store=store) as toy:
        toy["a"] = "before"
        toy.sync()
        toy["a"] = "after"
        toy["b"] = "new"
        setattr(store, when, True)
        for _ in range(3):
            with pytest.raises(OSError, match="No space") as caught:
                toy.sync()
            assert caught.value.errno == errno.ENOSPC
        assert toy.content() == {"a": "after", "b": "new"}
        with pytest.raises(OSError, match="No space"), toy.transaction():
            toy["c"] = "never"
        setattr(store, when, False)
    assert saved({"file_basename": "x", "page_store": store}) == {"a": "after", "b": "new"}


FULL_DISK = """
import errno, resource, signal, sys
from storage_toy import Toy
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
toy = Toy("x", file_location=sys.argv[1], page_store=sys.argv[2])
toy["a"] = b"before"
toy.sync()
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
toy["a"] = b"after"
toy["b"] = b"x" * 1_000_000
for _ in range(3):
    try:
        toy.sync()
    except OSError as error:
        print(type(error).__name__)
print(toy["a"] == b"after", len(toy["b"]))
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
if sys.argv[3] == "mend":
    toy.close()
else:
    import os
    os._exit(0)
"""


@pytest.mark.parametrize("ending", ["mend", "die"])
@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_file_that_cannot_grow_keeps_what_was_committed(page_store, ending, place, tmp_path):
    pytest.importorskip("resource", reason="limits of file sizes are a thing of Unix")
    told = run(FULL_DISK, tmp_path, page_store, ending).splitlines()
    assert told == ["OSError"] * 3 + ["True 1000000"]
    expected = {"a": b"before"}
    if ending == "mend":
        expected = {"a": b"after", "b": b"x" * 1_000_000}
    assert saved(place) == expected


# Threads and processes


def test_several_threads_can_use_and_close_handles(place):
    errors = []

    def work(number):
        try:
            for turn in range(20):
                with Toy(**place) as toy:
                    toy[f"{number}"] = turn
                    with toy.transaction():
                        toy["sum"] = toy.content().get("sum", 0) + 1
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert saved(place) == {**{f"{number}": 19 for number in range(4)}, "sum": 80}


def test_an_operation_that_waited_while_the_store_was_closed_is_refused(place):
    toy = Toy(**place)
    content = toy._content  # as a thread has it that waits for the lock
    toy["before"] = 1
    toy.close()
    with pytest.raises(ValueError, match="closed"), content.lock:
        content.set("after", 2)
    with pytest.raises(ValueError, match="closed"), content.transaction():
        pass
    assert saved(place) == {"before": 1}


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

FORKED = """
import os, sys
from storage_toy import Toy
toy = Toy("x", file_location=sys.argv[1], page_store=sys.argv[2])
toy["a"] = "committed"
toy.sync()
toy["a"] = "by the parent"
toy["b"] = "y" * 300_000
toy._content.write_back()
temporary = Toy.temporary()
pid = os.fork()
if pid == 0:
    for use in (lambda: toy["a"], toy.sync, lambda: toy.__setitem__("a", "by the child")):
        try:
            use()
        except RuntimeError as error:
            print("refused" if "forked" in str(error) else error)
    print(toy.closed)
    toy.close()
    if sys.argv[3] == "collected":
        del toy, temporary
        import gc
        gc.collect()
    sys.exit(0)  # with its exit handlers
assert os.waitpid(pid, 0)[1] == 0
assert temporary.location.exists()
assert toy["a"] == "by the parent"
toy["c"] = "later"
toy.close()
"""


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("ending", ["exit", "collected"])
@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_forked_child_is_refused_and_harms_nothing(page_store, ending, place, tmp_path):
    told = run(FORKED, tmp_path, page_store, ending).splitlines()
    assert told == ["refused", "refused", "refused", "True"]
    assert saved(place) == {"a": "by the parent", "b": "y" * 300_000, "c": "later"}


HELD_BY_A_THREAD = """
import os, sys, threading
from storage_toy import Toy
toy = Toy("x", file_location=sys.argv[1])
inside, done = threading.Event(), threading.Event()
def hold():
    with toy.transaction():
        toy["a"] = 1
        inside.set()
        done.wait()
thread = threading.Thread(target=hold)
thread.start()
inside.wait()
pid = os.fork()
if pid == 0:
    try:
        toy["a"]
    except RuntimeError:
        with Toy("y", file_location=sys.argv[1]) as other:
            other["mine"] = 1
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
done.set()
thread.join()
toy.close()
"""


@needs_fork
def test_a_fork_while_a_thread_holds_the_lock_leaves_a_child_that_works(place, tmp_path):
    script = HELD_BY_A_THREAD.replace(
        "pid = os.fork()", "import warnings; warnings.simplefilter('ignore'); pid = os.fork()"
    )
    run(script, tmp_path)
    assert saved(place) == {"a": 1}
    assert saved({**place, "file_basename": "y"}) == {"mine": 1}


def use_in_child(location, results):
    with Toy("child", file_location=location) as toy:
        toy["a"] = 1
    results.put(saved({"file_basename": "child", "file_location": location}))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_of_any_start_method_has_stores_of_its_own(method, place, tmp_path):
    context = multiprocessing.get_context(method)
    with Toy(**place) as toy:
        toy["a"] = "parent"
        results = context.SimpleQueue()
        child = context.Process(target=use_in_child, args=(tmp_path, results))
        child.start()
        assert results.get() == {"a": 1}
        child.join()
        assert child.exitcode == 0
        toy["b"] = "still here"
    results.close()
    child.close()
    assert saved(place) == {"a": "parent", "b": "still here"}


@pytest.mark.parametrize("journal", [False, True])
def test_an_interrupted_opening_leaves_nothing_open(journal, tmp_path, request):
    with DiskList("x", file_location=tmp_path) as numbers:
        numbers.extend(range(3))
    with SignalInterrupter(10**9):  # CPython 3.12 begins to tell of instructions at the second time
        DiskList("x", file_location=tmp_path, journal=journal).close()
    gc.collect()  # what other tests left must not be closed while an interruption waits
    gc.disable()
    request.addfinalizer(gc.enable)
    for at in range(1, 2_000):
        interrupter = SignalInterrupter(at)
        opened = None
        try:
            with interrupter:
                opened = DiskList("x", file_location=tmp_path, journal=journal)
        except KeyboardInterrupt:
            pass
        assert (opened is None) == (interrupter.left == 0), interrupter.where
        if opened is not None:
            opened.close()
            break
        lock = FileLock(tmp_path / "x.pyspeedup" / "lock", exclusive=True, name=interrupter.where)
        lock.release()  # as another process could take it
    assert at > 50
