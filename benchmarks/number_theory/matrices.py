"""R1: a system of linear equations modulo a prime, solved from lists to lists."""

from __future__ import annotations

import time
from operator import mul
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer, Workload, require, scaled
from number_theory import inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.workload import Figures

    Rows = list[list[int]]

PRIME = 2**31 - 1
SIZE = 1000


def echelon(peer: Peer, scale: float) -> Figures:
    """Bring a random matrix with one column more than rows to its reduced form."""
    size = scaled(SIZE, scale, 40)
    numbers = iter(inputs.integers(31, size * (size + 1)))
    rows = [[next(numbers) % PRIME for _ in range(size + 1)] for _ in range(size)]
    reduce = peer.use()
    reduce([[2, 1], [1, 1]])
    start = time.perf_counter()
    found = reduce(rows)
    took = time.perf_counter() - start
    _check(rows, found)
    return {"s": took}


def _check(rows: Rows, found: Rows) -> None:
    """See that the left part is the unit matrix, and that the last column solves every equation."""
    for place, row in enumerate(found):
        require("a row of units", (row[place], sum(row[:-1])), (1, 1))
    solution = [row[-1] for row in found]
    for *left, right in rows:
        require("the right side", sum(map(mul, left, solution)) % PRIME, right)


def _ours() -> Callable[[Rows], Any]:
    from pyspeedup.algorithms import rref_mod

    return lambda rows: rref_mod(rows, PRIME)[0]


def _flint() -> Callable[[Rows], Any]:
    from flint import nmod_mat

    def reduce(rows: Rows) -> Rows:
        found, _ = nmod_mat(rows, PRIME).rref()
        return [[int(entry) for entry in row] for row in found.tolist()]

    return reduce


WORKLOADS = {
    "R1": Workload(
        "reduced echelon form, 1,000 x 1,001 modulo 2^31 - 1",
        echelon,
        {"flint": Peer(_flint, "flint"), OURS: Peer(_ours)},
        {"s": "s"},
        limit="flint",
    ),
}
