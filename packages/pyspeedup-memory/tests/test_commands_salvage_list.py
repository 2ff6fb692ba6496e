"""Repair of a list that is damaged in several places: every item whose own bytes are whole is saved."""

from __future__ import annotations

import random

import pytest
from damaged_stores import LENGTH, PAGE, WholeList
from faulty_stores import UnreadablePages
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskList, MemoryStore
from pyspeedup.memory._list.salvage import salvage_items
from pyspeedup.memory._storage.salvaging import Damage
from salvaging import (
    in_both_ways,
    parted,
    require_exact,
    salvaged_by_program_and_repair,
    whole_stores,
)
from thoroughness import IS_LONG

SEEDS = range(60 if IS_LONG else 2)
ROWS, BODIES = range(2)


whole = whole_stores(WholeList)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_hit_all_other_items_are_saved_in_order(whole, tmp_path, capsys, seed):
    patches = whole.spoiled_anywhere(random.Random(f"{whole.page_store} {seed}"))
    require_exact(capsys, tmp_path, whole, whole.damaged(tmp_path, patches))


@in_both_ways
@pytest.mark.parametrize("part", [ROWS, BODIES])
def test_a_whole_page_may_be_damaged(whole, tmp_path, capsys, part):
    page = whole.pages_of(part)[3]
    expected = whole.damaged(tmp_path, [whole.spoiled_page(page)])
    assert 1 <= LENGTH - len(expected) <= 2 * PAGE
    lost = require_exact(capsys, tmp_path, whole, expected)
    assert len(lost) == 1, "neighbours are told of together"


@pytest.mark.parametrize("part", [ROWS, BODIES])
@pytest.mark.parametrize("whole", ["sqlite", "fsspec"], indirect=True)
def test_a_page_that_is_gone_costs_what_was_in_it(whole, tmp_path, capsys, part):
    """In the others it is bytes of one file, and never gone alone."""
    expected = whole.damaged(tmp_path, gone=[whole.pages_of(part)[3]])
    assert len(expected) < LENGTH
    assert len(require_exact(capsys, tmp_path, whole, expected)) == 1


@in_both_ways
def test_a_damaged_row_leads_to_nothing_wrong_wherever_it_leads(whole, tmp_path, capsys):
    """Also not beyond the page, nor to one of its own that is not there."""
    ends = [0xFFFFFFFF, 0, 0x7FFFFFFF, 0x80000000, 0x80000010, 1, 1 << 16, 1 << 30]
    rows = [whole.parts[number][1][0] for number in range(1_000, 1_016, 2)]
    wrong = [(start, end.to_bytes(4, "little")) for start, end in zip(rows, ends, strict=True)]
    require_exact(capsys, tmp_path, whole, whole.damaged(tmp_path, wrong))


@in_both_ways
def test_the_report_names_the_place_and_counts_the_lost(whole, tmp_path, capsys):
    bodies = [whole.parts[number][2] for number in (1, 2, 2_000)]
    whole.damaged(tmp_path, [whole.spoiled(start, 1) for start, _ in bodies])
    assert main(["repair", str(tmp_path / "x")]) == 1
    first, second, count, saved = capsys.readouterr().out.splitlines()
    assert first.startswith("lost: indexes 1 to 2: ")
    assert second.startswith("lost: index 2000: ")
    assert "the check of a row does not match" in first
    assert count.endswith("3 items are lost")
    assert saved.endswith("2,997 items are saved")


# ---- without a file ----------------------------------------------------------------------------


def test_what_is_whole_in_a_damaged_page_of_a_mapping_is_found_by_repair_only():
    values = [f"needle {n} " + "x" * 20 for n in range(60)]
    blobs = {}
    with DiskList("x", 8, page_store=blobs) as stored:
        stored.extend(values)
    by_program, by_repair = salvaged_by_program_and_repair(DiskList, blobs)
    assert [(one.where, one.items) for one in by_program[1]] == [("indexes 0 to 7", 8)]
    found, damages = by_repair
    assert found == values[:7] + values[8:]
    assert [(one.where, one.items) for one in damages] == [("index 7", 1)]


def test_a_page_that_cannot_be_read_is_passed_over_at_once():
    disk = UnreadablePages(MemoryStore())
    with DiskList("x", 1_000, page_store=disk) as stored:
        stored.extend(range(5_000))
    with DiskList("x", page_store=disk, readonly=True) as stored:
        numbers = [number for number, _ in stored._content.pages.table]
        disk.bad = {numbers[1], numbers[2], numbers[4]}
        found, damages = parted(salvage_items(stored._content))
    assert disk.tried <= 6
    assert found == [(n, n) for n in range(5_000) if n // 1_000 not in {1, 2, 4}]
    assert damages == [
        Damage("indexes 1000 to 2999", "[Errno 5] input/output error", 2_000),
        Damage("indexes 4000 to 4999", "[Errno 5] input/output error", 1_000),
    ]
