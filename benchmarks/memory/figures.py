"""What was measured of one peer, and what follows from it: rates, ratios, net memory."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from memory.sessions import BUILD, CLOSE

if TYPE_CHECKING:
    from memory.sessions import Outcome, Session

OURS, NOTHING = "pyspeedup", "nothing"


@dataclass
class Figures:
    """A list with one entry a round, for each workload or session."""

    done: dict[str, list[int]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    anonymous: dict[str, list[int]] = field(default_factory=dict)
    resident: dict[str, list[int]] = field(default_factory=dict)
    disk: dict[str, list[int]] = field(default_factory=dict)
    count: dict[str, list[int]] = field(default_factory=dict)
    numpy: dict[str, bool] = field(default_factory=dict)

    def note(self, session: Session, outcome: Outcome, disk: int) -> None:
        """Add what a process did, whose store takes `disk` bytes now."""
        for name, timing in outcome.timings.items():
            if name != CLOSE or session.name == BUILD:
                for what in ("done", "seconds", "cpu"):
                    getattr(self, what).setdefault(name, []).append(timing[what])
        self.failures |= outcome.failures
        self.numpy[session.name] = outcome.numpy
        values = {"disk": disk, **asdict(outcome)}
        for what in ("anonymous", "resident", "disk", "count"):
            getattr(self, what).setdefault(session.name, []).append(values[what])

    def rates(self, workload: str, *, cpu: bool = False) -> list[float]:
        """Return the operations a second of each round, or a second of the processor."""
        took = (self.cpu if cpu else self.seconds).get(workload, [])
        return [
            n / max(seconds, 1e-9)
            for n, seconds in zip(self.done.get(workload, []), took, strict=True)
        ]

    def milliseconds(self, workload: str) -> float:
        """Return how long that took which is done once."""
        return statistics.median(self.seconds[workload]) * 1000

    def bytes_an_item(self, session: str) -> float:
        """Return what the store takes on disk after `session`, by the items that were built."""
        return statistics.median(self.disk[session]) / max(1, self.count[BUILD][-1])


@dataclass
class Share:
    """What importing numpy costs by itself: bytes of memory, and seconds."""

    anonymous: int = 0
    resident: int = 0
    seconds: float = 0.0


Results: TypeAlias = dict[str, Figures]


@dataclass(frozen=True)
class Sized:
    """The results at one size, and what importing numpy costs."""

    size: int
    results: Results
    numpy: Share

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Sized:
        """Return what was written by `dataclasses.asdict`."""
        results = {name: Figures(**one) for name, one in found["results"].items()}
        return cls(found["size"], results, Share(**found["numpy"]))


def ratio(ours: Figures, peer: Figures, workload: str, *, cpu: bool = False) -> float | None:
    """Return the median of the rounds' ratios, which drift of the machine leaves alone."""
    mine, others = ours.rates(workload, cpu=cpu), peer.rates(workload, cpu=cpu)
    if not mine or not others or workload in ours.failures or workload in peer.failures:
        return None
    return statistics.median(one / other for one, other in zip(mine, others, strict=False))


def net(results: Results, peer: str, what: str, session: str) -> float:
    """Return the most bytes of memory that a peer took above what the benchmark itself took.

    `what` is "anonymous" or "resident".
    """
    figures, idle = results[peer], results.get(NOTHING)
    gross = statistics.median(getattr(figures, what)[session])
    base = getattr(idle, what).get(session) if idle else None
    return float(gross - (statistics.median(base) if base else 0))
