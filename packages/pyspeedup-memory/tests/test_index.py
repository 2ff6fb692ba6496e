"""The index against a dict of sets."""

from __future__ import annotations

import collections

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pyspeedup.memory._dict.index import MAX_ENTRY, Index
from pyspeedup.memory._pages.scratch import ScratchPages
from pyspeedup.memory._storage.volume import Volume

CODES = st.one_of(st.integers(0, 40), st.integers(0, 2**32 - 1), st.just(2**32 - 1))
ENTRIES = st.one_of(st.integers(0, 100), st.just(MAX_ENTRY))


class IndexMachine(RuleBasedStateMachine):
    """Tiny buckets, one of them resident, three slots waiting."""

    def __init__(self):
        super().__init__()
        self.model = collections.defaultdict(set)
        self.volume = Volume({}, kind="dict", page_size=4)
        self.open(None)
        self.committed = {}

    def open(self, state):
        self.index = Index(self.volume, state, bucket_slots=2, resident=1, pending=3)

    @rule(code=CODES, entry=ENTRIES)
    def add(self, code, entry):
        if entry not in self.model[code]:
            self.model[code].add(entry)
            self.index.add(code, entry)

    @rule(data=st.data())
    @precondition(lambda self: any(self.model.values()))
    def discard(self, data):
        slots = [(code, entry) for code, entries in self.model.items() for entry in entries]
        code, entry = data.draw(st.sampled_from(sorted(slots)))
        self.model[code].discard(entry)
        self.index.discard(code, entry)

    @rule(code=CODES, entry=ENTRIES)
    def discard_perhaps_absent(self, code, entry):
        self.model[code].discard(entry)
        self.index.discard(code, entry)

    @rule(code=CODES)
    def find(self, code):
        assert sorted(self.index.find(code)) == sorted(self.model[code])

    @rule()
    def commit_and_open_again(self):
        self.volume.commit(self.index.flush())
        self.committed = {code: set(entries) for code, entries in self.model.items()}
        self.open(self.volume.state)

    @rule()
    def roll_back(self):
        self.volume.rollback()
        self.model = collections.defaultdict(
            set, {code: set(entries) for code, entries in self.committed.items()}
        )
        self.open(self.volume.state)

    @rule()
    def clear(self):
        self.index.clear()
        self.model.clear()

    @invariant()
    def counts_agree(self):
        assert len(self.index) == sum(map(len, self.model.values()))
        self.index.check()

    def teardown(self):
        for code, entries in self.model.items():
            assert sorted(self.index.find(code)) == sorted(entries)
        self.index.clear()
        assert self.volume.pages() == []


TestIndex = IndexMachine.TestCase


def test_many_codes_keep_few_buckets_resident():
    pages = ScratchPages()
    index = Index(pages, bucket_slots=64, resident=4, pending=100)
    codes = [number * 0x9E3779B1 % 2**32 for number in range(5_000)]
    for entry, code in enumerate(codes):
        index.add(code, entry)
    assert index.resident <= 4
    assert index.buckets > 5_000 // 64
    assert all(entry in index.find(code) for entry, code in enumerate(codes))
    assert index.resident <= 4
    index.check()
    pages.close()


def test_one_code_may_lead_to_more_entries_than_a_bucket_holds():
    index = Index(ScratchPages(), bucket_slots=4, resident=2, pending=8)
    for entry in range(100):
        index.add(0xFFFF_FFFF, entry)
    assert sorted(index.find(0xFFFF_FFFF)) == list(range(100))
    assert index.find(0x7FFF_FFFF) == []
    index.check()


def test_an_entry_number_too_large_is_refused():
    with pytest.raises(OverflowError, match="4294967296"):
        Index(ScratchPages()).add(1, MAX_ENTRY + 1)


def test_a_failing_read_loses_nothing_that_waits():
    pages = ScratchPages()
    index = Index(pages, bucket_slots=2, resident=1, pending=100)
    for entry in range(20):
        index.add(entry * 7, entry)
    index.flush()
    for entry in range(20, 40):
        index.add(entry * 7, entry)
    good_read, pages.read = pages.read, lambda _page: (_ for _ in ()).throw(OSError("unplugged"))
    with pytest.raises(OSError, match="unplugged"):
        index.flush()
    pages.read = good_read
    index.flush()
    assert [index.find(entry * 7) for entry in range(40)] == [[entry] for entry in range(40)]
    index.check()


def test_scratch_pages_move_to_a_file_and_keep_their_bytes():
    pages = ScratchPages()
    numbers = [pages.append(bytes([value]) * 10) for value in range(200)]
    for value, number in enumerate(numbers):
        pages.write(number, bytes([value]) * 20_000)
    assert all(
        pages.read(number) == bytes([value]) * 20_000 for value, number in enumerate(numbers)
    )
    pages.delete(numbers[3])
    assert pages.read(numbers[3]) == b""
    pages.close()
    pages.close()
