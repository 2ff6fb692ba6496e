"""Fibonacci and Lucas numbers by doubling, in plain Python."""

from __future__ import annotations

__all__ = ["fibonacci", "lucas"]


def fibonacci(n: int) -> int:
    """Return F(n) for `n` from 0."""
    return _pair(n)[0]


def lucas(n: int) -> int:
    """Return L(n) = 2 F(n+1) - F(n) for `n` from 0."""
    this, following = _pair(n)
    return 2 * following - this


def _pair(n: int) -> tuple[int, int]:
    this, following = 0, 1
    for bit in f"{n:b}":
        this, following = this * (2 * following - this), this * this + following * following
        if bit == "1":
            this, following = following, this + following
    return this, following
