"""What every test of the repository runs under: profiles, start methods, and no leaks."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A shared or slow machine must not fail a test: nothing here is about time.
settings.register_profile(
    "quick",
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "ci", settings.get_profile("quick"), max_examples=150, stateful_step_count=50, print_blob=True
)
settings.register_profile(
    "long", settings.get_profile("ci"), max_examples=2000, stateful_step_count=100
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

pytest_plugins = ["pyspeedup.core.testing.leaks"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--start-method``."""
    parser.addoption(
        "--start-method",
        choices=multiprocessing.get_all_start_methods(),
        help="how multiprocessing starts processes in this run (default: as the system does)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hear Ctrl-C, and set the start method, before anything has started a process."""
    # A run that a shell has put into the background ignores it, and so would the programs of the tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if method := config.getoption("--start-method"):
        multiprocessing.set_start_method(method)


@pytest.fixture(scope="session")
def start_method() -> str:
    """Tell how multiprocessing starts processes in this run."""
    return multiprocessing.get_start_method()


@pytest.fixture(autouse=True)
def leaves_nothing_behind(no_leaks: None) -> None:
    """Watch every test for what it leaves behind."""
