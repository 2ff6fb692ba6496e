"""A structure commits by itself once changes are in many pages: each takes RAM until then."""

from __future__ import annotations

import math

import pytest
from faulty_stores import FaultyStore
from left_journals import Crash
from pyspeedup.memory import DiskDict, DiskList, MemoryStore, _content
from pyspeedup.memory._storage.volume import Volume

MOST = 20
STRUCTURES = {"dict": DiskDict, "list": DiskList}


@pytest.fixture(params=STRUCTURES)
def kind(request):
    return request.param


@pytest.fixture
def commits(monkeypatch):
    """Let few changed pages be many; return how many had changed at each commit of a structure."""
    monkeypatch.setattr(_content, "MOST_CHANGED", MOST)
    counts = []
    commit = Volume.commit

    def counted(volume, state, *, durable=False):
        counts.append(volume.changed_pages)
        commit(volume, state, durable=durable)

    monkeypatch.setattr(Volume, "commit", counted)
    return counts


def opened(kind, store, **options):
    return STRUCTURES[kind]("x", 4, 2, page_store=store, sync_every=math.inf, **options)


def add(structure, number):
    if isinstance(structure, DiskDict):
        structure[number] = str(number)
    else:
        structure.append([number])


def content_of(structure):
    return list(structure.items() if isinstance(structure, DiskDict) else structure)


def test_changes_in_many_pages_are_committed(kind, commits):
    with opened(kind, {}) as structure:
        volume = structure._content.volume
        most = 0
        for number in range(2_000):
            add(structure, number)
            most = max(most, volume.changed_pages)
        assert len(commits) > 5
        assert all(MOST <= pages <= 3 * MOST for pages in commits)
        assert most <= 3 * MOST
        expected = content_of(structure)
    assert len(expected) == 2_000


def test_few_changed_pages_wait(kind, commits):
    with opened(kind, {}) as structure:
        for number in range(20):
            add(structure, number)
        assert structure._content.volume.changed_pages < MOST
        assert commits == []
    assert len(commits) == 1


def test_a_transaction_is_committed_at_its_end_however_many_pages_change(kind, commits):
    with opened(kind, {}) as structure:
        structure.sync()
        with structure.transaction():
            commits.clear()
            for number in range(500):
                add(structure, number)
            assert commits == []
        assert len(commits) == 1
        assert commits[0] > 2 * MOST


def test_a_disk_that_is_full_is_told_now_and_then(kind, commits):
    store = FaultyStore(MemoryStore(), kinds=("commit",))
    told = 0
    with opened(kind, store) as structure:
        with store.disk.failing(0, lasting=True):
            for number in range(1_000):
                try:
                    add(structure, number)
                except OSError:
                    told += 1
                    if kind == "dict":
                        add(structure, number)  # which was not done
        assert 2 <= told <= len(commits) < 100
        expected = content_of(structure)
    with opened(kind, store) as structure:
        assert content_of(structure) == expected
        assert len(expected) == 1_000


def test_what_waits_in_a_journal_is_committed_as_one(kind, commits, tmp_path, monkeypatch):
    crash = Crash(tmp_path)
    with crash.open(kind) as structure:
        monkeypatch.setattr(_content, "MOST_CHANGED", 10**6)
        structure.sync()
        for number in range(500):
            add(structure, number)
        crash.strike()
    monkeypatch.setattr(_content, "MOST_CHANGED", MOST)
    commits.clear()
    assert len(crash.found(kind)) == 500
    assert len(commits) == 1
    assert commits[0] > 2 * MOST
