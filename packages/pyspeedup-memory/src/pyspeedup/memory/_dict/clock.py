"""Counts changes, so that an iterator notices them."""

from __future__ import annotations

__all__ = ["Clock"]


class Clock:
    """A number that grows with each change."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0
