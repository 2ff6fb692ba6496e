"""Copies of an open store."""

from __future__ import annotations

import pytest
from pyspeedup.core import SerializationError, StoreCorruptedError, StoreLockedError
from storage_toy import Toy


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_a_backup_holds_everything_and_the_original_goes_on(page_store, tmp_path):
    with Toy("x", 7, file_location=tmp_path, page_store=page_store, serializer="json") as toy:
        for number in range(20):
            toy[str(number)] = ["x" * number]
        toy.sync()
        with toy.transaction():
            toy["late"] = 1
        toy["latest"] = 2
        toy.backup(tmp_path / "safe")
        toy.backup(tmp_path, "copy")
        toy["after"] = 3
        expected = toy.content()
    assert expected.pop("after") == 3
    for options in ({"file_basename": "x", "file_location": tmp_path / "safe"},
                    {"file_basename": "copy", "file_location": tmp_path}):  # fmt: skip
        with Toy(**options, page_store=page_store, serializer="json") as copy:
            assert copy.content() == expected
            assert copy._content.volume.page_size == 7
            copy["mine"] = 1
    with Toy("x", file_location=tmp_path) as toy:
        assert toy["after"] == 3


def test_numbers_of_deleted_pages_stay_free_in_a_backup(tmp_path):
    with Toy("x", page_store={}) as toy:
        for key in "abcd":
            toy[key] = key
        toy.sync()
        volume = toy._content.volume
        volume.delete(toy._content.pages.pop("a"))
        toy.sync()
        toy.backup(tmp_path)
        pages = volume.pages()
    with Toy("x", file_location=tmp_path) as copy:
        assert copy._content.volume.pages() == pages
        assert copy.content() == {key: key for key in "bcd"}


def test_a_backup_of_what_is_in_ram_is_on_disk(tmp_path):
    with Toy("x", file_location=tmp_path, page_store="memory") as toy:
        toy["a"] = 1
        toy.backup(tmp_path / "safe")
    with Toy("x", file_location=tmp_path / "safe", readonly=True) as copy:
        assert copy.content() == {"a": 1}


def test_a_backup_keeps_the_recorded_page_store(tmp_path):
    with Toy("x", file_location=tmp_path, page_store="sqlite") as toy:
        toy["a"] = 1
    with Toy("x", file_location=tmp_path) as toy:
        toy.backup(tmp_path / "safe")
    with Toy("x", file_location=tmp_path / "safe", page_store="sqlite") as copy:
        assert copy.content() == {"a": 1}


def test_what_is_there_is_not_overwritten(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = 1
        with pytest.raises(FileExistsError, match=r"x\.pyspeedup"):
            toy.backup(tmp_path)
        assert toy["a"] == 1


def test_a_backup_that_fails_leaves_nothing(tmp_path):
    with Toy("x", file_location=tmp_path) as toy:
        toy["a"] = lambda: None
        with pytest.raises(SerializationError):
            toy.backup(tmp_path / "safe")
        toy["a"] = "needle"
        toy.sync()
        data = tmp_path / "x.pyspeedup" / "data"
        with data.open("r+b") as file:
            content = file.read()
            file.seek(content.index(b"needle"))
            file.write(b"NEEDLE")
        with pytest.raises(StoreCorruptedError, match="page 0"):
            toy.backup(tmp_path / "safe")
    assert not list((tmp_path / "safe").glob("*"))


def test_a_store_that_another_process_puts_there_meanwhile_is_left_alone(tmp_path):
    def progress(pages):
        with Toy("x", file_location=tmp_path / "safe") as other:
            other["theirs"] = 2
        return pages

    with Toy("x", file_location=tmp_path) as toy:
        toy["mine"] = 1
        with pytest.raises(FileExistsError, match=r"x\.pyspeedup"):
            toy.backup(tmp_path / "safe", progress=progress)
    with Toy("x", file_location=tmp_path / "safe") as other:
        assert other.content() == {"theirs": 2}
    assert [path.name for path in (tmp_path / "safe").iterdir()] == ["x.pyspeedup"]


def test_of_two_backups_to_one_place_the_second_is_told_of_the_first(tmp_path):
    def progress(pages):
        with pytest.raises(StoreLockedError):
            other.backup(tmp_path / "safe")
        return pages

    with Toy("x", file_location=tmp_path) as toy, Toy("x", file_location=tmp_path / "o") as other:
        toy["mine"] = 1
        toy.backup(tmp_path / "safe", progress=progress)
    with Toy("x", file_location=tmp_path / "safe") as copy:
        assert copy.content() == {"mine": 1}


def test_a_closed_handle_makes_no_backup(tmp_path):
    toy = Toy("x", file_location=tmp_path)
    toy.close()
    with pytest.raises(ValueError, match="closed"):
        toy.backup(tmp_path / "safe")


def test_progress_is_called_with_all_pages_and_asked_for_each_as_it_is_copied(tmp_path):
    calls = []

    def progress(pages):
        calls.append(pages)
        for page in pages:
            calls.append(page)
            yield page

    with Toy("x", file_location=tmp_path) as toy:
        for key in "abc":
            toy[key] = key
        toy.backup(tmp_path / "safe", progress=progress)
        pages = toy._content.volume.pages()
        toy.backup(tmp_path / "again", progress=reversed)
        expected = toy.content()
    assert calls == [pages, *pages]
    for folder in ("safe", "again"):
        with Toy("x", file_location=tmp_path / folder, readonly=True) as copy:
            assert copy.content() == expected


def changes(toy, *, commits):
    def progress(pages):
        yield pages[0]
        toy["a"] = "changed"
        toy._content.volume.write(0, b"changed")
        if commits:
            toy.sync()
        yield from pages[1:]

    return progress


def fails(_pages):
    raise KeyboardInterrupt("stop")


@pytest.mark.parametrize(
    ("progress", "error"),
    [
        (lambda _: lambda pages: pages[1:], (ValueError, "all 3 page numbers .* not 2 of them")),
        (lambda _: lambda pages: [*pages, 7], (KeyError, "7")),
        (lambda _: fails, (KeyboardInterrupt, "stop")),
        (lambda toy: changes(toy, commits=False), (RuntimeError, "changed by progress")),
        (lambda toy: changes(toy, commits=True), (RuntimeError, "changed by progress")),
    ],
    ids=["leaves out", "adds", "fails", "changes", "commits"],
)
def test_a_backup_whose_progress_goes_wrong_is_none(tmp_path, progress, error):
    with Toy("x", file_location=tmp_path) as toy:
        for key in "abc":
            toy[key] = key
        kind, said = error
        with pytest.raises(kind, match=said):
            toy.backup(tmp_path / "safe", progress=progress(toy))
        assert not list((tmp_path / "safe").glob("*"))
        toy["a"] = "later"
        toy.backup(tmp_path / "safe")
        expected = toy.content()
    with Toy("x", file_location=tmp_path / "safe") as copy:
        assert copy.content() == expected
