"""What every test and doctest of this package runs under."""  # noqa: INP001 -- pytest finds it by its place

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspeedup.concurrent.cache import close_shared_engines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def shared_engines_end(leaves_nothing_behind: None) -> Iterator[None]:  # noqa: ARG001 -- so that it is outside of this one
    """End the workers that Caches share before the test is searched for leaks."""
    yield
    close_shared_engines()
