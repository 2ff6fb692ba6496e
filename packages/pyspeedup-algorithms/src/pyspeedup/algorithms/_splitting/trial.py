"""Division by one small number after the other, which every other method begins with."""

from __future__ import annotations

from itertools import chain

__all__ = ["divide_out"]


def divide_out(n: int, below: int) -> tuple[list[int], int]:
    """Return the primes less than `below` that divide `n`, as often as they do, and what is left of it.

    What is left is 1, or has no such prime; if it is less than `below` squared it is prime.

    >>> divide_out(2 * 2 * 3 * 1009, 100), divide_out(97, 100)
    (([2, 2, 3], 1009), ([], 97))
    """
    found: list[int] = []
    for p in chain((2,), range(3, below, 2)):
        # A composite p never divides: its primes are gone by then.
        while n % p == 0:
            found.append(p)
            n //= p
        if p * p > n:
            break
    return found, n
