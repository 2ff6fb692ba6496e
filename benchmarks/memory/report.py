"""The tables on the terminal: rates of all peers, our ratios, and which bars hold."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from memory import bars
from pyspeedup.core.tables import format_table

if TYPE_CHECKING:
    from memory.rounds import Figures

SINGLE = ("open", "close", "longest")
"""Workloads of which the milliseconds count, not the rate."""


def rates_table(results: dict[str, Figures], workloads: list[str]) -> str:
    """Return operations a second, and milliseconds of what is done once."""
    rows = [
        [name, *(cell(figures, name) for figures in results.values())]
        for name in workloads
        if any(name in figures.done or name in figures.failures for figures in results.values())
    ]
    return format_table(["", *results], rows)


def cell(figures: Figures, workload: str) -> str:
    """Return the median of the rounds, or why there is none."""
    if workload in figures.failures:
        return f"no: {figures.failures[workload]:.30}"
    if workload not in figures.done:
        return ""
    if workload in SINGLE:
        return f"{statistics.median(figures.seconds[workload]) * 1000:.3g} ms"
    return short(statistics.median(bars.rates(figures, workload)))


def short(rate: float) -> str:
    """Return a rate as 539k or 1.14M.

    >>> short(538_900), short(1_140_000), short(5.71)
    ('539k', '1.14M', '5.71')
    """
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"


def bars_table(results: dict[str, Figures]) -> str:
    """Return our ratio for each bar, and whether it holds."""
    ours = results[bars.OURS]
    rows = []
    for bar in bars.DICT_RATIOS:
        if bar.peer in results:
            found = bars.ratio(ours, results[bar.peer], bar.workload)
            if found is not None:
                verdict = "aim" if found >= bar.aim else "holds" if found >= bar.at_least else "NO"
                rows.append(
                    [
                        bar.workload,
                        f"{found:.2f}x {bar.peer}",
                        f"{bar.at_least}x",
                        f"{bar.aim}x",
                        verdict,
                    ]
                )
    return format_table(["", "ours", "at least", "aim", ""], rows)
