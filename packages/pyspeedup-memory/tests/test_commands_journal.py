"""What commands do about changes that a killed process left in a journal."""

from __future__ import annotations

import json
import random

import pytest
from journal_writer import after, change
from left_journals import Crash, left_behind
from pyspeedup.core import cli
from pyspeedup.core.testing._values import same
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._storage import replacing
from pyspeedup.memory._storage.marker import JOURNAL_FILE

STRUCTURES = {"dict": DiskDict, "list": DiskList}


@pytest.fixture
def crash(tmp_path):
    return Crash(tmp_path)


def repaired(crash, capsys, kind="list"):
    """Repair what was left; return the exit status, what was told, and the new structure's content."""
    output = crash.copy / "saved.pyspeedup"
    store = crash.copy / f"{kind}.pyspeedup"
    before = crash.journal(kind).read_bytes()
    status = cli.main(["repair", str(store), "--output", str(output), "--json"])
    assert crash.journal(kind).read_bytes() == before, "what is repaired is never changed"
    with STRUCTURES[kind]("saved", file_location=crash.copy, readonly=True) as saved:
        return status, json.loads(capsys.readouterr().out), saved.copy()


def changed_at_random(crash, kind, seed, count):
    """Leave a store after `count` changes, of which some wait in a journal, and return its content."""
    with crash.open(kind) as structure:
        for number in range(count):
            change(kind, seed, number)(structure)
        crash.strike()
    return after(kind, seed, count)


def in_order(content):
    return list(content.items()) if isinstance(content, dict) else content


def spoil(path, where):
    data = path.read_bytes()
    path.write_bytes(data[:where] + bytes([data[where] ^ 16]) + data[where + 1 :])


# ---- telling of it -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["export", "backup"])
def test_commands_that_only_read_refuse_a_store_whose_journal_waits(command, crash, capsys):
    path = left_behind(crash)
    assert cli.main([command, str(path.parent), *[str(crash.folder)] * (command == "backup")]) != 0
    assert "changes in its journal" in capsys.readouterr().err
    assert crash.found("list") == [0, 1, 2]


def test_changes_that_wait_are_told_of_and_are_no_damage(crash, capsys):
    with crash.open("list") as numbers:
        numbers.append("committed")
        numbers.sync()
        numbers.extend(iter(range(3)))
        crash.strike()
    store = str(crash.journal("list").parent)
    assert cli.main(["verify", store]) == 0
    assert "changes after the last commit (3) wait" in capsys.readouterr().out
    assert cli.main(["verify", store, "--deep"]) == 0
    told = capsys.readouterr().out
    assert "(3) wait" in told
    assert "1 items can be read" in told
    assert cli.main(["verify", store, "--deep", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["waiting"], told["journal"], told["items"]) == (3, [], 1)
    assert cli.main(["info", store]) == 0
    assert "(3) wait" in capsys.readouterr().out
    assert crash.found("list") == ["committed", 0, 1, 2]


def test_a_damaged_journal_is_damage(crash, capsys):
    path = left_behind(crash)
    spoil(path, -1)
    for options in ([], ["--deep"]):
        assert cli.main(["verify", str(path.parent), *options]) == 1
        assert "record 2: its checksum" in capsys.readouterr().out
    assert cli.main(["info", str(path.parent)]) == 0
    assert "record 2: its checksum" in capsys.readouterr().out


def test_an_import_replaces_a_store_whose_journal_is_damaged(crash, tmp_path):
    path = left_behind(crash)
    spoil(path, -1)
    lines = tmp_path / "in.jsonl"
    lines.write_text("1\n2\n")
    assert cli.main(["import", str(lines), str(path.parent), "--force", "--lines"]) == 0
    assert crash.found("list") == [1, 2]


# ---- compacting --------------------------------------------------------------------------------


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("kind", STRUCTURES)
def test_compacting_takes_a_journal_up(kind, can_exchange, crash, monkeypatch, capsys):
    expected = changed_at_random(crash, kind, "compact", 60)
    assert crash.journal(kind).stat().st_size
    if not can_exchange:
        monkeypatch.setattr(replacing, "exchange_folders", lambda *_: False)
    assert cli.main(["compact", str(crash.journal(kind).parent)]) == 0
    assert f"{len(expected):,} items" in capsys.readouterr().out
    assert not crash.journal(kind).exists()
    with STRUCTURES[kind](kind, file_location=crash.copy, readonly=True) as structure:
        assert same(in_order(structure.copy()), in_order(expected))


def test_a_store_whose_journal_is_damaged_is_not_compacted(crash, capsys):
    path = left_behind(crash)
    spoil(path, -1)
    before = path.read_bytes()
    assert cli.main(["compact", str(path.parent)]) == 1
    errors = capsys.readouterr().err
    assert "stays as it was" in errors
    assert "record 2: its checksum" in errors
    assert path.read_bytes() == before


# ---- repair ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", "abc")
@pytest.mark.parametrize("kind", STRUCTURES)
def test_repair_takes_a_whole_journal_up(kind, seed, crash, capsys):
    count = random.Random(seed).randrange(20, 120)
    expected = changed_at_random(crash, kind, seed, count)
    status, told, saved = repaired(crash, capsys, kind)
    assert (status, told["lost"], told["items"]) == (0, [], len(expected))
    assert same(in_order(saved), in_order(expected))
    assert same(in_order(crash.found(kind)), in_order(expected))


def test_repair_takes_up_the_changes_before_damage(crash, capsys):
    path = left_behind(crash)
    whole = path.read_bytes()
    kept = set()
    for where in range(0, len(whole), 5):
        path.write_bytes(whole)
        spoil(path, where)
        status, told, saved = repaired(crash, capsys)
        assert saved == list(range(told["journal"]))
        assert (status, told["items"]) == (1, len(saved))
        ((place, items),) = [(lost["where"], lost["items"]) for lost in told["lost"]]
        assert (place, items) == (JOURNAL_FILE, None)
        kept.add(len(saved))
        crash.remove("saved")
    assert kept == {0, 1, 2}


def test_the_report_counts_what_was_taken_up(crash, capsys):
    path = left_behind(crash)
    spoil(path, -1)
    assert cli.main(["repair", str(path.parent)]) == 1
    lost, number, changes, saved = capsys.readouterr().out.splitlines()
    assert "record 2: its checksum" in lost
    assert "nobody knows how many items are lost" in number
    assert changes.endswith("2 changes are taken up from its journal")
    assert saved.endswith("2 items are saved")


def with_a_lost_item(crash, kind, fill, *changes):
    """Leave a store with 40 items, of which one is damaged, and the changes in its journal."""
    with crash.open(kind) as structure:
        fill(structure)
        structure.sync()
        for make in changes:
            make(structure)
        crash.strike()
    data = crash.copy / f"{kind}.pyspeedup" / "data"
    assert data.read_bytes().count(b"needle 7 ") == 1
    data.write_bytes(data.read_bytes().replace(b"needle 7 ", b"NEEDLE 7 "))


def test_changes_of_a_list_with_a_lost_item_are_taken_up_until_one_tells_a_place(crash, capsys):
    values = [f"needle {n} " for n in range(40)]
    with_a_lost_item(
        crash,
        "list",
        lambda stored: stored.extend(values),
        lambda stored: stored.append("appended"),
        lambda stored: stored.insert(10, "inserted"),
        lambda stored: stored.append("appended later"),
    )
    status, told, saved = repaired(crash, capsys)
    assert (status, told["journal"]) == (1, 1)
    assert saved == [*values[:7], *values[8:], "appended"]
    left_out = [lost["reason"] for lost in told["lost"] if lost["where"] == JOURNAL_FILE]
    assert len(left_out) == 1
    assert left_out[0].startswith("the changes from number 2 on are left out: ")


def test_changes_of_a_dict_with_a_lost_item_are_taken_up_until_one_takes_the_last(crash, capsys):
    items = {n: f"needle {n} " for n in range(40)}
    with_a_lost_item(
        crash,
        "dict",
        lambda d: d.update(items),
        lambda d: d.__setitem__("new", 1),
        lambda d: d.pop(20),
        lambda d: d.popitem(),
        lambda d: d.__setitem__("later", 1),
    )
    status, told, saved = repaired(crash, capsys, "dict")
    assert (status, told["journal"]) == (1, 2)
    del items[7], items[20]
    assert list(saved.items()) == [*items.items(), ("new", 1)]
    left_out = [lost["reason"] for lost in told["lost"] if lost["where"] == JOURNAL_FILE]
    assert [reason[:36] for reason in left_out] == ["the changes from number 3 on are lef"]


class Gone:
    """A class that is not there any more when the journal is read."""


def test_changes_before_one_that_cannot_be_read_are_taken_up(crash, capsys, monkeypatch):
    with crash.open("list") as values:
        values.append(1)
        values.append(Gone())
        values.append(2)
        crash.strike()
    with monkeypatch.context() as patch:
        patch.delattr(f"{__name__}.Gone")
        status, told, saved = repaired(crash, capsys)
        assert (status, saved) == (1, [1])
        (lost,) = told["lost"]
        assert "from number 2 on" in lost["reason"]
        assert "Gone" in lost["reason"]
        assert cli.main(["compact", str(crash.journal("list").parent)]) == 1
        assert "change 2 of 3 cannot be read" in capsys.readouterr().err
    assert [type(value) for value in crash.found("list")] == [int, Gone, int]
