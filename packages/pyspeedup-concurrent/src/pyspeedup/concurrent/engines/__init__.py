"""Who computes the calls of a `Cache`: worker processes, threads, or the caller itself."""

from __future__ import annotations

from pyspeedup.concurrent.engines.processes import Processes
from pyspeedup.concurrent.engines.serial import Serial
from pyspeedup.concurrent.engines.threads import Threads

__all__ = ["Processes", "Serial", "Threads"]
