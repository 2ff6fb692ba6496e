"""Sums of rows that are zero modulo 2, with whole rows as integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["dependencies"]


def dependencies(rows: Sequence[int]) -> Iterator[list[int]]:
    """Yield numbers of rows whose sum modulo 2 is zero, by Gauss's elimination: O(n**2) whole rows.

    >>> list(dependencies([0b011, 0b110, 0b101, 0b1000]))
    [[0, 1, 2]]
    """
    pivots: dict[int, tuple[int, int]] = {}
    """By highest bit: a row, and which of the given ones it is the sum of."""
    for number, row in enumerate(rows):
        origin = 1 << number
        while row:
            pivot = pivots.get(row.bit_length())
            if pivot is None:
                pivots[row.bit_length()] = row, origin
                break
            row ^= pivot[0]  # noqa: PLW2901 -- it is reduced
            origin ^= pivot[1]
        if not row:
            yield [place for place in range(number + 1) if origin >> place & 1]
