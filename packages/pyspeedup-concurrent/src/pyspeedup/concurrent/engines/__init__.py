"""Who computes the calls of a `Cache`: worker processes, threads, or the caller itself.

Each is imported when it is asked for, so that a program pays for the one that it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspeedup.concurrent.engines.processes import Processes
    from pyspeedup.concurrent.engines.serial import Serial
    from pyspeedup.concurrent.engines.threads import Threads

__all__ = ["Processes", "Serial", "Threads"]


def __getattr__(name: str) -> Any:
    """Import the engine of that name."""
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
