"""Appending one by one: values that wait outside any page, with other threads, time and a full disk."""

from __future__ import annotations

import contextlib
import errno
import random
import sys
import threading
import time

import pytest
from pyspeedup.memory import disklist
from pyspeedup.memory.disklist import DiskList


class FullStore(dict):
    is_full = False

    def __setitem__(self, key, value):
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left")
        super().__setitem__(key, value)


@pytest.fixture
def fast_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def open_list(page_store=None, size_limit=4, **options):
    store = {} if page_store is None else page_store
    return DiskList("appended", size_limit, 2, page_store=store, **options)


MANY = [
    *range(400),
    *(-(1 << 255), 1 << 255, 1 << 300, 10**2000, 1.5, float("inf"), None, True, b"", b"x" * 200),
    *(
        "",
        "\ud800",
        "long" * 100,
        "\U0001f600" * 128,
        (),
        (1, "two", b"3", None, 4.0, False),
        ((),),
    ),
    *((1 << 300,), ("x" * 100,), tuple(range(50)), (1, (2, 3))),
    *range(400),
]


@pytest.mark.parametrize("size_limit", [1, 3, 1024, 10_000])
def test_appended_values_of_all_sizes_are_kept_in_order(size_limit):
    store = {}
    with open_list(store, size_limit) as stored:
        for number, value in enumerate(MANY * 3):
            stored.append(value)
            assert len(stored) == number + 1
        assert stored[-1] == MANY[-1]
        assert stored[:] == MANY * 3
    with open_list(store) as stored:
        assert stored == MANY * 3


@pytest.mark.parametrize("waiting", [1, 3, 5])
@pytest.mark.parametrize("place", [0, 3, 5, -2, -1])
def test_an_item_is_taken_out_wherever_it_waits(waiting, place):
    with open_list(size_limit=1024) as stored:
        stored.extend([0, 1, 2])
        expected = [*range(3), *range(10, 10 + waiting)]
        for value in expected[3:]:
            stored.append(value)
        if place < len(expected):
            assert stored.pop(place) == expected.pop(place)
        assert stored[:] == expected


STEPS = ["append", "append", "append", "pop", "set", "insert", "delete", "slice", "get"]


@pytest.mark.parametrize("seed", range(8))
def test_changes_agree_with_a_list_where_nothing_is_read_between_them(seed):
    """Comparing after each step, as machines do, would bring all that waits into pages."""
    chance = random.Random(seed)
    with open_list(size_limit=1 << seed % 4 * 2, sync_every=1e9) as stored:
        expected = []
        for number in range(2_000):
            step = chance.choice(STEPS) if expected else "append"
            place = chance.randrange(-min(9, len(expected)), len(expected)) if expected else 0
            for items in (expected, stored):
                if step == "append":
                    items.append(number)
                elif step == "set":
                    items[place] = (number,)
                elif step == "insert":
                    items.insert(place, number)
                elif step == "delete":
                    del items[place]
                elif step == "slice":
                    items[place : place + 2] = [number]
            if step == "pop":
                assert stored.pop(place) == expected.pop(place)
            assert step != "get" or stored[place] == expected[place]
            assert len(stored) == len(expected)
        assert stored[:] == expected


def test_items_are_got_and_set_where_they_wait():
    with open_list(size_limit=1024) as stored:
        expected = []
        for number in range(3000):
            stored.append(number)
            expected.append(number)
            if number % 7 == 0:
                place = -1 - number // 14
                assert stored[place] == expected[place]
                stored[place] = expected[place] = (number, "set")
            if number % 501 == 0:
                stored[-1] = expected[-1] = [number]
                stored[-1].append(2)
                expected[-1].append(2)
            with pytest.raises(IndexError):
                stored[number + 1]
            with pytest.raises(IndexError):
                stored[-number - 2] = 0
        assert stored == expected


def test_an_appended_value_that_may_change_is_watched_behind_others_that_wait():
    with open_list(size_limit=1024) as stored:
        for number in range(10):
            stored.append(number)
            stored.append([number])
            stored[-1].append("later")
            stored.append((number, [number]))
            stored[-1][1].append("later")
        stored.sync()
        assert stored[1::3] == [[number, "later"] for number in range(10)]
        assert stored[2::3] == [(number, [number, "later"]) for number in range(10)]


def append_and_wait_for(thread, stored):
    with stored.transaction():
        stored.append("taken back")
        stored.append("taken back too")
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()  # it waits
        assert len(stored) == 4
        raise ZeroDivisionError


def test_another_thread_appends_after_a_transaction_and_loses_nothing_when_it_is_taken_back():
    with open_list() as stored:
        stored.append("before")
        stored.append("open for appending without a lock")
        thread = threading.Thread(target=stored.append, args=("other",))
        with pytest.raises(ZeroDivisionError):
            append_and_wait_for(thread, stored)
        thread.join()
        assert stored == ["before", "open for appending without a lock", "other"]


def test_another_thread_appends_after_a_sort_that_is_under_way():
    with open_list() as stored:
        for number in (2, 1, 3):
            stored.append(number)
        thread = threading.Thread(target=stored.append, args=(0,))

        def key(item):
            if not thread.ident:
                thread.start()
                thread.join(0.1)
                assert thread.is_alive()  # it waits
            return item

        stored.sort(key=key)
        thread.join()
        assert stored == [1, 2, 3, 0]


def change(stored, turn):
    """Change `stored` in many ways that leave what others append; return what was popped."""
    for _ in range(2):
        stored.insert(0, None)
    stored.append(None)
    popped = stored.pop()
    stored.extend([None, None])
    stored[0] = None
    del stored[0]
    stored[0:1] = [None]
    stored[-1:-1] = [None]
    if turn % 8 == 0:
        stored.sync()
    return popped


def test_threads_append_while_another_one_changes_the_list(fast_switches):
    done = threading.Event()
    counts = {"a": 0, "b": 0}

    def append(name):
        while not done.is_set():
            stored.append((name, counts[name]))
            counts[name] += 1

    with open_list(size_limit=64, sync_every=0.01) as stored:
        threads = [threading.Thread(target=append, args=(name,)) for name in counts]
        for thread in threads:
            thread.start()
        popped = [change(stored, turn) for turn in range(150)]
        done.set()
        for thread in threads:
            thread.join()
        items = [item for item in [*stored, *popped] if item is not None]
        assert sorted(items) == [(name, n) for name in "ab" for n in range(counts[name])]
        assert min(counts.values()) > 100
        for name in counts:
            kept = [item[1] for item in stored if item is not None and item[0] == name]
            assert kept == sorted(kept)


def test_what_was_appended_is_committed_once_it_is_due(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(disklist, "monotonic", lambda: now[0])
    store = {}
    with open_list(store, 1024, sync_every=30) as stored:
        for number in range(100):
            stored.append(number)
        now[0] += 29
        stored.append(100)
        before = dict(store)
        now[0] += 2
        stored.append(101)
        for number in range(102, 200):
            stored.append(number)
        with open_list(before) as copied:
            assert len(copied) == 0
        with open_list(dict(store)) as copied:
            assert copied == list(range(102))


def test_appending_is_refused_after_closing_and_to_readers(tmp_path):
    with DiskList("l", file_location=tmp_path) as stored:
        for number in range(10):
            stored.append(number)
    with pytest.raises(ValueError, match="closed"):
        stored.append(10)
    with DiskList("l", file_location=tmp_path, readonly=True) as stored:
        for _ in range(2):
            with pytest.raises(Exception, match="readonly"):
                stored.append(10)
        assert stored == list(range(10))


@pytest.mark.parametrize("size_limit", [4, 256, 1024])
def test_on_a_full_disk_an_append_is_done_or_not(size_limit):
    store = FullStore()
    expected = []
    with open_list(store, size_limit) as stored:
        refused = 0
        for number in range(6000):
            store.is_full = number % 3000 > 1500
            try:
                stored.append(number)
            except OSError:
                refused += 1
            else:
                expected.append(number)
        assert 0 < refused < 3000
        store.is_full = False
        assert stored == expected
    with open_list(store) as stored:
        assert stored == expected


def test_nobody_appends_without_the_lock_where_a_function_traces_lines():
    before = sys.gettrace()
    with open_list() as stored:
        stored.append(0)
        try:
            sys.settrace(lambda *_: None)
            stored.append(1)
            stored.sync()
            stored.append(2)
            assert stored._content.open_until < 0
        finally:
            sys.settrace(before)
        assert stored == [0, 1, 2]


def test_the_length_is_never_beyond_what_was_appended(fast_switches):
    begun, done, wrong = [0], threading.Event(), []

    def append():
        for number in range(60_000):
            begun[0] = number + 1
            stored.append(number)
        done.set()

    with open_list(size_limit=256) as stored:
        thread = threading.Thread(target=append)
        thread.start()
        while not done.is_set():
            length = len(stored)
            if length > begun[0] and not wrong:
                wrong.append((length, begun[0]))
        thread.join()
        assert not wrong
        assert len(stored) == 60_000


@pytest.mark.parametrize("start", [None, 3])
def test_two_lists_that_take_items_from_each_other_do_not_wait_for_each_other(start):
    both_at_it = threading.Barrier(2)

    class Slow(DiskList):
        def __iter__(self):
            with contextlib.suppress(threading.BrokenBarrierError):
                both_at_it.wait(0.1)
            return super().__iter__()

    def take(one, other):
        if start is None:
            one.extend(other)
        else:
            one[start:] = other

    one, other = Slow("one", page_store={}), Slow("other", page_store={})
    one.append(1)
    other.append(2)
    pairs = [(one, other), (other, one)]
    threads = [threading.Thread(target=take, args=pair, daemon=True) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    if any(thread.is_alive() for thread in threads):
        one._finalizer.detach()  # closing would wait for them too
        other._finalizer.detach()
        pytest.fail("they wait for each other")
    assert {len(one), len(other)} == {2, 3}
    one.close()
    other.close()
