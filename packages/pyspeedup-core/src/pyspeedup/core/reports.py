"""What an engine tells of its work: the outcome of several calls, counts, and who did what when."""

# Annotations are no strings here: NamedTuple compiles those, which doubles its cost, by 0.2 ms.
from typing import Any, NamedTuple

__all__ = ["Batch", "FunctionStats", "Span"]


class Batch(NamedTuple):
    """What several calls came to that were evaluated together, one after the other.

    >>> Batch([1, 4], ZeroDivisionError(), 0.5).values
    [1, 4]
    """

    values: list[Any]
    """Of the calls in order, up to the first that raised an error."""
    error: BaseException | None
    """What that call raised; those behind it were not begun. None if every call has a value."""
    seconds: float
    """How long the evaluation took."""


class FunctionStats(NamedTuple):
    """What an engine has counted of one function since it was defined or last forgotten.

    >>> FunctionStats(calls=4, seconds=0.5).exported
    0
    """

    calls: int = 0
    """Evaluations in workers."""
    seconds: float = 0.0
    """Their own work, without that of the calls they made in turn."""
    exported: int = 0
    """Calls that a busy worker left to an idle one."""
    fetched: int = 0
    """Values that one worker took over from another."""
    published: int = 0
    """Values that were put where other workers find them."""
    repeated: int = 0
    """Evaluations of what another worker had computed already."""
    waits: int = 0
    """Times that a worker waited for another."""
    waited: float = 0.0
    """Seconds of it."""
    idle: float = 0.0
    """Seconds that workers had nothing to do, all together."""
    workers: int = 1
    """How many there are."""


class Span(NamedTuple):
    """Something that a worker did, from `start` to `end`, in seconds of `time.perf_counter`.

    >>> Span(1, "f", "3, base=2", "call", 2.0, 2.5).end
    2.5
    """

    worker: int
    """Its process id, or what tells it from others."""
    function: str
    call: str
    """A short picture of its arguments, as ``3, base=2``."""
    kind: str
    """``call``, ``batch``, ``export`` or ``wait``."""
    start: float
    end: float
