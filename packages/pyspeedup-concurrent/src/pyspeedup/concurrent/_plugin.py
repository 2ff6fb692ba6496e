"""What this package offers by name, through the same door as anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.concurrent.engines import Processes, Serial, Threads
from pyspeedup.concurrent.halting import (
    absolutelyNonDecreasing,
    uniformlyNonDecreasing,
    uniformlyNonIncreasing,
)
from pyspeedup.core import hookimpl

if TYPE_CHECKING:
    from pyspeedup.core import EngineFactory, HaltCondition, Register


@hookimpl
def pyspeedup_register_halt_conditions(register: Register[HaltCondition]) -> None:
    """Offer the three that need no parameter."""
    register("uniformlyNonDecreasing", uniformlyNonDecreasing)
    register("absolutelyNonDecreasing", absolutelyNonDecreasing)
    register("uniformlyNonIncreasing", uniformlyNonIncreasing)


@hookimpl
def pyspeedup_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the three engines."""
    register("processes", Processes)
    register("threads", Threads)
    register("serial", Serial)
