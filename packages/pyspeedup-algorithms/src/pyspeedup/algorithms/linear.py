"""Systems of linear equations modulo a number, prime or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._elimination.howell import howell_form, reduced
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["nullspace_mod", "rank_mod", "rref_mod", "solve_mod"]


def rref_mod(rows: Sequence[Sequence[int]], n: int) -> tuple[list[list[int]], tuple[int, ...]]:
    """Return the reduced row echelon form of a matrix modulo `n`, and the columns of its pivots.

    The input stays as it is. Modulo a prime pivots are 1: by FLINT where python-flint is installed (a fraction of a
    second for 1,000 rows and columns), else by Gauss and Jordan, O(rows * columns * rank). Modulo another
    number it is Howell's form (1986), the only one that spans the same rows, has pivots that divide `n`, and is
    unique; it may have more rows than the input. Rows of zeros stand last.

    Raises `ValueError` for no rows, no columns, rows of different lengths, and ``n < 2``.

    >>> rref_mod([[1, 2, 3], [4, 5, 6]], 7)
    ([[1, 0, 6], [0, 1, 2]], (0, 1))
    >>> rref_mod([[2, 1], [0, 3]], 6)
    ([[2, 1], [0, 3]], (0, 1))
    >>> rref_mod([[4, 1]], 6)
    ([[2, 2], [0, 3]], (0, 1))
    """
    matrix, n = _checked(rows, n)
    if _kernels.is_prime(n):
        found = _kernels.rref(matrix, n)
        return found, _pivots(found)
    form = howell_form(matrix, n)
    zeros = [[0] * len(matrix[0]) for _ in range(len(matrix) - len(form))]
    return [*form.values(), *zeros], tuple(form)


def _pivots(rows: list[list[int]]) -> tuple[int, ...]:
    first = (next((i for i, entry in enumerate(row) if entry), None) for row in rows)
    return tuple(column for column in first if column is not None)


def rank_mod(rows: Sequence[Sequence[int]], n: int) -> int:
    """Return how many rows of the echelon form modulo `n` are not zero; cost and errors as for `rref_mod`.

    >>> rank_mod([[1, 2], [2, 4]], 7), rank_mod([[0, 0]], 7), rank_mod([[4, 1]], 6)
    (1, 0, 2)
    """
    return len(rref_mod(rows, n)[1])


def nullspace_mod(rows: Sequence[Sequence[int]], n: int) -> list[list[int]]:
    """Return vectors that span all x with ``rows * x == 0`` modulo `n`; an empty list if only 0 is.

    Modulo a prime they are a basis, one for each column without a pivot. Else they are in Howell's form, and
    some multiple of one may be 0. Cost and errors as for `rref_mod`.

    >>> nullspace_mod([[1, 2, 3], [4, 5, 6]], 7)
    [[1, 5, 1]]
    >>> nullspace_mod([[2]], 6)
    [[3]]
    """
    matrix, n = _checked(rows, n)
    if not _kernels.is_prime(n):
        height = len(matrix)
        form = howell_form(_beside_unit(matrix), n)
        return [row[height:] for column, row in form.items() if column >= height]
    found = _kernels.rref(matrix, n)
    pivots = _pivots(found)
    free = [column for column in range(len(matrix[0])) if column not in set(pivots)]
    return [_null_vector(found, pivots, column, n) for column in free]


def _null_vector(rows: list[list[int]], pivots: tuple[int, ...], column: int, n: int) -> list[int]:
    vector = [0] * len(rows[0])
    vector[column] = 1
    for row, pivot in zip(rows, pivots, strict=False):
        vector[pivot] = -row[column] % n
    return vector


def _beside_unit(matrix: list[list[int]]) -> list[list[int]]:
    """Return the transposed matrix with the unit matrix at its right: rows remember what they are made of."""
    width = len(matrix[0])
    return [[row[i] for row in matrix] + [int(i == j) for j in range(width)] for i in range(width)]


def solve_mod(rows: Sequence[Sequence[int]], b: Sequence[int], n: int) -> list[int]:
    """Return an x with ``rows * x == b`` modulo `n`; any other differs by what `nullspace_mod` spans.

    Cost and errors as for `rref_mod`; `ValueError` too if `b` has not one entry for each row, and `NoSolution`, a
    `ValueError`, if there is none.

    >>> solve_mod([[1, 2], [3, 4]], [5, 6], 7)
    [3, 1]
    >>> solve_mod([[2, 3], [0, 2]], [1, 4], 6)
    [2, 5]
    """
    matrix, n = _checked(rows, n)
    right = [to_int(entry, f"b[{i}]") % n for i, entry in enumerate(b)]
    if len(right) != len(matrix):
        raise ValueError(f"b must have one entry for each of {len(matrix)} rows, not {len(right)}")
    found = (
        _solved_by_rref(matrix, right, n)
        if _kernels.is_prime(n)
        else _solved_by_howell(matrix, right, n)
    )
    if found is None:
        raise NoSolution(n)
    return found


def _solved_by_rref(matrix: list[list[int]], right: list[int], n: int) -> list[int] | None:
    width = len(matrix[0])
    found = _kernels.rref([[*row, entry] for row, entry in zip(matrix, right, strict=True)], n)
    pivots = _pivots(found)
    if width in pivots:
        return None
    solution = [0] * width
    for row, pivot in zip(found, pivots, strict=False):
        solution[pivot] = row[-1]
    return solution


def _solved_by_howell(matrix: list[list[int]], right: list[int], n: int) -> list[int] | None:
    height, width = len(matrix), len(matrix[0])
    form = howell_form(_beside_unit(matrix), n)
    rest = reduced([*right, *[0] * width], form, height, n)
    return None if rest is None else [-entry % n for entry in rest[height:]]


def _checked(rows: Sequence[Sequence[int]], n: int) -> tuple[list[list[int]], int]:
    """Return the matrix as lists of ints, reduced modulo `n`, and `n`."""
    n = to_int(n, "n")
    if n < 2:  # noqa: PLR2004 -- modulo 1 everything is 0
        raise ValueError(f"n must be at least 2, not {shown(n)}")
    given: Any = rows.tolist() if hasattr(rows, "tolist") else rows  # numpy's, at once
    matrix = [
        [to_int(entry, f"rows[{i}][{j}]") % n for j, entry in enumerate(row)]
        for i, row in enumerate(given)
    ]
    if not matrix or not matrix[0]:
        raise ValueError("rows must have at least one row and one column")
    for i, row in enumerate(matrix):
        if len(row) != len(matrix[0]):
            raise ValueError(
                f"rows must be of one length: rows[{i}] has {len(row)}, rows[0] {len(matrix[0])}"
            )
    return matrix, n
