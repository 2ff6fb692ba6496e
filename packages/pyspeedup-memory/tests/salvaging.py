"""What is asked of `repair`, whichever structure: just what is whole is saved, and the rest is counted."""

from __future__ import annotations

import importlib.util
import json

import pytest
from pyspeedup.core.cli import main
from pyspeedup.memory import ShadowStore
from pyspeedup.memory._storage.salvaging import Damage
from pyspeedup.memory.commands.reading import salvaged
from pyspeedup.memory.commands.whole_pages import with_peeks
from thoroughness import IS_LONG

KINDS = ["file", "sqlite", "lmdb", "fsspec"]
in_both_ways = pytest.mark.parametrize(
    "whole", KINDS if IS_LONG else ["file", "fsspec"], indirect=True
)
"""For what is no matter of the page store: one that reads parts of pages, and one that cannot."""


def whole_stores(structure_made_whole):
    """Return a fixture: a `Whole`, or `WholeList`, in each kind of page store."""

    @pytest.fixture(scope="module", params=KINDS)
    def whole(request, tmp_path_factory):
        if request.param in {"lmdb", "fsspec"} and not importlib.util.find_spec(request.param):
            pytest.skip(f"{request.param} is not installed")
        return structure_made_whole(tmp_path_factory.mktemp("whole"), request.param)

    return whole


def repair(capsys, folder, structure):
    """Repair store ``x`` of a folder; return the exit status, what was told, and the items saved."""
    status = main(["repair", "--json", str(folder / "x")])
    output, errors = capsys.readouterr()
    assert errors == ""
    with structure("x repaired", file_location=folder, readonly=True) as saved:
        items = list(saved.items() if hasattr(saved, "items") else saved)
    return status, json.loads(output), items


def require_exact(capsys, folder, whole, expected):
    """Hold that just the expected items of `whole` are saved, and that it is told how many are lost."""
    status, told, saved = repair(capsys, folder, whole.structure)
    assert saved == expected
    lost = sum(damage["items"] for damage in told["lost"])
    count = len(whole.items)
    assert (status, told["items"], lost) == (
        int(len(expected) < count),
        len(expected),
        count - len(expected),
    )
    return told["lost"]


def salvaged_from_pages(structure, pages):
    """Return what is found in a store of a structure, and the damages between."""
    with structure("x", page_store=pages, readonly=True) as opened:
        return parted(salvaged(opened))


def salvaged_by_program_and_repair(structure, blobs):
    """Spoil ``needle 7`` wherever a mapping of pages has it; return what each of the two finds then."""
    for key, page in blobs.items():
        blobs[key] = page.replace(b"needle 7", b"NEEDLE 7")
    readers = blobs, with_peeks(ShadowStore(blobs))
    return [salvaged_from_pages(structure, pages) for pages in readers]


def parted(found):
    """Return what was found, and the damages between."""
    items, damages = [], []
    for one in found:
        (damages if isinstance(one, Damage) else items).append(one)
    return items, damages
