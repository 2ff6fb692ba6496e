"""Draws figures: a panel for each workload, a bar for each peer. Needs matplotlib."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")  # no screen is needed
from contests import results
from contests.report import short
from contests.workload import OURS
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Collection

    from contests.figures import Table
    from contests.subject import Subject

mpl.rcParams["svg.fonttype"] = "none"  # small
OURS_COLOUR, LIMIT_COLOUR, PEER_COLOUR = "#d1495b", "#9a9a9a", "#66a5ad"
COLUMNS, WIDE = 3, 50
"""Panels in a row; from what ratio of the longest bar to the shortest on the scale is logarithmic."""


@dataclass(frozen=True)
class Picture:
    """How the figures of a subject are drawn."""

    subject: Subject

    plain: Collection[str] = ()
    """Peers that stand back: plain Python, or a limit."""

    panels: dict[str, list[str]] = field(default_factory=dict)
    """The figures that are drawn of a workload, where it is not just the first."""

    left_out: Collection[str] = ()

    def main(self, what: str | None) -> None:
        """Draw what the command line says."""
        parser = argparse.ArgumentParser(description=what)
        wrote = f"what --json of bench_{self.subject.name}.py wrote"
        parser.add_argument("figures", type=Path, help=wrote)
        parser.add_argument("picture", type=Path, help="an SVG or PNG file to write")
        arguments = parser.parse_args()
        drawn = self.draw(results.read(arguments.figures).measured)
        drawn.savefig(arguments.picture, bbox_inches="tight", dpi=110, metadata={"Date": None})

    def draw(self, measured: dict[str, Table]) -> Any:
        """Return the picture."""
        mpl.rcParams["svg.hashsalt"] = self.subject.name  # the same each time
        panels = [
            (name, figure)
            for name in measured
            if name not in self.left_out
            for figure in self._figures_of(name)
        ]
        rows = math.ceil(len(panels) / COLUMNS)
        picture, axes = plt.subplots(
            rows,
            COLUMNS,
            squeeze=False,
            figsize=(15, 2.9 * rows),
            gridspec_kw={"hspace": 0.55, "wspace": 0.45},
        )
        for each in axes.flat:
            each.axis("off")
        for each, (name, figure) in zip(axes.flat, panels, strict=False):
            self._draw_panel(each, name, figure, measured[name])
        return picture

    def _figures_of(self, name: str) -> list[str]:
        return self.panels.get(name, [next(iter(self.subject.workloads[name].figures))])

    def _draw_panel(self, axes: Any, name: str, figure: str, table: Table) -> None:
        """Draw a bar for each peer that did the work."""
        workload = self.subject.workloads[name]
        medians = {
            peer: found for peer, row in table.items() if (found := row.median(figure)) is not None
        }
        axes.axis("on")
        better = "more" if workload.more_is_better else "less"
        head = f"{name}: {workload.title}\n{workload.figures[figure]} ({better} is better)"
        axes.set_title(head, fontsize=9)
        colours = [self._colour(peer) for peer in medians]
        axes.barh(list(medians), list(medians.values()), color=colours)
        labels = [short(found) for found in medians.values()]
        axes.bar_label(axes.containers[0], labels, padding=3, fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.18)
        _scale(axes, list(medians.values()))
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)

    def _colour(self, peer: str) -> str:
        if peer == OURS:
            return OURS_COLOUR
        return LIMIT_COLOUR if peer in self.plain else PEER_COLOUR


def _scale(axes: Any, found: list[float]) -> None:
    """Make the scale logarithmic where bars would be too short."""
    if found and max(found) > WIDE * min(found):
        axes.set_xscale("log")
        low, high = min(found), max(found)
        axes.set_xlim(low / 2, high * (high / low) ** 0.18)
        axes.minorticks_off()
