"""The board of workers that are threads of one process: who computes what.

What a call came to is in the memory that they share, so the board only tells what is running.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pyspeedup.concurrent._caching.board import Running, Wait

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["LocalBoard", "Place"]


class LocalBoard:
    """What all places share.

    >>> board = LocalBoard()
    >>> one, other = Place(board, 0), Place(board, 1)
    >>> one.claim("f(3)", 0), other.claim("f(3)", 0)
    (None, Running(place=0, stack=0, mine=False))
    >>> other.wait("f(3)", 0)
    <Wait.WAITING: ...>
    >>> one.publish("f(3)", "six", 0.1)
    frozenset({1})
    """

    def __init__(self) -> None:
        """Begin with nothing running."""
        self.lock = threading.Lock()
        self.running: dict[Hashable, tuple[int, int]] = {}
        self.waiting: dict[Hashable, set[int]] = {}
        self.awaited: dict[tuple[int, int], Hashable] = {}


class Place:
    """The view of one thread; see `pyspeedup.concurrent._caching.desk.Board`."""

    def __init__(self, board: LocalBoard, place: int) -> None:
        """Take a place that nobody has."""
        self._board = board
        self._place = place

    def look(self, name: Hashable) -> Running | None:
        """Return who computes a call, in O(1)."""
        owner = self._board.running.get(name)
        return None if owner is None else Running(*owner, owner[0] == self._place)

    def claim(self, name: Hashable, stack: int) -> Running | None:
        """Claim a call; None if it is claimed now, else who computes it."""
        with self._board.lock:
            owner = self._board.running.setdefault(name, (self._place, stack))
            if name in self._board.waiting:
                return Running(*owner, owner[0] == self._place)
            self._board.waiting[name] = set()
            return None

    def publish(self, name: Hashable, data: object, seconds: float) -> frozenset[int]:  # noqa: ARG002 -- what it came to is in the memory
        """End a claim, and return the places to wake."""
        with self._board.lock:
            return self._end(name)

    def _end(self, name: Hashable) -> frozenset[int]:
        self._board.running.pop(name, None)
        return frozenset(self._board.waiting.pop(name, ()))

    def wait(self, name: Hashable, stack: int) -> Wait:
        """Note that a stack waits, unless it would wait for itself."""
        board = self._board
        with board.lock:
            if name not in board.running:
                return Wait.GONE
            if self._closes_ring(name, stack):
                return Wait.RING
            board.waiting[name].add(self._place)
            board.awaited[self._place, stack] = name
            return Wait.WAITING

    def _closes_ring(self, name: Hashable, stack: int) -> bool:
        """Tell whether who computes a call waits, itself or through others, for `stack`.

        The number of steps is bounded, for the others may be a ring: one who was woken, and has not
        looked yet, still counts as waiting, and what it waited for may be somebody else's by now.
        """
        owner = self._board.running.get(name)
        for _ in range(len(self._board.awaited) + 1):
            if owner is None or owner == (self._place, stack):
                break
            owner = self._board.running.get(self._board.awaited.get(owner))
        return owner == (self._place, stack)

    def is_waiting(self, stack: int) -> bool:
        """Tell whether what a stack began to wait for is being computed."""
        return self._board.awaited.get((self._place, stack)) in self._board.running

    def unwait(self, stack: int) -> None:
        """Note that a stack waits no longer."""
        with self._board.lock:
            self._board.awaited.pop((self._place, stack), None)

    def abandon(self, stack: int) -> frozenset[int]:
        """End all claims of a stack, and return the places to wake."""
        with self._board.lock:
            self._board.awaited.pop((self._place, stack), None)
            own = (self._place, stack)
            left = [name for name, owner in self._board.running.items() if owner == own]
            return frozenset().union(*map(self._end, left))
