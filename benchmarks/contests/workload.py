"""What a row and a table of the benchmark are: a peer that does the work, and the work that it does."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Figures = dict[str, float]

OURS = "pyspeedup"


class WrongAnswerError(Exception):
    """A peer did not do the work, or not as plain Python does it."""


@dataclass(frozen=True)
class Peer:
    """Who does the work: `use` is what the workload needs of it, `module` what has to be installed.

    `part` is the share of the work that is enough where the whole would take too long; who is `slow`
    takes part in the first round only where --slow-once is asked for.
    """

    use: Any
    module: str = ""
    part: float = 1.0
    slow: bool = False

    @property
    def missing(self) -> str:
        """The module that is not installed, or nothing."""
        top = self.module.partition(".")[0]
        return "" if not top or importlib.util.find_spec(top) else top


@dataclass(frozen=True)
class Workload:
    """Work, who does it, and how it is told: the first figure is the one that peers are compared by."""

    title: str
    measure: Callable[[Peer, float], Figures]
    """Does the work, `scale` times its usual amount, and returns figures by name."""

    peers: dict[str, Peer]
    figures: dict[str, str]
    """How the column of each figure is headed; the first is what rows are compared by."""

    limit: str = ""
    """The peer that others are told as multiples of: what is reached without any process, mostly."""

    more_is_better: bool = False
    """Of the first figure, and those like it."""

    patience: float = 60
    """Seconds after which a process is given up."""


def require(what: str, found: object, expected: object) -> None:
    """Raise `WrongAnswerError` unless what was found is what was expected."""
    if found != expected:
        raise WrongAnswerError(f"{what} is {found!r:.60}, not {expected!r:.60}")


def scaled(count: int, scale: float, least: int = 1) -> int:
    """Return the share of `count`, and at least `least`."""
    return max(least, round(count * scale))
