"""Numbers taken apart, in plain Python and numpy."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Final

from pyspeedup.algorithms._kernels import plain_primality, plain_squares
from pyspeedup.algorithms._splitting import rho, trial

__all__ = ["factor"]

TRIAL_LIMIT: Final = 1_000
RHO_BITS: Final = 64
"""Larger composites are tried for a while, and then left to the sieve."""
RHO_STEPS: Final = 1 << 15
"""They find primes of up to eight digits, in 10 ms."""
DEAR_BITS: Final = 150
"""Sieving takes some seconds from here on, and twice as long for each further ten bits."""
CURVES: Final = ((2_000, 25), (11_000, 40))
"""A second's worth of elliptic curves, for primes of fifteen digits, and some seconds' for twenty."""


def factor(n: int) -> list[tuple[int, int]]:
    """Return the primes that divide `n`, at least 1, in ascending order, with their powers."""
    small, rest = trial.divide_out(n, TRIAL_LIMIT)
    powers = Counter(small)
    _split(rest, powers)
    return sorted(powers.items())


def _split(n: int, powers: Counter[int]) -> None:
    """Count the prime factors of `n`, all of them above the limit of trial division."""
    unsplit = [n] if n > 1 else []
    while unsplit:
        n = unsplit.pop()
        if plain_primality.is_prime(n):
            powers[n] += 1
        else:
            divisor = _proper_divisor(n)
            unsplit += [divisor, n // divisor]


def _proper_divisor(n: int) -> int:
    """Find a divisor of the composite `n` other than 1 and `n`."""
    if n.bit_length() > RHO_BITS:
        divisor = _divisor_of_large(n)
        if divisor is not None:
            return divisor
    return next(
        divisor
        for c in count(1)
        if (divisor := rho.find_divisor(n, c, n)) is not None and divisor < n
    )


def _divisor_of_large(n: int) -> int | None:
    """Find a divisor by a root, by walking a while, by some curves where sieving is dear, and by the sieve."""
    from pyspeedup.algorithms import splitting  # with numpy, which most numbers do without

    divisor = plain_squares.root_of_power(n) or rho.find_divisor(n, 1, RHO_STEPS)
    if divisor is not None and divisor < n:
        return divisor
    for bound, curves in CURVES if n.bit_length() > DEAR_BITS else ():
        divisor = splitting.ecm(n, bound=bound, curves=curves)
        if divisor is not None:
            return divisor
    return splitting.siqs(n)
