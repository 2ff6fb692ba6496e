"""Logarithms of units modulo a power of a prime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._logarithms import pohlig_hellman, subgroups

if TYPE_CHECKING:
    from pyspeedup.algorithms._logarithms.subgroups import Solver, Way

__all__ = ["least_log", "log"]

SMOOTH: Final = 1 << 17
"""Up to it primes of an order are FLINT's business; from there on its time grows faster than ours."""


def least_log(p: int, a: int, b: int, way: Way) -> int | None:
    """Return the least x with ``b**x % p == a``, modulo a prime; None if none is."""
    if way.order is None:
        way = way._replace(order=dict(_kernels.factor(p - 1)))
        # Only where all of p - 1 is known to be smooth: FLINT factors it, whatever the order of b is.
        if way.method == "auto" and max(way.order or (), default=1) < SMOOTH:
            x = _kernels.smooth_log(p, a, b)
            if x is not None:
                return x
    found = log(p, 1, a, b, way)
    return None if found is None else found[0]


def log(p: int, k: int, a: int, b: int, way: Way) -> tuple[int, int] | None:
    """Return the least x with ``b**x == a`` modulo ``p**k`` and the order of `b`; None if none is.

    The powers of `b` are told apart modulo `p` first. What is left is 1 modulo `p`, so of an order that
    is a power of `p`.
    """
    powers = way.order if way.order is not None else dict(_kernels.factor(p - 1))
    found = pohlig_hellman.log(p, a % p, b % p, powers, subgroups.Field(p, way).solver)
    if found is None or k == 1:
        return found
    x, order = found
    n = p**k
    one_unit = _kernels.power(b, order, n)
    rest = a * _kernels.power(b, -x, n) % n
    above = pohlig_hellman.log(n, rest, one_unit, {p: k - 1}, _additive_solver)
    return None if above is None else (x + order * above[0], order * above[1])


def _additive_solver(n: int, p: int, base: int) -> Solver:
    """Solve in a group of order `p` modulo ``n == p**k``.

    For an odd `p` that is 1 + c * n/p for all c, where multiplying is adding the c. For 2 the `base`
    may be another than that, but there is only 1 and it.
    """
    if p == 2:  # noqa: PLR2004 -- the even prime
        return {1: 0, base: 1}.get
    step = n // p
    inverse = _kernels.invert(base // step, p)
    return lambda y: y // step * inverse % p
