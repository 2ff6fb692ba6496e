"""Once installed, everything is there under its name."""

import itertools
import subprocess
import sys

import pytest
from pyspeedup.concurrent import Buffer
from pyspeedup.core import halt_conditions, page_stores, serializers
from pyspeedup.memory import DiskDict, DiskList


def words():
    for length in itertools.count():
        yield from map("".join, itertools.product("abc", repeat=length))


def test_a_buffer_takes_the_halt_condition_by_name():
    with Buffer(words, haltCondition="shortlex") as buffer:
        assert "cab" in buffer
        assert "bad" not in buffer


def test_stores_take_the_serializer_and_the_page_store_by_name(tmp_path):
    with DiskDict("notes", 4, 2, tmp_path, serializer="literal", page_store="folder") as notes:
        notes.update({number: (number, {b"bytes"}) for number in range(50)})
    with DiskList("lines", 4, 2, tmp_path, serializer="literal", page_store="folder") as lines:
        lines.extend(("line", number) for number in range(50))
    with DiskDict("notes", file_location=tmp_path) as notes:
        assert dict(notes) == {number: (number, {b"bytes"}) for number in range(50)}
    with DiskList("lines", file_location=tmp_path) as lines:
        assert lines == [("line", number) for number in range(50)]
    assert any(b"(49, {b'bytes'})" in page.read_bytes() for page in tmp_path.rglob("*.page"))


def test_the_store_remembers_the_names(tmp_path):
    with DiskDict("notes", 4, 2, tmp_path, serializer="literal", page_store="folder") as notes:
        notes["key"] = "value"
    for other in ({"serializer": "pickle"}, {"page_store": "file"}):
        with pytest.raises(ValueError, match=r"literal|folder"):
            DiskDict("notes", file_location=tmp_path, **other)


@pytest.mark.parametrize(
    ("registry", "name"),
    [(halt_conditions, "shortlex"), (serializers, "literal"), (page_stores, "folder")],
)
def test_each_name_is_listed_with_its_distribution(registry, name):
    (found,) = [registration for registration in registry if registration.name == name]
    assert (found.owner.distribution, found.owner.source) == ("pyspeedup-plaintext", "entry point")


def test_the_command_lists_them():
    program = "import sys; from pyspeedup.core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "plugins"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.count("pyspeedup-plaintext") == 3
