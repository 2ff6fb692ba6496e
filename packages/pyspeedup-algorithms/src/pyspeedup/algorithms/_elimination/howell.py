"""Howell's form: what the reduced echelon form is, modulo a number that need not be prime.

J. A. Howell, *Spans in the module (Z_m)^s*, Linear and Multilinear Algebra 19 (1986). Rows span the same
as before; each pivot divides the modulus; what stands above a pivot is less than it; and a vector of the span that
begins with k zeros is spanned by the rows that do. That makes the form unique, and answers questions of membership.
"""

from __future__ import annotations

import math
from itertools import count

__all__ = ["howell_form", "reduced"]

Row = list[int]


def howell_form(rows: list[Row], n: int) -> dict[int, Row]:
    """Return the rows of the form by the columns of their pivots, in ascending order: O(rows * columns**2) sums."""
    form: dict[int, Row] = {}
    pending = [[entry % n for entry in row] for row in reversed(rows)]
    while pending:
        _insert(pending.pop(), form, pending, n)
    for column in sorted(form):
        _reduce_above(column, form, n)
    return dict(sorted(form.items()))


def _insert(row: Row, form: dict[int, Row], pending: list[Row], n: int) -> None:
    """Take a row into the form; what that leaves over waits."""
    for column in range(len(row)):
        if row[column] == 0:
            continue
        own = form.get(column)
        if own is None:
            form[column] = row = _with_pivot_that_divides(row, column, n)
            pending.append(_scaled(row, n // row[column], n))  # it begins with one zero more
            return
        if row[column] % own[column]:
            own, row = _combined(own, row, column, n)
            form[column] = own
            pending.append(_scaled(own, n // own[column], n))
        else:
            row = _less(row, row[column] // own[column], own, n)


def _with_pivot_that_divides(row: Row, column: int, n: int) -> Row:
    """Return a row times what has an inverse, so that its pivot divides `n`."""
    pivot = row[column]
    divisor = math.gcd(pivot, n)
    rest = n // divisor
    unit = pow(pivot // divisor, -1, rest) if rest > 1 else 1
    return _scaled(row, next(u for u in count(unit, rest) if math.gcd(u, n) == 1), n)


def _combined(one: Row, other: Row, column: int, n: int) -> tuple[Row, Row]:
    """Return two rows that span the same, the first with the common divisor of the pivots, the second with 0."""
    a, b = one[column], other[column]
    g = math.gcd(a, b)
    t = pow(b // g, -1, a // g)
    s = (g - t * b) // a
    first = [(s * x + t * y) % n for x, y in zip(one, other, strict=True)]
    second = [(a // g * y - b // g * x) % n for x, y in zip(one, other, strict=True)]
    return first, second


def _reduce_above(column: int, form: dict[int, Row], n: int) -> None:
    own = form[column]
    for other, row in form.items():
        if other < column and (factor := row[column] // own[column]):
            form[other] = _less(row, factor, own, n)


def _scaled(row: Row, factor: int, n: int) -> Row:
    return [factor * entry % n for entry in row]


def _less(row: Row, factor: int, other: Row, n: int) -> Row:
    return [(x - factor * y) % n for x, y in zip(row, other, strict=True)]


def reduced(row: Row, form: dict[int, Row], width: int, n: int) -> Row | None:
    """Return what is left of `row` when its first `width` entries are cleared by the form; None if they cannot be."""
    for column in range(width):
        if row[column] == 0:
            continue
        own = form.get(column)
        if own is None or row[column] % own[column]:
            return None
        row = _less(row, row[column] // own[column], own, n)
    return row
