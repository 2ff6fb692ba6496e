"""When those who compute are told that somebody is idle, and when that time goes by.

What is over soon needs no help, so hunger is shown only once something has been computed for `YOUNG`. While
something is computed there is a tick every `TICK`; else nobody is woken.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TICK", "YOUNG", "Vigil"]

YOUNG = 0.001
TICK = 0.01
"""Seconds."""


class Vigil:
    """Says what is to be done now, and how long to wait if nothing happens.

    >>> now = 0.0
    >>> vigil = Vigil(clock=lambda: now)
    >>> vigil.patience() is None
    True
    >>> vigil.look(computing=True, hungry=True)
    >>> vigil.is_to_show, vigil.patience() == YOUNG
    (False, True)
    >>> now = YOUNG
    >>> vigil.look(computing=True, hungry=True)
    >>> vigil.is_to_show
    True
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin with nothing computed."""
        self._clock = clock
        self._since: float | None = None
        self._next_tick = 0.0
        self._is_shown = self._is_hungry = False
        self.is_to_show = self.is_to_tick = self.hunger_ended = False

    def show_again(self) -> None:
        """Somebody has helped: have it shown anew that more help is wanted."""
        self._is_shown = False

    def look(self, *, computing: bool, hungry: bool) -> None:
        """Take in how things are."""
        self.is_to_show = self.is_to_tick = False
        self._is_hungry = hungry and computing
        self.hunger_ended = self._is_shown and not self._is_hungry
        self._is_shown = self._is_shown and self._is_hungry
        if not computing:
            self._since = None
            return
        now = self._clock()
        if self._since is None:
            self._since, self._next_tick = now, now + TICK
        self._decide(now, now - self._since)

    def _decide(self, now: float, age: float) -> None:
        if self._is_hungry and not self._is_shown and age >= YOUNG:
            self.is_to_show = self._is_shown = True
        if now >= self._next_tick:
            self.is_to_tick = True
            self._next_tick = now + TICK

    def patience(self) -> float | None:
        """Return for how many seconds to wait; None for good."""
        if self._since is None:
            return None
        due = self._next_tick
        if self._is_hungry and not self._is_shown:
            due = min(due, self._since + YOUNG)
        return max(0.0, due - self._clock())
