"""What workers did, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.profile_trace import lanes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.core import Span

__all__ = ["draw"]

COLOURS: Final = {"call": "tab:blue", "batch": "tab:cyan", "export": "tab:green", "wait": "tab:red"}
WORDS: Final = {
    "call": "called",
    "batch": "called together",
    "export": "left by another worker",
    "wait": "waiting",
}


def draw(spans: Sequence[Span], name: str, axes: Any) -> Any:
    """Draw a row for each worker's stacks into `axes`, new ones if None, and return them."""
    axes = _new_axes() if axes is None else axes
    start = min((span.start for span in spans), default=0.0)
    labels: list[str] = []
    for worker, lanes in lanes_of(spans).items():
        for number, lane in enumerate(lanes):
            _draw_lane(axes, lane, len(labels), start)
            labels.append(f"worker {worker}" if not number else "")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.set_title(name)
    handles, words = axes.get_legend_handles_labels()
    if handles:
        unique = dict(zip(words, handles, strict=True))
        axes.legend(
            unique.values(), unique.keys(), loc="upper left", bbox_to_anchor=(0, -0.12), ncols=4
        )
    return axes


def _draw_lane(axes: Any, lane: list[Span], row: int, start: float) -> None:
    for kind, colour in COLOURS.items():  # waits last, for they lie within calls
        bars = [(span.start - start, span.end - span.start) for span in lane if span.kind == kind]
        if bars:
            axes.broken_barh(bars, (row - 0.4, 0.8), facecolors=colour, label=WORDS[kind])


def _new_axes() -> Any:
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot() draws with matplotlib, which is not installed: "
            "pip install 'pyspeedup-concurrent[plot]'"
        ) from error
    return plt.subplots(layout="constrained")[1]
