"""Values that an iterator was lent: it goes through them at a list's speed, and tells nobody how far."""

from __future__ import annotations

import operator
from typing import Generic, TypeVar

__all__ = ["Loan"]

T = TypeVar("T")


class Loan(Generic[T]):
    """Values from the position `start` on, and the iterator that goes through them.

    >>> loan = Loan(10, ["a", "b", "c"])
    >>> next(loan.iterator), loan.reached()
    ('a', 11)
    >>> del loan.block[1:]
    >>> list(loan.iterator), loan.reached()
    ([], 11)
    """

    __slots__ = ("block", "iterator", "start")

    def __init__(self, start: int, block: list[T]) -> None:
        """Lend a list that is nobody else's."""
        self.start = start
        self.block = block
        self.iterator = iter(block)

    def reached(self) -> int:
        """Return the position after the last value that the iterator has given; O(1)."""
        return self.start + len(self.block) - operator.length_hint(self.iterator)
