"""What this package offers by name, through the same door as anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent import engines
from pyspeedup.concurrent.halting import (
    absolutelyNonDecreasing,
    uniformlyNonDecreasing,
    uniformlyNonIncreasing,
)
from pyspeedup.core import hookimpl

if TYPE_CHECKING:
    from pyspeedup.core import Engine, EngineFactory, HaltCondition, Register


@hookimpl
def pyspeedup_register_halt_conditions(register: Register[HaltCondition]) -> None:
    """Offer the three that need no parameter."""
    register("uniformlyNonDecreasing", uniformlyNonDecreasing)
    register("absolutelyNonDecreasing", absolutelyNonDecreasing)
    register("uniformlyNonIncreasing", uniformlyNonIncreasing)


@hookimpl
def pyspeedup_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the three engines."""
    register("processes", _factory("Processes"))
    register("threads", _factory("Threads"))
    register("serial", _factory("Serial"))


def _factory(name: str) -> EngineFactory:
    """Return what imports an engine when it makes one: to look a name up must not load all three."""

    def make(**options: Any) -> Engine:
        engine: Engine = getattr(engines, name)(**options)
        return engine

    return make
