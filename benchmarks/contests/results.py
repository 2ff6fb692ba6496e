"""The committed figures: one file with a part for each run that measured some of the workloads."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from contests.figures import Row, Table
from memory import machine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Part:
    """What one run of a benchmark found."""

    rounds: int
    note: str
    machine: dict[str, Any]
    measured: dict[str, Table]


def machine_facts(packages: Iterable[str]) -> dict[str, object]:
    """Return kind, size and load of the machine, and the versions of those `packages` that are installed."""
    versions = {}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return machine.facts() | {"versions": versions}


def write(path: Path, part: Part) -> None:
    """Write a part to a file of its own."""
    path.write_text(json.dumps(asdict(part), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Part:
    """Return what `write` wrote."""
    return _part(json.loads(path.read_text(encoding="utf-8")))


def keep(name: str, part: Part, path: Path) -> None:
    """Put a part among the committed ones, in place of what was there by that name."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[name] = asdict(part)
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read_all(path: Path) -> dict[str, Part]:
    """Return all parts by name."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {name: _part(found) for name, found in kept.items()}


def digest(path: Path) -> str:
    """Return what changes with the figures."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _part(found: dict[str, Any]) -> Part:
    measured = {
        workload: {peer: Row(**row) for peer, row in table.items()}
        for workload, table in found.pop("measured").items()
    }
    return Part(**found, measured=measured)
