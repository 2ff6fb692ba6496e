"""What an engine's workers have done, for those who want to see where the time went."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching.messages import BatchCall, Done
from pyspeedup.concurrent._caching.tally import Tally
from pyspeedup.concurrent._processes import shipping
from pyspeedup.core import FunctionStats, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.messages import Call

__all__ = ["History"]

MOST_SPANS: Final = 20_000
MOST_BYTES: Final = 1 << 21
"""So much is kept of the calls' arguments; if they are large, of fewer calls."""
LONGEST_ARGUMENTS: Final = 1 << 10
LONGEST_REPR: Final = 60


class History:
    """Keeps sums for each function, and the last things that were computed or waited for, `MOST_SPANS` at most.

    >>> History().stats(7, workers=2, idle=0.0).calls
    0
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._tallies: dict[int, Tally] = {}
        self._spans: deque[tuple[int, Any, str, float, float]] = deque()
        self._bytes = 0

    def add(self, pid: int, done: Done) -> None:
        """Take in what a worker has said of something that it has computed."""
        kind = _kind_of(done)
        call: Call | BatchCall = done.call
        if len(call.arguments) > LONGEST_ARGUMENTS:
            call = call._replace(arguments=b"")
        self._spans.append((pid, call, kind, done.begun, done.ended))
        for begun, ended in done.waits:
            self._spans.append((pid, call, "wait", begun, ended))
        self._bytes += len(call.arguments) * (1 + len(done.waits))
        while self._bytes > MOST_BYTES or len(self._spans) > MOST_SPANS:
            self._bytes -= len(self._spans.popleft()[1].arguments)
        for number, tally in done.tallies.items():
            self._tallies.setdefault(number, Tally()).add(tally)

    def stats(self, number: int, *, workers: int, idle: float) -> FunctionStats:
        """Return the sums of one function."""
        tally = self._tallies.get(number, Tally())
        return FunctionStats(
            calls=tally.calls,
            seconds=tally.seconds,
            exported=tally.exported,
            fetched=tally.fetched,
            published=tally.published,
            repeated=0,
            waits=tally.waits,
            waited=tally.waited,
            idle=idle,
            workers=workers,
        )

    def idle_of(self, pids: list[int]) -> float:
        """Return how long these workers had nothing to compute, within the time that any of them had."""
        spans = [(begun, ended) for pid, _, kind, begun, ended in [*self._spans] if kind != "wait"]
        if not spans:
            return 0.0
        whole = sum(end - begin for begin, end in _merged(spans))
        busy = 0.0
        for pid in pids:
            own = [s[3:] for s in [*self._spans] if s[0] == pid and s[2] != "wait"]
            busy += sum(end - begin for begin, end in _merged(own))
        return max(0.0, whole * len(pids) - busy)

    def spans(self, name_of: Callable[[int], str]) -> list[Span]:
        """Return what was computed when, with the arguments as they print."""
        return [
            Span(pid, name_of(call.number), _shown(call), kind, begun, ended)
            for pid, call, kind, begun, ended in [*self._spans]
        ]


def _kind_of(done: Done) -> str:
    if done.outcome is None:
        return "export"
    return "batch" if isinstance(done.call, BatchCall) else "call"


def _merged(spans: list[Any]) -> list[tuple[float, float]]:
    """Return spans without overlaps that cover the same times."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _shown(call: Any) -> str:
    if not call.arguments:
        return "..."
    try:
        arguments = shipping.loads(call.arguments)
        text = _signature(call, arguments)
    except Exception:  # noqa: BLE001 -- a class's own code, for a text to be looked at
        return "..."
    return text if len(text) <= LONGEST_REPR else f"{text[: LONGEST_REPR - 3]}..."


def _signature(call: Any, arguments: Any) -> str:
    if isinstance(call, BatchCall):
        return f"{len(arguments)} calls"
    args, kwargs = arguments
    return ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
