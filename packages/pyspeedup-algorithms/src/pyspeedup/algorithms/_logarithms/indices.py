"""Logarithms modulo a prime by index calculus: those of small primes first, then any by small primes.

Relations come from the linear sieve (`sieving`), and are solved modulo each large prime of the order
(`elimination`). Then a fraction of products of small primes is looked for that is equal to the number
itself times a power of a small prime. All logarithms are to one unknown base, which the quotient of two is
free of.
"""

from __future__ import annotations

import math
from itertools import count, pairwise
from typing import TYPE_CHECKING, Final

from pyspeedup.algorithms._logarithms import elimination, sieving, smooth
from pyspeedup.algorithms.sieve import primes_between

if TYPE_CHECKING:
    from pyspeedup.algorithms._logarithms.elimination import Relation
    from pyspeedup.algorithms._logarithms.subgroups import Solver

__all__ = ["IndexCalculus"]

SIZES: Final = (
    (20, 30, 16),
    (30, 80, 32),
    (40, 280, 70),
    (50, 600, 110),
    (60, 1_200, 180),
    (70, 2_000, 330),
    (80, 4_000, 540),
    (90, 6_000, 1_000),
    (100, 10_000, 1_650),
    (120, 30_000, 4_000),
    (160, 270_000, 25_000),
)
"""For so many bits of the modulus: up to where small primes go, and how far the sieve does."""
WIDER: Final = 1.25
SURPLUS: Final = 1.03
"""So many relations are needed for an unknown."""
DIRECTIONS: Final = [
    (i, j) for i in range(12) for j in range(-12, 12) if math.gcd(i, j) == 1 and (i or j > 0)
]
"""In which multiples of two short vectors fractions are looked for."""


class IndexCalculus:
    """The integers modulo a prime `p`, and the relations that were found between its small primes."""

    def __init__(self, p: int) -> None:
        self._p = p
        bound, self._width = _sizes(p.bit_length())
        self._primes = primes_between(2, bound + 1).tolist()
        self._relations: list[Relation] = []

    def solver(self, q: int, base: int) -> Solver:
        """Return what finds logarithms to `base` of the prime order `q`; q**2 must not divide p - 1."""
        logs = self._logs_of_primes(q)
        inverse = pow(self._log(base, q, logs), -1, q)
        return lambda y: self._log(y, q, logs) * inverse % q if y != 1 else 0

    def _logs_of_primes(self, q: int) -> Relation:
        """Return logarithms, modulo `q`, of most of the small primes, by their places."""
        while True:
            if len(self._relations) <= SURPLUS * len(set().union(*self._relations)):
                self._sieve()
                continue
            found = elimination.common_solution(self._relations, q)
            if found is not None:
                return {place: log for place, log in found.items() if place < len(self._primes)}
            self._sieve()

    def _sieve(self) -> None:
        """Find relations, and more the next time."""
        width = self._width
        self._relations = sieving.relations(self._p, self._primes, width)
        self._width = int(width * WIDER) + 1

    def _log(self, y: int, q: int, logs: Relation) -> int:
        """Return the logarithm of `y`, modulo `q`, to the base of `logs`."""
        place = min(logs)
        for power in count():
            for above, below in self._fractions(y):
                if above.keys() | below.keys() <= logs.keys():
                    return (_sum(above, logs) - _sum(below, logs) - power * logs[place]) % q
            y = y * self._primes[place] % self._p
        raise AssertionError("powers have no end")

    def _fractions(self, y: int) -> list[tuple[Relation, Relation]]:
        """Return fractions of products of small primes that are equal to `y`, by their exponents."""
        (u, v), (r, s) = _short_vectors(self._p, y)
        sums = [(i * u + j * r, i * v + j * s) for i, j in DIRECTIONS]
        vectors = [vector for vector in sums if all(vector)]
        above = smooth.factored([numerator for numerator, _ in vectors], self._primes)
        below = smooth.factored([vectors[i][1] for i in above], self._primes)
        numerators = list(above.values())
        return [(numerators[i], denominator) for i, denominator in below.items()]


def _sum(exponents: Relation, logs: Relation) -> int:
    return sum(exponent * logs[place] for place, exponent in exponents.items())


def _sizes(bits: int) -> tuple[int, int]:
    """Return up to where small primes go and how far the sieve does, between the sizes measured."""
    steps = [(low, high) for low, high in pairwise(SIZES) if bits <= high[0]] or [SIZES[-2:]]
    low, high = steps[0]
    share = (bits - low[0]) / (high[0] - low[0])
    bound, width = (int(low[i] * (high[i] / low[i]) ** share) for i in (1, 2))
    return bound, width


def _short_vectors(p: int, y: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return short pairs (u, v) with ``u == v * y`` modulo `p`, of which all others are sums.

    By the extended Euclidean algorithm, stopped half-way.
    """
    (u, v), (r, s) = (p, 0), (y, 1)
    while r * r > p:
        quotient = u // r
        (u, v), (r, s) = (r, s), (u - quotient * r, v - quotient * s)
    return (u, v), (r, s)
