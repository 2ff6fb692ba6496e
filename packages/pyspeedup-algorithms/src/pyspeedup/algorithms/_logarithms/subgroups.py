"""Which method takes a prime of the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Solver = Callable[[int], int | None]

__all__ = ["METHODS", "Field", "Way"]

METHODS: Final = ("auto", "baby_step_giant_step", "pollard_rho_log", "index_calculus")
SMALLEST_BITS: Final = 14
"""Below it a table is all that is needed, and the walks of the rho method would be too short."""
TABLE_BITS: Final = 44
"""From there on a table of the square root of that is too large, or takes longer than a walk."""


class Way(NamedTuple):
    """What was asked for: a method, in how many processes; and the order of the base, in primes, if known."""

    method: str = "auto"
    workers: int | None = None
    order: dict[int, int] | None = None


class Field:
    """The integers modulo a prime `p`, and how logarithms are taken in the subgroups of prime order."""

    def __init__(self, p: int, way: Way) -> None:
        self._p = p
        self._way = way

    def solver(self, p: int, q: int, base: int) -> Solver:
        """Return what finds the logarithm to `base`, of the prime order `q`, of one of its powers."""
        method = self._method(q)
        if method == "pollard_rho_log":
            from pyspeedup.algorithms._logarithms import rho

            return rho.solver(p, q, base, self._way.workers)
        from pyspeedup.algorithms._logarithms import baby_steps

        return baby_steps.solver(p, q, base)

    def _method(self, q: int) -> str:
        if q.bit_length() < SMALLEST_BITS:
            return "baby_step_giant_step"
        if self._way.method in {"baby_step_giant_step", "pollard_rho_log"}:
            return self._way.method
        return "baby_step_giant_step" if q.bit_length() <= TABLE_BITS else "pollard_rho_log"
