"""Draws the figures that bench_concurrent.py wrote with --json: a panel for each workload."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")  # no screen is needed
from concurrency import registry, results
from concurrency.report import short
from concurrency.workload import OURS
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from concurrency.figures import Table

mpl.rcParams |= {
    "svg.fonttype": "none",
    "svg.hashsalt": "concurrent",
}  # small, and the same each time
OURS_COLOUR, LIMIT_COLOUR, PEER_COLOUR = "#d1495b", "#9a9a9a", "#66a5ad"
PLAIN = ("generator", "list", "lru_cache", "memcpy")
"""Plain Python, which stands back."""

PANELS = {
    "B1": ["rate_16", "rate_1024", "rate_16384"],
    "B3": ["GBps_8MB", "GBps_100kB"],
    "B7": ["index_times", "iteration_times"],
}
"""The figures that are drawn of a workload, where it is not just the first."""

LEFT_OUT = ("C9", "C9m")
"""Where it is only told who gets that far."""

COLUMNS, WIDE = 3, 50
"""Panels in a row; from what ratio of the longest bar to the shortest on the scale is logarithmic."""


def main() -> None:
    """Draw what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="what --json of bench_concurrent.py wrote")
    parser.add_argument("picture", type=Path, help="an SVG or PNG file to write")
    arguments = parser.parse_args()
    measured = results.read(arguments.figures).measured
    draw(measured).savefig(arguments.picture, bbox_inches="tight", dpi=110, metadata={"Date": None})


def draw(measured: dict[str, Table]) -> Any:
    """Return the picture."""
    panels = [
        (name, figure)
        for name in measured
        if name not in LEFT_OUT
        for figure in PANELS.get(name, [next(iter(registry.EVERY[name].figures))])
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
        _draw_panel(each, name, figure, measured[name])
    return picture


def _draw_panel(axes: Any, name: str, figure: str, table: Table) -> None:
    """Draw a bar for each peer that did the work."""
    workload = registry.EVERY[name]
    medians = {
        peer: found for peer, row in table.items() if (found := row.median(figure)) is not None
    }
    axes.axis("on")
    better = "more" if workload.more_is_better else "less"
    head = f"{name}: {workload.title}\n{workload.figures[figure]} ({better} is better)"
    axes.set_title(head, fontsize=9)
    axes.barh(list(medians), list(medians.values()), color=[_colour(peer) for peer in medians])
    labels = [short(found) for found in medians.values()]
    axes.bar_label(axes.containers[0], labels, padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    if medians and max(medians.values()) > WIDE * min(medians.values()):
        axes.set_xscale("log")
        low, high = min(medians.values()), max(medians.values())
        axes.set_xlim(low / 2, high * (high / low) ** 0.18)
        axes.minorticks_off()
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(peer: str) -> str:
    return OURS_COLOUR if peer == OURS else LIMIT_COLOUR if peer in PLAIN else PEER_COLOUR


if __name__ == "__main__":
    main()
