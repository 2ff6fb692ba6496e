"""A function that calls itself twice, on all cores: the ways to place queens.

`batch_async` says what will be needed; an idle process may begin it. Whatever nobody began is
computed on the spot, so it costs next to nothing where there is nobody idle.
"""

from __future__ import annotations

import argparse

from pyspeedup.concurrent import Cache

ALONE = 3
"""Rows that are placed one call each, so that there are calls to share; the rest is one call's work."""


@Cache
def solutions(size: int, queens: tuple[int, ...] = ()) -> int:
    """Count the ways to place queens on the rows that `queens` leaves, no two attacking."""
    if len(queens) == size:
        return 1
    boards = [(size, (*queens, column)) for column in range(size) if is_free(queens, column)]
    if len(queens) >= ALONE:
        return sum(count_alone(*board) for board in boards)
    solutions.batch_async(*boards)
    return sum(solutions(*board) for board in boards)


def count_alone(size: int, queens: tuple[int, ...]) -> int:
    """Count the same without sharing: too little work a call to be worth telling anybody of."""
    if len(queens) == size:
        return 1
    columns = (column for column in range(size) if is_free(queens, column))
    return sum(count_alone(size, (*queens, column)) for column in columns)


def is_free(queens: tuple[int, ...], column: int) -> bool:
    """Tell whether a queen on the next row, in `column`, is attacked by none."""
    row = len(queens)
    return all(q != column and abs(q - column) != row - r for r, q in enumerate(queens))


def main() -> None:
    """Print the number of solutions for each size up to the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=9, help="of the largest board (default: 9)")
    for size in range(1, parser.parse_args().size + 1):
        print(f"{size} queens: {solutions(size)}")
    print(solutions.cache_info())


if __name__ == "__main__":
    main()
