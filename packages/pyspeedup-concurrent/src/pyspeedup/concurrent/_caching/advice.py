"""What can be said in words about how a function's calls went: sentences from thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.concurrent._caching.profile import Figures

__all__ = ["advice_on"]

ENOUGH_CALLS = 100
"""Of fewer nothing can be said."""
TINY = 5e-6
"""Seconds; telling another worker of a call takes longer."""
ROUND_TRIP = 1e-4
"""Seconds that a call takes to a worker and back."""
ENOUGH_IDLE = 0.1
"""Seconds; of less nobody takes notice."""
MOST_IDLE = 0.2
MOST_WAITED = 0.2
FEWEST_FETCHED = 0.05
MOST_REPEATED = 0.1


def advice_on(figures: Figures) -> Iterator[str]:
    """Yield what is worth a sentence, the gravest first; nothing where all is well."""
    yield from _on_size(figures)
    yield from _on_sharing(figures)
    yield from _on_time(figures)


def _on_size(figures: Figures) -> Iterator[str]:
    stats = figures.stats
    if stats.calls >= ENOUGH_CALLS and stats.seconds < TINY * stats.calls:
        yield (
            f"Hints cannot pay: a call takes {seconds(stats.seconds / stats.calls)} by itself, less than "
            "telling another worker of it. Leave apply_async and batch_async out, or let each call do more."
        )
    alone = [span.end - span.start for span in figures.own_spans("call")]
    if len(alone) >= ENOUGH_CALLS and sum(alone) < ROUND_TRIP * len(alone):
        yield (
            f"{len(alone):,} calls went to workers one by one, which costs some {seconds(ROUND_TRIP)} for "
            f"each, and took {seconds(sum(alone) / len(alone))} there. Let map take them together, or "
            "use functools.cache."
        )


def _on_sharing(figures: Figures) -> Iterator[str]:
    stats = figures.stats
    if stats.published >= ENOUGH_CALLS and stats.fetched < FEWEST_FETCHED * stats.published:
        yield (
            f"The branches share next to nothing: of {stats.published:,} results that were put where other "
            f"workers find them, {stats.fetched:,} were taken up."
        )
    if stats.calls >= ENOUGH_CALLS and stats.repeated > MOST_REPEATED * stats.calls:
        yield (
            f"Workers computed {percent(stats.repeated / stats.calls)} of the calls more than once. "
            "Calls that take longer are shared earlier: let each do more."
        )


def _on_time(figures: Figures) -> Iterator[str]:
    stats = figures.stats
    present = stats.seconds + stats.waited + stats.idle
    if stats.workers > 1 and stats.idle > max(ENOUGH_IDLE, MOST_IDLE * present):
        what = (
            "hint at more calls, and earlier"
            if stats.exported
            else "hint at the calls to come, by batch_async"
        )
        yield (
            f"The {stats.workers} workers had nothing to do for {percent(stats.idle / present)} of the time: "
            f"there are not enough branches at once. If there are any, {what}."
        )
    if present > 0 and stats.waited > MOST_WAITED * present:
        yield (
            f"Workers waited for one another for {percent(stats.waited / present)} of the time: a dear "
            f"sub-problem holds the others up{_longest_wait(figures)}. Hint at it first."
        )


def _longest_wait(figures: Figures) -> str:
    waits = figures.own_spans("wait")
    if not waits:
        return ""
    longest = max(waits, key=lambda span: span.end - span.start)
    return f" (the longest wait, of {seconds(longest.end - longest.start)}, was in {longest.function}({longest.call}))"


def seconds(value: float) -> str:
    """Return a time as one reads it.

    >>> seconds(0.0000021), seconds(0.0345), seconds(75.0)
    ('2.1 us', '34.5 ms', '75 s')
    """
    if not value:
        return "0 s"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def percent(share: float) -> str:
    """Return a share as one reads it.

    >>> percent(0.256)
    '26%'
    """
    return f"{100 * share:.0f}%"
