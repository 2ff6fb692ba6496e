"""Repair: all that can be read is saved, all that cannot is told of, and the original is not touched."""

from __future__ import annotations

import json
import sys
import types

import pytest
from commands_killed import can_kill, kill_command
from pyspeedup.core import StoreCorruptedError
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList

KINDS = {"dict": DiskDict, "list": DiskList}
PAGE = 16
FILES = {"file": "data", "sqlite": "pages.sqlite3"}


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def repair(capsys, *arguments):
    status, output, errors = run(capsys, "repair", "--json", *arguments)
    assert errors == ""
    return status, json.loads(output)


def make(folder, kind, length=500, **options):
    """Make a store whose items have a text each that no other has."""
    values = [f"needle {number:04} " + "x" * 100 for number in range(length)]
    content = {f"key {n}": value for n, value in enumerate(values)} if kind == "dict" else values
    with KINDS[kind]("x", PAGE, file_location=folder, **options) as made:
        (made.update if kind == "dict" else made.extend)(content)
    return content


def content_of(folder, name, kind):
    with KINDS[kind](name, file_location=folder, readonly=True) as found:
        return found.copy()


def spoil(folder, *numbers, page_store="file"):
    """Change a byte within the values of these numbers, wherever they are."""
    path = folder / "x.pyspeedup" / FILES[page_store]
    data = path.read_bytes()
    for number in numbers:
        needle = b"needle %04d" % number
        assert needle in data
        data = data.replace(needle, needle.upper())
    path.write_bytes(data)


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_damaged_byte_costs_its_item_alone(tmp_path, capsys, kind, page_store):
    content = make(tmp_path, kind, page_store=page_store)
    spoil(tmp_path, 250, page_store=page_store)
    before = snapshot(tmp_path / "x.pyspeedup")
    status, told = repair(capsys, tmp_path / "x")
    assert snapshot(tmp_path / "x.pyspeedup") == before
    assert status == 1
    assert told["repaired"] == str(tmp_path / "x repaired.pyspeedup")
    lost = sum(damage["items"] for damage in told["lost"])
    assert (told["items"], lost) == (499, 1)
    saved = content_of(tmp_path, "x repaired", kind)
    items = list(saved.items()) if kind == "dict" else saved
    all_items = list(content.items()) if kind == "dict" else content
    assert [item for item in all_items if item in items] == items
    assert all_items[250] not in items
    assert all(
        "damage" in damage["reason"] or "checksum" in damage["reason"] for damage in told["lost"]
    )
    assert run(capsys, "verify", "--deep", tmp_path / "x repaired")[0] == 0


def test_of_a_list_all_between_damaged_places_is_saved(tmp_path, capsys):
    content = make(tmp_path, "list")
    spoil(tmp_path, 0, 250, 499)
    told = repair(capsys, tmp_path / "x")[1]
    saved = content_of(tmp_path, "x repaired", "list")
    assert saved == [value for number, value in enumerate(content) if number not in {0, 250, 499}]
    assert [damage["where"] for damage in told["lost"]] == ["index 0", "index 250", "index 499"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_whose_class_is_gone_costs_nothing_else(tmp_path, capsys, kind):
    module = types.ModuleType("gone_module")
    exec("class Gone:\n    pass", vars(module))
    sys.modules["gone_module"] = module
    try:
        with KINDS[kind]("x", PAGE, file_location=tmp_path) as made:
            values = [1, [2], module.Gone(), "4"] * 10
            if kind == "dict":
                made.update(enumerate(values))
            else:
                made.extend(values)
    finally:
        del sys.modules["gone_module"]
    status, told = repair(capsys, tmp_path / "x")
    assert (status, told["items"], len(told["lost"])) == (1, 30, 10)
    where = "key 2" if kind == "dict" else "index 2"
    assert told["lost"][0]["where"] == where
    assert "gone_module" in told["lost"][0]["reason"]
    saved = content_of(tmp_path, "x repaired", kind)
    assert list(saved.values() if kind == "dict" else saved) == [1, [2], "4"] * 10
    output = run(capsys, "repair", tmp_path / "x", "--output", "again")[1]
    assert f"lost: {where}: " in output
    assert "10 items are lost" in output


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_store_is_copied_whole(tmp_path, capsys, kind):
    content = make(tmp_path, kind, serializer="json", page_store="sqlite")
    status, told = repair(capsys, tmp_path / "x", "--output", tmp_path / "safe" / "Y")
    assert (status, told["lost"]) == (0, [])
    assert content_of(tmp_path / "safe", "Y", kind) == content
    facts = json.loads(run(capsys, "info", tmp_path / "safe" / "Y", "--json")[1])
    assert (facts["page store"], facts["serializer"]) == ("sqlite", "json")
    assert facts["items a page"] == PAGE


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
@pytest.mark.parametrize("marker", [None, "{"])
def test_a_store_without_its_marker_is_recognized_by_its_pages(
    tmp_path, capsys, page_store, marker
):
    content = make(tmp_path, "dict", page_store=page_store)
    path = tmp_path / "x.pyspeedup" / "pyspeedup.json"
    if marker is None:
        path.unlink()
    else:
        path.write_text(marker)
    with pytest.raises(StoreCorruptedError):
        DiskDict("x", file_location=tmp_path)
    status, told = repair(capsys, tmp_path / "x")
    assert (status, told["items"]) == (1, 500)
    assert [damage["where"] for damage in told["lost"]] == ["pyspeedup.json"]
    assert content_of(tmp_path, "x repaired", "dict") == content


def test_what_is_no_store_or_beyond_repair_is_said_in_a_line(tmp_path, capsys):
    (tmp_path / "x.pyspeedup").mkdir()
    status, _, errors = run(capsys, "repair", tmp_path / "x")
    assert (status, "not a store" in errors, errors.count("\n")) == (1, True, 1)
    make(tmp_path / "other", "list")
    data = tmp_path / "other" / "x.pyspeedup" / "data"
    data.write_bytes(b"\0" * len(data.read_bytes()))
    status, _, errors = run(capsys, "repair", tmp_path / "other" / "x")
    assert (status, errors.count("\n")) == (1, 1)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["x.pyspeedup"]


def test_what_is_there_is_not_overwritten(tmp_path, capsys):
    content = make(tmp_path, "list")
    for output in ("x", "y"):
        with DiskList("y", file_location=tmp_path) as other:
            other[:] = [1]
        status, _, errors = run(capsys, "repair", tmp_path / "x", "--output", output)
        assert (status, "--output" in errors) == (1, True)
    assert content_of(tmp_path, "x", "list") == content
    assert content_of(tmp_path, "y", "list") == [1]


def test_a_store_that_others_could_have_written_is_not_read_unasked(tmp_path, capsys):
    make(tmp_path, "list")
    (tmp_path / "x.pyspeedup").chmod(0o777)
    status, _, errors = run(capsys, "repair", tmp_path / "x")
    assert (status, "can be written by others" in errors) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.pyspeedup"]
    assert repair(capsys, tmp_path / "x", "--trust")[0] == 0


def test_a_store_that_is_being_written_is_not_read(tmp_path, capsys):
    with DiskList("x", file_location=tmp_path) as items:
        items.append(1)
        status, _, errors = run(capsys, "repair", tmp_path / "x")
        assert (status, "is open in process" in errors) == (1, True)


def test_a_store_without_a_lock_file_is_read(tmp_path, capsys):
    content = make(tmp_path, "list")
    (tmp_path / "x.pyspeedup" / "lock").unlink()
    assert repair(capsys, tmp_path / "x")[0] == 0
    assert content_of(tmp_path, "x repaired", "list") == content
    assert not (tmp_path / "x.pyspeedup" / "lock").exists()


@can_kill
def test_a_killed_repair_leaves_nothing_under_the_name(tmp_path, capsys):
    make(tmp_path, "list")
    repairing = ["repair", tmp_path / "x"]
    kill_command(repairing, "pyspeedup.memory.commands.repair", "shown", 100)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["x repaired.pyspeedup.new", "x.pyspeedup"]
    assert repair(capsys, tmp_path / "x")[0] == 0
