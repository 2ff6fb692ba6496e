"""How many primes there are up to a number, and which the n-th is, without finding all of them."""

from __future__ import annotations

import math
from typing import Final

from pyspeedup.algorithms._integers import shown, to_int

__all__ = ["nth_prime", "prime_pi"]

FEW: Final = 10**5
OUT_OF_REACH: Final = 1 << 63
ENOUGH: Final = 1e-3
GAMMA: Final = 0.577_215_664_901_532_9


def prime_pi(n: int) -> int:
    """Return how many primes are at most `n`; none is if `n` is less than 2.

    Legendre's recurrence for all values of ``n // i`` at once, as Lucy_Hedgehog has it (Project Euler, problem 10), but by
    Meissel's method (1870) only for the primes up to the cube root of `n`, and for those i that then matter. The
    products of two primes that are left are counted by a sieve up to ``n ** (2/3)``.

    Cost: 10 ms at 10**9, 0.5 s at 10**12, 3 s at 10**13: about n ** (2/3) steps. `ValueError` from 2**63 on, which
    would take years.

    >>> prime_pi(100), prime_pi(10**10), prime_pi(-3)
    (25, 455052511, 0)
    """
    n = to_int(n, "n")
    if n < FEW:
        from pyspeedup.algorithms.sieve import primes_between

        return len(primes_between(0, n + 1))
    if n >= OUT_OF_REACH:
        raise ValueError(
            f"the primes up to {shown(n)} are too many to count: n must be below 2**63"
        )
    from pyspeedup.algorithms._sieving.meissel import count_primes

    return count_primes(n)


def nth_prime(n: int) -> int:
    """Return the n-th prime, counted from 1: 2 is the first. `ValueError` if `n` is less than 1, or out of reach.

    The primes are counted, by `prime_pi`, up to where Riemann's formula puts the n-th, and it is found from
    there by a sieve, some square root of it away. Cost: that of `prime_pi`, 0.2 s for the 10**10th.

    >>> nth_prime(1), nth_prime(100), nth_prime(10**9)
    (2, 541, 22801763489)
    """
    n = to_int(n, "n")
    if n >= OUT_OF_REACH // 64:
        raise ValueError(f"prime number {shown(n)} is out of reach: n must be below 2**57")
    if n < 1:
        raise ValueError(f"n must be at least 1, the number of the prime 2, not {shown(n)}")
    from pyspeedup.algorithms.sieve import primes_between

    place = _about(n)
    missing = n - prime_pi(place)  # which is small beside the root, and may be negative
    width = max(FEW, math.isqrt(place))
    while missing > 0:
        found = primes_between(place + 1, place + 1 + width)
        if missing <= len(found):
            return int(found[missing - 1])
        missing, place = missing - len(found), place + width
    while True:
        found = primes_between(place + 1 - width, place + 1)
        if missing + len(found) > 0:
            return int(found[missing - 1])  # counted from the end: the last one is number 0 here
        missing, place = missing + len(found), place - width


def _about(n: int) -> int:
    """Return about where the n-th prime is: the inverse of li(x) - li(sqrt(x)) / 2, by Newton's method."""
    x = n * (math.log(n + 2) + 1) + 2
    for _ in range(64):  # five do, unless floats are too coarse for what is asked
        error = (_li(x) - _li(math.sqrt(x)) / 2 - n) * math.log(x)
        x = max(2.0, x - error)
        if abs(error) < ENOUGH * math.sqrt(x):
            break
    return int(x)


def _li(x: float) -> float:
    """Return the logarithmic integral, by its series in log x, for x > 1."""
    log = math.log(x)
    total, term, k = GAMMA + math.log(log), 1.0, 0
    while k < log or abs(term) > 1e-17 * abs(total):
        k += 1
        term *= log / k
        total += term / k
    return total
