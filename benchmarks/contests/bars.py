"""What ours has to reach: figures, and ratios to peers of the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contests.figures import ratio
from contests.workload import OURS
from verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from contests.figures import Table

BEST = "the best peer"


@dataclass(frozen=True)
class Bar:
    """A figure of ours, or how many times that of a peer it is, and what it has to be."""

    workload: str
    figure: str
    says: str
    at_least: float | None
    aim: float | None
    peer: str = ""
    unit: str = ""
    less_is_better: bool = False
    speed: bool = False
    """Of a time: how many times as fast as the peer ours is, in place of how many times as long it takes."""

    @property
    def of_time(self) -> bool:
        """Whether the best peer is the one with the least figure."""
        return self.less_is_better or self.speed


def verdicts(
    bars: Iterable[Bar], measured: dict[str, Table], no_rivals: Collection[str] = ()
) -> Iterator[Verdict]:
    """Yield what each bar says; bars of workloads and of peers that did not take part are left out.

    The best peer is none of `no_rivals`.
    """
    for bar in bars:
        table = measured.get(bar.workload, {})
        if OURS in table:
            yield from _verdict(bar, table, no_rivals)


def _verdict(bar: Bar, table: Table, no_rivals: Collection[str]) -> Iterator[Verdict]:
    name = f"{bar.workload} {bar.says}"
    ours = table[OURS]
    if ours.median(bar.figure) is None:
        found = f"failed: {ours.failures[0]:.40}" if ours.failures else "not measured"
        yield Verdict(
            name,
            found,
            _said(bar, bar.at_least),
            _said(bar, bar.aim),
            "NO" if bar.at_least is not None else "not yet",
        )
        return
    rivals = {peer: row for peer, row in table.items() if peer not in no_rivals}
    peer = best(rivals, bar.figure, less=bar.of_time) if bar.peer == BEST else bar.peer
    figure = _ratio(bar, table, peer) if bar.peer else ours.median(bar.figure)
    if figure is not None:
        unit = f"x {peer}" if bar.peer else bar.unit
        yield Verdict(
            name,
            _figure(figure) + unit,
            _said(bar, bar.at_least),
            _said(bar, bar.aim),
            _word(bar, figure),
        )


def _ratio(bar: Bar, table: Table, peer: str) -> float | None:
    one, other = (peer, OURS) if bar.speed else (OURS, peer)
    return ratio(table, bar.figure, one, other)


def best(table: Table, figure: str, *, less: bool = False) -> str:
    """Return the best of the peers of ours."""
    medians = {
        name: found
        for name, row in table.items()
        if name != OURS and (found := row.median(figure)) is not None
    }
    chosen = min if less else max
    return chosen(medians, key=medians.__getitem__, default="")


def _word(bar: Bar, figure: float) -> str:
    if bar.aim is not None and _reaches(bar, figure, bar.aim):
        return "aim"
    if bar.at_least is None:
        return "not yet"
    return "holds" if _reaches(bar, figure, bar.at_least) else "NO"


def _reaches(bar: Bar, figure: float, mark: float) -> bool:
    return figure <= mark if bar.less_is_better else figure >= mark


def _said(bar: Bar, mark: float | None) -> str:
    return "" if mark is None else _figure(mark) + ("x" if bar.peer else bar.unit)


def _figure(figure: float) -> str:
    big = 10_000
    return f"{figure:,.0f}" if abs(figure) >= big else f"{figure:.3g}"
