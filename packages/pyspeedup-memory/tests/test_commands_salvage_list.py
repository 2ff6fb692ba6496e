"""Repair of a list that is damaged in several places: every item whose own bytes are whole is saved."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import random

import pytest
from damaged_stores import LENGTH, PAGE, WholeList
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskList, MemoryStore, ShadowStore
from pyspeedup.memory._list.salvage import salvage_items
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory.commands.reading import salvaged
from pyspeedup.memory.commands.whole_pages import with_peeks

SEEDS = range(60 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 3)
KINDS = ["file", "sqlite", "lmdb", "fsspec"]
ROWS, BODIES = range(2)


@pytest.fixture(scope="module", params=KINDS)
def whole(request, tmp_path_factory):
    if request.param in {"lmdb", "fsspec"} and not importlib.util.find_spec(request.param):
        pytest.skip(f"{request.param} is not installed")
    return WholeList(tmp_path_factory.mktemp("whole"), request.param)


def require_exact(capsys, folder, expected):
    """Hold that just the expected items are saved, and that it is told how many are lost, and where."""
    status = main(["repair", "--json", str(folder / "x")])
    output, errors = capsys.readouterr()
    assert errors == ""
    told = json.loads(output)
    with DiskList("x repaired", file_location=folder, readonly=True) as saved:
        assert saved == expected
    lost = sum(damage["items"] for damage in told["lost"])
    assert (status, told["items"], lost) == (
        int(len(expected) < LENGTH),
        len(expected),
        LENGTH - len(expected),
    )
    return told["lost"]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_hit_all_other_items_are_saved_in_order(whole, tmp_path, capsys, seed):
    patches = whole.spoiled_anywhere(random.Random(f"{whole.page_store} {seed}"))
    require_exact(capsys, tmp_path, whole.damaged(tmp_path, patches))


@pytest.mark.parametrize("part", [ROWS, BODIES])
def test_a_whole_page_may_be_damaged(whole, tmp_path, capsys, part):
    page = whole.pages_of(part)[3]
    expected = whole.damaged(tmp_path, [whole.spoiled_page(page)])
    assert 1 <= LENGTH - len(expected) <= 2 * PAGE
    lost = require_exact(capsys, tmp_path, expected)
    assert len(lost) == 1, "neighbours are told of together"


@pytest.mark.parametrize("part", [ROWS, BODIES])
@pytest.mark.parametrize("whole", ["sqlite", "fsspec"], indirect=True)
def test_a_page_that_is_gone_costs_what_was_in_it(whole, tmp_path, capsys, part):
    """In the others it is bytes of one file, and never gone alone."""
    expected = whole.damaged(tmp_path, gone=[whole.pages_of(part)[3]])
    assert len(expected) < LENGTH
    assert len(require_exact(capsys, tmp_path, expected)) == 1


def test_a_damaged_row_leads_to_nothing_wrong_wherever_it_leads(whole, tmp_path, capsys):
    """Also not beyond the page, nor to one of its own that is not there."""
    ends = [0xFFFFFFFF, 0, 0x7FFFFFFF, 0x80000000, 0x80000010, 1, 1 << 16, 1 << 30]
    rows = [whole.parts[number][1][0] for number in range(1_000, 1_016, 2)]
    wrong = [(start, end.to_bytes(4, "little")) for start, end in zip(rows, ends, strict=True)]
    require_exact(capsys, tmp_path, whole.damaged(tmp_path, wrong))


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


def damages(found):
    return [one for one in found if isinstance(one, Damage)]


def test_what_is_whole_in_a_damaged_page_of_a_mapping_is_found_by_repair_only():
    values = [f"needle {n} " + "x" * 20 for n in range(60)]
    blobs = {}
    with DiskList("x", 8, page_store=blobs) as stored:
        stored.extend(values)
    for key, page in blobs.items():
        blobs[key] = page.replace(b"needle 7", b"NEEDLE 7")
    with DiskList("x", page_store=blobs, readonly=True) as as_a_program_reads:
        found = list(salvaged(as_a_program_reads))
        assert [(one.where, one.items) for one in damages(found)] == [("indexes 0 to 7", 8)]
    with DiskList("x", page_store=with_peeks(ShadowStore(blobs)), readonly=True) as past_damage:
        found = list(salvaged(past_damage))
    assert [one for one in found if not isinstance(one, Damage)] == values[:7] + values[8:]
    assert [(one.where, one.items) for one in damages(found)] == [("index 7", 1)]


class BadDisk:
    """A page store in RAM that cannot read some pages, and counts how often that was tried."""

    def __init__(self, store):
        self.store, self.bad, self.tried = store, set(), 0

    def __getattr__(self, name):
        if name == "peek":
            raise AttributeError
        return getattr(self.store, name)

    def read(self, page):
        if page in self.bad:
            self.tried += 1
            raise OSError(errno.EIO, "input/output error")
        return self.store.read(page)


def test_a_page_that_cannot_be_read_is_passed_over_at_once():
    disk = BadDisk(MemoryStore())
    with DiskList("x", 1_000, page_store=disk) as stored:
        stored.extend(range(5_000))
    with DiskList("x", page_store=disk, readonly=True) as stored:
        numbers = [number for number, _ in stored._content.pages.table]
        disk.bad = {numbers[1], numbers[2], numbers[4]}
        found = list(salvage_items(stored._content))
    assert disk.tried <= 6
    kept = [one for one in found if not isinstance(one, Damage)]
    assert kept == [(n, n) for n in range(5_000) if n // 1_000 not in {1, 2, 4}]
    assert damages(found) == [
        Damage("indexes 1000 to 2999", "[Errno 5] input/output error", 2_000),
        Damage("indexes 4000 to 4999", "[Errno 5] input/output error", 1_000),
    ]
