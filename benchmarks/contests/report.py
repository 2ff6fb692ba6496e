"""The tables on the terminal: the figures of all peers, and which bars hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contests.figures import Row, busy, ratio
from pyspeedup.core.tables import format_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contests.figures import Table
    from contests.workload import Workload
    from verdicts import Verdict

DISTURBING = 0.15
"""Cores that others may use without it being told."""


def figures_table(workload: Workload, table: Table) -> str:
    """Return the medians of the rounds; last, how many times those of the limit the first figure is."""
    names = list(workload.figures.values())
    shown = {peer: row for peer, row in table.items() if row.figures or row.failures}
    limit = workload.limit if workload.limit in shown else ""
    rows = [
        [peer, *cells(workload, row), *([_times(workload, table, peer)] if limit else [])]
        for peer, row in shown.items()
    ]
    return format_table(["", *names, *([f"x {limit}"] if limit else [])], rows)


def cells(workload: Workload, row: Row) -> list[str]:
    """Return the medians as they are shown, "no" for what failed, nothing for what was not asked."""
    if row.failures:
        return ["no", *[""] * (len(workload.figures) - 1)]
    return [short(row.median(figure)) for figure in workload.figures]


def short(figure: float | None) -> str:
    """Return a figure as 0.52, 13.4, 539k or 1.14M."""
    if figure is None:
        return ""
    for unit, size in (("M", 1e6), ("k", 1e4)):
        if abs(figure) >= size:
            return f"{figure / (size if unit == 'M' else 1e3):.3g}{unit}"
    return f"{figure:.4g}" if abs(figure) >= 1e3 else f"{figure:.3g}"  # noqa: PLR2004 -- thousands in full


def remarks(table: Table) -> list[str]:
    """Return a line for each peer that could not do the work, and one for those that are not installed."""
    failed = [f"{peer}: {why:.200}" for peer, row in table.items() for why in row.failures]
    others = busy(table)
    failed += [f"others used {others:.1f} cores meanwhile"] if others >= DISTURBING else []
    missing = sorted({row.missing for row in table.values() if row.missing})
    return failed + ([f"not installed, so left out: {', '.join(missing)}"] if missing else [])


def bars_table(verdicts: Iterable[Verdict]) -> str:
    """Return each bar with what was found."""
    rows = [[bar.figure, bar.found, bar.bar, bar.aim, bar.word] for bar in verdicts]
    return format_table(["", "ours", "bar", "aim", ""], rows)


def _times(workload: Workload, table: Table, peer: str) -> str:
    return short(ratio(table, next(iter(workload.figures)), peer, workload.limit))
