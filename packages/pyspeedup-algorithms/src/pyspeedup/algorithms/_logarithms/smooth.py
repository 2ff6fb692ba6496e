"""Which numbers are products of small primes, many numbers at a time."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["factored"]

WORD: Final = 1 << 62
"""Below it numbers are machine integers in an array, else Python's."""
AT_ONCE: Final = 1 << 20
"""So many remainders are in memory, 8 bytes each."""


def factored(values: list[int], primes: list[int]) -> dict[int, dict[int, int]]:
    """Return, by place, those of `values` that only `primes` divide: exponents by place of the prime.

    No value may be 0; signs do not matter. About 3 ns for each value and prime, up to 62 bits.
    """
    rows = AT_ONCE // len(primes) + 1
    found: dict[int, dict[int, int]] = {}
    for start in range(0, len(values), rows):
        for i, places in _smooth(values[start : start + rows], primes):
            value = abs(values[start + i])
            found[start + i] = {place: _power(value, primes[place]) for place in places}
    return found


def _smooth(values: list[int], primes: list[int]) -> list[tuple[int, list[int]]]:
    """Return the places of those that only `primes` divide, each with the places of these primes."""
    import numpy as np

    kind: Any = np.int64 if max(map(abs, values)) < WORD else object
    rest = np.abs(np.array(values, dtype=kind))
    divisors = np.array(primes, dtype=kind)
    divides = rest[:, None] % divisors == 0
    radicals = np.where(divides, divisors, 1).prod(axis=1)
    common = radicals
    while (common != 1).any():
        rest //= common
        common = np.gcd(rest, radicals)
    return [(i, np.flatnonzero(divides[i]).tolist()) for i in np.flatnonzero(rest == 1).tolist()]


def _power(value: int, prime: int) -> int:
    exponent = 0
    while value % prime == 0:
        exponent, value = exponent + 1, value // prime
    return exponent
