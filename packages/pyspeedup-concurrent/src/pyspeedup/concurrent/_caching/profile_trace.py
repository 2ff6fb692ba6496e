"""What workers did, as the JSON that Chrome's tracing made common and Perfetto reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from pyspeedup.core import Span

__all__ = ["events_of", "lanes_of", "save"]

MICROSECONDS = 1e6
"""In a second: the unit of the format."""


def save(spans: Sequence[Span], path: str | PathLike[str]) -> None:
    """Write the trace."""
    trace = {"displayTimeUnit": "ms", "traceEvents": [*events_of(spans)]}
    Path(path).write_text(json.dumps(trace), encoding="utf-8")


def events_of(spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
    """Yield the events: the names of workers and their lanes, and each span.

    >>> from pyspeedup.core import Span
    >>> [event["ph"] for event in events_of([Span(7, "f", "1", "call", 2.0, 2.5)])]
    ['M', 'M', 'X']
    """
    start = min((span.start for span in spans), default=0.0)
    for worker, lanes in lanes_of(spans).items():
        yield _named("process_name", worker, 0, f"worker {worker}")
        for number, lane in enumerate(lanes):
            yield _named("thread_name", worker, number, f"stack {number}")
            for span in lane:
                yield {
                    "ph": "X",
                    "name": f"{span.function}({span.call})",
                    "cat": span.kind,
                    "pid": worker,
                    "tid": number,
                    "ts": (span.start - start) * MICROSECONDS,
                    "dur": (span.end - span.start) * MICROSECONDS,
                    "args": {"kind": span.kind},
                }


def _named(what: str, worker: int, lane: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": worker, "tid": lane, "args": {"name": name}}


def lanes_of(spans: Iterable[Span]) -> dict[int, list[list[Span]]]:
    """Return each worker's spans in lanes, within which any two are apart or one inside the other.

    A worker's stacks run in turn, so that their spans may overlap, which a viewer cannot draw in one lane.
    """
    found: dict[int, list[list[Span]]] = {}
    open_ends: dict[int, list[list[float]]] = {}
    for span in sorted(spans, key=lambda span: (span.worker, span.start, -span.end)):
        lanes, ends = found.setdefault(span.worker, []), open_ends.setdefault(span.worker, [])
        number = _lane_for(span, ends)
        if number == len(lanes):
            lanes.append([])
            ends.append([])
        lanes[number].append(span)
        ends[number].append(span.end)
    return found


def _lane_for(span: Span, lanes: list[list[float]]) -> int:
    for number, ends in enumerate(lanes):
        while ends and ends[-1] <= span.start:
            ends.pop()
        if not ends or span.end <= ends[-1]:
            return number
    return len(lanes)
