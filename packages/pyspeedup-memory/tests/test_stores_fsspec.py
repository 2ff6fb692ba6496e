"""Pages wherever fsspec reaches, and in mappings that nobody has made for pyspeedup."""

from __future__ import annotations

import errno
import uuid
from collections.abc import MutableMapping
from pathlib import Path

import pytest
from hypothesis import settings as Settings  # noqa: N812 -- a class, which hypothesis spells small
from killed_writers import check_killed_writers
from pyspeedup.core import StoreCorruptedError, StoreLockedError
from pyspeedup.core.testing import PageStoreMachine, state_machine_test
from pyspeedup.memory import DiskDict, DiskList, FsspecStore, ShadowStore
from pyspeedup.memory._storage.volume import Volume
from pyspeedup.memory.testing import DiskDictMachine, DiskListMachine
from storage_toy import run
from test_interrupt import Interruptions
from test_stores import (  # noqa: F401 -- they run here on these stores
    test_a_negative_page_is_refused,
    test_a_page_written_after_being_deleted_is_there,
    test_a_reader_cannot_change_anything,
    test_is_a_page_store,
    test_rollback_goes_back_to_the_last_commit,
    test_use_before_open_and_after_close_says_so,
    test_what_is_missing_is_not_made_for_a_reader,
)

fsspec = pytest.importorskip("fsspec")


class Server:
    """What Redis is to its client: get, set, delete and scan, of bytes."""

    def __init__(self):
        self._held = {}

    def get(self, key):
        return self._held.get(key.encode())

    def set(self, key, value):
        self._held[key.encode()] = bytes(value)

    def delete(self, key):
        return self._held.pop(key.encode(), None) is not None

    def scan_iter(self):
        return iter(list(self._held))


class OnServer(MutableMapping):
    """All that a client needs to hold pages."""

    def __init__(self, client):
        self.client = client

    def __getitem__(self, key):
        if (value := self.client.get(key)) is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key, value):
        self.client.set(key, value)

    def __delitem__(self, key):
        if not self.client.delete(key):
            raise KeyError(key)

    def __iter__(self):
        return (key.decode() for key in self.client.scan_iter())

    def __len__(self):
        return sum(1 for _ in self)


class Buffered(MutableMapping):
    """Two mappings as one, as zict's Buffer is: what is big goes to the slow one."""

    def __init__(self):
        self.fast, self.slow = {}, {}

    def __getitem__(self, key):
        return self.fast[key] if key in self.fast else self.slow[key]

    def __setitem__(self, key, value):
        into, other = (self.fast, self.slow) if len(value) < 100 else (self.slow, self.fast)
        into[key] = value
        other.pop(key, None)

    def __delitem__(self, key):
        del (self.fast if key in self.fast else self.slow)[key]

    def __iter__(self):
        return iter([*self.fast, *self.slow])

    def __len__(self):
        return len(self.fast) + len(self.slow)


def in_ram():
    """Return a URL that nobody has used."""
    return f"memory://bucket/{uuid.uuid4().hex}"


MAPPINGS = {
    "server": lambda: OnServer(Server()),
    "buffered": Buffered,
    "mapper": lambda: fsspec.get_mapper(in_ram()),
}


class Private(type(fsspec.filesystem("memory"))):
    """A file system in RAM that no other object shares."""

    protocol = "private"
    cachable = False

    def __init__(self):
        super().__init__()
        self.store, self.pseudo_dirs = {}, [""]


class FsspecMachine(PageStoreMachine):
    def make_store(self):
        self.url = getattr(self, "url", None) or in_ram()
        return FsspecStore(self.url)

    def check(self, store):
        uncommitted = len(store._pages.put_since)
        assert len(store._files) == 1 + len(self.committed) + uncommitted, "files are left behind"


class LocalMachine(FsspecMachine):
    def make_store(self):
        self.url = (self.own_folder / "not" / "there yet").as_uri()
        return FsspecStore(self.url)


class MappingMachine(PageStoreMachine):
    kind = "server"

    def make_store(self):
        self.blobs = getattr(self, "blobs", None) or MAPPINGS[self.kind]()
        return ShadowStore(self.blobs)


class BufferedMachine(MappingMachine):
    kind = "buffered"


class MapperMachine(MappingMachine):
    kind = "mapper"


class FsspecDict(DiskDictMachine):
    page_size = 3

    def make_page_store(self):
        return FsspecStore(in_ram())


class FsspecList(DiskListMachine):
    page_size = 3

    def make_page_store(self):
        return FsspecStore(in_ram())


class ServerDict(DiskDictMachine):
    page_size = 3

    def make_page_store(self):
        return MAPPINGS["server"]()


class MapperList(DiskListMachine):
    page_size = 3

    def make_page_store(self):
        return MAPPINGS["mapper"]()


class BufferedList(DiskListMachine):
    page_size = 3

    def make_page_store(self):
        return MAPPINGS["buffered"]()


FEWER = Settings(max_examples=max(10, Settings().max_examples // 4))
"""Shadow paging itself has its own battery, at full length."""

TestFsspecMachine = state_machine_test(FsspecMachine, FEWER)
TestLocalMachine = state_machine_test(LocalMachine, FEWER)
TestServerMachine = state_machine_test(MappingMachine, FEWER)
TestBufferedMachine = state_machine_test(BufferedMachine, FEWER)
TestMapperMachine = state_machine_test(MapperMachine, FEWER)
TestFsspecDict = state_machine_test(FsspecDict, FEWER)
TestFsspecList = state_machine_test(FsspecList, FEWER)
TestServerDict = state_machine_test(ServerDict, FEWER)
TestMapperList = state_machine_test(MapperList, FEWER)
TestBufferedList = state_machine_test(BufferedList, FEWER)


@pytest.fixture(params=["memory", "file", *MAPPINGS])
def make_store(request, tmp_path):
    """Return a function that returns a store of the same place at every call, not open yet."""
    if request.param in MAPPINGS:
        blobs = MAPPINGS[request.param]()
        return lambda: ShadowStore(blobs)
    url = in_ram() if request.param == "memory" else tmp_path.as_uri()
    return lambda: FsspecStore(url)


class TestInterruptions(Interruptions):
    """Ctrl-C between any two lines."""

    @pytest.fixture
    def make_store(self):
        made = {}

        def make(number):
            return made.setdefault(number, FsspecStore(in_ram()))

        make.step = 5
        return make


@pytest.mark.parametrize("kind", MAPPINGS)
def test_any_mapping_holds_a_dict_and_a_list(kind):
    """Without a line of ours: what is stored is found again, and what was deleted is gone."""
    blobs = MAPPINGS[kind]()
    with DiskDict("d", 4, 2, page_store=blobs) as d:
        d.update({number: "x" * number for number in range(200)})
        for number in range(0, 200, 2):
            del d[number]
    with DiskDict("d", page_store=blobs, readonly=True) as d:
        assert d == {number: "x" * number for number in range(1, 200, 2)}
    blobs = MAPPINGS[kind]()
    with DiskList("l", 4, 2, page_store=blobs) as values:
        values.extend(range(200))
        del values[10:190]
    files = len(blobs)
    with DiskList("l", page_store=blobs) as values:
        assert values == [*range(10), *range(190, 200)]
    assert len(blobs) <= files


@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_url_holds_a_dict_and_a_list(place, tmp_path):
    urls = [in_ram() if place == "memory" else (tmp_path / name).as_uri() for name in "dl"]
    with DiskDict("d", page_store=FsspecStore(urls[0])) as d:
        d["a"] = [1]
        d["a"].append(2)
    with DiskList("l", page_store=FsspecStore(urls[1])) as values:
        values.append("b")
    with DiskDict("another name", page_store=FsspecStore(urls[0]), readonly=True) as d:
        assert d == {"a": [1, 2]}
    with DiskList("l", page_store=FsspecStore(urls[1])) as values:
        assert values == ["b"]


def test_the_name_keeps_a_folder_that_can_be_copied_and_opened_by_its_url(tmp_path):
    with DiskDict("x", file_location=tmp_path, page_store="fsspec") as d:
        d.update({number: str(number) for number in range(3000)})
    with DiskDict("x", file_location=tmp_path) as d:
        d["more"] = 1
    pages = tmp_path / "x.pyspeedup" / "pages"
    url = in_ram()
    fsspec.filesystem("memory").put(str(pages), url, recursive=True)
    with DiskDict("x", page_store=FsspecStore(url)) as d:
        assert d == {**{number: str(number) for number in range(3000)}, "more": 1}


def test_a_file_system_made_by_the_caller_is_used_and_takes_no_options():
    filesystem = Private()
    with DiskList("l", page_store=FsspecStore("a/b", filesystem=filesystem)) as values:
        values.append(1)
    assert filesystem.exists("/a/b/HEAD")
    assert not fsspec.filesystem("memory").exists("/a/b/HEAD")
    with pytest.raises(TypeError, match="anon"):
        FsspecStore("a/b", filesystem=filesystem, anon=True)
    with pytest.raises(TypeError, match="url must be a str"):
        FsspecStore(Path("a"))
    with pytest.raises(ValueError, match="nowhere"):
        FsspecStore("nowhere://a")


def test_files_that_are_not_ours_are_left_alone(tmp_path):
    (tmp_path / "page-mine").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "page-0-000000000000-0").write_bytes(b"deeper")
    for _ in range(2):
        store = FsspecStore(tmp_path.as_uri())
        store.open(create=True, readonly=False)
        store.write(0, b"zero")
        store.commit(b"")
        store.close()
    assert (tmp_path / "page-mine").read_bytes() == b"mine"
    assert (tmp_path / "folder" / "page-0-000000000000-0").read_bytes() == b"deeper"
    assert len(list(tmp_path.iterdir())) == 4


def test_local_files_are_their_owners_alone(tmp_path):
    store = FsspecStore(tmp_path.as_uri())
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.close()
    assert not any(path.stat().st_mode & 0o077 for path in tmp_path.iterdir())


def test_another_writer_is_noticed():
    url = in_ram()
    first, second = FsspecStore(url), FsspecStore(url)
    first.open(create=True, readonly=False)
    second.open(create=True, readonly=False)
    second.commit(b"second")
    with pytest.raises(StoreLockedError):
        first.commit(b"first")
    for store in (first, second):
        store.close()


class Remembering(Private):
    """A file system that lists what it has listed before, as those of object stores do."""

    def __init__(self):
        super().__init__()
        self.listings = {}

    def find(self, path, maxdepth=None, withdirs=False, detail=False, **options):
        if path not in self.listings:
            self.listings[path] = super().find(path, maxdepth, withdirs, detail, **options)
        return self.listings[path]

    def invalidate_cache(self, path=None):
        self.listings.pop(path, None)


def test_what_a_killed_writer_left_is_swept_though_the_file_system_remembers_listings():
    filesystem = Remembering()
    killed = FsspecStore("a", filesystem=filesystem)
    killed.open(create=True, readonly=False)
    killed.write(0, b"lost")
    store = FsspecStore("a", filesystem=filesystem)
    store.open(create=False, readonly=False)
    store.close()
    assert set(filesystem.store) == {"/a/HEAD"}


class Refusing(Private):
    """A file system whose next request fails."""

    error = None

    def cat_file(self, path, **options):
        self._refuse()
        return super().cat_file(path, **options)

    def pipe_file(self, path, value, **options):
        self._refuse()
        super().pipe_file(path, value, **options)

    def _refuse(self):
        if self.error is not None:
            kind, *arguments = self.error
            raise kind(*arguments)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ((OSError, "no connection"), OSError),
        ((PermissionError, "forbidden"), PermissionError),
        ((OSError, errno.ENOSPC, "bucket is full"), OSError),
        ((TimeoutError,), TimeoutError),
        ((RuntimeError, "signature does not match"), OSError),
    ],
)
def test_an_error_of_the_file_system_is_an_os_error_that_names_the_file(error, kind):
    filesystem = Refusing()
    store = FsspecStore("bucket/words", filesystem=filesystem)
    store.open(create=True, readonly=False)
    store.write(0, b"zero")
    store.commit(b"first")
    filesystem.error = error
    with pytest.raises(kind, match="bucket/words/page-0-") as told:
        store.read(0)
    assert isinstance(told.value, OSError)
    assert told.value.errno == (errno.ENOSPC if errno.ENOSPC in error else errno.EIO)
    assert str(error[-1] if error[1:] else "TimeoutError") in str(told.value)
    with pytest.raises(kind, match="bucket/words/page-1-"):
        store.write(1, b"one")
    with pytest.raises(kind, match="bucket/words/HEAD"):
        store.commit(b"second")
    filesystem.error = None
    store.write(1, b"one")
    store.commit(b"second")
    store.close()
    assert store.open(create=False, readonly=True) == b"second"
    assert (store.read(0), store.read(1)) == (b"zero", b"one")


def test_a_full_disk_under_a_local_folder_costs_nothing_but_an_error(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    with DiskDict("x", 4, 1, page_store=FsspecStore(tmp_path.as_uri()), ram_limit=1000) as d:
        d["a"] = 1
        d.sync()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("pyspeedup.memory._platform._pwrite", full)
            d["b"] = 2
            with pytest.raises(OSError, match="no space left"):
                d.sync()
        d["c"] = 3
    with DiskDict("x", page_store=FsspecStore(tmp_path.as_uri())) as d:
        assert d == {"a": 1, "b": 2, "c": 3}


def test_a_missing_and_a_damaged_file_are_damage(tmp_path):
    store = FsspecStore(tmp_path.as_uri())
    volume = Volume(store, kind="toy", page_size=1)
    volume.append(b"zero")
    volume.commit(b"")
    volume.close()
    (page,) = tmp_path.glob("page-*")
    page.write_bytes(b"nero")
    volume = Volume(store, kind="toy", page_size=1)
    with pytest.raises(StoreCorruptedError, match="checksum"):
        volume.read(0)
    page.unlink()
    with pytest.raises(StoreCorruptedError, match="missing"):
        volume.read(0)
    volume.close()
    (tmp_path / "HEAD").write_bytes(b"half")
    with pytest.raises(StoreCorruptedError, match="HEAD"):
        store.open(create=True, readonly=False)


WRITER = """
import sys, storage_writer
from pyspeedup.memory import FsspecStore
storage_writer.STORES["fsspec"] = FsspecStore
storage_writer.main("fsspec", "file://" + sys.argv[1])
"""


def test_a_killed_writer_leaves_a_whole_commit_and_nothing_half_written(tmp_path):
    def only_what_counts_is_there(pages):
        assert len(list(tmp_path.iterdir())) == 1 + len(pages)

    check_killed_writers(
        WRITER,
        tmp_path,
        make_store=lambda: FsspecStore(tmp_path.as_uri()),
        check=only_what_counts_is_there,
    )


def test_what_was_half_written_is_deleted_by_a_writer_and_not_seen_by_a_reader(tmp_path):
    store = FsspecStore(tmp_path.as_uri())
    store.open(create=True, readonly=False)
    store.commit(b"meta")
    store.close()
    half = tmp_path / "page-0-000000000000-0.new"
    half.write_bytes(b"ha")
    assert store.open(create=False, readonly=True) == b"meta"
    assert list(store._files) == ["HEAD"]
    store.close()
    assert half.exists()
    store.open(create=False, readonly=False)
    store.close()
    assert not half.exists()


WITHOUT = """
import sys
sys.modules["fsspec"] = None
import importlib.util
importlib.util.find_spec = (
    lambda name, found=importlib.util.find_spec: None if name == "fsspec" else found(name)
)
from pyspeedup.memory import DiskDict, FsspecStore
try:
    DiskDict("x", file_location=sys.argv[1], page_store="fsspec")
except LookupError as error:
    print(error)
try:
    FsspecStore("memory://a")
except ModuleNotFoundError as error:
    print(error)
"""


def test_without_fsspec_the_name_tells_how_to_install_it(tmp_path):
    lines = run(WITHOUT, tmp_path).splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "pip install 'pyspeedup-memory[fsspec]'" in line
    assert not any(tmp_path.iterdir())


def test_the_stores_of_extras_are_registered_and_loaded_late():
    script = """
import sys
from pyspeedup.core import page_stores
assert {"fsspec", "lmdb"} <= {found.name for found in page_stores}
from pyspeedup.memory import DiskDict, FsspecStore, LmdbStore
print({"fsspec", "lmdb"} & set(sys.modules))
"""
    assert run(script) == "set()"
