"""What parent and child tell each other: what is to be done in one process, and what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

OPEN, CLOSE = "open", "close"
"""Workloads that every structure has."""

BUILD = "build"
"""The session whose store those marked as `built` work on."""


@dataclass(frozen=True)
class Session:
    """Workloads that one process does, one after the other: on a new store, or on the built one."""

    name: str
    workloads: list[str]
    built: bool = False
    fills: bool = False  # gets more time, the more items there are
    numpy_apart: bool = False  # numpy, where there is one, is imported off the watch


@dataclass(frozen=True)
class Task:
    """What a process is to do."""

    session: Session
    structure: str
    peer: str
    folder: str
    size: int
    cap: float
    numpy: bool = True

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Return the task that was written as JSON."""
        fields = json.loads(text)
        return cls(**fields | {"session": Session(**fields["session"])})


@dataclass
class Outcome:
    """What it did: by workload, the timing or the reason why there is none; and its memory, in bytes."""

    timings: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    count: int = 0
    resident: int = 0
    anonymous: int = 0
    numpy: bool = False
