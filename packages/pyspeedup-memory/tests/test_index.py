"""The index against a dict of lists: sinking, splitting, failing writes, damage, with numpy and without."""

from __future__ import annotations

import collections
import itertools
import random
import sys
from array import array

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from interrupting import Interrupter
from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._dict import index_nodes, slots, slots_plain
from pyspeedup.memory._dict.index import MAX_ENTRY, Index
from pyspeedup.memory._dict.index_filter import Filter
from pyspeedup.memory._dict.slots import HASH_MASK
from pyspeedup.memory._pages.scratch import ScratchPages
from pyspeedup.memory._storage.volume import Volume

CODES = st.one_of(
    st.integers(0, 40), st.integers(0, 2**32 - 1), st.sampled_from([2**32 - 1, 2**31, 0])
)
BATCHES = st.one_of(
    st.lists(CODES, max_size=20),
    st.builds(
        lambda seed, count: random.Random(seed).choices(range(2**32), k=count),
        st.integers(0, 2**32),
        st.integers(20, 200),
    ),
)
TINY = {"recent_slots": 3, "leaf_slots": 4, "fan_bits": 1}
SMALL = {"recent_slots": 40, "leaf_slots": 50, "fan_bits": 2}


@pytest.fixture(params=["plain", "numpy"])
def work(request, monkeypatch):
    """Either implementation, however few slots there are."""
    return use(request.param, monkeypatch)


def use(kind, monkeypatch):
    if kind == "numpy":
        pytest.importorskip("numpy")
    least = 0 if kind == "numpy" else sys.maxsize
    monkeypatch.setattr(slots, "NUMPY_FROM", least)
    monkeypatch.setattr(slots, "NUMPY_IMPORTED_FROM", least)
    return slots.slot_work(1)


class FailingPages:
    """Pages of a volume that fail at the n-th write from now, and at all after it until mended."""

    def __init__(self, volume):
        self.volume = volume
        self.left = None
        self.written = 0

    def __getattr__(self, name):
        return getattr(self.volume, name)

    def append(self, data):
        self.count()
        return self.volume.append(data)

    def write(self, page, data):
        self.count()
        self.volume.write(page, data)

    def delete(self, page):
        self.count()
        self.volume.delete(page)

    def count(self):
        self.written += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")


class IndexMachine(RuleBasedStateMachine):
    """Tiny pages; the model is what was added under each hash."""

    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.model = collections.defaultdict(list)
        self.volume = Volume({}, kind="dict", page_size=4)
        self.pages = FailingPages(self.volume)
        self.committed = {}
        self.end = 0

    @initialize(sizes=st.sampled_from([TINY, SMALL]), kind=st.sampled_from(["plain", "numpy"]))
    def begin(self, sizes, kind):
        if kind == "numpy" and not has_numpy():
            kind = "plain"
        use(kind, self.patch)
        self.sizes = sizes
        self.open(None)

    def open(self, state):
        self.index = Index(self.pages, state, seed=5, name="d", **self.sizes)

    @rule(code=CODES)
    def add(self, code):
        self.index.add(code, self.end)
        self.model[code].append(self.end)
        self.end += 1

    @rule(codes=BATCHES)
    def add_many(self, codes):
        self.index.add_many(codes, self.end)
        for code in codes:
            self.model[code].append(self.end)
            self.end += 1

    def find(self, code):
        """What has moved on from a node half emptied is found there, too."""
        found = list(self.index.find(code))
        expected = self.model.get(code, ())
        assert set(found) == set(expected)
        if not self.is_any_half_empty():
            assert sorted(found) == sorted(expected)

    @rule(code=CODES, others=st.lists(CODES, max_size=10))
    def find_some(self, code, others):
        self.find(code)
        known = list(self.model)[:50]
        self.first_of_each([code, *others, *known, code])

    def is_any_half_empty(self):
        return any(node.start for node in self.index._tree.each_node())

    def first_of_each(self, codes):
        found = self.index.first_of_each(codes)
        assert set(found) == {place for place, code in enumerate(codes) if self.model.get(code)}
        for place, entry in found.items():
            assert entry in self.model[codes[place]]
            assert self.index.first(codes[place]) in self.model[codes[place]]
        for code in codes:
            if not self.model.get(code):
                assert self.index.first(code) is None

    @rule(after=st.integers(0, 12), codes=BATCHES)
    def add_while_writes_fail(self, after, codes):
        self.pages.left = after
        tried = []
        try:
            for code in codes:
                tried.append(code)
                self.index.add(code, self.end)
                self.model[code].append(self.end)
                self.end += 1
        except OSError:
            event("a write failed")
            self.index.check()
            if self.is_any_half_empty():
                event("a node was left half empty")
        self.pages.left = None
        for code in tried:
            self.find(code)

    @rule(after=st.integers(0, 3))
    def flush_while_writes_fail(self, after):
        self.pages.left = after
        try:
            self.index.flush()
        except OSError:
            event("a flush failed")
        self.pages.left = None

    @rule()
    def commit_and_open_again(self):
        self.volume.commit(self.index.flush())
        self.committed = {code: list(entries) for code, entries in self.model.items()}
        self.open(self.volume.state)

    @rule()
    def roll_back(self):
        self.volume.rollback()
        self.model = collections.defaultdict(
            list, {code: list(entries) for code, entries in self.committed.items()}
        )
        self.open(self.volume.state)

    @precondition(lambda self: len(self.model) > 20)
    @rule()
    def clear(self):
        self.index.clear()
        self.model.clear()
        assert self.volume.pages() == []

    @invariant()
    def nothing_is_lost_or_twice(self):
        if not hasattr(self, "index"):
            return
        self.index.check()
        tree = self.index._tree
        assert tree.leaf_count == sum(1 for _ in tree.each_leaf())
        assert len(self.index) == sum(map(len, self.model.values()))
        assert sorted(self.index) == sorted(
            (code, entry) for code, entries in self.model.items() for entry in entries
        )
        event(f"{len(self.index._tree.levels)} inner levels")

    def teardown(self):
        if hasattr(self, "index"):
            self.first_of_each(list(self.model))
            self.index.clear()
            assert self.volume.pages() == []
        self.patch.undo()


def has_numpy():
    try:
        __import__("numpy")
    except ImportError:
        return False
    return True


TestIndex = IndexMachine.TestCase


def filled(pages, count, seed=1, **sizes):
    """Return an index, and the hashes of its entries from 0 on."""
    index = Index(pages, seed=seed, name="store d", **sizes)
    codes = random.Random(seed).choices(range(2**32), k=count)
    index.add_many(codes, 0)
    return index, codes


# ---- how it grows ------------------------------------------------------------------------------


def test_batches_sink_through_three_levels_and_write_a_bounded_number_of_pages(work):
    pages = FailingPages(Volume({}, kind="dict", page_size=4))
    index = Index(pages, recent_slots=64, leaf_slots=32, fan_bits=1)
    codes = random.Random(7).choices(range(2**32), k=20_000)
    most = levels = 0
    for entry, code in enumerate(codes):
        before = pages.written
        index.add(code, entry)
        most = max(most, pages.written - before)
        levels = max(levels, len(index._tree.levels))
    index.check()
    assert levels >= 3
    assert index._tree.leaf_count > 500
    # Two children a level, each written and its old page dropped; the node that was emptied; and
    # the leaves of one node: fewer than eight, some of them split.
    assert most <= 2 * (2 * levels + levels + 2 * 8)
    assert all(list(index.find(code)) == [entry] for entry, code in enumerate(codes[:500]))


def test_slots_are_rewritten_a_bounded_number_of_times():
    written = {}
    for count in (20_000, 80_000):
        pages = ScratchPages()
        append, total = pages.append, [0]

        def counted(data, append=append, total=total):
            total[0] += len(data)
            return append(data)

        pages.append = counted
        filled(pages, count, recent_slots=512, leaf_slots=128, fan_bits=2)
        written[count] = total[0] / count
        pages.close()
    assert written[80_000] < 1.5 * written[20_000]


def test_a_hash_may_lead_to_more_entries_than_a_leaf_holds(work):
    index = Index(ScratchPages(), recent_slots=8, leaf_slots=4, fan_bits=1)
    for code in (2**32 - 1, 0, 0x8000_0000):
        index.add_many([code] * 150, 0)
        assert sorted(index.find(code)) == list(range(150))
    assert list(index.find(1)) == []
    assert list(index.find(0x7FFF_FFFF)) == []
    assert index._tree.leaf_count < 40
    assert len(index._tree.leaves[0]) < 40 * 16 * index_nodes.ROW.size
    index.check()


def test_hashes_that_share_their_first_bits_make_no_huge_table(work):
    index = Index(ScratchPages(), recent_slots=8, leaf_slots=4, fan_bits=1)
    index.add_many(list(range(2_000)), 0)
    index.check()
    assert len(index._tree.leaves[0]) <= 32 * index._tree.leaf_count * index_nodes.ROW.size
    assert all(list(index.find(code)) == [code] for code in range(2_000))


def test_an_entry_number_too_large_is_refused():
    index = Index(ScratchPages())
    with pytest.raises(OverflowError, match="4294967296"):
        index.add(1, MAX_ENTRY + 1)
    with pytest.raises(OverflowError, match="4294967296"):
        index.add_many([1, 2], MAX_ENTRY)
    assert len(index) == 0
    index.add(1, MAX_ENTRY)
    assert list(index.find(1)) == [MAX_ENTRY]


def test_a_batch_whose_nth_write_fails_loses_and_doubles_nothing(work):
    half_empty = 0
    for after in itertools.count():
        pages = FailingPages(Volume({}, kind="dict", page_size=4))
        index, codes = filled(pages, 200, recent_slots=20, leaf_slots=4, fan_bits=2)
        pages.left = after
        try:
            index.add(7, 200)
        except OSError:
            expected = {(code, entry) for entry, code in enumerate(codes)}
        else:
            break
        half_empty += any(node.start for node in index._tree.each_node())
        for _ in range(2):
            index.check()
            assert len(index) == 200
            assert sorted(index) == sorted(expected)
            index = Index(pages.volume, index.flush(), **TINY) if pages.left is None else index
            pages.left = None
        index.add_many(codes, 200)
        assert sorted(index) == sorted(expected | {(c, e) for e, c in enumerate(codes, 200)})
    assert after > 10
    assert half_empty > 1


def test_an_interruption_at_any_line_of_a_batch_loses_nothing(work):
    interrupted = 0
    for at in itertools.count(1, 3):
        volume = Volume({}, kind="dict", page_size=4)
        index, codes = filled(volume, 60, recent_slots=20, leaf_slots=8, fan_bits=1)
        more = random.Random(5).choices(range(2**32), k=3)
        try:
            with Interrupter(at, "_dict") as interrupter:
                index.add_many(more, 60)
        except KeyboardInterrupt:
            interrupted += 1
        for entry, code in enumerate(codes):
            assert entry in index.find(code)
        index.add_many(more, 60)
        again = Index(volume, index.flush(), recent_slots=20, leaf_slots=8, fan_bits=1)
        again.check()
        assert set(again) >= {(code, entry) for entry, code in enumerate(codes + more)}
        if interrupter.left > 0:
            break
    assert interrupted > 20


# ---- opening again -----------------------------------------------------------------------------


def test_opening_reads_nothing_and_a_find_no_whole_page_but_the_recent_slots():
    pages = ScratchPages()
    index, codes = filled(pages, 1_030, **SMALL)
    state = index.flush()
    reads = []
    read, pages.read = pages.read, lambda page: reads.append(page) or read(page)
    again = Index(pages, state, seed=1, **SMALL)
    assert len(again) == 1_030
    assert reads == []
    assert 5 in again.find(codes[5])
    assert list(again.find(codes[-1])) == [1_029]
    assert len(set(reads)) == 1


def test_a_flush_of_nothing_new_writes_nothing():
    pages = FailingPages(Volume({}, kind="dict", page_size=4))
    index, _ = filled(pages, 100, **SMALL)
    state = index.flush()
    before = pages.written
    assert index.flush() == state
    assert Index(pages, state, **SMALL).flush() == state
    assert pages.written == before


@pytest.mark.parametrize("length", [0, 10, 40, -1])
def test_a_state_of_another_length_is_damage(length):
    pages = ScratchPages()
    state = filled(pages, 100, **SMALL)[0].flush()
    with pytest.raises(StoreCorruptedError, match="store d"):
        Index(pages, state[:length], name="store d")


def test_a_state_of_a_newer_format_is_refused():
    state = filled(ScratchPages(), 100, **SMALL)[0].flush()
    with pytest.raises(StoreCorruptedError, match="format 2"):
        Index(ScratchPages(), b"\2" + state[1:])


# ---- damage ------------------------------------------------------------------------------------


class DamagedPages:
    """Pages whose peeks are not checked by anybody, as a volume's are not."""

    def __init__(self, data):
        self.data = data

    def peek(self, page, start, stop):
        return bytes(self.data[page][start:stop])

    raw_peek = peek

    def read(self, page):
        return bytes(self.data[page])


def opened_on_copies(count=60, sizes=TINY):
    """Return an index with inner nodes whose pages can be damaged, and its hashes."""
    pages = ScratchPages()
    index, codes = filled(pages, count, **sizes)
    state = index.flush()
    used = {node.page for node in index._tree.each_node() if node.homes}
    copies = DamagedPages({page: bytearray(pages.read(page)) for page in used})
    recent = pages.read(index._recent_page)
    copies.data[index._recent_page] = bytearray(recent)
    pages.close()
    return Index(copies, state, seed=1, name="store d", **sizes), copies, codes, sorted(used)


def test_whichever_byte_is_damaged_no_hash_is_taken_for_absent():
    index, copies, codes, used = opened_on_copies()
    absent = random.Random(99).choices(range(2**32), k=10)
    of_page = {page: set() for page in used}
    for entry, code in enumerate(codes):
        for page in used:
            if code.to_bytes(4, "little") in copies.data[page]:
                of_page[page].add((code, entry))
    noticed = 0
    for page in used[:: len(used) // 8]:
        data = copies.data[page]
        for at in range(len(data)):
            data[at] ^= 1 << at % 8
            for code, entry in of_page[page]:
                try:
                    assert entry in index.find(code)
                except StoreCorruptedError:
                    noticed += 1
            for code in absent:
                try:
                    list(index.find(code))
                except StoreCorruptedError:
                    noticed += 1
            data[at] ^= 1 << at % 8
    assert noticed > 1_000


def each_find(index, codes):
    """Yield for each hash whether damage was noticed; a wrong answer fails."""
    for entry, code in enumerate(codes):
        try:
            assert entry in list(index.find(code))
        except StoreCorruptedError:
            yield True
        else:
            yield False


def test_pages_exchanged_with_each_other_are_noticed(work):
    index, copies, codes, used = opened_on_copies()
    assert not any(each_find(index, codes))
    for one, other in itertools.pairwise(used):
        copies.data[one], copies.data[other] = copies.data[other], copies.data[one]
        assert any(each_find(index, codes))
        with pytest.raises(StoreCorruptedError):
            index.first_of_each(codes)
        copies.data[one], copies.data[other] = copies.data[other], copies.data[one]


def test_an_older_page_of_the_same_place_is_noticed():
    """As a write that never reached the disk leaves it."""
    pages = ScratchPages()
    index, codes = filled(pages, 60, leaf_slots=1_000, recent_slots=1)
    node = next(index._tree.each_leaf())
    older = pages.read(node.page)
    index.add_many(codes, 100)
    now = next(index._tree.each_leaf())
    assert now.homes
    pages.write(now.page, older.ljust(len(pages.read(now.page)), b"\0"))
    assert any(each_find(index, codes))


def test_a_page_of_another_store_is_noticed():
    pages, others = ScratchPages(), ScratchPages()
    index, codes = filled(pages, 60, leaf_slots=1_000, recent_slots=1)
    other = Index(others, seed=2, leaf_slots=1_000, recent_slots=1)
    other.add_many(codes, 0)
    mine, theirs = (next(one._tree.each_leaf()) for one in (index, other))
    assert pages.read(mine.page) != others.read(theirs.page)
    pages.write(mine.page, others.read(theirs.page))
    assert all(each_find(index, [0xDEAD])) is True


@pytest.mark.parametrize("length", [0, 100, 256, 300])
def test_a_page_cut_short_is_noticed(work, length):
    index, copies, codes, used = opened_on_copies(1_000, SMALL)
    page = max(copies.data, key=lambda page: len(copies.data[page]))
    assert page in used
    assert len(copies.data[page]) > 300
    del copies.data[page][length:]
    index.first_of_each([])
    with pytest.raises(StoreCorruptedError, match=f"store d, page {page}: block"):
        index.first_of_each([*codes, *range(0, 2**32, 2**20)])
    with pytest.raises(StoreCorruptedError):
        collections.deque(map(list, map(index.find, [*codes, *range(0, 2**32, 2**20)])))


# ---- work on slots -----------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 4, 13, 31, 32])
def test_both_implementations_make_the_same_bytes(depth):
    numpy_work = pytest.importorskip("pyspeedup.memory._dict.slots_numpy")
    for count in (1, 2, 24, 25, 31, 32, 62, 700):
        for style in ("random", "few", "last"):
            compare(numpy_work, depth, count, style)


def compare(numpy_work, depth, count, style):
    source = random.Random(f"{depth} {count} {style}")
    first = source.getrandbits(depth) << 32 - depth if depth else 0
    below = [source.randrange(1 << 32 - depth) for _ in range(count)]
    if style != "random":
        below = [source.choice(below[:3]) for _ in below]
    if style == "last":
        below = [max(below)] * count
    codes = [first | low for low in below]
    entries = [source.choice([0, MAX_ENTRY, source.getrandbits(32)]) for _ in codes]
    plain = slots_plain.sorted_slots(codes, entries)
    other = numpy_work.sorted_slots(codes, entries)
    assert slots_plain.to_bytes(plain) == numpy_work.to_bytes(other)
    page = slots_plain.blocks(plain, depth, 77)
    assert page == numpy_work.blocks(other, depth, 77)
    assert slots_plain.of_blocks(page) == plain
    assert numpy_work.of_blocks(page).tolist() == plain.tolist()
    assert page[-256 + slots.USED_AT] < slots.BLOCK_SLOTS
    assert slots_plain.pairs(plain) == numpy_work.pairs(other)
    for code in (0, first, codes[0], codes[-1], 2**32):
        assert slots_plain.position(plain, code) == numpy_work.position(other, code)
    half = slots_plain.merged(plain, plain[: count // 2])
    assert half.tolist() == numpy_work.merged(other, other[: count // 2]).tolist()


def test_everything_works_where_numpy_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "pyspeedup.memory._dict.slots_numpy", raising=False)
    slots._has_numpy.cache_clear()
    try:
        assert slots.slot_work(10**6) is slots_plain
        index, codes = filled(ScratchPages(), 40_000)
        assert len(index.first_of_each(codes[:5_000])) == 5_000
    finally:
        slots._has_numpy.cache_clear()


def test_slots_are_numbers_of_64_bits():
    assert array("Q").itemsize == 8
    assert array("I").itemsize == 4


# ---- pages for a while -------------------------------------------------------------------------


def test_scratch_pages_move_to_a_file_and_keep_their_bytes():
    pages = ScratchPages()
    numbers = [pages.append(bytes([value]) * 10) for value in range(200)]
    for value, number in enumerate(numbers):
        pages.write(number, bytes([value]) * 20_000)
    assert all(
        pages.read(number) == bytes([value]) * 20_000 for value, number in enumerate(numbers)
    )
    assert pages.peek(numbers[7], 19_998, 30_000) == b"\7\7"
    assert pages.peek(numbers[7], 30_000, 30_010) == b""
    pages.delete(numbers[3])
    with pytest.raises(KeyError):
        pages.delete(numbers[3])
    pages.close()
    pages.close()


def test_scratch_pages_use_left_room_again():
    pages = ScratchPages()
    for _ in range(50):
        numbers = [pages.append(b"x" * 3_000) for _ in range(10)]
        for number in numbers:
            pages.write(number, b"y" * 9_000)
        for number in numbers:
            pages.delete(number)
    assert max(numbers) < 10
    assert pages._end <= 10 * (4_096 + 16_384)
    pages.close()


# ---- the filter --------------------------------------------------------------------------------


@pytest.mark.parametrize("can_map", [True, False])
@pytest.mark.parametrize("kind", ["plain", "numpy"])
def test_a_filter_lets_through_whatever_was_added(kind, can_map, monkeypatch):
    if kind == "numpy":
        pytest.importorskip("numpy")
    if not can_map:
        monkeypatch.delattr("mmap.MAP_PRIVATE")
    monkeypatch.setattr(
        "pyspeedup.memory._dict.index_filter.is_for_numpy", lambda _: kind == "numpy"
    )
    added = [n * 0x9E3779B1 & HASH_MASK for n in range(20_000)]
    seen = Filter()
    seen.add_many(array("I", added[:10_000]))
    for code in added[10_000:]:
        seen.add(code)
    assert all(map(seen.may_have, added))
    assert seen.some_of(array("I", added)) == list(range(20_000))
    others = [n * 0x85EBCA6B + 1 & HASH_MASK for n in range(20_000)]
    passed = seen.some_of(array("I", others))
    assert passed == [at for at, code in enumerate(others) if seen.may_have(code)]
    assert len(passed) < 200


def test_an_index_that_is_opened_makes_a_filter_once_much_was_asked_in_vain():
    pages = ScratchPages()
    index, codes = filled(pages, 3_000, leaf_slots=500, recent_slots=100)
    opened = Index(pages, index.flush(), leaf_slots=500, recent_slots=100)
    absent = [code ^ 0xFF for code in codes if code ^ 0xFF not in set(codes)]
    assert opened._filter is None
    assert [opened.first(code) for code in absent] == [None] * len(absent)
    assert opened._filter is not None
    assert all(opened.first(code) is not None for code in codes)
    opened.add(absent[0], 7)
    assert opened.first(absent[0]) == 7
    opened.clear()
    assert opened.first(codes[0]) is None


def test_a_filter_that_cannot_be_made_hides_no_whole_part():
    opened, copies, codes, _ = opened_on_copies(3_000, {"leaf_slots": 500, "recent_slots": 100})
    damaged = next(opened._tree.each_leaf()).page
    copies.data[damaged][20] ^= 1
    read, tried = copies.read, []

    def checked(page):
        if page == damaged:
            tried.append(page)
            raise StoreCorruptedError("as a volume says")
        return read(page)

    copies.read = checked
    told = 0
    for code in [code ^ 0xFF for code in codes if code ^ 0xFF not in set(codes)]:
        try:
            assert opened.first(code) is None
        except StoreCorruptedError:
            told += 1
    assert opened._filter is None
    assert tried
    assert 0 < told < 600
