"""Squares, in plain Python."""

from __future__ import annotations

import math

__all__ = ["is_square"]


def is_square(n: int) -> bool:
    """Tell whether `n` is a square; negative numbers are not."""
    return n >= 0 and math.isqrt(n) ** 2 == n
