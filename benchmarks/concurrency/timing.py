"""Times what takes nanoseconds, in turn with what it is compared with, the loop taken off."""

from __future__ import annotations

import time
import types
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Loop = Callable[[], object]

P = ParamSpec("P")
R = TypeVar("R")
REPEATS = 15
LEAST = 0.005
"""Seconds that a repeat takes at least, so that the clock does not matter."""


class Compared(NamedTuple):
    """Nanoseconds a step, and how many times those of the reference."""

    nanoseconds: float
    ratio: float


def compared(loop: Loop, reference: Loop, empty: Loop | None, steps: int) -> Compared:
    """Return what each of the `steps` of `loop` takes beside those of `reference`, timed in turn.

    The fastest of the repeats counts. What `empty` takes, which has as many steps, is taken off both.
    """
    loops = [loop, reference] if empty is None else [loop, reference, empty]
    often = [_times_of(each) for each in loops]
    rounds = [[_seconds(*each) for each in zip(loops, often, strict=True)] for _ in range(REPEATS)]
    mine, other, *off = (min(column) for column in zip(*rounds, strict=True))
    mine, other = (max(seconds - sum(off), 1e-12) for seconds in (mine, other))
    return Compared(mine / steps * 1e9, mine / other)


def own(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function with byte code of its own.

    The interpreter adapts byte code to what it is run on; two that share it would disturb each other.
    """
    code, names = function.__code__, function.__globals__
    return types.FunctionType(code.replace(), names)


def _times_of(loop: Loop) -> int:
    """Return how often to run it in one repeat."""
    once = _seconds(loop, 1)
    return max(1, round(LEAST / max(once, 1e-9)))


def _seconds(loop: Loop, often: int) -> float:
    """Return what one run takes."""
    start = time.perf_counter()
    for _ in range(often):
        loop()
    return (time.perf_counter() - start) / often
