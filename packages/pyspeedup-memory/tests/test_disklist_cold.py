"""Items of pages that are not in RAM: read alone, set while they wait, and iterated over meanwhile."""

from __future__ import annotations

import contextlib
import errno
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._list.waiting import Waiting
from pyspeedup.memory.disklist import DiskList
from pyspeedup.memory.stores.memory import MemoryStore


def open_list(items=(), size_limit=4, max_pages=2, page_store=None, **options):
    store = {} if page_store is None else page_store
    opened = DiskList("stored", size_limit, max_pages, page_store=store, **options)
    opened.extend(items)
    return opened


def waiting(stored):
    return sum(map(len, stored._content.pager.cold.waiting.pages.values()))


def test_items_that_are_got_here_and_there_load_no_page():
    store = {}
    open_list(range(1000), 10, page_store=store).close()
    with open_list(page_store=store) as stored:
        places = random.Random(1).sample(range(0, 1000, 10), 100)
        assert [stored[place] for place in places] == places
        assert [stored[place : place + 1] for place in places] == [[place] for place in places]
        assert [stored[place : place + 9] for place in places[:5]]
        assert stored._content.pager.loads == 0


def test_a_page_that_is_asked_for_again_and_again_is_loaded():
    store = {}
    open_list(range(1000), 10, page_store=store).close()
    with open_list(page_store=store) as stored:
        for _ in range(200):
            assert stored[555] == 555
        assert stored._content.pager.loads == 1


def test_what_is_set_in_a_page_that_is_kept_undecoded_is_seen_after_it_was_written():
    store = {}
    open_list(range(1000), 10, page_store=store).close()
    with open_list(page_store=store, max_pages=1) as stored:
        for _ in range(3):
            assert [stored[place] for place in range(0, 1000, 10)] == list(range(0, 1000, 10))
        assert len(stored._content.pager.cold._images.pages) > 50
        for place in range(0, 1000, 10):
            stored[place] = -place
        for _ in range(2):
            assert [stored[place] for place in range(0, 1000, 10)] == list(range(0, -1000, -10))
            stored.sync()
        assert stored._content.pager.loads == 0


def test_items_that_are_set_here_and_there_wait_and_are_seen():
    store = {}
    expected = list(range(1000))
    open_list(expected, 10, page_store=store).close()
    with open_list(page_store=store, max_pages=3) as stored:
        chance = random.Random(2)
        for step in range(300):
            place = chance.randrange(1000)
            stored[place] = expected[place] = f"new {step}"
            assert stored[place] == f"new {step}"
            assert waiting(stored) <= 30
        assert waiting(stored) > 10
        assert stored._content.pager.loads < 30
        assert stored == expected
        stored.sync()
        assert waiting(stored) == 0
    with open_list(page_store=store) as stored:
        assert stored == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.insert(41, "inserted"),
        lambda items: items.pop(41),
        lambda items: items.sort(key=str),
        lambda items: items.reverse(),
        lambda items: items.__setitem__(slice(41, 43), [1, 2, 3]),
        lambda items: items.__delitem__(slice(None, None, 3)),
        lambda items: items.__imul__(2),
        lambda items: items.clear(),
    ],
)
def test_what_waits_is_there_when_rows_move(change):
    store = {}
    expected = list(range(100))
    open_list(expected, page_store=store).close()
    with open_list(page_store=store, max_pages=9) as stored:
        for place in (40, 5, 42, 77, 43):
            stored[place] = expected[place] = -place
        assert waiting(stored) == 5
        change(stored)
        change(expected)
        assert stored == expected
    with open_list(page_store=store) as stored:
        assert stored == expected


def test_long_values_that_what_waits_replaces_are_deleted():
    store = {}
    open_list([str(n) * 3000 for n in range(10, 50)], page_store=store, ram_limit=4000).close()
    with open_list(page_store=store, ram_limit=4000) as stored:
        pages = len(stored._content.volume.pages())
        for place in range(0, 40, 5):
            stored[place] = place
        assert waiting(stored) > 0
        assert [stored[place] for place in range(0, 40, 5)] == list(range(0, 40, 5))
        stored.sync()
        assert len(stored._content.volume.pages()) == pages - 8


class FullStore(dict):
    is_full = False

    def __setitem__(self, key, value):
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left")
        super().__setitem__(key, value)


def test_on_a_full_disk_what_waits_is_not_lost():
    store = FullStore()
    expected = list(range(100))
    open_list(expected, page_store=store).close()
    with open_list(page_store=store) as stored:
        store.is_full = True
        refused = 0
        for place in range(0, 100, 4):
            try:
                stored[place] = -place
            except OSError:
                refused += 1
            else:
                expected[place] = -place
        assert 0 < refused < 25
        with pytest.raises(OSError, match="no space"):
            stored.sync()
        store.is_full = False
        assert stored == expected
    with open_list(page_store=store) as stored:
        assert stored == expected


def test_a_transaction_takes_back_what_waits_and_what_is_incoming():
    with open_list(range(100)) as stored:
        stored.append(100)
        with contextlib.suppress(ZeroDivisionError), stored.transaction():
            stored[50] = "set"
            for n in range(5):
                stored.append(n)
            raise ZeroDivisionError
        assert stored == list(range(101))


def test_appended_items_are_committed_as_soon_as_they_are_due():
    store = {}
    with open_list(page_store=store, sync_every=0) as stored:
        for number in range(5):
            stored.append(number)
            with open_list(page_store=dict(store)) as copied:
                assert len(copied) >= number  # the first change begins the time
        assert stored == [0, 1, 2, 3, 4]


def test_popping_what_was_just_appended():
    with open_list(range(3)) as stored:
        for number in range(20):
            stored.append(number)
            stored.append((number, "x"))
            assert stored.pop() == (number, "x")
            assert len(stored) == 4
            assert stored.pop(-1) == number
        assert stored == [0, 1, 2]


def test_a_damaged_byte_is_told_of_or_harms_no_item(tmp_path):
    items = [(number, str(number)) for number in range(60)]
    with DiskList("l", 8, file_location=tmp_path) as stored:
        stored.extend(items)
    path = next(tmp_path.rglob("data"))
    whole = path.read_bytes()
    chance = random.Random(3)
    told = 0
    for _ in range(60):
        place = chance.randrange(16384, len(whole))
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            with DiskList("l", file_location=tmp_path, readonly=True) as stored:
                for place in chance.sample(range(60), 60):
                    try:
                        assert stored[place] == items[place]
                    except StoreCorruptedError as error:
                        assert "page" in str(error)  # noqa: PT017 -- an item either is right or says so
                        told += 1
        except StoreCorruptedError:
            told += 1  # damage of what an opening reads
    assert told > 20
    path.write_bytes(whole)


# Iterating while the list changes

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["next"] * 6 + ["set", "insert", "delete", "append", "pop", "reverse", "cut"]
        ),
        st.integers(0, 60),
    ),
    max_size=60,
)


def do(items, iterators, step, place):
    """Do a step to a list or a `DiskList`, and return what came of it."""
    place = place % (len(items) or 1)
    if step == "next":
        return [next(iterator, "end") for iterator in iterators]
    if step == "insert":
        items.insert(place, f"inserted {place}")
    elif step == "append":
        items.append(f"appended {place}")
    elif step == "reverse":
        items.reverse()
    elif step == "cut":
        items[place : place + 3] = ["cut"]
    elif items:
        if step == "set":
            items[place] = f"set {place}"
        elif step == "delete":
            del items[place]
        else:
            return items.pop()
    return list(items)


@given(st.integers(0, 60), STEPS, st.booleans())
def test_iterators_see_changes_as_those_of_a_list_do(length, steps, is_mutable):
    expected = [[number] if is_mutable else number for number in range(length)]
    with open_list(expected, page_store=MemoryStore()) as stored:
        mine = [iter(expected), reversed(expected)]
        theirs = [iter(stored), reversed(stored)]
        for step, place in steps:
            assert do(stored, theirs, step, place) == do(expected, mine, step, place)
        assert [list(iterator) for iterator in theirs] == [list(iterator) for iterator in mine]
        assert stored._content.walks.under_way == []


def test_an_iterator_that_is_left_is_forgotten():
    with open_list(range(100)) as stored:
        iterator = iter(stored)
        assert next(iterator) == 0
        assert len(stored._content.walks.under_way) == 1
        del iterator
        assert stored._content.walks.under_way == []


def test_an_automatic_commit_is_no_change_to_a_sort_that_is_under_way():
    with open_list([[number % 7] for number in range(60)], sync_every=0, max_pages=1) as stored:
        stored.sort(reverse=True)
        assert stored == sorted(([number % 7] for number in range(60)), reverse=True)
        commits = []
        stored._content.flush = lambda **_: commits.append(len(stored))
        stored.sort()
        del stored._content.flush
        assert len(commits) <= 1  # its own, in the end


def test_a_page_with_a_single_value_that_waits_takes_room_itself():
    """Else long lists, where each value waits for another page, would take twice the RAM."""
    waiting = Waiting(most=10, limit=1 << 20)
    for page in range(5):
        assert waiting.room > 0
        waiting.put(page, 0, page)
    assert waiting.room == 0
    waiting.put(0, 1, "in a page that counts already")
    assert waiting.room == -1
    for room, page in enumerate([1, 3, 4, 2]):
        waiting.take(page)
        assert waiting.room == 2 * room + 1
    waiting.take(0)
    assert waiting.room == 10


class UndeletingStore(MemoryStore):
    is_broken = False

    def delete(self, page):
        if self.is_broken:
            raise OSError(errno.EIO, "not deleted")
        super().delete(page)


@pytest.mark.parametrize("change", ["read", "set", "delete", "replace", "reverse", "sync"])
def test_where_nothing_can_be_deleted_what_waits_is_not_lost(change):
    store = UndeletingStore()
    expected = ["long" * 5000 if number % 16 == 8 else number for number in range(160)]
    open_list(expected, 16, page_store=store).close()
    with open_list(page_store=store) as stored:
        for place in (40, 100, 41):
            stored[place] = expected[place] = "set"
        assert waiting(stored) == 3
        changes = {
            "read": lambda items: items[35:47],
            "set": lambda items: items.__setitem__(slice(40, 41), [[1]]),
            "delete": lambda items: items.__delitem__(8),
            "replace": lambda items: items.__setitem__(slice(3, 9), []),
            "reverse": lambda items: items.reverse(),
            "sync": lambda items: getattr(items, "sync", list)(),
        }
        after = expected.copy()
        changes[change](after)
        store.is_broken = True
        with pytest.raises(OSError, match="not deleted"):
            changes[change](stored)
        store.is_broken = False
        found = list(stored)
        assert found in (expected, after)
        stored._content.pager.check()
    with open_list(page_store=store) as stored:
        assert stored == found
