"""Sequences that are defined by a recurrence, and computed without walking along it."""

from __future__ import annotations

from typing import Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int

__all__ = ["fibonacci", "fibonacci_mod", "lucas"]

LARGEST_INDEX: Final = 1 << 36
"""From there on a Fibonacci number takes 6 GB, and C libraries end the process instead of raising."""


def fibonacci(n: int) -> int:
    """Return the `n`-th Fibonacci number, with F(0) = 0 and F(1) = 1; exact at any size.

    A negative index goes on to the left by the same recurrence: F(-n) = (-1)^(n+1) F(n).

    By doubling, F(2k) = F(k) (2 F(k+1) - F(k)) and F(2k+1) = F(k)² + F(k+1)²: log2(n) steps, of which
    the last costs as much as all before. By GMP or FLINT little more than O(n), 2 ms for n = 10^6;
    O(n^1.585) with Python's integers.

    Raises `OverflowError` where the number would have more than some 48 billion bits.

    >>> [fibonacci(n) for n in range(10)]
    [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
    >>> fibonacci(200)
    280571172992510140037611932413038677189525
    >>> fibonacci(-8)
    -21
    """
    n = _index(n)
    if n < 0:
        return fibonacci(-n) if n % 2 else -fibonacci(-n)
    return _kernels.fibonacci(n)


def lucas(n: int) -> int:
    """Return the `n`-th Lucas number, with L(0) = 2 and L(1) = 1; exact at any size.

    It is F(n-1) + F(n+1), and for a negative index L(-n) = (-1)^n L(n). Method, cost and errors as
    for `fibonacci`.

    >>> [lucas(n) for n in range(10)]
    [2, 1, 3, 4, 7, 11, 18, 29, 47, 76]
    >>> lucas(-5)
    -11
    """
    n = _index(n)
    found = _kernels.lucas(abs(n))
    return -found if n < 0 and n % 2 else found


def fibonacci_mod(n: int, m: int) -> int:
    """Return the `n`-th Fibonacci number modulo `m`, in ``range(m)``, for an index of any size.

    By the doubling of `fibonacci`, all of it modulo `m`: log2(n) steps of O(digits² of m).

    Raises `ValueError` if ``m < 1``.

    >>> fibonacci_mod(10**18, 10**9 + 7), fibonacci_mod(-8, 100)
    (209783453, 79)
    """
    n, m = to_int(n, "n"), to_int(m, "m")
    if m < 1:
        raise ValueError(f"m must be positive, not {shown(m)}")
    this, following = 0, 1
    for bit in f"{abs(n):b}":
        double = this * (2 * following - this) % m
        this, following = double, (this * this + following * following) % m
        if bit == "1":
            this, following = following, this + following
    return (-this if n < 0 and n % 2 == 0 else this) % m


def _index(value: int) -> int:
    n = to_int(value, "n")
    if not -LARGEST_INDEX < n < LARGEST_INDEX:
        raise OverflowError(
            f"abs(n) must be below 2**36, not {shown(n)}: the number would fill the memory; "
            "fibonacci_mod takes any index"
        )
    return n
