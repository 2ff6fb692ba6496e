"""Which pages of a list are resident, what is written, and that changes in place are kept."""

from __future__ import annotations

import enum
import errno
import gc
import tempfile
import tracemalloc
from collections.abc import MutableMapping
from functools import partial

import pytest
from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._list.pager import Pager
from pyspeedup.memory._pages import changes
from pyspeedup.memory._pages.bodies import value_codec
from pyspeedup.memory._storage.volume import Volume

ROWS = 4


class Colour(enum.Enum):
    RED = 1


class Record:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __eq__(self, other):
        return type(other) is Record and vars(self) == vars(other)

    __hash__ = None


def make_volume(store=None, **options):
    store = {} if store is None else store
    return Volume(store, kind="list", page_size=ROWS, **options)


def make_pager(volume=None, max_pages=2, ram_limit=1 << 20, **options):
    volume = make_volume() if volume is None else volume
    return Pager(volume, value_codec(volume.serializer), max_pages, ram_limit, **options)


def fill(pager, pages, make=lambda page, row: (page, row)):
    numbers = []
    for page in range(pages):
        new = pager.new_page()
        for row in range(ROWS):
            new.append(make(page, row))
        numbers.append(new.number)
    return numbers


def all_values(pager, number):
    page = pager.page(number)
    return page.values(0, len(page))


def scan(pager, numbers):
    return [all_values(pager, number) for number in numbers]


def evict_all(pager, numbers):
    """Visit other pages, twice, so that each page had its turn to leave."""
    for number in [*numbers, *numbers]:
        pager.page(number)


class InFile(MutableMapping):
    """A store whose bytes are not in the RAM that is measured."""

    def __init__(self, file):
        self.file = file
        self.places = {}

    def __getitem__(self, key):
        start, length = self.places[key]
        self.file.seek(start)
        return self.file.read(length)

    def __setitem__(self, key, value):
        self.places[key] = self.file.seek(0, 2), len(value)
        self.file.write(value)

    def __delitem__(self, key):
        del self.places[key]

    def __iter__(self):
        return iter(self.places)

    def __len__(self):
        return len(self.places)


# Bounds


@pytest.mark.parametrize("max_pages", [1, 2, 5])
def test_no_more_than_max_pages_are_resident(max_pages):
    pager = make_pager(max_pages=max_pages)
    numbers = fill(pager, 20)
    assert pager.resident == max_pages
    assert pager.evictions == 20 - max_pages
    assert scan(pager, numbers) == [[(page, row) for row in range(ROWS)] for page in range(20)]
    assert pager.resident == max_pages
    assert pager.loads >= 20 - max_pages


def test_the_least_recently_used_page_leaves():
    pager = make_pager(max_pages=2)
    numbers = fill(pager, 3)
    pager.page(numbers[0])
    pager.page(numbers[1])
    pager.page(numbers[0])
    pager.page(numbers[2])
    loads = pager.loads
    pager.page(numbers[0])
    assert pager.loads == loads
    pager.page(numbers[1])
    assert pager.loads == loads + 1


def test_clean_pages_are_not_written():
    pager = make_pager(max_pages=2)
    numbers = fill(pager, 6)
    pager.flush()
    written = pager.written
    assert written == 6
    scan(pager, numbers)
    pager.flush()
    assert pager.written == written
    pager.page(numbers[3]).set(0, "new")
    pager.flush()
    assert pager.written == written + 1


def test_bytes_bound_what_is_resident_where_pages_do_not():
    limit = 50_000
    pager = make_pager(max_pages=100, ram_limit=limit)
    numbers = fill(pager, 100, lambda page, row: bytes([page, row]) * 100)
    assert pager.evictions > 0
    for number in numbers:
        all_values(pager, number)
        assert pager.weight <= limit + 4 * (200 + 200)  # what was decoded last


def test_long_values_of_one_page_do_not_add_up():
    """A page of its own for each; and live objects leave a page that itself stays."""
    with tempfile.TemporaryFile() as file:
        volume = make_volume(InFile(file))
        pager = make_pager(volume, max_pages=16, ram_limit=1 << 20)
        page = pager.new_page()
        tracemalloc.start()
        for row in range(40):
            pager.page(page.number).append(
                [row] * 30_000
            )  # changeable, 240 kB of it, a body of 60 kB
        for row in range(40):
            assert pager.page(page.number).value(row)[-1] == row
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 3 << 20  # all of them would be 9.6 MB
    assert len(page) == 40


def test_a_page_held_over_its_eviction_is_resident_again_once_it_is_used():
    pager = make_pager(max_pages=1)
    numbers = fill(pager, 4)
    held = pager.page(numbers[0])
    evict_all(pager, numbers[1:])
    held.set(1, "changed late")
    assert pager.page(numbers[0]) is held
    del held
    evict_all(pager, numbers[1:])
    assert pager.page(numbers[0]).value(1) == "changed late"


# Long values


def test_long_values_have_pages_of_their_own_which_go_with_them():
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 2, lambda page, row: bytes([page, row]) * 10_000)
    pager.flush()
    assert len(volume.pages()) == 2 + 2 * ROWS
    page = pager.page(numbers[0])
    page.set(0, "short")
    page.set(1, b"again long" * 5_000)
    page.delete(2)
    assert len(volume.pages()) == 2 + 2 * ROWS - 2
    assert page.value(1) == b"again long" * 5_000
    pager.drop(numbers[1])
    pager.drop(numbers[0])
    pager.flush()
    assert volume.pages() == []


def test_a_limit_of_ram_makes_values_long_earlier():
    volume = make_volume()
    pager = make_pager(volume, ram_limit=20_000)
    page = pager.new_page()
    page.append(b"x" * 1_000)
    assert volume.pages() == []
    page.append(b"x" * 2_000)
    assert len(volume.pages()) == 1


# Changes in place


def share(shared, page, row):
    return [shared, row]


def test_a_change_in_place_is_written():
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 3, lambda page, row: [page, row])
    pager.page(numbers[1]).value(2).append("more")
    evict_all(pager, numbers)
    assert pager.pinned == 0
    assert make_pager(volume).page(numbers[1]).value(2) == [1, 2, "more"]


def test_a_long_value_changed_in_place_is_written():
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 2, lambda page, row: [page, row] * 20_000)
    pages = len(volume.pages())
    pager.page(numbers[0]).value(2).append("more")
    evict_all(pager, numbers)
    pager.flush()
    assert make_pager(volume).page(numbers[0]).value(2) == [0, 2] * 20_000 + ["more"]
    assert len(volume.pages()) <= pages + 1


def test_a_value_that_is_held_stays_the_same_object():
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 4, lambda page, row: [page, row])
    held = pager.page(numbers[0]).value(3)
    evict_all(pager, numbers[1:])
    assert pager.pinned == 1
    held.append("late")
    assert pager.page(numbers[0]).value(3) is held
    evict_all(pager, numbers[1:])
    pager.flush()
    assert make_pager(volume).page(numbers[0]).value(3) == [0, 3, "late"]


def test_a_value_that_was_put_in_stays_the_same_object():
    pager = make_pager(max_pages=1)
    numbers = fill(pager, 4)
    held = {"a": 1}
    pager.page(numbers[0]).set(0, held)
    evict_all(pager, numbers[1:])
    held["b"] = 2
    assert pager.page(numbers[0]).value(0) is held


@pytest.mark.parametrize(
    ("make", "inner"),
    [
        (lambda: {"a": [1]}, lambda value: value["a"]),
        (lambda: ("t", [1]), lambda value: value[1]),
        (lambda: [[[1]]], lambda value: value[0][0]),
        (lambda: Record(items=[1]), lambda value: value.items),
        (lambda: Record(items=[1]), lambda value: value.__dict__["items"]),
        (lambda: [Record(part=Record(items=[1]))], lambda value: value[0].part.items),
        (lambda: {frozenset([1]): [1]}, lambda value: next(iter(value.values()))),
    ],
)
def test_a_part_of_a_value_that_is_held_stays_the_same_object(make, inner):
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 4, lambda page, row: make())
    held = inner(pager.page(numbers[0]).value(1))
    evict_all(pager, numbers[1:])
    assert pager.pinned == 1
    held.append("late")
    assert inner(pager.page(numbers[0]).value(1)) is held
    evict_all(pager, numbers[1:])
    pager.flush()
    assert inner(make_pager(volume).page(numbers[0]).value(1)) == [1, "late"]


def test_a_method_of_a_value_holds_it():
    pager = make_pager(max_pages=1)
    numbers = fill(pager, 4, lambda page, row: [row])
    append = pager.page(numbers[0]).value(1).append
    evict_all(pager, numbers[1:])
    append("late")
    assert pager.page(numbers[0]).value(1) == [1, "late"]


def test_a_page_is_let_go_once_nobody_holds_its_values():
    pager = make_pager(max_pages=1)
    numbers = fill(pager, 6, lambda page, row: [row])
    held = [pager.page(number).value(0) for number in numbers]
    evict_all(pager, numbers)
    assert pager.pinned == 5
    del held
    evict_all(pager, numbers)
    assert pager.resident <= 2
    pager.flush()
    assert pager.resident - pager.pinned == 1
    assert pager.pinned == 0


def test_values_that_hold_each_other_are_not_held():
    pager = make_pager(max_pages=1)

    def ring(page, row):
        value = [page, row]
        value.append({"back": value})
        return value

    numbers = fill(pager, 6, ring)
    gc.collect()
    evict_all(pager, numbers)
    assert pager.pinned == 0
    value = pager.page(numbers[2]).value(1)
    assert value[:2] == [2, 1]
    assert value[2]["back"] is value


def test_a_part_that_many_values_share_pins_pages_only_while_somebody_else_holds_it():
    pager = make_pager(max_pages=2)
    shared = ["shared"]
    numbers = fill(pager, 40, partial(share, shared))
    assert pager.pinned == 38
    del shared
    evict_all(pager, numbers[:4])
    pager.flush()
    assert pager.pinned == 0
    numbers += fill(pager, 400, lambda page, row, parts=[]: [parts, row])
    pager.flush()
    assert scan(pager, numbers[-1:]) == [[[[], row] for row in range(ROWS)]]


def test_what_is_kept_by_name_is_not_held():
    pager = make_pager(max_pages=2)
    numbers = fill(pager, 20, lambda page, row: [Colour.RED, int, len, fill])
    fill(pager, 20, lambda page, row: Colour.RED)
    evict_all(pager, numbers)
    assert pager.pinned == 0
    assert pager.page(numbers[0]).value(0)[0] is Colour.RED


def test_constants_in_values_are_not_held():
    pager = make_pager(max_pages=2)
    fill(pager, 20, lambda page, row: [("a", 1), "text", 10**20, frozenset({1}), None, b"x"])
    assert pager.pinned == 0


def test_values_that_cannot_change_are_not_looked_at(monkeypatch):
    pager = make_pager(max_pages=2)
    monkeypatch.setattr(changes, "held_outside", None)  # calling it would fail
    numbers = fill(pager, 5, lambda page, row: (row, "a", (None, 2.5, b"x")))
    evict_all(pager, numbers)
    held = [pager.page(number).value(0) for number in numbers]
    evict_all(pager, numbers)
    assert pager.pinned == 0
    assert len(held) == 5


def test_a_value_whose_graph_is_larger_than_what_is_kept_is_judged_alone():
    pager = make_pager(max_pages=1)
    numbers = fill(pager, 4, lambda page, row: Elsewhere(row))
    evict_all(pager, numbers)
    assert pager.pinned == 0
    held = pager.page(numbers[0]).value(2)
    evict_all(pager, numbers[1:])
    assert pager.page(numbers[0]).value(2) is held
    assert pager.loads > 0


class Elsewhere:
    """Keeps a number, and refers to much more that is not kept."""

    everything = [[number] for number in range(1_000)]  # noqa: RUF012 -- shared on purpose

    def __init__(self, number):
        self.number = number
        self.all = self.everything

    def __reduce__(self):
        return Elsewhere, (self.number,)


def test_without_reference_counts_values_stay_until_a_flush(monkeypatch):
    monkeypatch.setattr(changes, "COUNTS_TELL", False)
    volume = make_volume()
    pager = make_pager(volume, max_pages=1)
    numbers = fill(pager, 4, lambda page, row: [row])
    pager.flush()
    evict_all(pager, numbers)
    value = pager.page(numbers[0]).value(0)
    evict_all(pager, numbers[1:])
    assert pager.pinned >= 1
    value.append("late")
    assert pager.page(numbers[0]).value(0) is value
    evict_all(pager, numbers[1:])
    pager.flush()
    assert pager.pinned == 0
    assert make_pager(volume).page(numbers[0]).value(0) == [0, "late"]


# What cannot be written


def test_a_value_changed_into_what_cannot_be_written_fails_the_flush_and_loses_nothing():
    volume = make_volume()
    pager = make_pager(volume, max_pages=1, describe="value {1} of {0}".format)
    numbers = fill(pager, 4, lambda page, row: [row])
    value = pager.page(numbers[1]).value(2)
    value.append(lambda: None)
    del value
    pager.page(numbers[1]).value(3).append("also changed")
    pager.page(numbers[3]).set(0, "written nevertheless")
    evict_all(pager, numbers)
    for _ in range(2):
        with pytest.raises(SerializationError, match=f"value 2 of {numbers[1]} was changed in pl"):
            pager.flush()
    assert make_pager(volume).page(numbers[3]).value(0) == "written nevertheless"
    assert make_pager(volume).page(numbers[1]).value(3) == [3, "also changed"]
    assert len(pager.page(numbers[1]).value(2)) == 2
    pager.page(numbers[1]).value(2).pop()
    pager.flush()
    assert all_values(make_pager(volume), numbers[1])[2:] == [[2], [3, "also changed"]]
    evict_all(pager, numbers)
    assert pager.pinned == 0


def test_a_value_that_cannot_be_written_changes_nothing():
    pager = make_pager()
    [number] = fill(pager, 1)
    page = pager.page(number)
    before = page.values(0, ROWS)
    for change in (
        lambda: page.set(0, print.__self__),
        lambda: page.append(lambda: None),
        lambda: page.insert(1, lambda: None),
    ):
        with pytest.raises(SerializationError):
            change()
    assert page.values(0, ROWS) == before


class FullStore(dict):
    is_full = False

    def __setitem__(self, key, value):
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left")
        super().__setitem__(key, value)


def test_a_full_disk_loses_nothing():
    store = FullStore()
    volume = make_volume(store)
    pager = make_pager(volume, max_pages=2)
    numbers = fill(pager, 6, lambda page, row: [page, row])
    pager.flush()
    for number in numbers[:2]:
        pager.page(number).value(1).append("changed")
    pager.page(numbers[1]).set(0, "set")
    store.is_full = True
    for _ in range(3):
        with pytest.raises(OSError, match="no space"):
            pager.page(numbers[4])
        with pytest.raises(OSError, match="no space"):
            pager.flush()
        with pytest.raises(OSError, match="no space"):
            pager.page(numbers[1]).append("long" * 10_000)
    assert all_values(pager, numbers[1]) == ["set", [1, 1, "changed"], [1, 2], [1, 3]]
    store.is_full = False
    pager.page(numbers[4])
    pager.flush()
    expected = [
        ["set" if (page, row) == (1, 0) else [page, row] for row in range(ROWS)]
        for page in range(6)
    ]
    expected[0][1].append("changed")
    expected[1][1].append("changed")
    assert scan(make_pager(volume), numbers) == expected


def test_a_page_that_is_no_page_of_records_is_damage():
    volume = make_volume()
    number = volume.append(b"something else")
    with pytest.raises(StoreCorruptedError, match=f"page {number}: "):
        make_pager(volume).page(number)


def test_nothing_is_written_to_a_volume_that_is_read_only():
    store = {}
    volume = make_volume(store)
    pager = make_pager(volume)
    numbers = fill(pager, 5, lambda page, row: [page, row])
    pager.flush()
    volume.commit(b"state")
    volume.close()
    pager = make_pager(make_volume(store, readonly=True))
    held = pager.page(numbers[0]).value(0)
    held.append("not kept")
    evict_all(pager, numbers)
    pager.flush()
    assert pager.written == pager.pinned == 0
    assert pager.page(numbers[0]).value(0) == [0, 0]


def test_clear_forgets_changes():
    volume = make_volume()
    pager = make_pager(volume)
    numbers = fill(pager, 1, lambda page, row: [row])
    pager.flush()
    volume.commit(b"state")
    pager.page(numbers[0]).value(0).append(1)
    pager.page(numbers[0]).set(1, "new")
    volume.rollback()
    pager.clear()
    assert pager.resident == 0
    assert all_values(pager, numbers[0]) == [[row] for row in range(ROWS)]


class Meddler:
    """Changes the page that it is on while it is pickled."""

    page = None

    def __init__(self):
        self.state = 0

    def __getstate__(self):
        page, Meddler.page = Meddler.page, None
        if page is not None:
            page.delete(0)
        return {"state": self.state}


def test_a_value_that_changes_its_page_while_it_is_written_harms_nothing():
    volume = make_volume()
    pager = make_pager(volume)
    page = pager.new_page()
    for value in ([0], Meddler(), [2], [3]):
        page.append(value)
    pager.flush()
    page.value(1).state = 7
    page.value(2).append("changed")
    Meddler.page = page
    pager.flush()
    pager.flush()
    again = make_pager(volume).page(page.number)
    assert len(again) == 3
    assert again.value(0).state == 7
    assert again.values(1, 3) == [[2, "changed"], [3]]
