"""Repair of a dict that is damaged in several places: every item whose own bytes are whole is saved."""

from __future__ import annotations

import random

import pytest
from damaged_stores import LENGTH, Whole
from faulty_stores import UnreadablePages
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, MemoryStore
from pyspeedup.memory._dict.salvage import salvage_entries
from pyspeedup.memory._storage.salvaging import Damage
from salvaging import (
    in_both_ways,
    parted,
    repair,
    require_exact,
    salvaged_by_program_and_repair,
    whole_stores,
)
from thoroughness import IS_LONG

SEEDS = range(60 if IS_LONG else 2)
RECORDS, ROWS, OTHERS = range(3)


whole = whole_stores(Whole)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_hit_all_other_items_are_saved_in_order(whole, tmp_path, capsys, seed):
    patches = whole.spoiled_anywhere(random.Random(f"{whole.page_store} {seed}"))
    require_exact(capsys, tmp_path, whole, whole.damaged(tmp_path, patches))


@in_both_ways
@pytest.mark.parametrize("parts", [[OTHERS], [ROWS], [RECORDS, ROWS, OTHERS]])
def test_whole_pages_of_records_rows_and_the_index_may_be_damaged(whole, tmp_path, capsys, parts):
    pages = [whole.pages_of(part) for part in parts]
    middle = [found[len(found) // 2] for found in pages]
    expected = whole.damaged(tmp_path, [whole.spoiled_page(page) for page in middle])
    assert (len(expected) < LENGTH) == (parts != [OTHERS])
    lost = require_exact(capsys, tmp_path, whole, expected)
    assert len(lost) <= 5, "neighbours are told of together"


@pytest.mark.parametrize("part", [RECORDS, ROWS])
@pytest.mark.parametrize("whole", ["sqlite", "fsspec"], indirect=True)
def test_a_page_that_is_gone_costs_what_was_in_it(whole, tmp_path, capsys, part):
    """In the others it is bytes of one file, and never gone alone."""
    expected = whole.damaged(tmp_path, gone=[whole.pages_of(part)[3]])
    assert len(expected) < LENGTH
    require_exact(capsys, tmp_path, whole, expected)


@in_both_ways
def test_the_report_names_the_place_and_counts_the_lost(whole, tmp_path, capsys):
    records = [whole.parts[number][RECORDS] for number in (1, 2, 2_000)]
    whole.damaged(tmp_path, [whole.spoiled(start, 1) for start, _ in records])
    assert main(["repair", str(tmp_path / "x")]) == 1
    first, second, count, saved = capsys.readouterr().out.splitlines()
    assert first.startswith("lost: entries 1 to 2, after key (0, 'key'): ")
    assert second.startswith("lost: entry 2200, after key 'key 1999': ")
    assert "its check does not match" in first
    assert count.endswith("3 items are lost")
    assert saved.endswith("2,997 items are saved")


@in_both_ways
def test_a_damaged_row_leads_to_nothing_wrong_wherever_it_leads(whole, tmp_path, capsys):
    """Also not to a page that is not there, to one that was dropped, or beyond the last one."""
    places = [2**64 - 1, 1, 1 << 24, 0xFFFFFF, 5 << 24 | 0xFFFF05, 2**63, 2**40 | 0x1000, 0]
    rows = [whole.parts[number][ROWS][0] for number in range(1_000, 1_008)]
    wrong = [
        (start, place.to_bytes(8, "little")) for start, place in zip(rows, places, strict=True)
    ]
    require_exact(capsys, tmp_path, whole, whole.damaged(tmp_path, wrong))


@in_both_ways
def test_damaged_rows_of_removed_items_are_not_taken_for_lost_ones(whole, tmp_path, capsys):
    """Entries 1,500 to 1,699 were removed; those from 1,472 to 1,535 have their rows in one page."""
    last, size = whole.parts[1_499][ROWS]
    lost = {}
    for name, first in {"none": last + size, "one": last}.items():
        (tmp_path / name).mkdir()
        expected = whole.damaged(tmp_path / name, [whole.spoiled(first, last + 2 * size - first)])
        lost[name] = require_exact(capsys, tmp_path / name, whole, expected)
    assert lost["none"] == []
    assert [damage["where"] for damage in lost["one"]] == [
        "entries 1472 to 1535, after key 'key 1471'"
    ]


# ---- without a file ----------------------------------------------------------------------------


def test_what_is_whole_in_a_damaged_page_of_a_mapping_is_found_by_repair_only():
    content = {n: f"needle {n} " + "x" * 20 for n in range(60)}
    blobs = {}
    with DiskDict("x", 8, page_store=blobs) as d:
        d.update(content)
    by_program, by_repair = salvaged_by_program_and_repair(DiskDict, blobs)
    found, damages = by_program
    assert 1 < sum(one.items for one in damages) == 60 - len(found)
    del content[7]
    found, damages = by_repair
    assert found == list(content.items())
    assert sum(one.items for one in damages) == 1


def test_a_page_of_rows_that_cannot_be_read_is_passed_over_at_once():
    disk = UnreadablePages(MemoryStore())
    with DiskDict("x", 1_000, page_store=disk) as d:
        d.update((n, str(n)) for n in range(5_000))
    with DiskDict("x", page_store=disk, readonly=True) as d:
        log = d._content.log
        disk.bad = {log.rows.numbers()[index] for index in (1, 3)}
        found, damages = parted(salvage_entries(log))
    assert disk.tried <= 4
    assert [n for n, _ in found] == [n for n in range(5_000) if n // 1_000 not in {1, 3}]
    assert damages == [
        Damage("entries 1000 to 1999, after key 999", "[Errno 5] input/output error", 1_000),
        Damage("entries 3000 to 3999, after key 2999", "[Errno 5] input/output error", 1_000),
    ]


class Renamed:
    """A key whose class has come to think otherwise of which are equal."""

    equal = False

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return Renamed.equal or self.number == other.number

    def __hash__(self):
        return 1 if Renamed.equal else hash(self.number)


def test_keys_that_became_equal_are_told_of(tmp_path, capsys, monkeypatch):
    with DiskDict("x", file_location=tmp_path) as d:
        d.update((Renamed(n), n) for n in range(5))
    monkeypatch.setattr(Renamed, "equal", True)
    status, told, saved = repair(capsys, tmp_path, DiskDict)
    assert (status, told["items"], [value for _, value in saved]) == (1, 1, [4])
    assert [(damage["where"], damage["items"]) for damage in told["lost"]] == [("keys", 4)]
