"""What tests of several files share: their folder is where they import from, and an opened store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def store(make_store):
    """Return what a file's own fixture `make_store` makes, opened."""
    store = make_store()
    store.open(create=True, readonly=False)
    yield store
    store.close()
