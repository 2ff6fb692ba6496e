"""Workers that a test has begun with end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspeedup.concurrent.cache import close_shared_engines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def workers_end_with_the_test(leaves_nothing_behind: None) -> Iterator[None]:
    """End what all Caches share, before it is looked for what is left behind."""
    yield
    close_shared_engines()
