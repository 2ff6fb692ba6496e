"""What is known of how a function's calls went: a table, advice in words, a trace, a picture."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.concurrent._caching.advice import advice_on, percent, seconds
from pyspeedup.core import FunctionStats

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from pyspeedup.concurrent._caching.cache_info import CacheInfo
    from pyspeedup.core import Engine, Span

__all__ = ["Figures", "Profile", "profile_of"]


class Figures(NamedTuple):
    """What a profile is made of."""

    name: str
    """Of the function, qualified."""
    function: str
    """Its name alone."""
    engine: str
    """Words for what evaluates its calls."""
    info: CacheInfo
    stats: FunctionStats
    counts: bool = True
    """Whether the engine counts anything."""
    spans: Sequence[Span] | None = None
    """What the workers did, None if the engine does not tell."""

    def own_spans(self, kind: str) -> list[Span]:
        """Return the spans of one kind that belong to this function."""
        spans = self.spans or ()
        return [span for span in spans if (span.function, span.kind) == (self.function, kind)]


class Profile:
    """What the Cache and its engine know of how a function's calls went; see `Cache.profile`.

    Prints as a table, in a notebook too. It is a picture of the moment it was made in.

    >>> from pyspeedup.concurrent import Cache
    >>> square = Cache(lambda n: n * n, engine="serial")
    >>> square(3), "evaluations begun here" in str(square.profile())
    (9, True)
    """

    def __init__(self, figures: Figures) -> None:
        """Hold the figures, which are public."""
        self.figures = figures

    @property
    def advice(self) -> list[str]:
        """What to do about it, in sentences; empty where there is nothing to say.

        >>> from pyspeedup.concurrent import Cache
        >>> Cache(abs, engine="serial").profile().advice
        []
        """
        return [*advice_on(self.figures)] if self.figures.counts else []

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield the rows of the table: what, and how much."""
        info, stats = self.figures.info, self.figures.stats
        yield "answered from memory", f"{info.hits:,}"
        yield "evaluations begun here", f"{info.misses:,}"
        yield "results remembered", f"{info.currsize:,}"
        if not self.figures.counts:
            return
        yield "workers", f"{stats.workers:,}"
        yield "calls computed in workers", f"{stats.calls:,}"
        yield "their own work", _per(stats.seconds, stats.calls, "a call")
        yield "left to idle workers", f"{stats.exported:,}"
        yield "put where others find them", f"{stats.published:,}"
        yield "taken over from others", f"{stats.fetched:,}"
        yield "computed more than once", f"{stats.repeated:,}"
        yield (
            "waits for another worker",
            f"{stats.waits:,}, {_per(stats.waited, stats.waits, 'each')}",
        )
        yield "workers idle", f"{seconds(stats.idle)}{_share(stats)}"

    def __str__(self) -> str:
        lines = [f"{self.figures.name}, evaluated by {self.figures.engine}"]
        rows = [*self.rows()]
        width = max(len(what) for what, _ in rows)
        lines += [f"  {what:{width}}  {how_much}" for what, how_much in rows]
        if not self.figures.counts:
            lines.append("  This engine does not count what its workers do.")
        lines += [f"- {sentence}" for sentence in self.advice]
        return "\n".join(lines)

    def __repr__(self) -> str:
        info = self.figures.info
        return f"<Profile of {self.figures.name}: {info.hits:,} hits, {info.misses:,} misses>"

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(what)}</td>"
            f"<td style='text-align:left'>{html.escape(how_much)}</td></tr>"
            for what, how_much in self.rows()
        )
        title = html.escape(f"{self.figures.name}, evaluated by {self.figures.engine}")
        advice = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.advice)
        return f"<table><caption>{title}</caption>{rows}</table><ul>{advice}</ul>"

    def save_trace(self, path: str | PathLike[str]) -> None:
        """Write what the workers did to `path`, as a Chrome trace, which ui.perfetto.dev opens.

        `RuntimeError` if the engine keeps no trace, `OSError` if the file cannot be written.
        """
        from pyspeedup.concurrent._caching import profile_trace

        profile_trace.save(self._spans(), path)

    def plot(self, axes: Any = None) -> Any:
        """Draw what the workers did, a row for each, with matplotlib; return the axes.

        `ImportError` if it is not installed (``pyspeedup-concurrent[plot]``), `RuntimeError` if the
        engine keeps no trace.
        """
        from pyspeedup.concurrent._caching import profile_plot

        return profile_plot.draw(self._spans(), self.figures.name, axes)

    def _spans(self) -> Sequence[Span]:
        if self.figures.spans is None:
            raise RuntimeError(
                f"{self.figures.engine} keeps no trace of what its workers do; "
                'Cache(..., engine="processes") does'
            )
        return self.figures.spans


def profile_of(engine: Engine, number: int, cache: Any) -> Profile:
    """Return what `engine` and `cache` know of a function."""
    counts, tells = hasattr(engine, "stats"), hasattr(engine, "trace")
    workers = engine.workers
    return Profile(
        Figures(
            name=cache.__qualname__,
            function=cache.__name__,
            engine=f"{type(engine).__name__} with {workers} worker{'s' * (workers != 1)}",
            info=cache.cache_info(),
            stats=engine.stats(number) if counts else FunctionStats(workers=workers),  # type: ignore[attr-defined]  # an optional ability
            counts=counts,
            spans=engine.trace() if tells else None,  # type: ignore[attr-defined]  # likewise
        )
    )


def _per(total: float, count: int, what: str) -> str:
    return f"{seconds(total)}, {seconds(total / count)} {what}" if count else seconds(total)


def _share(stats: FunctionStats) -> str:
    present = stats.seconds + stats.waited + stats.idle
    return f", {percent(stats.idle / present)} of their time" if present else ""
