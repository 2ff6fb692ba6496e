"""Compact and backup: the same items in less room, and whatever cuts it short, one whole store."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from commands_killed import can_kill, kill_command
from pyspeedup.core import StoreCorruptedError, UntrustedStoreError
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._storage import replacing
from pyspeedup.memory.commands import compact
from storage_toy import start

KINDS = {"dict": DiskDict, "list": DiskList}


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def make(folder, kind="dict", **options):
    """Make a store of which most was deleted again, and return what it holds."""
    with KINDS[kind]("x", 16, file_location=folder, **options) as made:
        if kind == "dict":
            made.update({f"key {number}": [number] for number in range(600)})
            made.sync()
            for number in range(400):
                del made[f"key {number}"]
        else:
            made.extend([number] for number in range(600))
            made.sync()
            del made[:400]
    return content_of(folder, kind)


def content_of(folder, kind="dict"):
    with KINDS[kind]("x", file_location=folder, readonly=True) as found:
        return found.copy()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("page_store", ["file", "sqlite", "lmdb"])
def test_compacting_keeps_items_order_and_options_and_gives_room_back(
    tmp_path, capsys, kind, page_store
):
    if page_store == "lmdb":
        pytest.importorskip("lmdb")
    expected = make(tmp_path, kind, page_store=page_store, serializer="json")
    before = json.loads(run(capsys, "info", tmp_path / "x", "--json")[1])
    status, output, errors = run(capsys, "compact", tmp_path / "x", "--json")
    assert (status, errors) == (0, "")
    told = json.loads(output)
    assert (told["items"], told["bytes before"]) == (200, before["bytes on disk"])
    assert told["bytes after"] < 0.8 * told["bytes before"]
    after = json.loads(run(capsys, "info", tmp_path / "x", "--json")[1])
    for same in ("name", "kind", "items a page", "page store", "serializer"):
        assert after[same] == before[same]
    assert content_of(tmp_path, kind) == expected
    assert list(content_of(tmp_path, kind)) == list(expected)
    assert names(tmp_path) == ["x.pyspeedup"]
    assert (tmp_path / "x.pyspeedup").stat().st_mode & 0o777 == 0o700


def test_a_store_that_is_open_is_not_compacted_and_the_holder_is_named(tmp_path, capsys):
    expected = make(tmp_path)
    for readonly in (False, True):
        with DiskDict("x", file_location=tmp_path, readonly=readonly):
            status, _, errors = run(capsys, "compact", tmp_path / "x")
            assert (status, f"process {os.getpid()}" in errors) == (1, True)
    assert content_of(tmp_path) == expected


def test_nobody_can_open_a_store_that_is_being_compacted(tmp_path, capsys, monkeypatch):
    expected = make(tmp_path)
    tried = []

    def shown(items, *_):
        status, _, errors = run(capsys, "compact", tmp_path / "x")
        tried.append((status, "is open in process" in errors))
        return items

    monkeypatch.setattr(compact, "shown", shown)
    assert run(capsys, "compact", tmp_path / "x")[0] == 0
    assert tried == [(1, True)]
    assert content_of(tmp_path) == expected


def test_a_store_that_cannot_be_read_whole_stays_as_it_was(tmp_path, capsys):
    with DiskList("x", 16, file_location=tmp_path) as items:
        items.extend([1, Gone()])
    before = (tmp_path / "x.pyspeedup" / "data").read_bytes()
    status, _, errors = run(capsys, "compact", tmp_path / "x")
    assert (status, errors.count("\n")) == (1, 1)
    assert "pyspeedup repair" in errors
    assert "x.pyspeedup stays as it was" in errors
    assert (tmp_path / "x.pyspeedup" / "data").read_bytes() == before
    assert names(tmp_path) == ["x.pyspeedup"]


class Gone:
    def __reduce__(self):
        return exec, ("raise ValueError('gone')",)


def test_a_store_that_others_could_have_written_is_not_read_unasked(tmp_path, capsys):
    expected = make(tmp_path)
    (tmp_path / "x.pyspeedup" / "data").chmod(0o666)
    status, _, errors = run(capsys, "compact", tmp_path / "x")
    assert (status, "can be written by others" in errors) == (1, True)
    assert run(capsys, "compact", "--trust", tmp_path / "x")[0] == 0
    with pytest.raises(UntrustedStoreError):  # its mode is as it was
        content_of(tmp_path)
    (tmp_path / "x.pyspeedup" / "data").chmod(0o600)
    assert content_of(tmp_path) == expected


def test_ctrl_c_leaves_the_old_store(tmp_path, capsys, monkeypatch):
    expected = make(tmp_path)

    def interrupted(items, *_):
        yield next(iter(items))
        raise KeyboardInterrupt

    monkeypatch.setattr(compact, "shown", interrupted)
    assert run(capsys, "compact", tmp_path / "x")[0] == 130
    assert names(tmp_path) == ["x.pyspeedup"]
    assert content_of(tmp_path) == expected


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys, monkeypatch):
    expected = make(tmp_path)

    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "x.pyspeedup.new"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    status, _, errors = run(capsys, "compact", tmp_path / "x")
    assert (status, str(tmp_path) in errors, errors.count("\n")) == (1, True, 1)
    monkeypatch.undo()
    assert content_of(tmp_path) == expected


# ---- killed at each step -----------------------------------------------------------------------

COMPACT = "pyspeedup.memory.commands.compact"
REPLACING = "pyspeedup.memory._storage.replacing"
STEPS = [
    (COMPACT, "building_aside", "before"),
    (REPLACING, "_empty", "after"),
    (COMPACT, "shown", 150),
    (COMPACT, "_copy", "after"),
    (REPLACING, "exchange_folders", "before"),
    (REPLACING, "exchange_folders", "after"),
    ("shutil", "rmtree", "half"),
    ("shutil", "rmtree", "after"),
]


@can_kill
@pytest.mark.parametrize(("module", "name", "when"), STEPS)
def test_a_process_killed_at_any_step_leaves_one_whole_store(tmp_path, capsys, module, name, when):
    expected = make(tmp_path)
    kill_command(["compact", tmp_path / "x"], module, name, when)
    assert "x.pyspeedup" in names(tmp_path)
    assert content_of(tmp_path) == expected
    assert run(capsys, "compact", tmp_path / "x")[0] == 0
    assert content_of(tmp_path) == expected
    assert names(tmp_path) == ["x.pyspeedup"]


MOVING = "pyspeedup.memory._storage.moving_over"
MOVES = [  # and whether the store is whole
    (REPLACING, "move_over", "before", True),
    (MOVING, "finish", "before", False),
    (MOVING, "_clear", "before", False),
    (MOVING, "_clear", "after", False),
    (MOVING, "_fill", "before", False),
    (MOVING, "_fill", "after", True),
    (REPLACING, "move_over", "after", True),
]


@can_kill
@pytest.mark.parametrize("step", MOVES)
def test_without_an_exchange_of_folders_what_is_cut_short_is_refused_and_completed(
    tmp_path, capsys, step
):
    *where, is_whole = step
    expected = make(tmp_path)
    kill_command(["compact", tmp_path / "x"], *where, exchange=False)
    if not is_whole:
        with pytest.raises(StoreCorruptedError):
            DiskDict("x", file_location=tmp_path)
        status, _, errors = run(capsys, "info", tmp_path / "x")
        assert (status, "pyspeedup compact" in errors) == (1, True)
        assert run(capsys, "compact", tmp_path / "x")[0] == 0
    assert content_of(tmp_path) == expected
    assert run(capsys, "compact", tmp_path / "x")[0] == 0
    assert content_of(tmp_path) == expected
    assert names(tmp_path) == ["x.pyspeedup"]
    assert names(tmp_path / "x.pyspeedup") == ["data", "lock", "pyspeedup.json"]


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_compacting_works_without_an_exchange_of_folders(tmp_path, capsys, monkeypatch, page_store):
    expected = make(tmp_path, page_store=page_store)
    before = names(tmp_path / "x.pyspeedup")
    monkeypatch.setattr(replacing, "exchange_folders", lambda *_: False)
    assert run(capsys, "compact", tmp_path / "x")[0] == 0
    assert content_of(tmp_path) == expected
    assert names(tmp_path / "x.pyspeedup") == before


@can_kill
def test_nothing_is_removed_where_the_new_store_is_gone(tmp_path, capsys):
    expected = make(tmp_path)
    kill_command(["compact", tmp_path / "x"], MOVING, "_clear", "before", exchange=False)
    new = tmp_path / "x.pyspeedup.new" / "x.pyspeedup"
    new.rename(tmp_path / "elsewhere")
    status, _, errors = run(capsys, "compact", tmp_path / "x")
    assert (status, f"{new}, which is gone" in errors) == (1, True)
    marker = tmp_path / "x.pyspeedup" / "pyspeedup.json"
    marker.with_name("pyspeedup.json.clearing").rename(marker)
    assert content_of(tmp_path) == expected


FULL_DISK = """
import resource, sys
from pyspeedup.core.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_is_one_line_and_leaves_the_old_store(tmp_path):
    pytest.importorskip("resource")
    expected = make(tmp_path)
    with start(FULL_DISK, "compact", tmp_path / "x") as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.count("\n")) == (1, 1), errors
    assert content_of(tmp_path) == expected
    assert names(tmp_path) == ["x.pyspeedup"]


# ---- backup ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_a_store_of_the_same_items(tmp_path, capsys, kind):
    expected = make(tmp_path / "original", kind)
    safe = tmp_path / "safe"
    status, output, _ = run(capsys, "backup", tmp_path / "original" / "x", safe, "--json")
    told = json.loads(output)
    assert (status, told["items"]) == (0, 200)
    assert told["backup"] == str(safe / "x.pyspeedup")
    assert content_of(safe, kind) == expected
    assert run(capsys, "verify", "--deep", safe / "x")[0] == 0
    assert run(capsys, "backup", tmp_path / "original" / "x", safe)[0] == 1
    assert run(capsys, "backup", tmp_path / "original" / "x", safe, "--name", "Y")[0] == 0
    assert names(safe) == ["^y.pyspeedup", "x.pyspeedup"]
    assert content_of(tmp_path / "original", kind) == expected
    with KINDS[kind]("Y", 16, file_location=safe, readonly=True) as copy:  # an item at a time
        keys = expected if kind == "dict" else range(len(expected))
        assert [copy[key] for key in keys] == [expected[key] for key in keys]


def test_a_damaged_store_makes_no_backup(tmp_path, capsys):
    with DiskList("x", file_location=tmp_path) as items:
        items.extend(["needle"] * 10)
    data = tmp_path / "x.pyspeedup" / "data"
    data.write_bytes(data.read_bytes().replace(b"needle", b"NEEDLE", 1))
    status, _, errors = run(capsys, "backup", tmp_path / "x", tmp_path / "safe")
    assert (status, "damaged" in errors, errors.count("\n")) == (1, True, 1)
    assert not list((tmp_path / "safe").glob("*"))
