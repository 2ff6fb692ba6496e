"""DiskList: what examples show best."""

from __future__ import annotations

import contextlib
import copy
import errno
import functools
import operator
import pickle
import random
import subprocess
import sys
import threading
import tracemalloc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import SerializationError, StoreError
from pyspeedup.memory._list.page_table import PageTable
from pyspeedup.memory.disklist import DiskList


def open_list(items=(), size_limit=4, max_pages=2, page_store=None, **options):
    store = {} if page_store is None else page_store
    opened = DiskList("stored", size_limit, max_pages, page_store=store, **options)
    opened.extend(items)
    return opened


# The contract


def test_what_was_appended_is_found_again(tmp_path):
    with DiskList("test", file_location=tmp_path) as stored:
        for i in range(10):
            stored.append(chr(97 + i))
        assert stored[3] == "d"
    with DiskList("test", file_location=tmp_path) as stored:
        assert stored == list("abcdefghij")


def test_another_process_finds_it(tmp_path):
    with DiskList("test", 3, file_location=tmp_path) as stored:
        stored.extend([{"a": i} for i in range(10)])
    script = (
        "import sys; from pyspeedup.memory.disklist import DiskList\n"
        "with DiskList('test', file_location=sys.argv[1]) as stored:\n"
        "    assert stored == [{'a': i} for i in range(10)], list(stored)\n"
        "    stored[3]['b'] = 1\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)
    with DiskList("test", file_location=tmp_path) as stored:
        assert stored[3] == {"a": 3, "b": 1}


def test_opening_reads_no_values(tmp_path):
    with DiskList("test", 10, file_location=tmp_path) as stored:
        stored.extend(range(1000))
    with DiskList("test", 10, file_location=tmp_path) as stored:
        assert len(stored) == 1000
        assert stored._content.pager.loads == 0
        assert stored[555] == 555
        assert stored._content.pager.loads == 0
        assert [stored[555 + i % 5] for i in range(50)] == [555 + i % 5 for i in range(50)]
        assert stored._content.pager.loads == 1


def test_ram_is_bounded_by_pages():
    with open_list(range(1000), size_limit=10, max_pages=3) as stored:
        for index in range(0, 1000, 7):
            assert stored[index] == index
            assert stored._content.pager.resident <= 3
        assert sum(stored) == sum(range(1000))
        stored.sort(reverse=True)
        stored.reverse()
        assert stored[:5] == [0, 1, 2, 3, 4]
        assert stored._content.pager.resident <= 3
        assert stored._content.pager.evictions > 100


def test_ram_is_bounded_in_bytes(tmp_path):
    million = 1_000_000
    with DiskList("big", file_location=tmp_path, ram_limit=8 << 20) as stored:
        tracemalloc.start()
        for number in range(60):
            stored.append(bytes([number]) * million)
        for number, item in enumerate(stored):
            assert item[0] == item[-1] == number
        assert [stored[number][0] for number in range(60)] == list(range(60))
        stored.reverse()
        stored.sort(key=lambda item: item[0])
        assert stored[7][0] == 7
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 24 * million  # all of them are 60


def test_pages_split_and_join():
    with open_list(size_limit=8, max_pages=2) as stored:
        for number in range(200):
            stored.insert(number // 2, number)
        table = stored._content.pages.table
        assert max(count for _, count in table) <= 16
        assert len(list(table)) >= 200 // 16
        random.seed(1)
        while len(stored) > 10:
            del stored[random.randrange(len(stored))]
        assert len(list(stored._content.pages.table)) <= 4


@given(st.lists(st.integers(1, 9), min_size=1, max_size=400), st.data())
def test_a_table_of_pages_finds_each_item(counts, data):
    table = PageTable(range(len(counts)), counts)
    pages = list(enumerate(counts))
    for _ in range(3):
        start = data.draw(st.integers(0, len(pages) - 1))
        removed = data.draw(st.integers(0, min(3, len(pages) - start)))
        new = data.draw(st.lists(st.tuples(st.integers(500, 600), st.integers(1, 9)), max_size=200))
        if len(pages) - removed + len(new) == 0:
            continue
        index = sum(count for _, count in pages[:start])
        table.replace(*table.locate(index)[:2], removed, new)
        pages[start : start + removed] = new
        assert list(table) == pages
        assert len(table) == sum(count for _, count in pages)
    again = PageTable.from_bytes(table.to_bytes())
    assert list(again) == pages
    begin = 0
    for number, count in pages:
        for index in {begin, begin + count - 1}:
            group, slot, row = table.locate(index)
            assert (table.number(group, slot), row) == (number, index - begin)
            assert table.count(group, slot) == count
        begin += count


# Errors


def same_error(action, items):
    """Assert that `action` raises on a DiskList what it raises on a list, word for word."""
    with pytest.raises(Exception) as expected:  # noqa: PT011 -- the list says which
        action(list(items))
    with open_list(items) as stored:
        with pytest.raises(type(expected.value)) as found:
            action(stored)
        assert str(found.value).replace("DiskList", "list") == str(expected.value)
        assert stored == items


@pytest.mark.parametrize(
    "action",
    [
        lambda stored: stored[9],
        lambda stored: stored[-10],
        lambda stored: stored["a"],
        lambda stored: stored[1.0],
        lambda stored: stored[None:"a"],
        lambda stored: stored[::0],
        lambda stored: operator.setitem(stored, 9, 1),
        lambda stored: operator.setitem(stored, "a", 1),
        lambda stored: operator.setitem(stored, slice(0, 1), 5),
        lambda stored: operator.setitem(stored, slice(0, 3, 2), 5),
        lambda stored: operator.setitem(stored, slice(0, 3, 2), [1, 2, 3]),
        lambda stored: operator.delitem(stored, 9),
        lambda stored: operator.delitem(stored, "a"),
        lambda stored: stored.pop(9),
        lambda stored: stored.pop("a"),
        lambda stored: stored.remove("x"),
        lambda stored: stored.index("x"),
        lambda stored: stored.insert("x", 1),
        lambda stored: stored.extend(5),
        lambda stored: operator.add(stored, (1,)),
        lambda stored: stored * 1.5,
        lambda stored: stored * [],
        lambda stored: operator.imul(stored, 1.5),
        lambda stored: operator.iadd(stored, 5),
        lambda stored: stored < 5,
        lambda stored: stored < (1,),
        lambda stored: stored.sort(key=5),
        lambda stored: sorted([*stored, "a"]) and stored.sort(key=lambda item: [1, "a"][item % 2]),
    ],
)
def test_errors_are_those_of_a_list(action):
    same_error(action, [1, 2, 3])


def test_errors_of_an_empty_list():
    same_error(operator.methodcaller("pop"), [])
    same_error(lambda stored: stored.pop(0), [])


def test_a_list_has_no_hash():
    with open_list() as stored, pytest.raises(TypeError, match="unhashable type: 'DiskList'"):
        hash(stored)


def test_pickling_says_what_to_do_instead():
    with open_list([1]) as stored, pytest.raises(TypeError, match=r"pickle l\.copy\(\)"):
        pickle.dumps(stored)


def test_after_close_everything_raises():
    stored = open_list([1, 2, 3])
    iterator = iter(stored)
    assert next(iterator) == 1
    stored.close()
    actions = [
        lambda: stored[0],
        lambda: operator.setitem(stored, 0, 1),
        lambda: operator.delitem(stored, 0),
        stored.__len__,
        lambda: list(stored),
        lambda: next(iterator),
        lambda: stored.append(1),
        lambda: stored.extend([1]),
        lambda: stored.insert(0, 1),
        stored.pop,
        lambda: stored.remove(1),
        stored.clear,
        stored.reverse,
        stored.sort,
        stored.copy,
        lambda: 1 in stored,
        lambda: stored.index(1),
        lambda: stored.count(1),
        lambda: stored == [1],
        lambda: stored < [1],
        lambda: operator.add(stored, [1]),
        lambda: stored * 2,
        stored.sync,
    ]
    for action in actions:
        with pytest.raises(ValueError, match="is closed"):
            action()
    assert "closed" in repr(stored)


def test_a_list_that_is_read_only_refuses_every_change():
    store = {}
    with open_list([3, 1, 2], page_store=store):
        pass
    with DiskList("stored", page_store=store, readonly=True) as stored:
        for action in (
            lambda: operator.setitem(stored, 0, 1),
            lambda: operator.setitem(stored, slice(1), []),
            lambda: operator.delitem(stored, 0),
            lambda: operator.delitem(stored, slice(1)),
            lambda: stored.append(1),
            lambda: stored.extend([1]),
            lambda: stored.extend(iter(())),
            lambda: stored.insert(0, 1),
            stored.pop,
            lambda: stored.remove(1),
            lambda: operator.imul(stored, 2),
            lambda: operator.iadd(stored, [1]),
            stored.clear,
            stored.reverse,
            stored.sort,
        ):
            with pytest.raises(StoreError, match="readonly=True"):
                action()
        assert stored == [3, 1, 2]


class OldSequence:
    """Can be iterated over by its indexes only."""

    def __getitem__(self, index):
        return "ab"[index]


def test_anything_that_can_be_iterated_over_is_taken():
    with open_list([1, 2, 3]) as stored:
        stored[1:2] = OldSequence()
        stored.extend(OldSequence())
        stored[0:3:2] = OldSequence()
        assert stored == ["a", "a", "b", 3, "a", "b"]


# What cannot be kept


@pytest.mark.parametrize(
    "action",
    [
        lambda stored, bad: stored.append(bad),
        lambda stored, bad: stored.insert(2, bad),
        lambda stored, bad: operator.setitem(stored, 2, bad),
        lambda stored, bad: operator.setitem(stored, slice(1, 2), [5, bad]),
        lambda stored, bad: operator.setitem(stored, slice(0, 9, 4), [5, bad, 6]),
        lambda stored, bad: stored.extend([5, bad]),
        lambda stored, bad: operator.iadd(stored, (5, bad)),
    ],
)
def test_what_cannot_be_kept_is_refused_by_index_and_changes_nothing(action):
    items = [[number] for number in range(9)]
    with open_list(items) as stored:
        stored.sync()
        pages = len(stored._content.volume.pages())
        with pytest.raises(SerializationError, match=r"index \d+ cannot be kept: .*pickled"):
            action(stored, lambda: None)
        assert stored == items
        stored.sync()
        assert len(stored._content.volume.pages()) == pages


def test_extending_by_an_iterator_keeps_what_came_before_the_error():
    with open_list([0]) as stored:
        with pytest.raises(SerializationError, match="index 2 "):
            stored.extend(iter([1, lambda: None, 3]))
        assert stored == [0, 1]


def test_a_change_in_place_that_cannot_be_written_fails_sync_and_loses_nothing():
    store = {}
    stored = open_list([[number] for number in range(20)], page_store=store)
    stored[5].append(lambda: None)
    stored[17].append("kept")
    assert len(stored[5]) == 2
    for _ in range(2):
        with pytest.raises(SerializationError, match="the value at index 5 was changed in place"):
            stored.sync()
    stored[5].pop()
    stored.close()
    with open_list(page_store=store) as stored:
        assert stored[5] == [5]
        assert stored[17] == [17, "kept"]
        assert len(stored) == 20


class Gone:
    """Can be written, and is not there any more when it is read."""

    def __reduce__(self):
        return operator.attrgetter("nothing"), (None,)


def test_a_value_that_cannot_be_read_is_named_and_the_others_are_there():
    store = {}
    with open_list([0, 1, Gone(), 3, 4, 5], page_store=store):
        pass
    with open_list(page_store=store) as stored:
        with pytest.raises(SerializationError, match="index 2 cannot be read"):
            stored[2]
        iterator = iter(stored)
        assert [next(iterator), next(iterator)] == [0, 1]
        with pytest.raises(SerializationError, match="index 2 cannot be read"):
            next(iterator)
        assert stored[3:] == [3, 4, 5]
        stored[2] = 2
        assert stored == [0, 1, 2, 3, 4, 5]


class FullStore(dict):
    is_full = False

    def __setitem__(self, key, value):
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left")
        super().__setitem__(key, value)


@pytest.mark.parametrize(
    "action",
    [
        lambda stored: stored.sort(reverse=True),
        lambda stored: stored.reverse(),
        lambda stored: operator.setitem(stored, slice(5, 30), range(50)),
        lambda stored: operator.setitem(stored, slice(0, 40, 2), range(20)),
        lambda stored: operator.delitem(stored, slice(0, 40, 2)),
        lambda stored: operator.imul(stored, 3),
        lambda stored: stored.extend(list(range(50))),
    ],
)
def test_on_a_full_disk_an_operation_is_done_whole_or_not_at_all(action):
    store = FullStore()
    items = [[number] for number in range(40)]
    stored = open_list(items, page_store=store, max_pages=1)
    stored.sync()
    stored[3].append("changed")
    items[3].append("changed")
    store.is_full = True
    with pytest.raises(OSError, match="no space"):
        action(stored)
    with pytest.raises(OSError, match="no space"):
        stored.sync()
    store.is_full = False
    assert stored == items
    stored.close()
    with open_list(page_store=store) as stored:
        assert stored == items


def test_what_is_popped_is_not_lost_where_an_automatic_commit_fails():
    store = FullStore()
    with open_list([[1], [2]], page_store=store, sync_every=0) as stored:
        for left in (1, 0):
            store.is_full = True
            with pytest.raises(OSError, match="no space"):
                stored.pop()
            assert len(stored) == left + 1
            store.is_full = False
            assert stored.pop() == [left + 1]


class FillingStore(dict):
    """Is full after `room` more puts."""

    room = 1 << 30

    def __setitem__(self, key, value):
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, "no space left")
        super().__setitem__(key, value)


@pytest.mark.parametrize("action", ["reverse", "sort", "repeat"])
def test_a_disk_that_fills_up_leaves_no_page_behind(action):
    store = FillingStore()
    refused = 0
    with open_list(["x" * 3000] * 10, page_store=store, max_pages=1, ram_limit=2000) as stored:
        for room in range(30):
            stored[0] = f"{room}" * 2000
            store.room = room
            try:
                stored.__imul__(2) if action == "repeat" else getattr(stored, action)()
            except OSError:
                refused += 1
            store.room = 1 << 30
            stored._content.pager.check()
            del stored[10:]
        assert len(stored) == 10
        stored.clear()
        stored.sync()
        assert stored._content.volume.pages() == []
    assert refused > 1


def test_what_a_list_can_be_added_to_can_be_added_to_it():
    class Addable:
        def __radd__(self, other):
            return list(other), "added"

    with open_list([1]) as stored:
        assert stored + Addable() == ([1], "added")


# Objects


def test_an_item_is_the_same_object_while_it_is_held():
    with open_list([[number] for number in range(40)], max_pages=1) as stored:
        held = stored[3]
        inner = [1]
        stored[4] = {"inner": inner}
        assert len(list(stored)) == 40
        held.append("late")
        inner.append("late")
        assert stored[3] is held
        assert stored[4]["inner"] is inner
        stored.insert(0, [])
        stored.sort(key=str)
        stored.reverse()
        for number in range(len(stored)):
            stored[number]
        held.append("later")
        assert [3, "late", "later"] in stored
        assert {"inner": [1, "late"]} in stored


def test_a_long_item_that_is_changed_while_rows_move_is_kept():
    items = [[number] * 400 for number in range(8)]
    with open_list(items, max_pages=1, ram_limit=4000) as stored:
        held = stored[2]
        for step in range(10):
            held.append(step)
            stored.insert(0, [step])
            stored.reverse()
            stored[1:3] = [stored[1], stored[2]]
        assert held in stored.copy()
        stored.sync()


def test_nan_is_found_by_identity_while_it_is_resident():
    with open_list([float("nan"), 1.0]) as stored:
        assert stored.index(stored[0]) == 0
        assert stored.count(stored[0]) == 1
        assert stored.count(float("nan")) == 0


def test_iterating_and_changing_each_item_is_kept():
    store = {}
    with open_list([[number] for number in range(50)], page_store=store, max_pages=1) as stored:
        stored.sync()
        for item in stored:
            item.append("seen")
        assert stored._content.pager.resident <= 3
    with open_list(page_store=store) as stored:
        assert stored == [[number, "seen"] for number in range(50)]


def test_an_iterator_sees_what_is_set_meanwhile():
    with open_list(range(20)) as stored:
        seen = []
        for index, item in enumerate(stored):
            seen.append(item)
            if index < 19:
                stored[index + 1] = -item
        assert seen == [0] * 20
        for item in stored:
            if len(stored) < 50:
                stored.append(item)
        assert len(stored) == 50


class Emptier:
    """Empties the list that it is compared within."""

    victim = None

    def __eq__(self, other):
        Emptier.victim.clear()
        return False

    __hash__ = None


class Incomparable:
    def __eq__(self, other):
        raise ArithmeticError

    __hash__ = None


@pytest.mark.parametrize(
    "action",
    [
        lambda stored: stored.count(None) == 0,
        lambda stored: None not in stored,
        lambda stored: stored != [1] * len(stored),
    ],
)
def test_a_comparison_may_change_the_list(action):
    with open_list([Emptier() for _ in range(20)], size_limit=2) as stored:
        Emptier.victim = stored
        assert action(stored)
        assert stored == []


@pytest.mark.parametrize("action", [DiskList.index, DiskList.remove])
def test_a_comparison_may_change_the_list_that_is_searched(action):
    with open_list([Emptier() for _ in range(20)], size_limit=2) as stored:
        Emptier.victim = stored
        with pytest.raises(ValueError, match="not in list"):
            action(stored, None)
        assert stored == []


def test_a_comparison_that_raises_changes_nothing():
    with open_list([1, Incomparable(), 2]) as stored:
        for action in (stored.remove, stored.index, stored.count, stored.__contains__):
            with pytest.raises(ArithmeticError):
                action(2)
        assert (len(stored), stored[0], stored[2]) == (3, 1, 2)


def test_a_key_that_changes_the_list_is_an_error():
    for max_pages in (1, 10):
        with open_list(range(20), max_pages=max_pages) as stored:
            with pytest.raises(ValueError, match="list modified during sort"):
                stored.sort(key=lambda item: stored.append(item) or item)
            assert set(stored) == set(range(20))


# Sorting


@pytest.mark.parametrize("max_pages", [1, 2, 100])
@pytest.mark.parametrize("reverse", [False, True])
def test_sorting_is_stable_whether_or_not_it_fits(max_pages, reverse):
    items = [(random.Random(number).randrange(5), number) for number in range(200)]
    with open_list(items, max_pages=max_pages) as stored:
        stored.sort(key=operator.itemgetter(0), reverse=reverse)
        assert stored == sorted(items, key=operator.itemgetter(0), reverse=reverse)
        stored.sort(reverse=not reverse)
        assert stored == sorted(items, reverse=not reverse)


def test_sorting_asks_for_nothing_but_less_than():
    class Only:
        def __init__(self, number):
            self.number = number

        def __lt__(self, other):
            return self.number < other.number

        def __eq__(self, other):
            raise ArithmeticError

        __hash__ = None

    with open_list(list(range(20)) * 2, size_limit=2, max_pages=1) as stored:
        stored.sort(key=lambda item: Only(-item))
        assert stored == sorted(list(range(20)) * 2, reverse=True)
        stored.sort(key=functools.cmp_to_key(lambda a, b: a - b))
        assert stored == sorted(list(range(20)) * 2)


def test_sorting_has_few_items_in_ram():
    class Counted:
        alive = most = 0

        def __init__(self, number):
            self.number = number
            Counted.alive += 1
            Counted.most = max(Counted.most, Counted.alive)

        def __lt__(self, other):
            return self.number < other.number

    def key(item):
        counted = Counted(item)
        weakref.finalize(counted, lambda: setattr(Counted, "alive", Counted.alive - 1))
        return counted

    numbers = list(range(1000))
    random.Random(1).shuffle(numbers)
    with open_list(numbers, size_limit=10, max_pages=5) as stored:
        stored.sort(key=key)
        assert stored == list(range(1000))
    assert Counted.most <= 3 * 50


def test_after_a_key_that_raises_no_page_is_lost():
    with open_list([[number] * 300 for number in range(40)], max_pages=1, ram_limit=4000) as stored:
        stored.sync()
        pages = stored._content.volume.pages()
        with pytest.raises(ZeroDivisionError):
            stored.sort(key=lambda item: 1 // (item[0] - 30))
        stored.sync()
        assert stored._content.volume.pages() == pages
        assert [item[0] for item in stored] == list(range(40))


# Plain lists come out


def test_slices_sums_products_and_copies_are_plain_lists():
    with open_list([1, [2]]) as stored, open_list([3]) as other:
        found = [
            stored[:],
            stored[::-1],
            stored.copy(),
            copy.copy(stored),
            operator.add(stored, [3]),
            operator.add([0], stored),
            stored + other,
            stored * 2,
            2 * stored,
        ]
        assert [type(item) for item in found] == [list] * 9
        assert found[4:] == [[1, [2], 3], [0, 1, [2]], [1, [2], 3], [1, [2]] * 2, [1, [2]] * 2]
        assert copy.copy(stored)[1] is stored[1]
        assert copy.deepcopy(stored) == stored
        assert copy.deepcopy(stored)[1] is not stored[1]


def test_lists_compare_with_each_other():
    with open_list([1, 2]) as stored, open_list([1, 3]) as other:
        assert stored < other
        assert other >= stored
        assert stored != other
        assert stored == [1, 2]
        assert stored == [1, 2]
        assert stored > [1, 1]
        assert stored != (1, 2)
        assert stored == stored  # noqa: PLR0124 -- with itself


class Changer:
    """Equals everything, and does something when it is compared."""

    action = None

    def __eq__(self, other):
        Changer.action()
        return True

    __hash__ = None


@pytest.mark.parametrize("turns", [1, 2, 5])
@pytest.mark.parametrize("method", ["append", "pop"])
@pytest.mark.parametrize("changes_first", [True, False])
def test_a_comparison_that_changes_a_list_ends_as_with_lists(turns, method, changes_first):
    def compare(make):
        arguments = (0,) if method == "append" else ()
        left = iter(range(turns))
        with make() as first, make() as second:

            def change():
                if next(left, None) is not None:
                    getattr(first if changes_first else second, method)(*arguments)

            Changer.action = change
            second.extend([Changer() for _ in range(8)])
            first.extend(range(8))
            return first == second, len(first), len(second)

    class Plain(list):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    assert compare(open_list) == compare(Plain)


@pytest.mark.parametrize(
    "action",
    [
        lambda items: items.pop(2**70),
        lambda items: items.pop(-(2**70)),
        lambda items: items.insert(2**70, 0),
        lambda items: items * 2**70,
        lambda items: operator.imul(items, 2**70),
        lambda items: operator.imul(items, -(2**70)),
        lambda items: operator.imul(items, sys.maxsize),
        lambda items: items[2**70],
        lambda items: operator.delitem(items, -(2**70)),
        lambda items: operator.setitem(items, 2**70, 0),
    ],
)
@pytest.mark.parametrize("items", [[], [1, 2]])
def test_numbers_beyond_all_sizes_raise_what_a_list_raises(action, items):
    raised = []
    with open_list(items) as stored:
        for subject in (list(items), stored):
            try:
                found = action(subject)
                raised.append((None, list(found)))
            except (OverflowError, IndexError, MemoryError) as error:
                raised.append((type(error), None))
        assert raised[0] == raised[1]
        if raised[0][0]:
            assert stored == items


def test_repr_is_that_of_a_list_until_it_is_long():
    with open_list([1, "a", [2]]) as stored:
        assert repr(stored) == str(stored) == "[1, 'a', [2]]"
        stored.extend(range(1_000))
        assert len(repr(stored)) < 200
        assert "993 more" in repr(stored)


def test_a_list_that_is_shown_within_itself_ends():
    class Item:
        def __repr__(self):
            return repr(Item.within)

        def __reduce__(self):
            return Item, ()

    Item.__qualname__ = "Item"
    globals()["Item"] = Item
    with open_list([Item()]) as stored:
        Item.within = stored
        assert repr(stored) == "[[...]]"


# Commits


def test_a_transaction_that_fails_takes_everything_back():
    with open_list(range(20)) as stored:
        with contextlib.suppress(ZeroDivisionError), stored.transaction():
            stored.reverse()
            stored.append("new")
            del stored[3:9]
            raise ZeroDivisionError
        assert stored == list(range(20))
        with stored.transaction():
            stored.append(20)
        assert stored == list(range(21))


def test_what_was_not_synced_is_not_there_after_a_kill(tmp_path):
    script = (
        "import os, signal, sys; from pyspeedup.memory.disklist import DiskList\n"
        "stored = DiskList('stored', 4, 1, sys.argv[1])\n"
        "stored.extend(range(100)); stored.sync()\n"
        "stored.reverse(); stored.append('lost'); stored[3] = 'lost'\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == -9
    with DiskList("stored", file_location=tmp_path) as stored:
        assert stored == list(range(100))


def test_threads_may_append_at_the_same_time():
    with open_list(size_limit=8) as stored:
        threads = [
            threading.Thread(
                target=lambda part=part: [stored.append((part, i)) for i in range(200)]
            )
            for part in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stored) == 800
        assert sorted(stored) == [(part, i) for part in range(4) for i in range(200)]
        for part in range(4):
            assert [i for owner, i in stored if owner == part] == list(range(200))
