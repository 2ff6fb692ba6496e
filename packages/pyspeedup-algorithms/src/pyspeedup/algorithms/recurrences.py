"""Sequences that are defined by a recurrence, and computed without walking along it."""

from __future__ import annotations

from pyspeedup.algorithms._integers import to_int

__all__ = ["fibonacci"]


def fibonacci(n: int) -> int:
    """Return the `n`-th Fibonacci number, with F(0) = 0 and F(1) = 1; exact at any size.

    A negative index goes on to the left by the same recurrence: F(-n) = (-1)^(n+1) F(n).

    By doubling, F(2k) = F(k) (2 F(k+1) - F(k)) and F(2k+1) = F(k)² + F(k+1)²: log2(n) steps, of which
    the last costs as much as all before, so O(n^1.585) with Python's integers.

    >>> [fibonacci(n) for n in range(10)]
    [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
    >>> fibonacci(200)
    280571172992510140037611932413038677189525
    >>> fibonacci(-8)
    -21
    """
    n = to_int(n, "n")
    if n < 0:
        return fibonacci(-n) if n % 2 else -fibonacci(-n)
    this, following = 0, 1
    for bit in f"{n:b}":
        this, following = this * (2 * following - this), this * this + following * following
        if bit == "1":
            this, following = following, this + following
    return this
