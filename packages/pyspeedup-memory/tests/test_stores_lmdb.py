"""The page store in an LMDB file: the common batteries, and what LMDB does not do by itself."""

from __future__ import annotations

import errno
import os
import random
import signal
import struct
import sys
import types
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest
import test_lock
from interrupting import STORING, Interrupter
from killed_writers import check_killed_writers
from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.core.testing import PageStoreMachine, state_machine_test
from pyspeedup.memory import DiskDict, LmdbStore
from pyspeedup.memory._storage.volume import Volume
from pyspeedup.memory.stores import _lmdb_file
from pyspeedup.memory.stores import lmdb as store_module
from pyspeedup.memory.testing import DiskDictMachine, DiskListMachine
from storage_toy import Toy, run
from test_handle import FORKED, needs_fork
from test_interrupt import Interruptions
from test_stores import (  # noqa: F401 -- they run here on this store
    test_a_negative_page_is_refused,
    test_a_page_written_after_being_deleted_is_there,
    test_a_reader_cannot_change_anything,
    test_files_are_their_owners_alone,
    test_is_a_page_store,
    test_only_the_folder_given_is_touched,
    test_rollback_goes_back_to_the_last_commit,
    test_use_before_open_and_after_close_says_so,
    test_what_is_missing_is_not_made_for_a_reader,
)

lmdb = pytest.importorskip("lmdb", minversion="3")

OS_PAGE = 4096


class LmdbMachine(PageStoreMachine):
    def make_store(self):
        return LmdbStore(self.own_folder)

    def check(self, store):
        held = {key for key, _ in store._file.items(b"\2", b"\3")}
        referred = set(store._table.values())
        assert held <= referred | store._changes.rows, "rows are left behind"
        assert held >= referred


class NothingWaits(LmdbMachine):
    """Each page goes to the file when it is written, and the map grows with almost each."""

    def __init__(self):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(store_module, "BUFFER", 20)
        self.patch.setattr(_lmdb_file, "STEP", OS_PAGE)
        super().__init__()

    def make_store(self):
        return LmdbStore(self.own_folder, map_limit=0)

    def teardown(self):
        self.patch.undo()
        super().teardown()


class LmdbDict(DiskDictMachine):
    page_size = 3
    page_store = "lmdb"


class LmdbList(DiskListMachine):
    page_size = 3
    page_store = "lmdb"


TestLmdbMachine = state_machine_test(LmdbMachine)
TestNothingWaits = state_machine_test(NothingWaits)
TestLmdbDict = state_machine_test(LmdbDict)
TestLmdbList = state_machine_test(LmdbList)


@pytest.fixture
def store_class():
    return LmdbStore


@pytest.fixture
def make_store(tmp_path):
    return lambda: LmdbStore(tmp_path)


@pytest.fixture
def unbuffered(monkeypatch):
    monkeypatch.setattr(store_module, "BUFFER", 0)


class TestInterruptions(Interruptions):
    """Ctrl-C between any two lines, with pages that wait and without; the disk is not waited for."""

    @pytest.fixture(params=[store_module.BUFFER, 0])
    def make_store(self, request, tmp_path, monkeypatch):
        monkeypatch.setattr(store_module, "BUFFER", request.param)
        monkeypatch.setattr(lmdb, "open", partial(lmdb.open, sync=False))

        def make(number):
            (tmp_path / str(number)).mkdir(exist_ok=True)
            return LmdbStore(tmp_path / str(number))

        make.step = 11
        return make

    def test_writing_on_after_an_interrupted_commit_deletes_nothing_committed(self, make_store):
        found = set()
        for at in range(1, 400, 3):
            volume = Volume(make_store(at), kind="toy", page_size=1)
            volume.append(b"old")
            volume.commit(b"old")
            volume.write(0, b"new")
            interrupter = Interrupter(at, *STORING)
            with suppress(KeyboardInterrupt), interrupter:
                volume.commit(b"new")
            volume.write(0, b"later")
            volume.write(0, b"later still")
            volume.close()
            again = Volume(make_store(at), kind="toy", page_size=1)
            assert bytes(again.read(0)) == again.state
            found.add(again.state)
            again.close()
            if interrupter.left > 0:
                break
        assert found == {b"old", b"new"}


class TestLocks:
    """Two processes."""

    @pytest.fixture
    def page_store(self):
        return "lmdb"

    @pytest.fixture(autouse=True)
    def store(self, tmp_path):
        with Toy("x", file_location=tmp_path, page_store="lmdb") as toy:
            toy["a"] = 1

    test_writer = staticmethod(test_lock.test_a_writer_keeps_writers_and_readers_out_and_is_named)
    test_readers = staticmethod(test_lock.test_readers_share_and_keep_writers_out)
    test_killed = staticmethod(test_lock.test_a_killed_writer_holds_no_lock)
    test_child = staticmethod(
        test_lock.test_a_forked_child_that_outlives_a_killed_writer_holds_no_lock
    )


@needs_fork
@pytest.mark.parametrize("ending", ["exit", "collected"])
def test_a_forked_child_is_refused_and_harms_nothing(ending, tmp_path):
    told = run(
        f"import warnings; warnings.simplefilter('ignore')\n{FORKED}", tmp_path, "lmdb", ending
    )
    assert told.splitlines() == ["refused", "refused", "refused", "True"]
    with Toy("x", file_location=tmp_path) as toy:
        assert toy.content() == {"a": "by the parent", "b": "y" * 300_000, "c": "later"}


ABANDONED = """
import os, subprocess, sys, warnings
from pyspeedup.memory import LmdbStore
warnings.simplefilter("ignore")
store = LmdbStore(sys.argv[1])
store.open(create=True, readonly=False)
store.write(0, b"zero")
store.commit(b"meta")
store.read(0)
child = os.fork()
if child == 0:
    store.abandon()
    os._exit(0)
os.waitpid(child, 0)
attempt = "import sys; from pyspeedup.memory import LmdbStore; " \
    "LmdbStore(sys.argv[1]).open(create=False, readonly=True)"
told = subprocess.run([sys.executable, "-c", attempt, sys.argv[1]], capture_output=True, text=True)
print(told.stderr.splitlines()[-1])
store.write(1, b"one")
store.commit(b"more")
print(store.read(0), store.read(1))
store.close()
"""


@needs_fork
def test_a_child_that_lets_go_leaves_the_lock_and_the_file_to_the_parent(tmp_path):
    told, content = run(ABANDONED, tmp_path).splitlines()
    assert told.startswith("pyspeedup.core.errors.StoreLockedError")
    assert content == "b'zero' b'one'"


def test_a_store_is_open_once_in_a_process_for_whatever(tmp_path):
    first, second = LmdbStore(tmp_path), LmdbStore(tmp_path)
    first.open(create=True, readonly=False)
    first.commit(b"meta")
    for readonly in (False, True):
        with pytest.raises(StoreLockedError) as told:
            second.open(create=True, readonly=readonly)
        assert told.value.pid == os.getpid()
    first.close()
    assert first.open(create=False, readonly=True) == b"meta"
    with pytest.raises(StoreLockedError, match="this process") as told:
        second.open(create=False, readonly=True)
    assert told.value.pid == os.getpid()
    first.close()
    assert second.open(create=False, readonly=False) == b"meta"
    second.close()


def test_a_reader_changes_no_file(tmp_path):
    writer = LmdbStore(tmp_path)
    writer.open(create=True, readonly=False)
    writer.write(0, b"zero")
    writer.commit(b"meta")
    writer.close()
    before = {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()
    }
    reader = LmdbStore(tmp_path)
    reader.open(create=False, readonly=True)
    assert reader.read(0) == b"zero"
    reader.close()
    after = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()}
    assert before == after
    assert list(before) == ["data.mdb"]


@pytest.mark.parametrize("buffer", [store_module.BUFFER, 0])
def test_a_part_of_a_page_is_a_slice_of_it_wherever_the_page_is(buffer, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "BUFFER", buffer)
    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    pages = {0: b"", 1: b"one", 2: bytes(range(256)) * 200}
    for page, data in pages.items():
        store.write(page, data)
    for _ in range(2):
        for page, data in pages.items():
            for first, last in ((0, 2), (1, 5), (51_000, 60_000), (7, 7), (0, 10**6)):
                part = store.peek(page, first, last)
                assert (type(part), part) == (bytes, data[first:last])
        with pytest.raises(KeyError):
            store.peek(3, 0, 1)
        store.commit(b"")
    store.delete(1)
    with pytest.raises(KeyError):
        store.peek(1, 0, 1)
    store.close()


def test_pages_go_to_the_file_before_they_are_too_many_for_ram(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "BUFFER", 100_000)
    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    for page in range(100):
        store.write(page, os.urandom(5000))
        assert sum(map(len, store._changes.waiting.values())) <= 100_000
    store.write(100, b"x" * 300_000)
    assert not store._changes.waiting
    for _ in range(1000):
        store.write(101, os.urandom(5000))
    assert store._changes.waiting_bytes == sum(map(len, store._changes.waiting.values())) == 5000
    assert len(store._changes.rows) == 101
    store.close()


@pytest.mark.usefixtures("unbuffered")
def test_the_map_grows_with_the_file_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(_lmdb_file, "STEP", 8 * OS_PAGE)
    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    before = store._file._environment.info()["map_size"]
    pages = {page: os.urandom(10_000 * (page + 1)) for page in range(20)}
    for page, data in pages.items():
        store.write(page, data)
    assert {page: store.read(page) for page in pages} == pages
    store.commit(b"m" * 3_000_000)
    assert store._file._environment.info()["map_size"] > before + 5_000_000
    assert {page: store.read(page) for page in pages} == pages
    store.close()
    assert store.open(create=False, readonly=True) == b"m" * 3_000_000
    assert {page: store.read(page) for page in pages} == pages
    store.close()


FULL_DISK = """
import os, resource, signal, sys
from pyspeedup.memory import LmdbStore
from pyspeedup.memory.stores import lmdb as store_module

store_module.BUFFER = int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)

def full_at(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

store = LmdbStore(sys.argv[1])
store.open(create=True, readonly=False)
for page in range(10):
    store.write(page, b"old" * 10_000)
store.commit(b"old")
full_at(os.stat(sys.argv[1] + "/data.mdb").st_size + 50_000)
failed, written = 0, {}
for page in range(20):
    try:
        store.write(page, b"%d" % page * 20_000)
    except OSError as error:
        assert error.filename.endswith("data.mdb"), error
        failed += 1
    else:
        written[page] = b"%d" % page * 20_000
    if page in written:
        assert store.read(page) == written[page]
    elif page < 10:
        assert store.read(page) == b"old" * 10_000
try:
    store.commit(b"new" * 100_000)
except OSError as error:
    assert error.filename.endswith("data.mdb"), error
    failed += 1
    if sys.argv[3] == "rollback":
        store.rollback()
        assert all(store.read(page) == b"old" * 10_000 for page in range(10))
        store.write(0, b"small")
        store.commit(b"small")
        written = {0: b"small"}
assert failed, "the disk was never full"
if sys.argv[3] == "later":
    full_at(most)
    store.commit(b"new" * 100_000)
if sys.argv[3] != "close":
    assert all(store.read(page) == data for page, data in written.items())
store.close()
meta = store.open(create=False, readonly=True)
held = written if meta[:3] != b"old" else {}
expected = {page: b"old" * 10_000 for page in range(10)} | held
assert {page: store.read(page) for page in expected} == expected
store.close()
print(meta.decode()[:5], len(held) > 0, failed)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system has no limit to file sizes")
@pytest.mark.parametrize("buffer", [store_module.BUFFER, 0])
@pytest.mark.parametrize("ending", ["later", "rollback", "close"])
def test_a_full_disk_is_an_error_and_loses_nothing(ending, buffer, tmp_path):
    meta, something_new, failed = run(FULL_DISK, tmp_path, buffer, ending).split()
    assert meta == {"later": "newne", "rollback": "small", "close": "old"}[ending]
    assert something_new == str(ending != "close")
    assert int(failed) >= (1 if buffer else 10)


def test_a_dict_goes_on_after_a_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    with DiskDict("x", 4, 1, tmp_path, page_store="lmdb", ram_limit=1000) as d:
        d["a"] = 1
        d.sync()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(_lmdb_file.LmdbFile, "write", full)
            d["b"] = 2
            with pytest.raises(OSError, match="no space left"):
                d.sync()
        d["c"] = 3
    with DiskDict("x", file_location=tmp_path) as d:
        assert d == {"a": 1, "b": 2, "c": 3}


WRITER = """
import sys, storage_writer
from pyspeedup.memory import LmdbStore
from pyspeedup.memory.stores import lmdb as store_module
store_module.BUFFER = int(sys.argv[2])
storage_writer.STORES["lmdb"] = LmdbStore
storage_writer.main("lmdb", sys.argv[1])
"""


@pytest.mark.parametrize("buffer", [store_module.BUFFER, 0])
def test_a_killed_writer_leaves_a_whole_commit(buffer, tmp_path):
    check_killed_writers(WRITER, tmp_path, buffer, make_store=lambda: LmdbStore(tmp_path))


@pytest.mark.usefixtures("unbuffered")
def test_what_a_killed_writer_left_is_swept_by_the_next_commit(tmp_path):
    run(
        """
import os, sys
from pyspeedup.memory import LmdbStore
from pyspeedup.memory.stores import lmdb as store_module
store_module.BUFFER = 0
store = LmdbStore(sys.argv[1])
store.open(create=True, readonly=False)
store.write(0, b"kept")
store.commit(b"meta")
for page in range(50):
    store.write(page, b"lost" * 1000)
print(flush=True)
os._exit(0)
""",
        tmp_path,
    )
    reader = LmdbStore(tmp_path)
    assert reader.open(create=False, readonly=True) == b"meta"
    assert reader.read(0) == b"kept"
    with pytest.raises(KeyError):
        reader.read(1)
    reader.close()
    store = LmdbStore(tmp_path)
    store.open(create=False, readonly=False)
    assert len(store._changes.rows) == 50
    store.write(1, b"new")
    store.commit(b"more")
    contents = {key for key, _ in store._file.items(b"\2", b"\3")}
    assert contents == set(store._table.values())
    assert (store.read(0), store.read(1)) == (b"kept", b"new")
    store.close()


def test_replaced_pages_give_their_space_back(tmp_path):
    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    for round_ in range(60):
        for page in range(10):
            store.write(page, os.urandom(3000 + 50 * round_))
        if round_ % 7 == 0:
            store.rollback()
        store.commit(b"meta")
    store.close()
    assert (tmp_path / "data.mdb").stat().st_size < 6 * 10 * 8192


def snapshots(folder):
    """Return the file after each of some commits, what each holds, and which were durable."""
    chance = random.Random(5)
    store = LmdbStore(folder)
    store.open(create=True, readonly=False)
    files, models, durable = [], [], []
    for number in range(40):
        for _ in range(chance.randrange(1, 4)):
            store.write(chance.randrange(6), chance.randbytes(chance.choice([5, 300, 9000])))
        durable.append(chance.random() < 0.3)
        store.commit(b"%d" % number, durable=durable[-1])
        files.append((folder / "data.mdb").read_bytes())
        models.append({page: store.read(page) for page in store._table})
    flags = store._file._environment.flags()
    assert flags["sync"]
    assert not flags["metasync"]
    assert not flags["writemap"]
    store.close()
    return files, models, durable


def after_power_loss(old, new, chance):
    """Return `new` with some of the blocks that it has not in common with `old` still those of `old`.

    LMDB syncs all blocks of a transaction before it writes the header, one of the first two blocks.
    """
    old = old.ljust(len(new), b"\0")
    blocks = [
        (old[at : at + OS_PAGE], new[at : at + OS_PAGE]) for at in range(0, len(new), OS_PAGE)
    ]
    changed = [index for index, (before, after) in enumerate(blocks) if before != after]
    rate = chance.choice([0, 0.3, 0.7])
    lost = {index for index in changed if chance.random() < rate}
    if lost - {0, 1}:
        lost |= {0, 1}
    return b"".join(pair[index not in lost] for index, pair in enumerate(blocks))


def test_a_loss_of_power_leaves_the_last_durable_commit_or_a_later_one(tmp_path):
    """What LMDB promises with these flags: a commit waits for its pages, not for its header."""
    (tmp_path / "writer").mkdir()
    files, models, durable = snapshots(tmp_path / "writer")
    chance = random.Random(6)
    found = Counter()
    for _ in range(150):
        number = chance.randrange(2, len(files))
        base = files[number - 1]
        if not durable[number - 1] and chance.random() < 0.5:  # its header did not get there either
            header = slice(*sorted_header(files[number - 2], base))
            base = base[: header.start] + files[number - 2][header] + base[header.stop :]
        (tmp_path / "data.mdb").write_bytes(after_power_loss(base, files[number], chance))
        store = LmdbStore(tmp_path)
        meta = int(store.open(create=False, readonly=False))
        promised = max((n for n in range(number) if durable[n]), default=0)
        assert max(promised, number - 2) <= meta <= number
        assert {page: store.read(page) for page in store._table} == models[meta]
        store.write(99, b"more")
        store.commit(b"%d" % meta)
        store.close()
        found[number - meta] += 1
    assert min(found[0], found[1], found[2]) > 10, found


def sorted_header(older, newer):
    """Return where the one of the two headers lies that `newer` has written."""
    first = older[:OS_PAGE] != newer[:OS_PAGE]
    return (0, OS_PAGE) if first else (OS_PAGE, 2 * OS_PAGE)


DAMAGED = """
import collections, random, struct, sys
from pathlib import Path
from interrupting import STORING, Interrupter
from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory import LmdbStore
from pyspeedup.memory._storage.volume import Volume

folder, how = Path(sys.argv[1]), sys.argv[2]
data = folder / "data.mdb"
chance = random.Random(7)
volume = Volume(LmdbStore(folder), kind="toy", page_size=1)
for page in range(30):
    volume.append(chance.randbytes(chance.choice([10, 500, 3000, 9000])))
volume.commit(b"older")
for page in range(0, 30, 4):
    volume.write(page, chance.randbytes(5000))
volume.commit(b"newest")
model = {page: bytes(volume.read(page)) for page in volume.pages()}
volume.close()
whole = data.read_bytes()

def used(number):
    block = whole[number * 4096 : (number + 1) * 4096]
    if number < 2:
        return range(number * 4096, number * 4096 + 152)
    page, _, flags, lower, upper = struct.unpack_from("<QHHHH", block)
    if page == number and flags in (1, 2):  # branches and leaves
        return [number * 4096 + at for at in (*range(lower), *range(upper, 4096))]
    return []

where = {
    "anywhere": range(len(whole)),
    "tree": [at for number in range(len(whole) // 4096) for at in used(number)],
    "header": [at for number in (0, 1) for at in used(number)],
}
outcomes = collections.Counter()
attempts = 0

def attempt(damaged):
    global attempts
    attempts += 1
    data.write_bytes(damaged)
    readonly = attempts % 5 > 0  # or else each waits for the disk three times
    try:
        volume = Volume(LmdbStore(folder), kind="toy", page_size=1, create=False, readonly=readonly)
        try:
            found = volume.state, {page: bytes(volume.read(page)) for page in volume.pages()}
            if not readonly:
                volume.write(0, b"more")
                volume.commit(b"more")
        finally:
            volume.close()
    except StoreCorruptedError:
        outcomes["detected"] += 1
    else:
        assert found == (b"newest", model), "silently wrong"
        outcomes["harmless"] += 1

if how == "cut":
    for length in (0, 1, 100, 4096, 8192, 12288, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        try:
            attempt(whole[:length])
        except FileNotFoundError:
            assert not length
            outcomes["detected"] += 1
elif how == "longer":
    attempt(whole + b"x" * 5000)
elif how == "header":
    for at in where[how]:
        for bit in range(8):
            if chance.random() < 0.1 or at % 4096 >= 136:  # where the number of the transaction is
                attempt(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
else:
    for _ in range(300):
        at = chance.choice(where[how])
        attempt(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
print(outcomes["detected"], outcomes["harmless"])
"""


@pytest.mark.parametrize(
    ("how", "detected", "harmless"),
    [("anywhere", 10, 1), ("tree", 50, 0), ("header", 30, 1), ("cut", 9, 0), ("longer", 0, 1)],
)
def test_damage_is_found_or_harmless(how, detected, harmless, tmp_path):
    """In a process of its own, since what is not found by us can end it."""
    found, unharmed = map(int, run(DAMAGED, tmp_path, how).split())
    assert found >= detected
    assert unharmed >= harmless


def test_a_damaged_commit_record_is_damage(tmp_path):
    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"the meta of this commit")
    store.close()
    data = tmp_path / "data.mdb"
    whole = data.read_bytes()
    for old, new in (
        (b"the meta of this", b"the meta of that"),
        (struct.pack(">Q", 1) + whole[whole.index(b"the meta") - 4 :][:4], bytes(12)),
    ):
        assert old in whole
        data.write_bytes(whole.replace(old, new))
        with pytest.raises(StoreCorruptedError, match="last commit"):
            store.open(create=False, readonly=False)
    data.write_bytes(whole)
    store.open(create=False, readonly=True)
    store.close()


RESIDENT = """
import random, re, sys
from pathlib import Path
from pyspeedup.memory import LmdbStore
from pyspeedup.memory.stores import _lmdb_file

def mapped():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssFile:\\s+(\\d+)", status)[1]) >> 10

before, most = mapped(), 0
store = LmdbStore(sys.argv[1], map_limit=8 << 20)
store.open(create=True, readonly=False)
for page in range(800):
    store.write(page, b"x" * 60_000)
store.commit(b"")
store.close()
store.open(create=False, readonly=False)
most = mapped() - before
assert most < 12, most
for page in random.Random(1).choices(range(800), k=3000):
    assert store.peek(page, 30_000, 30_010) == b"x" * 10
    assert len(store.read(page)) == 60_000
    most = max(most, mapped() - before) if page % 10 == 0 else most
store.close()
print(most)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is mapped")
def test_mapped_pages_are_given_back(tmp_path):
    assert 2 <= int(run(RESIDENT, tmp_path)) <= 24


WITHOUT = """
import sys
sys.modules["lmdb"] = None
import importlib.util
importlib.util.find_spec = lambda name, found=importlib.util.find_spec: None if name == "lmdb" else found(name)
from pyspeedup.memory import DiskDict, LmdbStore
try:
    DiskDict("x", file_location=sys.argv[1], page_store="lmdb")
except LookupError as error:
    print(error)
try:
    LmdbStore(sys.argv[1]).open(create=True, readonly=False)
except ModuleNotFoundError as error:
    print(error)
"""


def test_without_lmdb_the_name_tells_how_to_install_it(tmp_path):
    for line in run(WITHOUT, tmp_path).splitlines():
        assert "pip install 'pyspeedup-memory[lmdb]'" in line
    assert not any(tmp_path.iterdir())


def test_a_store_remembers_its_page_store_and_can_be_backed_up(tmp_path):
    with DiskDict("x", file_location=tmp_path, page_store="lmdb") as d:
        d.update({number: str(number) for number in range(3000)})
        d.backup(tmp_path / "copy")
    assert (tmp_path / "x.pyspeedup" / "data.mdb").exists()
    for location in (tmp_path, tmp_path / "copy"):
        with DiskDict("x", file_location=location, readonly=True) as d:
            assert d == {number: str(number) for number in range(3000)}


@pytest.mark.parametrize(("free", "number"), [(100, errno.ENOSPC), (1 << 20, errno.EIO)])
def test_a_failed_write_is_told_as_a_full_disk_where_that_is_why(
    free, number, tmp_path, monkeypatch
):
    def disk(_):
        return types.SimpleNamespace(f_bavail=free, f_frsize=4096)

    def fails(*_, **__):
        error = lmdb.DiskError("mdb_txn_commit")
        error.code = errno.EIO
        raise error

    store = LmdbStore(tmp_path)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"first")
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", disk)
        file = store._file
        patch.setattr(file, "_environment", types.SimpleNamespace(begin=fails))
        store.write(1, b"one")
        with pytest.raises(OSError, match=r"data\.mdb") as caught:
            store.commit(b"second")
    assert caught.value.errno == number
    store.commit(b"second")
    store.close()
