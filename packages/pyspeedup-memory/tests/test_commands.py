"""The subcommands: what they print, with which status they end, and what they leave alone."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._storage import inspecting
from pyspeedup.memory.commands import progress
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


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_info_counts_the_items_without_reading_one(tmp_path, capsys, page_store):
    with DiskDict("d", 4, file_location=tmp_path, page_store=page_store) as d:
        d.update((number, Bomb()) for number in range(9))
    with DiskList("l", file_location=tmp_path, page_store=page_store, serializer="json"):
        pass
    told = run_json(capsys, "info", tmp_path / "d")[1]
    assert (told["kind"], told["items"], told["items a page"]) == ("dict", 9, 4)
    assert told["bytes an item"] == round(told["bytes on disk"] / 9, 1)
    ago = datetime.now(UTC) - datetime.fromisoformat(told["last written"])
    assert ago < timedelta(minutes=10)
    empty = run_json(capsys, "info", tmp_path / "l")[1]
    assert (empty["items"], empty["bytes an item"]) == (0, None)


def test_info_tells_of_a_store_whose_kind_it_does_not_know(stores, capsys):
    assert run_json(capsys, "info", stores / "words")[1]["items"] is None


@pytest.mark.parametrize(
    "name", ["", "Über uns", "x" * 300, "words.pyspeedup", "con", "a\nb", "-v", "~", "\ud800"]
)
def test_a_store_of_any_name_is_found(tmp_path, capsys, name, monkeypatch):
    with DiskDict(name, file_location=tmp_path) as d:
        d["a"] = 1
    (folder,) = tmp_path.iterdir()
    monkeypatch.chdir(tmp_path)
    for way in ([folder], ["--", folder.name], ["--location", tmp_path, "--", name]):
        status, output, errors = run(capsys, "info", "--json", *way)
        assert (status, errors) == (0, "")
        told = json.loads(output)
        assert (told["name"], told["items"]) == (name, 1)
    assert run(capsys, "ls", tmp_path)[0] == 0
    assert run(capsys, "compact", "--location", tmp_path, "--", name)[0] == 0
    assert run(capsys, "repair", "--output", "other", folder)[0] == 0
    for found in (name, "other"):
        with DiskDict(found, file_location=tmp_path) as d:
            assert d == {"a": 1}


def test_a_path_that_begins_with_a_dot_is_a_path(stores, capsys, monkeypatch):
    monkeypatch.chdir(stores)
    assert run_json(capsys, "info", "./words")[1]["name"] == "words"


def test_verify_finds_each_damaged_page(stores, capsys):
    assert run_json(capsys, "verify", stores / "words") == (
        0,
        {
            "folder": str(stores / "words.pyspeedup"),
            "pages": 3,
            "damaged": {},
            "journal": [],
            "waiting": 0,
        },
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


def test_verify_deeply_reads_every_item(tmp_path, capsys):
    with DiskList("l", 4, file_location=tmp_path) as items:
        items.extend([1, 2, Bomb(), 4])
    assert run_json(capsys, "verify", tmp_path / "l")[0] == 0
    status, told = run_json(capsys, "verify", "--deep", tmp_path / "l")
    assert (status, told["items"], told["damaged"]) == (1, 3, {})
    assert [one["where"] for one in told["unreadable"]] == ["index 2"]
    output = run(capsys, "verify", "--deep", tmp_path / "l")[1]
    assert "index 2: " in output
    assert "3 items can be read" in output


def test_verify_deeply_refuses_a_store_that_others_could_have_written(tmp_path, capsys):
    with DiskDict("d", file_location=tmp_path) as d:
        d["a"] = 1
    (tmp_path / "d.pyspeedup").chmod(0o777)
    assert run(capsys, "verify", tmp_path / "d")[0] == 0
    status, _, errors = run(capsys, "verify", "--deep", tmp_path / "d")
    assert (status, "trust" in errors) == (1, True)
    assert run(capsys, "verify", "--deep", "--trust", tmp_path / "d")[0] == 0


class Bomb:
    def __reduce__(self):
        return exec, ("raise ValueError('run')",)


def test_verify_runs_no_code_of_the_store(tmp_path, capsys):
    with Toy("bomb", file_location=tmp_path) as toy:
        toy["a"] = Bomb()
    assert run(capsys, "verify", tmp_path / "bomb")[0] == 0
    assert run(capsys, "info", tmp_path / "bomb")[0] == 0


def test_rm_removes_stores_and_nothing_else(stores, capsys):
    assert run(capsys, "rm", "words", "Lines", "--yes", "--location", stores)[0] == 0
    assert {path.name for path in stores.iterdir() if "~" not in path.name} == {"notes.txt"}


def test_rm_leaves_alone_what_is_no_store_or_is_open(stores, capsys):
    (stores / "fake.pyspeedup").mkdir()
    (stores / "fake.pyspeedup" / "thesis.txt").write_text("years")
    status, _, errors = run(capsys, "rm", "--yes", stores / "fake.pyspeedup")
    assert (status, "not a store" in errors) == (1, True)
    with Toy("words", file_location=stores) as toy:
        status, _, errors = run(capsys, "rm", "--yes", stores / "words")
        assert (status, "is open in process" in errors) == (1, True)
        toy["d"] = 1
    assert run(capsys, "rm", "--yes", stores / "missing")[0] == 1
    assert (stores / "fake.pyspeedup" / "thesis.txt").exists()


def test_a_damaged_store_can_be_removed(stores, capsys):
    (stores / "words.pyspeedup" / "data").unlink()
    assert run(capsys, "rm", stores / "words", "--yes")[0] == 0
    assert not (stores / "words.pyspeedup").exists()


def test_inspecting_does_not_change_a_byte(stores, capsys):
    before = {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()}
    for name in ("words", "Lines"):
        run(capsys, "info", stores / name)
        run(capsys, "verify", stores / name)
    assert {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()} == before


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_rm_asks_on_a_terminal_and_does_nothing_elsewhere(stores, capsys, monkeypatch):
    status, _, errors = run(capsys, "rm", stores / "words")
    assert (status, "--yes" in errors) == (2, True)
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    status, _, errors = run(capsys, "rm", stores / "words")
    assert status == 1
    assert str(stores / "words.pyspeedup") in errors
    assert (stores / "words.pyspeedup").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run(capsys, "rm", stores / "words")[0] == 0
    assert not (stores / "words.pyspeedup").exists()


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_progress_is_shown_on_a_terminal_only(monkeypatch, with_tqdm):
    if with_tqdm:
        tqdm = pytest.importorskip("tqdm")
        monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)  # a thread that stays for ever
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", silent := io.StringIO())
    assert list(progress.shown("abc", "letters", 3)) == ["a", "b", "c"]
    assert not silent.getvalue()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert list(progress.shown("abc", "letters", 3)) == ["a", "b", "c"]
    assert "letters" in terminal.getvalue()
    assert terminal.getvalue().splitlines()[-1].strip("\x1b[K ") == ""


def test_a_backup_shows_how_many_pages_are_copied(tmp_path, capsys, monkeypatch):
    with DiskDict("d", 4, file_location=tmp_path) as d:
        d.update(dict.fromkeys(range(100), "x" * 100))
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    pages = run_json(capsys, "info", tmp_path / "d")[1]["pages"]
    assert run(capsys, "backup", tmp_path / "d", tmp_path / "safe")[0] == 0
    assert f"backup: 0 of {pages} pages" in terminal.getvalue()


def test_a_name_of_dots_is_no_way_out(tmp_path):
    with pytest.raises(ValueError, match="file_basename"):
        inspecting.find_folder("..", str(tmp_path))
