"""The subcommands: what they print, with which status they end, and what they leave alone."""

from __future__ import annotations

import json

import pytest
from pyspeedup.core.cli import main
from pyspeedup.memory._storage import inspecting
from storage_toy import Toy


@pytest.fixture
def stores(tmp_path):
    for name, options in {
        "words": {},
        "Lines": {"page_store": "sqlite", "serializer": "json"},
        "x" * 300: {},
    }.items():
        with Toy(name, file_location=tmp_path, **options) as toy:
            for key in "abc":
                toy[key] = [key]
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def run_json(capsys, *arguments):
    status, output, _ = run(capsys, *arguments, "--json")
    return status, json.loads(output)


def test_ls_lists_the_stores_and_nothing_else(stores, capsys):
    status, rows = run_json(capsys, "ls", stores)
    assert status == 0
    assert {(row["name"], row["kind"], row["page store"]) for row in rows} == {
        ("words", "toy", "file"),
        ("Lines", "toy", "sqlite"),
        ("x" * 300, "toy", "file"),
    }
    assert all(row["bytes"] > 1000 for row in rows)
    assert "words" in run(capsys, "ls", stores)[1]


def test_ls_shows_a_damaged_store_and_an_empty_folder(stores, capsys, tmp_path):
    (stores / "words.pyspeedup" / "pyspeedup.json").write_text("{")
    rows = run_json(capsys, "ls", stores)[1]
    assert {row["name"]: row["kind"] for row in rows}["words"] == "damaged"
    assert run_json(capsys, "ls", tmp_path / "nowhere") == (0, [])


def test_info_tells_what_a_store_says_of_itself(stores, capsys):
    for way in (["words", "--location", stores], [stores / "words"], [stores / "words.pyspeedup"]):
        status, told = run_json(capsys, "info", *way)
        assert status == 0
        assert (told["name"], told["kind"], told["pages"]) == ("words", "toy", 3)
        assert (told["serializer"], told["items a page"]) == ("pickle", 1024)
    assert run_json(capsys, "info", stores / "Lines")[1]["serializer"] == "json"
    assert "items a page" in run(capsys, "info", stores / "words")[1]


def test_verify_finds_each_damaged_page(stores, capsys):
    assert run_json(capsys, "verify", stores / "words") == (
        0,
        {"folder": str(stores / "words.pyspeedup"), "pages": 3, "damaged": {}},
    )
    data = stores / "words.pyspeedup" / "data"
    content = data.read_bytes()
    needle = b"\x8c\x01b"  # the pickle of "b", which is in one page only
    assert content.count(needle) == 1
    data.write_bytes(content.replace(needle, b"\x8c\x01z"))
    status, told = run_json(capsys, "verify", stores / "words")
    assert status == 1
    assert list(told["damaged"].values()) == ["its checksum does not match"]
    status, output, _ = run(capsys, "verify", stores / "words")
    assert (status, "1 of 3 pages are damaged" in output) == (1, True)


def test_verify_tells_of_a_damaged_header(stores, capsys):
    (stores / "words.pyspeedup" / "data").write_bytes(b"short")
    status, _, errors = run(capsys, "verify", stores / "words")
    assert status == 1
    assert "words.pyspeedup" in errors


def test_verify_runs_no_code_of_the_store(tmp_path, capsys):
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('run')",)

    with Toy("bomb", file_location=tmp_path) as toy:
        toy["a"] = Bomb()
    assert run(capsys, "verify", tmp_path / "bomb")[0] == 0
    assert run(capsys, "info", tmp_path / "bomb")[0] == 0


def test_rm_removes_stores_and_nothing_else(stores, capsys):
    assert run(capsys, "rm", "words", "Lines", "--location", stores)[0] == 0
    assert {path.name for path in stores.iterdir() if "~" not in path.name} == {"notes.txt"}


def test_rm_leaves_alone_what_is_no_store_or_is_open(stores, capsys):
    (stores / "fake.pyspeedup").mkdir()
    (stores / "fake.pyspeedup" / "thesis.txt").write_text("years")
    status, _, errors = run(capsys, "rm", stores / "fake.pyspeedup")
    assert (status, "not a store" in errors) == (1, True)
    with Toy("words", file_location=stores) as toy:
        status, _, errors = run(capsys, "rm", stores / "words")
        assert (status, "is open in process" in errors) == (1, True)
        toy["d"] = 1
    assert run(capsys, "rm", stores / "missing")[0] == 1
    assert (stores / "fake.pyspeedup" / "thesis.txt").exists()


def test_a_damaged_store_can_be_removed(stores, capsys):
    (stores / "words.pyspeedup" / "data").unlink()
    assert run(capsys, "rm", stores / "words")[0] == 0
    assert not (stores / "words.pyspeedup").exists()


def test_inspecting_does_not_change_a_byte(stores, capsys):
    before = {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()}
    for name in ("words", "Lines"):
        run(capsys, "info", stores / name)
        run(capsys, "verify", stores / name)
    assert {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()} == before


def test_a_name_of_dots_is_no_way_out(tmp_path):
    with pytest.raises(ValueError, match="file_basename"):
        inspecting.find_folder("..", str(tmp_path))
