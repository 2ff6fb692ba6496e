"""Commands on signed stores: the key comes from a file that nobody else can read, and goes nowhere."""

from __future__ import annotations

import json
import os

import pytest
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory.commands.access import Access
from pyspeedup.memory.serializers import SignedSerializer, compressed, signed

KEY = bytes(range(20)) + b"\n"
INNER = {
    "pickle": "pickle",
    "json": "json",
    "compressed": compressed("json"),
}
ITEMS = {"a": [1], "b": {"c": "x" * 100}}

needs_owners = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no modes here")


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture
def stores(tmp_path):
    return tmp_path / "stores"


def make(folder, inner="pickle", kind=DiskDict, key=KEY):
    with kind("x", file_location=folder, serializer=signed(inner, key)) as made:
        if kind is DiskDict:
            made.update(ITEMS)
        else:
            made.extend(ITEMS.values())


def content_of(folder, name="x", inner="pickle", kind=DiskDict):
    with kind(name, file_location=folder, serializer=signed(inner, KEY), readonly=True) as found:
        return found.copy()


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("inner", INNER)
def test_every_command_that_reads_values_reads_those_of_a_signed_store(
    stores, tmp_path, capsys, key_file, inner
):
    inner = INNER[inner]
    make(stores, inner)
    key = ("--key-file", key_file)
    assert run(capsys, "verify", "--deep", stores / "x", *key)[0] == 0
    assert run(capsys, "compact", stores / "x", *key)[0] == 0
    assert run(capsys, "backup", stores / "x", tmp_path / "safe", *key)[0] == 0
    assert run(capsys, "repair", stores / "x", "--output", "saved", *key)[0] == 0
    for folder, name in [(stores, "x"), (tmp_path / "safe", "x"), (stores, "saved")]:
        assert content_of(folder, name, inner) == ITEMS
    status, lines, errors = run(capsys, "export", stores / "x", *key)
    assert (status, errors) == (0, "")
    assert [json.loads(line)["value"] for line in lines.splitlines()] == list(ITEMS.values())


def test_a_list_is_read_and_copied_likewise(stores, capsys, key_file):
    make(stores, kind=DiskList)
    assert run(capsys, "compact", stores / "x", "--key-file", key_file)[0] == 0
    assert content_of(stores, kind=DiskList) == list(ITEMS.values())


def test_import_makes_a_signed_store_and_adds_to_one(stores, tmp_path, capsys, key_file):
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"key": "a", "value": [1]}\n')
    importing = ["import", lines, stores / "x", "--key-file", key_file]
    assert run(capsys, *importing, "--serializer", "json")[0] == 0
    assert content_of(stores, inner="json") == {"a": [1]}
    lines.write_text('{"key": "b", "value": 2}\n')
    assert run(capsys, *importing, "--append")[0] == 0
    assert content_of(stores, inner="json") == {"a": [1], "b": 2}
    assert run(capsys, "import", lines, stores / "y", "--key-file", key_file)[0] == 0
    assert content_of(stores, "y") == {"b": 2}


@pytest.mark.parametrize("command", ["compact", "repair", "export", "verify --deep"])
def test_without_the_key_or_with_another_nothing_is_read(stores, capsys, key_file, command):
    make(stores)
    names = sorted(path.name for path in stores.iterdir())
    status, output, errors = run(capsys, *command.split(), stores / "x")
    assert (status, output) == (1, "")
    assert "needs its key" in errors
    key_file.write_bytes(b"another key than that")
    status, output, errors = run(capsys, *command.split(), stores / "x", "--key-file", key_file)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "it was written with 'signed'" in errors
    assert sorted(path.name for path in stores.iterdir()) == names
    assert content_of(stores) == ITEMS


def test_a_store_that_is_not_signed_takes_no_key(stores, capsys, key_file):
    with DiskDict("x", file_location=stores) as d:
        d.update(ITEMS)
    for more in [(), ("--serializer", "pickle")]:
        status, _, errors = run(capsys, "export", stores / "x", "--key-file", key_file, *more)
        assert (status, errors.count("\n")) == (1, 1)
        assert "written with 'pickle'" in errors


@needs_owners
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_key_that_others_can_read_or_change_is_refused(stores, capsys, key_file, mode):
    make(stores)
    key_file.chmod(mode)
    status, output, errors = run(capsys, "export", stores / "x", "--key-file", key_file)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert f"mode {mode:03o}" in errors
    assert "chmod 600" in errors
    key_file.chmod(0o400)
    assert run(capsys, "export", stores / "x", "--key-file", key_file)[0] == 0


@needs_owners
def test_a_key_of_another_user_is_refused(stores, capsys, key_file, monkeypatch):
    make(stores)
    own = os.geteuid()
    if own:
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    else:
        os.chown(key_file, 1, -1)
    status, output, errors = run(capsys, "export", stores / "x", "--key-file", key_file)
    assert (status, output) == (1, "")
    assert f"belongs to user {key_file.stat().st_uid}" in errors


@pytest.mark.parametrize("there", ["nothing", "a folder", "a pipe", "a short key"])
def test_what_is_no_key_is_said_in_a_line(stores, tmp_path, capsys, there):
    make(stores)
    path = tmp_path / "other"
    if there == "a folder":
        path.mkdir()
    elif there == "a pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in folders here")
        os.mkfifo(path)
    elif there == "a short key":
        path.write_bytes(b"short")
        path.chmod(0o600)
    status, output, errors = run(capsys, "export", stores / "x", "--key-file", path)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert ("16 bytes" if there == "a short key" else str(path)) in errors


def test_the_key_is_told_to_nobody(stores, tmp_path, capsys):
    secret = b"never to be seen anywhere"
    path = tmp_path / "key"
    path.write_bytes(secret)
    path.chmod(0o600)
    make(stores, key=secret)
    told = ""
    for command in (["verify", "--deep"], ["compact"], ["repair"], ["export"], ["info"]):
        more = [] if command == ["info"] else ["--key-file", path]
        told += "".join(map(str, run(capsys, *command, stores / "x", *more)))
    assert secret.decode() not in told
    files = [file for file in stores.rglob("*") if file.is_file()]
    assert files
    assert not any(secret in file.read_bytes() for file in files)


class Forged(SignedSerializer):
    """What somebody makes who knows what a header says, but not the key."""

    def dumps(self, obj):
        return b"\0" * 16 + self.inner.dumps(obj)


class Bomb:
    def __reduce__(self):
        return exec, ("raise ValueError('run')",)


def test_what_a_stranger_wrote_is_not_read_and_runs_nothing(stores, capsys, key_file):
    with DiskDict("x", file_location=stores, serializer=Forged("pickle", KEY)) as d:
        d["bomb"] = Bomb()
    status, output, errors = run(capsys, "verify", "--deep", stores / "x", "--key-file", key_file)
    assert (status, errors) == (1, "")
    assert "key 'bomb': the value of key 'bomb': " in output
    assert "signature" in output


@pytest.mark.parametrize("options", [{}, {"inner": 5}, {"inner": {"name": "pickle"}}])
def test_a_forged_record_of_a_serializer_is_refused_in_a_line(options):
    with pytest.raises(ValueError, match="recorded options of its serializer"):
        Access(None, KEY).serializer_for({"name": "signed", "options": options})


@pytest.mark.parametrize("command", ["export", "compact", "repair"])
def test_a_signed_store_without_its_key_tells_the_option(stores, capsys, command):
    make(stores)
    status, _, told = run(capsys, command, stores / "x.pyspeedup")
    assert status == 1
    assert "--key-file names the file" in told


def test_a_folder_for_a_key_is_told(stores, tmp_path, capsys):
    make(stores)
    status, _, told = run(capsys, "export", stores / "x.pyspeedup", "--key-file", tmp_path)
    assert status != 0
    assert "it is not a file" in told
