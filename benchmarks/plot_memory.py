"""Draws the figures that bench_memory.py wrote with --json: rates, memory, and how ours grows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")  # no screen is needed
from matplotlib import pyplot as plt
from memory import bars, results
from memory.figures import NOTHING, OURS
from memory.report import SINGLE

if TYPE_CHECKING:
    from memory.figures import Results, Sized
    from memory.results import Part


mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "memory"}  # small, and the same each time
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
    parts = {"": results.read(arguments.figures)}
    draw(parts).savefig(arguments.picture, bbox_inches="tight", dpi=110, metadata={"Date": None})


def draw(parts: dict[str, Part]) -> Any:
    """Return the picture: rates and memory of all in the part with the most peers; how ours grows."""
    widest = max(parts.values(), key=_peers)
    measured = {name: sizes[-1] for name, sizes in widest.measured.items()}
    growing = _growing(parts)
    rows = len(measured) + bool(growing)
    picture, axes = plt.subplots(
        rows,
        2,
        squeeze=False,
        width_ratios=[4, 1],
        gridspec_kw={"hspace": 0.45},
        figsize=(15, 5 * rows),
    )
    for (structure, sized), (left, right) in zip(measured.items(), axes, strict=False):
        _draw_rates(left, f"{structure}, {sized.size:,} items: operations a second", sized.results)
        _draw_memory(right, sized)
    if growing:
        _draw_growth(axes[-1], growing)
    machine = widest.machine
    picture.suptitle(
        f"CPython {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores, rounds: {widest.rounds}. {widest.note}".strip(),
        y=0.92,
        fontsize=10,
    )
    return picture


def _peers(part: Part) -> int:
    return max(len(one.results) for sizes in part.measured.values() for one in sizes)


def _growing(parts: dict[str, Part]) -> dict[str, list[Sized]]:
    """Return for each structure what was measured of ours at several sizes, where it was."""
    found: dict[str, list[Sized]] = {}
    for part in parts.values():
        for structure, sizes in part.measured.items():
            found.setdefault(structure, []).extend(one for one in sizes if OURS in one.results)
    return {
        structure: sorted(sizes, key=lambda one: one.size)
        for structure, sizes in found.items()
        if len({one.size for one in sizes}) > 1
    }


def _draw_growth(axes: Any, growing: dict[str, list[Sized]]) -> None:
    """Draw what an operation of ours costs, and how much memory it takes, by the number of items."""
    left, right = axes
    for structure, sizes in growing.items():
        for workload in bars.GROWING:
            points = [
                (one.size, 1e6 / _median(one.results[OURS].rates(workload)))
                for one in sizes
                if one.results[OURS].rates(workload)
            ]
            if points:
                left.plot(*zip(*points, strict=True), "o-", label=f"{structure}, {workload}")
        points = [(one.size, _most_anonymous(one, OURS)) for one in sizes]
        right.plot(*zip(*points, strict=True), "o-", label=structure)
    left.set_title("pyspeedup by the number of items: microseconds an operation", fontsize=10)
    right.set_title("MB of anonymous RAM at most", fontsize=10)
    for each in axes:
        each.set_xscale("log")
        each.set_ylim(bottom=0)
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
        each.legend(fontsize=7, frameon=False)


def _draw_rates(axes: Any, title: str, found: Results) -> None:
    """Draw a group of bars for each workload, on a logarithmic scale."""
    peers = [name for name in found if name != NOTHING]
    workloads = [name for name in found[peers[0]].done if name not in SINGLE]
    width = 0.85 / len(peers)
    for n, peer in enumerate(peers):
        rates = [_median(found[peer].rates(name)) for name in workloads]
        places = [place + (n - len(peers) / 2) * width for place in range(len(workloads))]
        axes.bar(places, rates, width, label=peer, color=_colour(peer, peers), align="edge")
    axes.set_yscale("log")
    axes.set_ylim(top=axes.get_ylim()[1] * ROOM)
    axes.set_xticks(range(len(workloads)), workloads, rotation=30, ha="right", fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=5, fontsize=7, frameon=False)


def _draw_memory(axes: Any, sized: Sized) -> None:
    """Draw how much anonymous memory each took at most while it was filled and used."""
    peers = [name for name in sized.results if name != NOTHING]
    most = [_most_anonymous(sized, peer) for peer in peers]
    axes.barh(peers, most, color=[_colour(peer, peers) for peer in peers])
    axes.bar_label(axes.containers[0], [f"{size:.0f}" for size in most], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.set_title("MB of anonymous RAM at most", fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _most_anonymous(sized: Sized, peer: str) -> float:
    """Return MB."""
    sessions = sized.results[peer].anonymous
    found = (bars.anonymous(sized, name, peer) for name in bars.MEMORY_SESSIONS if name in sessions)
    return max(found, default=0.0) / bars.MEGA


def _median(rates: list[float]) -> float:
    return sorted(rates)[len(rates) // 2] if rates else 0.0


def _colour(peer: str, peers: list[str]) -> str:
    others = [name for name in peers if name not in COLOURS]
    return COLOURS.get(peer) or OTHER_COLOURS[others.index(peer) % len(OTHER_COLOURS)]


if __name__ == "__main__":
    main()
