"""What is said of a bar, whichever benchmarks it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Verdict"]


@dataclass(frozen=True)
class Verdict:
    """A bar, what was found, and whether it holds."""

    figure: str
    found: str
    bar: str
    aim: str
    word: str
