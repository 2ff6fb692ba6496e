"""Keys of every type are found again by processes with other hash seeds, subclasses included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import behaviour_keys
import pytest

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import behaviour_keys
from pyspeedup.memory import DiskDict
with DiskDict("keys", 4, 2, sys.argv[2]) as d:
    print(getattr(behaviour_keys, sys.argv[3])(d))
"""


def run(name, folder, seed):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, Path(__file__).parent, folder, name],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return int(finished.stdout)


@pytest.mark.parametrize("seeds", [(1, 2, 3, 4), (0, 77, 0, 1)])
def test_keys_are_found_written_anew_and_deleted_whatever_the_hash_seed(tmp_path, seeds):
    count = len(behaviour_keys.make_keys())
    assert run("write", tmp_path, seeds[0]) == count
    assert run("read", tmp_path, seeds[1]) == count
    assert run("write", tmp_path, seeds[2]) == count  # the same keys: nothing is added
    assert run("delete_every_other", tmp_path, seeds[3]) == count // 2
    assert run("read_the_rest", tmp_path, seeds[0]) == count // 2
