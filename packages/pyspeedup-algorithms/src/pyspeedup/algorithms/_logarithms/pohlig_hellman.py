"""Logarithms to a base whose order is known: each prime of the order for itself.

S. C. Pohlig and M. E. Hellman, "An improved algorithm for computing logarithms over GF(p) and its
cryptographic significance", IEEE Trans. Inf. Theory 24 (1978). What follows from each prime power of the order
is joined by the Chinese remainder theorem. The powers that lead into the subgroups are taken along a
tree, and digits are found by halves, so that few of them are long.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pyspeedup.algorithms import _kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspeedup.algorithms._logarithms.subgroups import Solver

    SolverOf = Callable[[int, int, int], Solver]
    Share = tuple[tuple[int, int], int, int]

__all__ = ["log"]


def log(
    n: int, a: int, b: int, exponent: dict[int, int], solver_of: SolverOf
) -> tuple[int, int] | None:
    """Return the least x with ``b**x % n == a`` and the order of `b`; None if there is no x.

    `exponent`, in primes, is a multiple of the order of `b`. ``solver_of(n, q, base)`` has to return what
    finds logarithms to a `base` of the prime order `q`. The cheap primes come first.
    """
    if not exponent:
        return (0, 1) if a == 1 % n else None
    x, order = 0, 1
    shares = _shares(n, a, b, sorted(exponent.items()))
    for prime_power, a_share, b_share in shares:
        found = _log_in_share(n, a_share, b_share, prime_power, solver_of)
        if found is None:
            return None
        residue, modulus = found
        if modulus > 1:
            x += order * ((residue - x) * int(_kernels.invert(order, modulus)) % modulus)
            order *= modulus
    return x, order


def _shares(n: int, a: int, b: int, powers: list[tuple[int, int]]) -> Iterator[Share]:
    """Yield each prime, its power, and the parts of `a` and `b` whose order is a power of it."""
    if len(powers) == 1:
        yield powers[0], a, b
        return
    half = len(powers) // 2
    for own, others in ((powers[:half], powers[half:]), (powers[half:], powers[:half])):
        exponent = math.prod(q**e for q, e in others)
        yield from _shares(n, _kernels.power(a, exponent, n), _kernels.power(b, exponent, n), own)


def _log_in_share(
    n: int, a: int, b: int, prime_power: tuple[int, int], solver_of: SolverOf
) -> tuple[int, int] | None:
    """Return x and the order of `b`, which divides ``q**e``; None if there is no x."""
    q, e = prime_power
    base, length = 1, 0
    value = b
    while value != 1:
        if length == e:
            raise ArithmeticError(f"the order of {b} modulo {n} does not divide {q}**{e}")
        base, length, value = value, length + 1, _kernels.power(value, q, n)
    if _kernels.power(a, q**length, n) != 1:
        return None
    if a == 1:
        return 0, q**length
    x = _digits(n, a, b, (q, length), solver_of(n, q, int(base)))
    return None if x is None else (x, q**length)


def _digits(n: int, a: int, b: int, prime_power: tuple[int, int], solver: Solver) -> int | None:
    """Return x to the base `b` of order ``q**e``, the lower half of its digits first."""
    q, e = prime_power
    if e == 1:
        return solver(int(a))
    half = e // 2
    above = q ** (e - half)
    low = _digits(n, _kernels.power(a, above, n), _kernels.power(b, above, n), (q, half), solver)
    if low is None:
        return None
    rest = a * _kernels.power(b, -low, n) % n
    high = _digits(n, rest, _kernels.power(b, q**half, n), (q, e - half), solver)
    return None if high is None else low + q**half * high
