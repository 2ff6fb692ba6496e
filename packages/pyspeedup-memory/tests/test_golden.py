"""Stores that an earlier release wrote open for ever, item by item, on every Python.

``python test_golden.py FORMAT`` writes those of a new format, once; what is there is never written anew.
"""

from __future__ import annotations

import datetime as dt
import sys
import uuid
import zipfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from pyspeedup.core.testing._values import same
from pyspeedup.memory import DiskDict, DiskList

DATA = Path(__file__).parent / "data"
OPENED = {"words": DiskDict, "plain": DiskDict, "numbers": DiskList}
ODD_KEYS = [
    *(None, True, 0, -1, 2**31, -(2**63), 2**200, 0.5, -1e300, 3 - 2j, b"", b"\x00\xff", ""),
    *("\U0001f40d", "\ud800", (), (1, ("a", None)), frozenset({1, "b"}), range(2, 9, 3), ...),
    *(Decimal("1.10"), Fraction(1, 3), uuid.UUID(int=7), dt.date(2026, 11, 22)),
    dt.timedelta(days=-1, microseconds=5),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 -- keys without a time zone are kept too
]


def value(number):
    """Return one of all kinds of values, by its number."""
    return [
        number,
        f"value {number}" * (number % 7),
        (number, None, 1.5, b"bytes"),
        [number, [number]],
        {"at": number, "all": {number}},
        f"{number:05}" * 4000 if number % 50 == 5 else None,
    ][number % 6]


def words(target):
    """Fill a dict with keys of all kinds, some of them set again or taken out."""
    for number in range(240):
        target[f"word {number}"] = value(number)
    for number, key in enumerate(ODD_KEYS):
        target[key] = value(number)
    for number in range(0, 240, 3):
        target[f"word {number}"] = value(number + 1)
    for number in range(1, 240, 5):
        del target[f"word {number}"]
    target["word 1"] = "again"


def plain(target):
    """Fill a dict with what JSON can say."""
    for number in range(40):
        target[number, f"{number}"] = [number, {"at": None}]
    target["last"] = {"a": [1.5, "b", True]}


def numbers(target):
    """Fill a list, which is then changed in the middle and at its ends."""
    target.extend(map(value, range(200)))
    for number in range(30):
        target.insert(number * 3, value(number))
    del target[50:90:2]
    target[10:12] = [value(number) for number in range(20)]
    target.reverse()
    target[7] = target[7:9]


FILLED = {"words": words, "plain": plain, "numbers": numbers}
OPTIONS = {"words": {}, "plain": {"serializer": "json"}, "numbers": {}}


def expected(name):
    """Return the plain dict or list that is in the store of that name."""
    content = [] if name == "numbers" else {}
    FILLED[name](content)
    return content


@pytest.fixture(params=sorted(path.stem for path in DATA.glob("format-*.zip")))
def folder(request, tmp_path):
    """Return a folder with the stores of one format."""
    with zipfile.ZipFile(DATA / f"{request.param}.zip") as stores:
        stores.extractall(tmp_path)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return tmp_path


def pairs(content):
    return list(content.items()) if hasattr(content, "items") else list(content)


def test_there_is_something_to_open():
    assert list(DATA.glob("format-*.zip"))


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("name", OPENED)
def test_every_item_is_there(name, readonly, folder):
    content = expected(name)
    with OPENED[name](name, file_location=folder, readonly=readonly) as found:
        assert same(pairs(found), pairs(content))
    with OPENED[name](name, file_location=folder, readonly=readonly) as found:
        keys = content if name != "numbers" else range(len(content))
        for key in keys:  # each by itself, which a dict finds by its hash
            assert same(found[key], content[key]), key


@pytest.mark.parametrize("name", OPENED)
def test_it_can_be_changed(name, folder):
    content = expected(name)
    for _ in range(2):
        with OPENED[name](name, file_location=folder) as found:
            for target in (found, content):
                if name == "numbers":
                    target.insert(5, len(target))
                    target.pop(40)
                    target.append("new")
                else:
                    target.pop(next(iter(target)))
                    target.popitem()
                    target["new"] = [len(target)]
    with OPENED[name](name, file_location=folder) as found:
        assert same(pairs(found), pairs(content))


def write(form, folder):
    """Write the stores of a format to the file that is opened for ever."""
    path = DATA / f"format-{form}.zip"
    if path.exists():
        raise FileExistsError(f"{path} is what that format is")
    for name, kind in OPENED.items():
        with kind(name, 16, 4, folder, **OPTIONS[name]) as target:
            FILLED[name](target)
            target.sync(durable=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as stores:
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file() and file.name != "lock":
                stores.write(file, file.relative_to(folder))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        write(sys.argv[1], made)
