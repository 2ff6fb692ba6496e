"""What was measured of a peer in a workload, a list with one entry a round, and what follows from it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass
class Row:
    """Figures by name; why there are none; how many cores others used; what has to be installed."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    missing: str = ""

    def note(self, figures: dict[str, float]) -> None:
        """Add what a round has brought."""
        for name, figure in figures.items():
            self.figures.setdefault(name, []).append(figure)

    def median(self, figure: str) -> float | None:
        """Return it; nothing where it was not measured, or where a round has failed."""
        found = self.figures.get(figure)
        return float(statistics.median(found)) if found and not self.failures else None


Table: TypeAlias = dict[str, Row]
"""The rows of a workload by peer."""


def busy(table: Table) -> float:
    """Return how many cores others used before each process of the table, in the mean."""
    every = [cores for row in table.values() for cores in row.busy]
    return statistics.fmean(every) if every else 0.0


def ratio(table: Table, figure: str, one: str, other: str) -> float | None:
    """Return the median of the rounds' ratios, which drift of the machine leaves alone."""
    rows = table.get(one, Row()), table.get(other, Row())
    if any(row.median(figure) is None for row in rows):
        return None
    pairs = zip(*(row.figures[figure] for row in rows), strict=False)
    return float(statistics.median(first / (second or 1e-12) for first, second in pairs))
