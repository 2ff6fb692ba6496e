"""What the tests of the kit share: machines run on toys in which a fault was planted."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

BRIEF = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=1500,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def sees():
    """Give a function that tells whether a machine fails, as it must on a toy with a fault."""

    def run(machine):
        try:
            run_state_machine_as_test(machine, settings=BRIEF)
        except Exception:  # noqa: BLE001 -- whatever shows the fault
            return True
        return False

    return run


@pytest.fixture
def passes():
    """Give a function that runs a machine that must not fail; the failure is the report."""

    def run(machine):
        run_state_machine_as_test(machine, settings=settings(BRIEF, max_examples=60))
        return True

    return run


@pytest.fixture
def rules_of():
    """Give a function that returns the names of all rules of a machine."""
    return lambda machine: {
        name
        for name in dir(machine)
        for marker in ("hypothesis_stateful_rule", "hypothesis_stateful_initialize_rule")
        if hasattr(getattr(machine, name), marker)
    }


@pytest.fixture
def without(rules_of):
    """Give a function that turns some rules of a machine into methods that nobody calls."""

    def derive(machine, names):
        assert set(names) <= rules_of(machine)
        return type(f"{machine.__name__}Without", (machine,), dict.fromkeys(names))

    return derive


@pytest.fixture
def thorough():
    """Leave a test out that takes long, unless a longer profile was asked for."""
    if os.environ.get("HYPOTHESIS_PROFILE", "quick") == "quick":
        pytest.skip("takes long: HYPOTHESIS_PROFILE=ci runs it")
