"""Export and import: what goes out comes back equal, what cannot is refused, and nothing stays half."""

from __future__ import annotations

import dbm.dumb
import json
import os
import pickle
import shelve
import sqlite3
from datetime import date

import pytest
from commands_killed import can_kill, kill_command
from pyspeedup.core import SerializationError
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory.commands import importing, json_lines
from storage_toy import start

PLAIN = {"a": 1, 2: [None, True, 1.5], "ü\n\u2028": {"b": ["\ud800"]}, "": "", 10**30: {}}
OTHER = {(1, 2): date(2026, 1, 2), b"x": {1: 2}, frozenset("a"): (1,), "key": {"value_pickle": "x"}}


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def make(folder, name, content, **options):
    kind = DiskDict if isinstance(content, dict) else DiskList
    with kind(name, file_location=folder, **options) as made:
        (made.update if isinstance(content, dict) else made.extend)(content)


def content_of(folder, name, kind=DiskDict):
    with kind(name, file_location=folder, readonly=True) as found:
        return found.copy()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", [PLAIN, {}, list(PLAIN.values()), [{"key": 1, "value": 2}]])
def test_what_json_holds_comes_back_equal_and_in_order(tmp_path, capsys, content):
    make(tmp_path, "x", content)
    lines = tmp_path / "x.jsonl"
    assert run(capsys, "export", tmp_path / "x", "-o", lines)[0] == 0
    lines.read_bytes().decode("utf-8")
    for line in lines.read_text("utf-8").split("\n")[:-1]:
        assert set(json.loads(line)) <= {"key", "value"}
    status, output, errors = run(capsys, "import", lines, tmp_path / "y", "--json")
    assert (status, errors) == (0, "")
    assert json.loads(output)["items"] == len(content)
    if content:
        found = content_of(tmp_path, "y", DiskDict if isinstance(content, dict) else DiskList)
        assert found == content
        assert list(found) == list(content)


def test_export_writes_to_stdout(tmp_path, capsysbinary):
    make(tmp_path, "x", {"a": [1, "ü"]})
    assert main(["export", str(tmp_path / "x")]) == 0
    assert capsysbinary.readouterr().out.decode() == '{"key":"a","value":[1,"ü"]}\n'


def test_json_with_items_on_stdout_is_refused(tmp_path, capsys):
    make(tmp_path, "x", {"a": 1})
    assert run(capsys, "export", tmp_path / "x", "--json")[0] == 2


@pytest.mark.parametrize("content", [OTHER, list(OTHER.values())])
def test_what_json_would_change_is_refused_with_its_name_or_pickled(tmp_path, capsys, content):
    make(tmp_path, "x", content)
    lines = tmp_path / "x.jsonl"
    status, _, errors = run(capsys, "export", tmp_path / "x", "-o", lines)
    assert status == 1
    assert ("key (1, 2)" in errors) or ("index 0" in errors)
    assert "--pickle" in errors
    assert names(tmp_path) == ["x.pyspeedup"]
    assert run(capsys, "export", tmp_path / "x", "-o", lines, "--pickle")[0] == 0
    status, _, errors = run(capsys, "import", lines, tmp_path / "y")
    assert (status, "line 1" in errors, "--trust" in errors) == (1, True, True)
    assert names(tmp_path) == ["x.jsonl", "x.pyspeedup"]
    assert run(capsys, "import", lines, tmp_path / "y", "--trust")[0] == 0
    kind = DiskDict if isinstance(content, dict) else DiskList
    assert content_of(tmp_path, "y", kind) == content


def test_a_file_that_exists_is_replaced_only_by_force(tmp_path, capsys):
    make(tmp_path, "x", {"a": 1})
    lines = tmp_path / "x.jsonl"
    lines.write_text("mine")
    assert run(capsys, "export", tmp_path / "x", "-o", lines)[0] == 1
    assert lines.read_text() == "mine"
    assert run(capsys, "export", tmp_path / "x", "-o", lines, "--force")[0] == 0
    assert json.loads(lines.read_text()) == {"key": "a", "value": 1}


def test_a_damaged_store_leaves_no_half_file(tmp_path, capsys):
    make(tmp_path, "x", ["y" * 1000] * 50)
    flip(tmp_path / "x.pyspeedup" / "data", b"yyyy")
    assert run(capsys, "export", tmp_path / "x", "-o", tmp_path / "x.jsonl")[0] == 1
    assert names(tmp_path) == ["x.pyspeedup"]


def flip(path, needle):
    content = path.read_bytes()
    path.write_bytes(content.replace(needle, needle[::-1].swapcase(), 1))


def test_a_reader_that_has_seen_enough_makes_no_traceback(tmp_path):
    make(tmp_path, "x", ["y" * 1000] * 5000)
    script = "import sys; from pyspeedup.core.cli import main; sys.exit(main(sys.argv[1:]))"
    with start(script, "export", tmp_path / "x") as process:
        process.stdout.readline()
        process.stdout.close()
        process.wait(60)
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_anybodys_json_lines_become_a_list(tmp_path, capsys):
    lines = tmp_path / "people.jsonl"
    lines.write_text('{"name": "Ada"}\n\n{"key": 1, "value": 2}\n"x"\n')
    assert run(capsys, "import", lines, tmp_path / "people")[0] == 0
    assert content_of(tmp_path, "people", DiskList) == [
        {"name": "Ada"},
        {"key": 1, "value": 2},
        "x",
    ]
    ours = tmp_path / "ours.jsonl"
    ours.write_text('{"value": 1}\n{"value": 2}\n')
    assert run(capsys, "import", "--lines", ours, tmp_path / "ours")[0] == 0
    assert content_of(tmp_path, "ours", DiskList) == [{"value": 1}, {"value": 2}]


DEEP = '{"value": ' + "[" * 200_000 + "]" * 200_000 + "}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"key": 1, "value": 2}\n{"value": 2}\n', "line 2: it is no item of a dict"),
        ('{"key": 1, "value": 2}\n[1]\n', "line 2: it is no item of a dict"),
        ('{"value": 2}\n{"value": 2\n', "line 2: it is not JSON"),
        (DEEP, "line 1: it nests too deep"),
        ('{"value": 2}\n' + DEEP, "line 2: it nests too deep"),
        ('{"key": [1], "value": 2}\n', "line 1: a list cannot be a key"),
        ('{"value_pickle": "!"}\n', "line 1: its value cannot be unpickled"),
        ("spam\n", "in none of the formats"),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_nothing_is_made(tmp_path, capsys, text, told):
    lines = tmp_path / "x.jsonl"
    lines.write_text(text)
    status, _, errors = run(capsys, "import", lines, tmp_path / "x", "--trust")
    assert (status, told in errors, errors.count("\n")) == (1, True, 1), errors
    assert names(tmp_path) == ["x.jsonl"]


def test_what_the_serializer_refuses_is_named_and_nothing_is_made(tmp_path, capsys):
    shelf = make_shelf(tmp_path / "shelf")
    way = ["import", shelf, tmp_path / "x", "--trust", "--serializer", "json"]
    status, _, errors = run(capsys, *way)
    assert (status, "'three'" in errors) == (1, True)
    assert not (tmp_path / "x.pyspeedup").exists()
    assert not list(tmp_path.glob("*.new"))


def test_a_store_that_exists_is_replaced_by_force_and_added_to_on_request(tmp_path, capsys):
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"key": "a", "value": 1}\n')
    make(tmp_path, "x", {"b": 2})
    status, _, errors = run(capsys, "import", lines, tmp_path / "x")
    assert (status, "--force" in errors) == (1, True)
    assert content_of(tmp_path, "x") == {"b": 2}
    assert run(capsys, "import", lines, tmp_path / "x", "--append")[0] == 0
    assert content_of(tmp_path, "x") == {"b": 2, "a": 1}
    assert run(capsys, "import", lines, tmp_path / "x", "--force")[0] == 0
    assert content_of(tmp_path, "x") == {"a": 1}
    assert names(tmp_path) == ["x.jsonl", "x.pyspeedup"]


def test_force_replaces_only_a_store_and_not_one_that_is_open(tmp_path, capsys):
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"key": "a", "value": 1}\n')
    thesis = tmp_path / "x.pyspeedup" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years")
    assert run(capsys, "import", lines, tmp_path / "x", "--force")[0] == 1
    assert thesis.read_text() == "years"
    with DiskDict("y", file_location=tmp_path) as d:
        d["b"] = 2
        for option in ("--force", "--append"):
            status, _, errors = run(capsys, "import", lines, tmp_path / "y", option)
            if option == "--force":
                assert (status, f"process {os.getpid()}" in errors) == (1, True)
    assert {"b": 2}.items() <= content_of(tmp_path, "y").items()


def test_an_appending_import_that_fails_changes_nothing(tmp_path, capsys):
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"key": "a", "value": 1}\n' * 3000 + "{}\n")
    make(tmp_path, "x", {"b": 2})
    assert run(capsys, "import", lines, tmp_path / "x", "--append")[0] == 1
    assert content_of(tmp_path, "x") == {"b": 2}
    make(tmp_path, "l", [1])
    assert run(capsys, "import", lines, tmp_path / "l", "--append")[0] == 1
    assert content_of(tmp_path, "l", DiskList) == [1]


def test_options_reach_the_new_store(tmp_path, capsys):
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"key": "a", "value": 1}\n')
    options = ["--serializer", "json", "--page-store", "sqlite", "--size-limit", "7"]
    assert run(capsys, "import", lines, tmp_path / "x", *options)[0] == 0
    told = json.loads(run(capsys, "info", tmp_path / "x", "--json")[1])
    assert (told["serializer"], told["page store"], told["items a page"]) == ("json", "sqlite", 7)


class Reversing:
    def dumps(self, value):
        return pickle.dumps(value)[::-1]

    def loads(self, data):
        return pickle.loads(bytes(data)[::-1])


def test_a_serializer_without_a_name_is_imported(tmp_path, capsys):
    make(tmp_path, "x", {"a": 1}, serializer=Reversing())
    status, _, errors = run(capsys, "export", tmp_path / "x")
    assert (status, "Reversing" in errors) == (1, True)
    way = ["--serializer", f"{__name__}:Reversing"]
    status, output, _ = run(capsys, "export", tmp_path / "x", *way)
    assert (status, json.loads(output)) == (0, {"key": "a", "value": 1})
    status, _, errors = run(capsys, "export", tmp_path / "x", "--serializer", "no_such:thing")
    assert (status, "no_such" in errors) == (1, True)


# ---- other libraries ---------------------------------------------------------------------------

VALUES = {"one": 1, "two": [2, "x"], "three": (3, b"y"), "big": "z" * 50_000}


def make_shelf(path):
    with shelve.Shelf(dbm.dumb.open(str(path), "n")) as shelf:
        shelf.update(VALUES)
    return path


def test_a_shelf_is_imported_by_its_name_or_its_file(tmp_path, capsys):
    shelf = make_shelf(tmp_path / "shelf")
    for number, path in enumerate([shelf, tmp_path / "shelf.dat", tmp_path / "shelf.dir"]):
        assert run(capsys, "import", path, tmp_path / f"x{number}", "--trust")[0] == 0
        assert content_of(tmp_path, f"x{number}") == VALUES


def test_a_shelf_of_the_default_kind_is_imported(tmp_path, capsys):
    with shelve.open(str(tmp_path / "shelf")) as shelf:
        shelf.update(VALUES)
    files = [path for path in tmp_path.iterdir() if path.suffix != ".bak"]
    for source in {tmp_path / "shelf", *files}:
        told = run(capsys, "import", source, tmp_path / "x", "--trust", "--force", "--json")
        assert json.loads(told[1])["format"] == "shelve"
        assert content_of(tmp_path, "x") == VALUES


@pytest.mark.parametrize("kind", ["shelve", "sqlitedict", "diskcache"])
def test_pickles_of_others_are_read_only_when_trusted(tmp_path, capsys, kind):
    source = {"shelve": make_shelf, "sqlitedict": make_sqlitedict, "diskcache": make_diskcache}[
        kind
    ](tmp_path / "source")
    status, _, errors = run(capsys, "import", source, tmp_path / "x")
    assert (status, "--trust" in errors, "code" in errors) == (2, True, True)
    assert run(capsys, "import", source, tmp_path / "x", "--trust")[0] == 0
    found = content_of(tmp_path, "x")
    assert found == VALUES
    assert list(found) == list(VALUES) or kind == "shelve"


def make_sqlitedict(path, tables=("unnamed",), values=None):
    with sqlite3.connect(path) as connection:
        for table in tables:
            connection.execute(f'CREATE TABLE "{table}" (key TEXT PRIMARY KEY, value BLOB)')
            connection.executemany(
                f'REPLACE INTO "{table}" VALUES (?, ?)',
                values or [(key, pickle.dumps(value)) for key, value in VALUES.items()],
            )
    connection.close()
    return path


def test_one_table_of_several_is_chosen_by_name(tmp_path, capsys):
    source = make_sqlitedict(tmp_path / "source", ["one", 'tw"o'.replace('"', '""')])
    way = ["import", source, tmp_path / "x", "--trust"]
    status, _, errors = run(capsys, *way)
    assert (status, "'one', 'tw\"o'" in errors) == (1, True)
    assert "no table 'three'" in run(capsys, *way, "--table", "three")[2]
    assert run(capsys, *way, "--table", 'tw"o')[0] == 0
    assert content_of(tmp_path, "x") == VALUES


@pytest.mark.parametrize("value", ["text", b"no pickle", b"cno_such_module\nthing\n."])
def test_a_value_that_cannot_be_unpickled_is_named(tmp_path, capsys, value):
    source = make_sqlitedict(tmp_path / "source", values=[("good", b"I1\n."), ("bad", value)])
    status, _, errors = run(capsys, "import", source, tmp_path / "x", "--trust")
    assert (status, "key 'bad'" in errors, errors.count("\n")) == (1, True, 1), errors
    assert names(tmp_path) == ["source"]


def make_diskcache(path, expired=()):
    """Write the folder that diskcache 5.6 would."""
    path.mkdir()
    (path / "aa").mkdir()
    (path / "aa" / "big.val").write_text(VALUES["big"])
    (path / "aa" / "three.val").write_bytes(pickle.dumps(VALUES["three"]))
    with sqlite3.connect(path / "cache.db") as connection:
        connection.execute("CREATE TABLE Settings (key TEXT, value)")
        connection.execute(
            "CREATE TABLE Cache (rowid INTEGER PRIMARY KEY, key BLOB, raw INTEGER, store_time REAL,"
            " expire_time REAL, access_time REAL, access_count INTEGER DEFAULT 0, tag BLOB,"
            " size INTEGER DEFAULT 0, mode INTEGER DEFAULT 0, filename TEXT, value BLOB)"
        )
        connection.executemany(
            "INSERT INTO Cache (key, raw, expire_time, mode, filename, value) VALUES (?,?,?,?,?,?)",
            [
                ("one", 1, None, 1, None, 1),
                (pickle.dumps("two"), 0, 1e12, 4, None, pickle.dumps(VALUES["two"])),
                ("three", 1, None, 4, "aa/three.val", None),
                ("big", 1, None, 3, "aa/big.val", None),
                *((key, 1, 1.0, 1, None, 0) for key in expired),
            ],
        )
    connection.close()
    return path


def test_what_has_expired_in_a_diskcache_is_left_out(tmp_path, capsys):
    source = make_diskcache(tmp_path / "source", expired=["old", "older"])
    output = run(capsys, "import", source / "cache.db", tmp_path / "x", "--trust")[1]
    assert "2 had expired" in output
    assert content_of(tmp_path, "x") == VALUES


def test_a_file_that_a_diskcache_lost_is_named(tmp_path, capsys):
    source = make_diskcache(tmp_path / "source")
    (source / "aa" / "big.val").unlink()
    status, _, errors = run(capsys, "import", source, tmp_path / "x", "--trust")
    assert (status, "'big'" in errors, "big.val" in errors) == (1, True, True)


PEER_VALUES = {**VALUES, 5: None, 1.5: b"b" * 40_000, (1, "x"): {"a": 1}, b"k": "s", 10**30: 2.5}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_diskcache_itself_wrote_is_imported(tmp_path, capsys):
    diskcache = pytest.importorskip("diskcache")
    with diskcache.Index(str(tmp_path / "index")).cache as cache:
        index = diskcache.Index.fromcache(cache, PEER_VALUES)
        assert len(index) == len(PEER_VALUES)
    with diskcache.FanoutCache(str(tmp_path / "fanout"), shards=3) as fanout:
        for key, value in PEER_VALUES.items():
            fanout[key] = value
    for name in ("index", "fanout"):
        assert run(capsys, "import", tmp_path / name, tmp_path / f"{name}2", "--trust")[0] == 0
        found = content_of(tmp_path, f"{name}2")
        assert found == PEER_VALUES
        assert name == "fanout" or list(found) == list(PEER_VALUES)


def test_what_sqlitedict_itself_wrote_is_imported(tmp_path, capsys):
    sqlitedict = pytest.importorskip("sqlitedict")
    with sqlitedict.SqliteDict(str(tmp_path / "words.sqlite"), autocommit=True) as words:
        words.update(VALUES)
    assert run(capsys, "import", tmp_path / "words.sqlite", tmp_path / "x", "--trust")[0] == 0
    assert content_of(tmp_path, "x") == VALUES


def test_what_is_no_source_is_said(tmp_path, capsys):
    make(tmp_path, "x", {"a": 1})
    (tmp_path / "folder").mkdir()
    for source, told in [
        (tmp_path / "nothing", "nothing to import"),
        (tmp_path / "folder", "not one of diskcache"),
        (tmp_path / "x.pyspeedup", "use backup"),
    ]:
        status, _, errors = run(capsys, "import", source, tmp_path / "y")
        assert (status, told in errors) == (1, True), errors
    for kind in ("shelve", "sqlitedict", "diskcache"):
        way = ["import", tmp_path / "x.pyspeedup" / "data", tmp_path / "y", "--trust"]
        assert run(capsys, *way, "--format", kind)[0] == 1


# ---- interruptions -----------------------------------------------------------------------------


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f'{{"key": {n}, "value": "{n}"}}\n' for n in range(3000)))
    return path


def test_ctrl_c_leaves_nothing_and_says_so(tmp_path, capsys, monkeypatch, lines):
    def interrupted(items, *_):
        yield next(items)
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "shown", interrupted)
    status, _, errors = run(capsys, "import", lines, tmp_path / "x")
    assert (status, errors) == (130, "pyspeedup import: interrupted\n")
    assert names(tmp_path) == ["x.jsonl"]


AMID = ("pyspeedup.memory.commands.importing", "shown", 2000)


@can_kill
@pytest.mark.parametrize("option", [None, "--force", "--append"])
def test_a_killed_import_leaves_what_was_there(tmp_path, capsys, lines, option):
    if option:
        make(tmp_path, "x", {"b": 2})
    way = ["import", str(lines), str(tmp_path / "x"), *([option] if option else [])]
    kill_command(way, *AMID)
    assert (tmp_path / "x.pyspeedup").exists() == bool(option)
    assert not option or content_of(tmp_path, "x") == {"b": 2}
    rows = json.loads(run(capsys, "ls", tmp_path, "--json")[1])
    assert [row["kind"] for row in rows] == {
        None: ["unfinished"],
        "--force": ["dict", "unfinished"],
        "--append": ["dict"],
    }[option]
    assert run(capsys, *way)[0] == 0
    assert content_of(tmp_path, "x")[2999] == "2999"
    assert names(tmp_path) == ["x.jsonl", "x.pyspeedup"]


@can_kill
def test_nothing_of_a_killed_import_gets_into_the_next(tmp_path, capsys, lines):
    step = ("pyspeedup.memory.commands.importing", "put_in_place", "before")
    kill_command(["import", lines, tmp_path / "x"], *step)
    other = tmp_path / "other.jsonl"
    other.write_text('{"key": "a", "value": 1}\n')
    assert run(capsys, "import", other, tmp_path / "x")[0] == 0
    assert content_of(tmp_path, "x") == {"a": 1}


@can_kill
def test_what_a_killed_import_left_can_be_removed(tmp_path, capsys, lines):
    kill_command(["import", lines, tmp_path / "x"], *AMID)
    assert names(tmp_path) == ["x.jsonl", "x.pyspeedup.new"]
    assert run(capsys, "rm", "--yes", tmp_path / "x")[0] == 0
    assert names(tmp_path) == ["x.jsonl"]


FULL_DISK = """
import resource, sys
from pyspeedup.core.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("option", [None, "--append"])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, option):
    pytest.importorskip("resource")
    source = tmp_path / "x.jsonl"
    source.write_text("".join(json.dumps({"key": n, "value": "x" * 900}) + "\n" for n in range(99)))
    if option:
        make(tmp_path, "x", {"b": 2})
    with start(
        FULL_DISK, "import", source, tmp_path / "x", *([option] if option else [])
    ) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("pyspeedup import: ")
    assert errors.count("\n") == 1, errors
    assert names(tmp_path) == (["x.jsonl", "x.pyspeedup"] if option else ["x.jsonl"])
    assert not option or content_of(tmp_path, "x") == {"b": 2}


def test_lines_are_read_and_written_one_at_a_time():
    def endless():
        number = 0
        while True:
            number += 1
            yield number, number

    lines = json_lines.item_lines(endless(), pickles=False)
    items = json_lines.read_items(lines, "dict", "endless", trust=False)
    assert [next(items) for _ in range(3)] == [(1, 1), (2, 2), (3, 3)]


def test_an_item_that_cannot_even_be_pickled_is_named():
    with pytest.raises(SerializationError, match="key 'f'"):
        list(json_lines.item_lines({"f": lambda: None}.items(), pickles=True))
