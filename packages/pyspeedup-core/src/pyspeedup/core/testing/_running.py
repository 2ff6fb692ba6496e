"""A machine's run: the folder that it has to itself, and the test case that it becomes."""

from __future__ import annotations

import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as Settings  # noqa: N812 -- a class, which hypothesis spells small
from hypothesis.stateful import RuleBasedStateMachine

__all__ = ["RunningMachine", "state_machine_test"]


class RunningMachine(RuleBasedStateMachine):
    """A state machine whose runs have a folder each."""

    @cached_property
    def own_folder(self) -> Path:
        """A folder for this run alone, made when it is first asked for and removed at the end."""
        return Path(tempfile.mkdtemp(prefix="machine-"))

    def teardown(self) -> None:
        """Remove the folder, if there is one."""
        super().teardown()
        if "own_folder" in vars(self):
            shutil.rmtree(self.own_folder)


def state_machine_test(
    machine: type[RuleBasedStateMachine], settings: Settings | None = None
) -> type[Any]:
    """Return a test case of `machine` that runs under `settings` (default: the loaded profile).

    Settings on a machine's base class do not reach the machine; this does. Deadlines and health
    checks are switched off, since they judge one step of a machine that takes many. Assign what it
    returns to a name in a test module, where pytest and unittest both find it:

    >>> from pyspeedup.core.testing import MappingMachine, state_machine_test
    >>> class DictMachine(MappingMachine):
    ...     def make_mapping(self):
    ...         return {}
    >>> TestDict = state_machine_test(DictMachine, Settings(max_examples=5))
    >>> TestDict("runTest").debug()
    """
    bound = Settings(settings or Settings(), deadline=None, suppress_health_check=list(HealthCheck))
    return type(machine.__name__, (machine.TestCase,), {"settings": bound})
