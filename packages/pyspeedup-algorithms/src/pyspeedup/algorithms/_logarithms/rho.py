"""Logarithms in a group of prime order by walks that meet.

J. M. Pollard, "Monte Carlo methods for index computation (mod p)", Math. Comp. 32 (1978), with the
additive walks of E. Teske (1998), and the distinguished points of P. C. van Oorschot and M. J. Wiener,
"Parallel collision search with cryptanalytic applications", J. Cryptology 12 (1999): walks from many
starts are only known by where they end, and two that end in the same place have met. So any number of
processes may walk, and little is kept.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import count, repeat
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._logarithms import parallel

if TYPE_CHECKING:
    from pyspeedup.algorithms._logarithms.subgroups import Solver

__all__ = ["solver"]

DIRECTIONS: Final = 32
"""So many steps there are to choose from: 2 percent more steps than if the walk were random."""
ENDLESS: Final = 20
"""A walk that is so many times longer than expected goes in a circle."""
TASKS: Final = 16
"""Into so many the expected work is divided, if they are not too long then."""
LONGEST_TASK: Final = 1 << 19
"""The steps of a tenth of a second, against a tenth of a millisecond that a hand-over takes."""
PARALLEL_BITS: Final = 42
"""From there on a second process finds more in a second than starting it costs."""


class Walk(NamedTuple):
    """A problem: the modulus, the order, base and `y`, and which bits are 0 where walks end."""

    n: int
    q: int
    base: int
    y: int
    end_mask: int


def solver(n: int, q: int, base: int, workers: int | None) -> Solver:
    """Return what finds logarithms to `base`, of the prime order `q` modulo `n`."""
    bits = q.bit_length() // 4
    mask = ((1 << bits) - 1) * DIRECTIONS
    processes = workers if q.bit_length() >= PARALLEL_BITS else 1
    return lambda y: _log(Walk(n, q, base, y, mask), bits, processes)


def _log(walk: Walk, bits: int, workers: int | None) -> int:
    if walk.y == 1:
        return 0
    seen: dict[int, int] = {}
    walks_a_task = (min(LONGEST_TASK, math.isqrt(walk.q) // TASKS) >> bits) + 1
    with parallel.results(
        ends, repeat(walk), count(0, walks_a_task), repeat(walks_a_task), workers=workers
    ) as tasks:
        for task in tasks:
            for seed, end in task:
                x = _meeting(walk, seen.setdefault(end, seed), seed)
                if x is not None:
                    return x
    raise AssertionError("there are seeds without end")


def _meeting(walk: Walk, one: int, other: int) -> int | None:
    """Return the logarithm if the walks from two seeds, that end in one place, tell it.

    Both ends are ``base**i * y**j``: they tell it unless their j are equal.
    """
    if one == other:
        return None
    i, j = _retrace(walk, one)
    k, m = _retrace(walk, other)
    if (m - j) % walk.q == 0:
        return None
    x = (i - k) * int(_kernels.invert((m - j) % walk.q, walk.q)) % walk.q
    return x if _kernels.power(walk.base, x, walk.n) == walk.y else None


def ends(walk: Walk, first: int, walks: int) -> list[tuple[int, int]]:
    """Walk from so many seeds on; return each with where its walk ends."""
    steps = [step for step, _, _ in _steps(walk)]
    found = ((seed, _end(walk, seed, steps)) for seed in range(first, first + walks))
    return [(seed, end) for seed, end in found if end is not None]


def _end(walk: Walk, seed: int, steps: list[int]) -> int | None:
    n, mask = walk.n, walk.end_mask
    i, j = _start(walk, seed)
    x = int(_kernels.power(walk.base, i, n) * _kernels.power(walk.y, j, n) % n)
    for _ in range(ENDLESS * (mask // DIRECTIONS + 1)):
        if not x & mask:
            return x
        x = x * steps[x % DIRECTIONS] % n
    return None


def _retrace(walk: Walk, seed: int) -> tuple[int, int]:
    """Return the i and j with which a walk ends at ``base**i * y**j``."""
    steps = _steps(walk)
    i, j = _start(walk, seed)
    x = int(_kernels.power(walk.base, i, walk.n) * _kernels.power(walk.y, j, walk.n) % walk.n)
    while x & walk.end_mask:
        step, more_i, more_j = steps[x % DIRECTIONS]
        x, i, j = x * step % walk.n, i + more_i, j + more_j
    return i, j


def _start(walk: Walk, seed: int) -> tuple[int, int]:
    chance = Random(f"start {seed} {walk.y}")  # noqa: S311 -- the same in every run, and no secret
    return chance.randrange(walk.q), chance.randrange(walk.q)


@lru_cache(maxsize=4)
def _steps(walk: Walk) -> list[tuple[int, int, int]]:
    """Return each step that a walk may take, as ``base**i * y**j`` and i and j."""
    chance = Random(f"steps {walk.y}")  # noqa: S311 -- likewise
    exponents = [(chance.randrange(walk.q), chance.randrange(walk.q)) for _ in range(DIRECTIONS)]
    return [
        (
            int(_kernels.power(walk.base, i, walk.n) * _kernels.power(walk.y, j, walk.n) % walk.n),
            i,
            j,
        )
        for i, j in exponents
    ]
