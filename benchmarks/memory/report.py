"""The tables on the terminal: rates of all peers, memory and disk, and which bars hold."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from memory import figures
from memory.bars import MEGA
from memory.figures import NOTHING
from pyspeedup.core.tables import format_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memory.figures import Figures, Results
    from verdicts import Verdict

SINGLE = ("open", "close", "longest")
"""Workloads of which the milliseconds count, not the rate."""

THOUSAND = 1000
FLOOR = "(floor)"
"""How the column is headed that says what the benchmark itself takes: loops, and methods without content."""


def rates_table(results: Results, workloads: Iterable[str], *, cpu: bool) -> str:
    """Return operations a second, and milliseconds of what is done once; the floor comes last."""
    shown = floor_last(results)
    rows = [
        [name, *(cell(found, name, cpu=cpu) for found in shown.values())]
        for name in workloads
        if any(name in found.done or name in found.failures for found in shown.values())
    ]
    return format_table(["", *(FLOOR if name == NOTHING else name for name in shown)], rows)


def memory_table(results: Results) -> str:
    """Return MB at most above the benchmark's own, anonymous and in all, and bytes an item on disk."""
    shown = {name: found for name, found in results.items() if name != NOTHING}
    sessions = list(dict.fromkeys(key for found in shown.values() for key in found.anonymous))
    rows = [
        [f"MB {what}, {session}", *(_net(results, name, what, session) for name in shown)]
        for what in ("anonymous", "resident")
        for session in sessions
    ]
    for session in ("build", "use"):
        if session in sessions:
            cells = (
                f"{found.bytes_an_item(session):.0f}" if session in found.disk else ""
                for found in shown.values()
            )
            rows.append([f"bytes an item, {session}", *cells])
    return format_table(["", *shown], rows)


def bars_table(verdicts: Iterable[Verdict]) -> str:
    """Return each bar with what was found."""
    rows = [[bar.figure, bar.found, bar.bar, bar.aim, bar.word] for bar in verdicts]
    return format_table(["", "ours", "bar", "aim", ""], rows)


def failures(results: Results) -> list[str]:
    """Return a line for each workload that a peer could not do."""
    return [
        f"{name}, {workload}: {failure:.200}"
        for name, found in results.items()
        if name != NOTHING
        for workload, failure in found.failures.items()
    ]


def floor_last(results: Results) -> Results:
    """Return them with what the benchmark itself takes at the end."""
    ends = [NOTHING] if NOTHING in results else []
    return {name: results[name] for name in [*(name for name in results if name != NOTHING), *ends]}


def cell(found: Figures, workload: str, *, cpu: bool) -> str:
    """Return the median of the rounds, "no" for what failed, nothing for what was not asked."""
    if workload in found.failures:
        return "no"
    if workload not in found.done:
        return ""
    if workload in SINGLE:
        milliseconds = found.milliseconds(workload)
        return f"{milliseconds:.3g} ms" if milliseconds < THOUSAND else f"{milliseconds:,.0f} ms"
    return _short(statistics.median(found.rates(workload, cpu=cpu)))


def _net(results: Results, peer: str, what: str, session: str) -> str:
    if session not in results[peer].anonymous:
        return ""
    return f"{figures.net(results, peer, what, session) / MEGA:.1f}"


def _short(rate: float) -> str:
    """Return a rate as 539k or 1.14M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"
