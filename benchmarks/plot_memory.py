"""Draws the figures that bench_memory.py wrote with --json: one picture of rates and memory."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no screen is needed
from matplotlib import pyplot as plt
from memory import bars, figures
from memory.figures import NOTHING, Figures
from memory.report import SINGLE

OURS_COLOUR = "#d1495b"
COLOURS = {"dict": "#9a9a9a", "list": "#9a9a9a", "pyspeedup": OURS_COLOUR, "lmdb": "#2e5e8c"}
OTHER_COLOURS = ["#66a5ad", "#e0a458", "#7d9d5c", "#8e6c8a", "#b5838d", "#457b6b", "#c9ada7"]
"""Ours stands out, plain Python stands back."""

ROOM = 20
"""By how much the scale goes beyond the highest bar, for the names of the peers."""


def main() -> None:
    """Draw what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="what --json of bench_memory.py wrote")
    parser.add_argument("picture", type=Path, help="an SVG or PNG file to write")
    arguments = parser.parse_args()
    found = json.loads(arguments.figures.read_text(encoding="utf-8"))
    draw(found).savefig(arguments.picture, bbox_inches="tight", dpi=110, metadata={"Date": None})


def draw(found: dict[str, Any]) -> Any:
    """Return the picture: for each structure the rates, and beside them the memory."""
    measured = {name: sizes[-1] for name, sizes in found["measured"].items()}
    picture, rows = plt.subplots(
        len(measured),
        2,
        squeeze=False,
        width_ratios=[4, 1],
        gridspec_kw={"hspace": 0.4},
        figsize=(15, 5.5 * len(measured)),
    )
    for (structure, sized), (left, right) in zip(measured.items(), rows, strict=True):
        results = {name: Figures(**one) for name, one in sized["results"].items()}
        _draw_rates(left, f"{structure}, {sized['size']:,} items", results)
        _draw_memory(right, results)
    machine = found["machine"]
    picture.suptitle(
        f"Operations a second (more is better): CPython {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores, median of {found['rounds']} rounds {found['note']}".strip(),
        y=0.93,
        fontsize=10,
    )
    return picture


def _draw_rates(axes: Any, title: str, results: dict[str, Figures]) -> None:
    """Draw a group of bars for each workload, on a logarithmic scale."""
    peers = [name for name in results if name != NOTHING]
    workloads = [name for name in results[peers[0]].done if name not in SINGLE]
    width = 0.85 / len(peers)
    for n, peer in enumerate(peers):
        rates = [_median(results[peer].rates(name)) for name in workloads]
        places = [place + (n - len(peers) / 2) * width for place in range(len(workloads))]
        axes.bar(places, rates, width, label=peer, color=_colour(peer, peers), align="edge")
    axes.set_yscale("log")
    axes.set_ylim(top=axes.get_ylim()[1] * ROOM)
    axes.set_xticks(range(len(workloads)), workloads, rotation=30, ha="right", fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=5, fontsize=7, frameon=False)


def _draw_memory(axes: Any, results: dict[str, Figures]) -> None:
    """Draw how much anonymous memory each took at most while it was filled and used."""
    peers = [name for name in results if name != NOTHING]
    most = [_most_anonymous(results, peer) / bars.MEGA for peer in peers]
    axes.barh(peers, most, color=[_colour(peer, peers) for peer in peers])
    axes.bar_label(axes.containers[0], [f"{size:.0f}" for size in most], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("MB of anonymous RAM at most", fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _most_anonymous(results: dict[str, Figures], peer: str) -> float:
    sessions = [name for name in bars.MEMORY_SESSIONS if name in results[peer].anonymous]
    return max((figures.net(results, peer, "anonymous", name) for name in sessions), default=0.0)


def _median(rates: list[float]) -> float:
    return sorted(rates)[len(rates) // 2] if rates else 0.0


def _colour(peer: str, peers: list[str]) -> str:
    others = [name for name in peers if name not in COLOURS]
    return COLOURS.get(peer) or OTHER_COLOURS[others.index(peer) % len(OTHER_COLOURS)]


if __name__ == "__main__":
    main()
