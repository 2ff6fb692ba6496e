"""A writer that is killed at any moment leaves the last commit, or one that was under way."""

from __future__ import annotations

import pytest
from killed_writers import check_killed_writers
from storage_writer import STORES

SCRIPT = "import sys, storage_writer; storage_writer.main(*sys.argv[1:])"


@pytest.mark.parametrize("kind", ["file", "mapping", "sqlite"])
def test_a_killed_writer_leaves_a_whole_commit(kind, tmp_path):
    check_killed_writers(SCRIPT, kind, tmp_path, make_store=lambda: STORES[kind](tmp_path))
