"""What every test and doctest of this package runs under."""

import pytest
from pyspeedup.concurrent.cache import close_shared_engines


@pytest.fixture(autouse=True)
def shared_engines_end(leaves_nothing_behind):
    """End the workers that Caches share before the test is searched for leaks."""
    yield
    close_shared_engines()
