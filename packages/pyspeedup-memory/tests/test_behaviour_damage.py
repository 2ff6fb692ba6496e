"""Files that are cut, lengthened, exchanged or changed in one bit: detected or harmless, never wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import damage_reader
import pytest
from thoroughness import IS_LONG

FLIPS = {"file": 60, "sqlite": 10, "lmdb": 10}
"""How many bits are changed in each file, one at a time."""
MORE = 20 if IS_LONG else 1


@pytest.mark.parametrize("kind", ["dict", "list"])
@pytest.mark.parametrize("page_store", FLIPS)
def test_damaged_files_are_noticed_or_harmless(kind, page_store, tmp_path):
    if page_store == "lmdb":
        pytest.importorskip("lmdb")
    program = [sys.executable, "-W", "error", Path(damage_reader.__file__)]
    finished = subprocess.run(
        [*program, tmp_path, page_store, kind, str(FLIPS[page_store] * MORE), "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert result["wrong"] == []
    assert result["told"] > damage_reader.PARTS
    assert result["tried"] > FLIPS[page_store]
