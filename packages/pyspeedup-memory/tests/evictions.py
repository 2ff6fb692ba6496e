"""Machines that count how often some of what they hold is not in RAM, so that this can be required."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import event
from pyspeedup.core.testing import state_machine_test

LEFT_OUT = "items that are not in RAM"


def machine_with_evictions(machine):
    """Return a test case of `machine`, which fails where no run has ever evicted anything."""

    class Watched(machine):
        steps_with_evictions: ClassVar[int] = 0

        def check(self, subject):
            super().check(subject)
            if is_partly_cold(subject):
                event(LEFT_OUT)
                Watched.steps_with_evictions += 1

    Watched.__name__ = Watched.__qualname__ = machine.__name__

    class Test(state_machine_test(Watched)):
        def runTest(self):  # noqa: N802 -- as unittest spells it
            super().runTest()
            assert Watched.steps_with_evictions, f"{machine.__name__} has evicted nothing"

    Test.__name__ = Test.__qualname__ = machine.__name__
    return Test


def is_partly_cold(subject):
    """Tell whether a `DiskDict` or `DiskList` has items that are not in RAM."""
    content = subject._content
    if hasattr(content, "pager"):
        return content.pager.resident < len(list(content.pages.table))
    return len(content._front) + len(content._unwritten.values) < len(subject)
