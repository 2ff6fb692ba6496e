"""How much of this machine others use, so that figures can be told from those of a quiet one."""

from __future__ import annotations

import time
from pathlib import Path

STAT = Path("/proc/stat")
SECONDS = 0.1
IDLE = slice(3, 5)
"""Where Linux counts time in which nothing ran: idle, and waiting for a disk."""


def others() -> float:
    """Return how many cores are busy while this process sleeps; 0 where the system does not say."""
    if not STAT.exists():
        return 0.0
    before = _ticks()
    time.sleep(SECONDS)
    passed = [now - then for then, now in zip(before, _ticks(), strict=True)]
    cores = sum(line.startswith("cpu") for line in _lines()) - 1
    return round(cores * (1 - sum(passed[IDLE]) / max(1, sum(passed))), 2)


def _ticks() -> list[int]:
    """Return user, nice, system, idle, iowait, irq and softirq of all cores together."""
    return [int(field) for field in _lines()[0].split()[1:8]]


def _lines() -> list[str]:
    return STAT.read_text(encoding="ascii").splitlines()
