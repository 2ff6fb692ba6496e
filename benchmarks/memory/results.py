"""The committed figures: where each part of them is kept, and what is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory.figures import Sized

FOLDER = Path(__file__).parent.parent / "results"


@dataclass(frozen=True)
class Part:
    """What one run of bench_memory.py wrote."""

    rounds: int
    note: str
    machine: dict[str, Any]
    measured: dict[str, list[Sized]]

    def sized(self, structure: str, size: int) -> Sized | None:
        """Return what was found of a structure at a size."""
        found = (one for one in self.measured.get(structure, []) if one.size == size)
        return next(found, None)


def path_of(part: str) -> Path:
    """Return where the figures of a part are kept."""
    return FOLDER / f"memory-{part}.json"


def read(path: Path) -> Part:
    """Return what `path` holds."""
    found = json.loads(path.read_text(encoding="utf-8"))
    measured = {
        structure: [Sized.from_json(one) for one in sizes]
        for structure, sizes in found.pop("measured").items()
    }
    return Part(**found, measured=measured)


def read_all() -> dict[str, Part]:
    """Return the parts that are there, that of the fewest items first."""
    parts = {path.stem.partition("-")[2]: read(path) for path in FOLDER.glob("memory-*.json")}
    return dict(sorted(parts.items(), key=lambda item: _largest(item[1])))


def digest() -> str:
    """Return what changes with the figures."""
    kept = b"".join(path.read_bytes() for path in sorted(FOLDER.glob("memory-*.json")))
    return hashlib.sha256(kept).hexdigest()


def _largest(part: Part) -> int:
    return max(one.size for sizes in part.measured.values() for one in sizes)
