"""A dict written by one process is read by another, whose hash seed is another."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pyspeedup.memory.diskdict import DiskDict

KEYS = """
import dataclasses, datetime, enum, json, pathlib, uuid
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass(frozen=True)
class Place:
    name: str
    at: tuple


class Colour(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Number(enum.IntEnum):
    SEVEN = 7


class Name(str):
    pass


class Text:
    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return self.text == getattr(other, "text", other)

    def __hash__(self):
        return hash(self.text)


def make_keys():
    "Make the same keys anew each time."
    return [
        *("", "a", "x" * 300, "y" * 20_000, "\\ud800", b"", b"a", b"z" * 20_000),
        *(0, 1, -1, 2**63, -(2**200), 0.5, float("inf"), 1j, Decimal("0.1"), Fraction(1, 3)),
        *(None, ..., NotImplemented, (), ("a", 1), ((("deep",),), "a"), Point("a", 2)),
        *(frozenset(), frozenset({"a", "b", 1}), range(3), range(2**70)),
        *(datetime.date(2024, 5, 1), datetime.time(1, 2), datetime.timedelta(1)),
        datetime.datetime(2024, 5, 1),
        datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc),
        *(uuid.UUID(int=5), pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("C:/a")),
        *(Place("a", (1, 2)), Colour.RED, Access.READ | Access.WRITE, Number.SEVEN, Name("name")),
        *(Point, json.loads, len, dict),
        *(Text("text"), ("in a tuple", Text("text")), frozenset({Text("in a frozenset")})),
    ]


ALSO_FOUND = {
    "True": 1, "1.0": 1, "Decimal(-1)": -1, "('a', 1.0)": ("a", 1), "7": Number.SEVEN,
    "'name'": Name("name"), "('a', 2)": Point("a", 2), "range(0, 2**70)": range(2**70),
    "'text'": Text("text"), "pathlib.PureWindowsPath('c:/A')": pathlib.PureWindowsPath("C:/a"),
}
"""

WRITE = """
with DiskDict("keys", 4, 2, folder, **options) as d:
    for number, key in enumerate(make_keys()):
        d[key] = [number]
    print(len(d))
"""

READ = """
with DiskDict("keys", file_location=folder, **options) as d:
    for number, key in enumerate(make_keys()):
        assert d[key] == [number], key
        assert key in d
    for text, key in ALSO_FOUND.items():
        assert d[eval(text)] == d[key], text
    assert Text("absent") not in d
    assert object() not in d
    assert "absent" not in d
    keys = make_keys()
    for found, key in zip(d, keys, strict=True):
        assert type(found) is type(key), key
        assert found == key, key
    d[Text("text")].append("changed")
    for number, key in enumerate(keys):
        if number % 3:
            del d[key]
    print(len(d))
"""

READ_AGAIN = """
with DiskDict("keys", file_location=folder, readonly=True, **options) as d:
    for number, key in enumerate(make_keys()):
        assert (key in d) == (number % 3 == 0), key
        assert key not in d or d[key] == [number], key
    d._content.check()
    print(len(d))
"""


def run(script, folder, seed, options=""):
    prelude = f"{KEYS}\nfrom pyspeedup.memory.diskdict import DiskDict\nimport sys\n"
    arguments = f"folder, options = sys.argv[1], dict({options})\n"
    finished = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", prelude + arguments + textwrap.dedent(script), folder],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return int(finished.stdout)


@pytest.mark.parametrize("page_store", ["file", "sqlite"])
def test_keys_of_every_type_are_found_by_a_process_with_another_hash_seed(tmp_path, page_store):
    options = f"page_store={page_store!r}"
    written = run(WRITE, tmp_path, 1, options)
    assert written == 49
    left = run(READ, tmp_path, 2, options)
    assert left == (written + 2) // 3
    assert run(READ_AGAIN, tmp_path, 3, options) == left


def test_the_example_of_the_old_documentation(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    with DiskDict("test") as d:
        for i in range(10):
            d[i] = chr(97 + i)
        assert d[3] == "d"
    again = DiskDict("test")
    assert dict(again) == {i: chr(97 + i) for i in range(10)}
    again.close()


def test_reopening_with_other_sizes_works(tmp_path):
    with DiskDict("sizes", 3, 1, tmp_path) as d:
        d.update(zip("abcdefgh", range(8), strict=True))
    with DiskDict("sizes", 1024, 16, tmp_path) as d:
        assert list(d.items()) == list(zip("abcdefgh", range(8), strict=True))
        d["i"] = 8
    with DiskDict("sizes", 1, 1, tmp_path) as d:
        assert list(d) == list("abcdefghi")


def test_opening_reads_no_page(tmp_path):
    with DiskDict("large", 8, 2, tmp_path) as d:
        d.update({number: "x" * number for number in range(500)})
    reads = []
    with DiskDict("large", 8, 2, tmp_path) as d:
        volume = d._content.volume
        read = volume.read
        volume.read = lambda page: reads.append(page) or read(page)
        assert len(d) == 500
        assert not reads
        assert d[250] == "x" * 250
        assert len(reads) <= 1  # what of the index is not in its tree yet
        del volume.read
