"""Commands where a store's folder is a link, is shared with others, cannot be read, or goes meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict
from pyspeedup.memory._storage import replacing
from pyspeedup.memory.commands import ls

needs_modes = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no modes here")


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def make(location, name="x", **options):
    with DiskDict(name, file_location=location, **options) as made:
        made.update({number: [number] for number in range(600)})
        made.sync()
        for number in range(500):
            del made[number]
    return location / f"{name}.pyspeedup"


def content_of(location, name="x", **options):
    with DiskDict(name, file_location=location, **options) as found:
        return found.copy()


KEPT = {number: [number] for number in range(500, 600)}


@pytest.fixture
def new_lines(tmp_path):
    lines = tmp_path / "new.jsonl"
    lines.write_text('{"key": 1, "value": "new"}\n')
    return lines


@pytest.fixture(params=[True, False])
def both_ways(request, monkeypatch):
    """Replace a store in one step, and where the system cannot do that."""
    if not request.param:
        monkeypatch.setattr(replacing, "exchange_folders", lambda *_: False)


# ---- links -------------------------------------------------------------------------------------


@pytest.fixture(params=["x.pyspeedup", "other.pyspeedup", "somewhere"])
def linked(request, tmp_path):
    """Return a link to the folder of a store, of that name or another, and that folder."""
    real = make(tmp_path / "big").rename(tmp_path / "big" / request.param)
    (tmp_path / "small").mkdir()
    link = tmp_path / "small" / "x.pyspeedup"
    link.symlink_to(Path("..", "big", request.param), target_is_directory=True)
    return link, real


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("both_ways")
def test_compacting_through_a_link_compacts_what_it_leads_to(linked, capsys):
    link, real = linked
    before = (real / "data").stat().st_size
    status, output, _ = run(capsys, "compact", link, "--json")
    assert (status, json.loads(output)["items"]) == (0, 100)
    assert link.is_symlink()
    assert link.resolve() == real
    assert (real / "data").stat().st_size < before
    assert content_of(link.parent) == KEPT
    assert (names(link.parent), names(real.parent)) == ([link.name], [real.name])


def test_compacting_through_a_link_keeps_the_name_of_the_store(linked, capsys):
    link, real = linked
    before = json.loads((real / "pyspeedup.json").read_bytes())["name"]
    assert run(capsys, "compact", "x", "--location", link.parent)[0] == 0
    assert json.loads((real / "pyspeedup.json").read_bytes())["name"] in {before, "other"}


def test_importing_by_force_through_a_link_replaces_what_it_leads_to(linked, capsys, new_lines):
    link, real = linked
    assert run(capsys, "import", new_lines, link, "--force")[0] == 0
    assert link.resolve() == real
    assert content_of(link.parent) == {1: "new"}
    assert (names(link.parent), names(real.parent)) == ([link.name], [real.name])
    assert run(capsys, "import", new_lines, link, "--append")[0] == 0


def test_a_link_is_not_deleted_nor_what_it_leads_to(linked, capsys):
    link, real = linked
    status, _, errors = run(capsys, "rm", "--yes", link)
    assert (status, errors.count("\n")) == (1, 1)
    assert "is a link" in errors
    assert str(real) in errors
    assert link.is_symlink()
    assert content_of(link.parent) == KEPT


def test_a_link_that_leads_nowhere_is_not_replaced(tmp_path, capsys, new_lines):
    link = tmp_path / "x.pyspeedup"
    link.symlink_to("nowhere.pyspeedup", target_is_directory=True)
    for arguments in (["import", new_lines, link], ["import", new_lines, link, "--force"]):
        status, _, errors = run(capsys, *arguments)
        assert (status, str(link) in errors, errors.count("\n")) == (1, True, 1)
    assert link.is_symlink()
    assert not link.exists()
    assert names(tmp_path) == ["new.jsonl", "x.pyspeedup"]


# ---- modes and owners --------------------------------------------------------------------------


def access(folder):
    found = [folder, *folder.rglob("*")]
    return {
        path.name: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in found
    }


@needs_modes
@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("command", ["compact", "import"])
def test_who_may_use_a_store_may_do_so_afterwards(tmp_path, capsys, new_lines, command):
    folder = make(tmp_path)
    for path in folder.iterdir():
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 65534, 12345)
    folder.chmod(0o2750)
    if os.geteuid() == 0:
        os.chown(folder, 65534, 12345)
        folder.chmod(0o2750)
    before = access(folder)
    arguments = [folder] if command == "compact" else [new_lines, folder, "--force"]
    assert run(capsys, command, *arguments, "--trust")[0] == 0
    assert access(folder) == before
    expected = KEPT if command == "compact" else {1: "new"}
    assert content_of(tmp_path, trust=True) == expected


@needs_modes
def test_another_page_store_has_the_modes_of_the_one_before(tmp_path, capsys, new_lines):
    folder = make(tmp_path, page_store="sqlite")
    for path in folder.iterdir():
        path.chmod(0o640)
    folder.chmod(0o750)
    assert run(capsys, "import", new_lines, folder, "--force", "--page-store", "file")[0] == 0
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "data": 0o640,
        "lock": 0o640,
        "pyspeedup.json": 0o640,
    }
    assert folder.stat().st_mode & 0o777 == 0o750


@needs_modes
def test_another_group_gets_no_right(tmp_path, capsys, monkeypatch):
    """Who is not in the group of the store before cannot give the new one to it."""

    def refuse(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    folder = make(tmp_path)
    folder.chmod(0o775)
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to any group")
    os.chown(folder, -1, 12345)
    monkeypatch.setattr(os, "chown", refuse)
    assert run(capsys, "compact", folder, "--trust")[0] == 0
    assert folder.stat().st_gid != 12345
    assert folder.stat().st_mode & 0o777 == 0o705


# ---- folders that cannot be read, or go meanwhile ------------------------------------------------


@pytest.fixture
def unreadable(tmp_path, monkeypatch):
    """Make the folder of a store one that cannot be read, to root neither."""
    folder = make(tmp_path, "private")
    read_bytes = Path.read_bytes

    def refuse(path):
        if Path(path).is_relative_to(folder):
            raise PermissionError(13, "Permission denied", str(path))

    def checked_read(path):
        refuse(path)
        return read_bytes(path)

    def checked(listing):
        def call(path="."):
            refuse(path)
            return listing(path)

        return call

    monkeypatch.setattr(Path, "read_bytes", checked_read)
    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, checked(getattr(os, name)))
    return folder


def test_ls_shows_the_stores_beside_one_that_cannot_be_read(tmp_path, capsys, unreadable):
    make(tmp_path, "mine")
    status, output, errors = run(capsys, "ls", tmp_path, "--json")
    assert (status, errors) == (0, "")
    mine, private = json.loads(output)
    assert (mine["name"], mine["kind"]) == ("mine", "dict")
    assert private == {"name": "private", "kind": "unreadable", "page store": "", "bytes": None}
    lines = run(capsys, "ls", tmp_path)[1].splitlines()
    assert lines[2].split() == ["private", "unreadable", "-", "-"]


def test_a_store_that_cannot_be_read_is_named_by_the_other_commands(tmp_path, capsys, unreadable):
    for command in ("info", "verify", "compact"):
        status, _, errors = run(capsys, command, unreadable)
        assert (status, str(unreadable) in errors, errors.count("\n")) == (1, True, 1)


def vanishing(monkeypatch, *paths):
    """Let each path go once the folder that it is in has been listed."""
    scandir = os.scandir

    def listed(path="."):
        if isinstance(path, int):  # as `shutil.rmtree` has it
            return scandir(path)
        with scandir(path) as entries:
            found = list(entries)
        for gone in paths:
            if gone.parent == Path(path) and gone.exists():
                gone.unlink()
        return Listing(found)

    monkeypatch.setattr(os, "scandir", listed)


class Listing:
    def __init__(self, entries):
        self.left = list(entries)

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("command", ["ls", "info", "compact"])
def test_a_file_that_goes_meanwhile_counts_nothing(tmp_path, capsys, monkeypatch, command):
    folder = make(tmp_path)
    for name in ("database-wal", "pyspeedup.json.new"):
        (folder / name).write_bytes(bytes(1 << 20))
    vanishing(monkeypatch, folder / "database-wal", folder / "pyspeedup.json.new")
    where = tmp_path if command == "ls" else folder
    status, output, errors = run(capsys, command, where, "--json")
    assert (status, errors) == (0, "")
    if command == "ls":
        (row,) = json.loads(output)
        assert 1000 < row["bytes"] < 1 << 20


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("x.pyspeedup", "store_folders"),
        ("x.pyspeedup", "read_marker"),
        ("x.pyspeedup", "bytes_on_disk"),
        ("x.pyspeedup.new", "unfinished"),
        ("x.pyspeedup.new", "bytes_on_disk"),
    ],
)
def test_a_folder_that_goes_after_any_step_is_not_listed(tmp_path, capsys, monkeypatch, name, step):
    original = getattr(ls, step)
    make(tmp_path).rename(tmp_path / name)
    make(tmp_path, "kept")

    def then_it_goes(path):
        found = original(path)
        if path in (tmp_path, tmp_path / name) and (tmp_path / name).exists():
            (tmp_path / name).rename(tmp_path / "gone")
        return found

    monkeypatch.setattr(ls, step, then_it_goes)
    status, output, errors = run(capsys, "ls", tmp_path, "--json")
    assert (status, errors) == (0, "")
    assert [row["name"] for row in json.loads(output)] == ["kept"]


def test_ls_names_a_location_that_cannot_be_read(tmp_path, capsys, unreadable):
    status, _, errors = run(capsys, "ls", unreadable)
    assert (status, str(unreadable) in errors, errors.count("\n")) == (1, True, 1)
