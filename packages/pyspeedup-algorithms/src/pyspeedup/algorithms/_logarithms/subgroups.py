"""Which method takes a prime of the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.algorithms._logarithms.indices import IndexCalculus

    Solver = Callable[[int], int | None]

__all__ = ["METHODS", "Field", "Way"]

METHODS: Final = ("auto", "baby_step_giant_step", "pollard_rho_log", "index_calculus")

TABLE_ONLY: Final = 1 << 14
"""For primes below it a table is all that is needed, and walks would be too short."""
INDEX_FROM: Final = 1 << 20
"""Primes below it are not worth an index calculus, nor is there always one."""
TABLE_TO: Final = 1 << 44
"""From there on a table of the square root is too large, and walks take its place."""
TABLE_TO_OF_LARGE: Final = 1 << 39
"""The same where numpy cannot do the steps: a walk is no slower then, and needs no memory."""
WORDS: Final = 1 << 51
"""Modulo primes below it steps are done by numpy, in a tenth of the time."""


class Way(NamedTuple):
    """What was asked for: a method, in how many processes; and the order of the base, in primes, if known."""

    method: str = "auto"
    workers: int | None = None
    order: dict[int, int] | None = None


class Field:
    """The integers modulo a prime `p`, and how logarithms are taken in its groups of prime order."""

    def __init__(self, p: int, way: Way) -> None:
        self._p = p
        self._way = way
        self._indices: IndexCalculus | None = None

    def solver(self, p: int, q: int, base: int) -> Solver:
        """Return what finds the logarithm to `base`, of the prime order `q`, of one of its powers."""
        method = self._method(q)
        if method == "index_calculus":
            return self._index_calculus().solver(q, base)
        if method == "pollard_rho_log":
            from pyspeedup.algorithms._logarithms import rho

            return rho.solver(p, q, base, self._way.workers)
        from pyspeedup.algorithms._logarithms import baby_steps

        return baby_steps.solver(p, q, base)

    def _index_calculus(self) -> IndexCalculus:
        if self._indices is None:
            from pyspeedup.algorithms._logarithms.indices import IndexCalculus

            self._indices = IndexCalculus(self._p)
        return self._indices

    def _method(self, q: int) -> str:
        method = self._way.method
        if q < TABLE_ONLY or method == "baby_step_giant_step":
            return "baby_step_giant_step"
        if method == "pollard_rho_log":
            return method
        # Modulo p, powers by q of generators are all that the group of order q is made of if its
        # square divides p - 1: then logarithms modulo q say nothing about it.
        if q >= INDEX_FROM and (self._p - 1) // q % q and (method != "auto" or self._pays(q)):
            return "index_calculus"
        table_to = TABLE_TO if self._p < WORDS else TABLE_TO_OF_LARGE
        return "baby_step_giant_step" if q < table_to else "pollard_rho_log"

    def _pays(self, q: int) -> bool:
        """Tell whether index calculus is faster, by binary logarithms of the seconds, as measured."""
        bits = self._p.bit_length()
        index_calculus = max(-7.0, bits / 6 - 14)
        steps = q.bit_length() / 2 - (25.5 if self._p < WORDS else 22)
        return index_calculus < steps
