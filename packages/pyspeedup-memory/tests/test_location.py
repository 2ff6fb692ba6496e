"""Where stores lie: names, folders, and what is not ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.core import StoreCorruptedError, StoreError, UntrustedStoreError
from pyspeedup.memory._storage.location import (
    SUFFIX,
    find_place,
    folder_name,
    name_in_folder_name,
    store_folders,
)
from storage_toy import Other, Toy, run

NAMES = st.text(st.characters(exclude_characters="/\\\0"), max_size=300) | st.text(
    "aA.%^~_ cOnN1", max_size=12
)


@given(NAMES, NAMES)
def test_no_two_names_share_a_folder_even_where_case_is_ignored(one, other):
    same = folder_name(one).casefold() == folder_name(other).casefold()
    assert same == (one == other)


@given(NAMES)
def test_a_folder_name_is_one_that_every_system_takes(name):
    folder = folder_name(name)
    assert len(folder.encode()) <= 255
    assert folder.endswith(SUFFIX)
    assert folder.isascii()
    assert not set(folder) & set('<>:"/\\|?*')
    assert folder.isprintable()


@given(st.text(st.characters(exclude_characters="/\\\0"), max_size=15))
def test_a_folder_name_gives_the_name_back(name):
    assert name_in_folder_name(folder_name(name)) == name


def test_device_names_of_windows_are_not_used():
    for name in ("con", "nul", "com1", "aux.txt"):
        assert not folder_name(name).startswith(name)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "a\0b", "/", "../x"])
def test_a_name_that_leads_elsewhere_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="file_basename"):
        Toy(name, file_location=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [None, 3, b"bytes", Path("x")])
def test_a_name_that_is_no_str_is_refused(name, tmp_path):
    with pytest.raises(TypeError, match="file_basename"):
        Toy(name, file_location=tmp_path)


@pytest.mark.parametrize("location", [3, b"bytes"])
def test_a_location_that_is_no_path_is_refused(location):
    with pytest.raises(TypeError, match=f"file_location.*{location!r}"):
        Toy("x", file_location=location)


def test_the_default_location_is_in_the_home_folder_and_private(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    old = os.umask(0)
    try:
        with Toy("words") as toy:
            assert toy.location == tmp_path / ".PySpeedup"
            toy["a"] = 1
    finally:
        os.umask(old)
    folder = tmp_path / ".PySpeedup"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "words.pyspeedup").stat().st_mode) == 0o700
    with Toy("words") as toy:
        assert toy["a"] == 1


def test_the_empty_location_is_the_current_folder_at_opening(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with Toy("words", file_location="") as toy:
            monkeypatch.chdir(tmp_path)
            toy["where"] = name
            assert toy.location == tmp_path / name
    monkeypatch.chdir(tmp_path / "one")
    with Toy("words", file_location="") as toy:
        assert toy["where"] == "one"


def test_the_empty_name_is_a_name_like_any_other(tmp_path):
    with Toy("", file_location=tmp_path) as toy, Toy("%", file_location=tmp_path) as other:
        toy["a"], other["a"] = "empty", "percent"
    with Toy("", file_location=tmp_path) as toy:
        assert toy["a"] == "empty"
    assert len(store_folders(tmp_path)) == 2


def test_names_that_differ_only_in_case_are_two_stores(tmp_path):
    with Toy("Words", file_location=tmp_path) as toy, Toy("words", file_location=tmp_path) as other:
        toy["a"], other["a"] = 1, 2
        assert (toy["a"], other["a"]) == (1, 2)


def test_different_spellings_of_a_location_are_one_store(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Toy("x", file_location=tmp_path / "real") as toy:
        for spelling in (tmp_path / "link", f"{tmp_path}/./real/", f"{tmp_path}/link/../real"):
            with Toy("x", file_location=spelling) as other:
                other["from"] = str(spelling)
                assert toy["from"] == str(spelling)


def test_files_of_others_are_neither_touched_nor_mistaken(tmp_path):
    mine = {"words": b"1", "words.db": b"2", "data": b"3", "lock": b"4", "pyspeedup.json": b"{"}
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    for name in ("words", "", "data"):
        with Toy(name, file_location=tmp_path) as toy:
            toy["a"] = name
    for name, content in mine.items():
        assert (tmp_path / name).read_bytes() == content
    assert len(list(tmp_path.iterdir())) == len(mine) + 3


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "x.pyspeedup").write_text("not a folder")
    with pytest.raises(NotADirectoryError, match=r"x\.pyspeedup"):
        Toy("x", file_location=tmp_path)
    assert (tmp_path / "x.pyspeedup").read_text() == "not a folder"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "x.pyspeedup").mkdir()
    (tmp_path / "x.pyspeedup" / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="thesis"):
        Toy("x", file_location=tmp_path)
    assert (tmp_path / "x.pyspeedup" / "thesis.txt").read_text() == "years of work"


def test_a_location_is_made_with_its_parents(tmp_path):
    with Toy("x", file_location=tmp_path / "a" / "b") as toy:
        toy["a"] = 1
    assert (tmp_path / "a" / "b" / "x.pyspeedup" / "data").exists()


def test_a_missing_store_is_not_made_for_a_reader(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.pyspeedup"):
        Toy("x", file_location=tmp_path, readonly=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["data", "pyspeedup.json"])
def test_a_store_with_a_part_missing_is_damaged_and_not_new(part, tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    (tmp_path / "x.pyspeedup" / part).rename(tmp_path / "away")
    for readonly in (False, True):
        with pytest.raises(StoreCorruptedError, match=r"x\.pyspeedup"):
            Toy("x", file_location=tmp_path, readonly=readonly)
    (tmp_path / "x.pyspeedup" / part).unlink(missing_ok=True)
    (tmp_path / "away").rename(tmp_path / "x.pyspeedup" / part)
    with Toy("x", file_location=tmp_path) as toy:
        assert toy["a"] == 1


def test_files_exchanged_between_stores_are_found(tmp_path):
    for name in ("x", "y"):
        with Toy(name, file_location=tmp_path) as toy:
            toy["a"] = name
    data = (tmp_path / "y.pyspeedup" / "data").read_bytes()
    (tmp_path / "x.pyspeedup" / "data").write_bytes(data)
    with pytest.raises(StoreCorruptedError, match="another store"):
        Toy("x", file_location=tmp_path)


def test_no_changed_byte_of_the_marker_goes_unnoticed(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    marker = tmp_path / "x.pyspeedup" / "pyspeedup.json"
    data = marker.read_bytes()
    for position in range(len(data)):
        for mask in (1, 0x20, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= mask
            with marker.open("r+b") as file:
                file.write(damaged)
            try:
                with Toy("x", file_location=tmp_path, readonly=True) as toy:
                    assert toy["a"] == 1
            except StoreCorruptedError:
                pass


@pytest.mark.parametrize("left", ["marker", "data"])
def test_a_store_that_was_never_finished_is_begun_again(left, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    place = {
        "marker": "pyspeedup.memory._storage.opening._open_pages",
        "data": "pyspeedup.memory._storage.marker.Marker.finished",
    }[left]
    with monkeypatch.context() as patch:
        patch.setattr(place, killed)
        with pytest.raises(KeyboardInterrupt):
            Toy("x", file_location=tmp_path)
    with pytest.raises(FileNotFoundError):
        Toy("x", file_location=tmp_path, readonly=True)
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    with Toy("x", file_location=tmp_path) as toy:
        assert toy["a"] == 1


def test_a_store_of_another_kind_is_refused_and_says_so(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    with pytest.raises(ValueError, match="holds a toy, and cannot be opened as a other"):
        Other("x", file_location=tmp_path)
    with Toy("x", file_location=tmp_path) as toy:
        assert toy["a"] == 1
        with pytest.raises(ValueError, match="holds a toy"):
            Other("x", file_location=tmp_path)


def test_a_copied_store_works_under_its_new_name(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    (tmp_path / "x.pyspeedup").rename(tmp_path / folder_name("moved"))
    with Toy("moved", file_location=tmp_path) as toy:
        assert toy["a"] == 1


UNWRITABLE = """
import os, sys
from storage_toy import Toy
Toy.temporary().close()  # what opening imports may be out of another user's reach
os.setuid(65534)
try:
    Toy("x", file_location=sys.argv[1])
except OSError as error:
    print(type(error).__name__, sys.argv[1] in str(error))
try:
    Toy("new", file_location=sys.argv[1])
except OSError as error:
    print(type(error).__name__, sys.argv[1] in str(error))
with Toy("x", file_location=sys.argv[1], readonly=True, trust=True) as toy:
    print(toy["a"])
"""


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_a_folder_that_cannot_be_written_is_named_and_can_be_read(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    tmp_path.chmod(0o755)
    private = [path for path in tmp_path.parents if not path.stat().st_mode & 0o001]
    for path in private:
        path.chmod(0o711)
    try:
        told = run(UNWRITABLE, tmp_path).splitlines()
    finally:
        for path in private:
            path.chmod(0o700)
    assert told == ["PermissionError True", "PermissionError True", "1"]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o720])
def test_a_folder_that_others_can_write_is_not_trusted(mode, tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    (tmp_path / "x.pyspeedup").chmod(mode)
    with pytest.raises(UntrustedStoreError, match="trust=True"):
        Toy("x", file_location=tmp_path)
    with Toy("x", file_location=tmp_path, trust=True) as toy:
        assert toy["a"] == 1


def test_a_file_that_others_can_write_is_not_trusted(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    (tmp_path / "x.pyspeedup" / "data").chmod(0o666)
    with pytest.raises(UntrustedStoreError, match="data"):
        Toy("x", file_location=tmp_path)


def test_a_store_of_somebody_else_is_not_trusted(tmp_path, monkeypatch):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UntrustedStoreError, match="12345"):
        Toy("x", file_location=tmp_path)
    Toy("x", file_location=tmp_path, trust=True).close()


def test_json_needs_no_trust(tmp_path):
    with Toy("x", file_location=tmp_path, serializer="json") as toy:
        toy["a"] = 1
    (tmp_path / "x.pyspeedup").chmod(0o777)
    with Toy("x", file_location=tmp_path) as toy:
        assert toy["a"] == 1


def test_finding_a_place_touches_nothing(tmp_path):
    place = find_place("x", tmp_path / "nowhere")
    assert place.folder.parent == tmp_path / "nowhere"
    assert not (tmp_path / "nowhere").exists()
