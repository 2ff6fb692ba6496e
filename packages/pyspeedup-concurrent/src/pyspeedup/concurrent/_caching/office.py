"""What a desk needs of whoever it belongs to, and of the board that it shares with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pyspeedup.concurrent._caching.board import Wait
    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.local import Memory

__all__ = ["Board", "Office"]


class Board(Protocol):
    """Where those who compute tell each other who computes what, and what it came to; see `board`."""

    def claim(self, name: Any, stack: int, /) -> Any:
        """Return None if the call is the stack's own now, else what is known of it."""

    def look(self, name: Any, /) -> Any:
        """Return what is known of a call, None if nothing is."""

    def publish(self, name: Any, data: Any, seconds: float, /) -> frozenset[int]:
        """Let a claim become a value, or nothing if that is None; return who has to be woken."""

    def wait(self, name: Any, stack: int, /) -> Wait:
        """Begin to wait for a call."""

    def is_waiting(self, stack: int, /) -> bool:
        """Tell whether the claim stands that a stack began to wait for."""

    def unwait(self, stack: int, /) -> None:
        """Wait no longer."""

    def abandon(self, stack: int, /) -> frozenset[int]:
        """Free what a stack has claimed and not published; return who has to be woken."""


class Office(Protocol):
    """What a desk needs of the worker that it belongs to."""

    @property
    def board(self) -> Board:
        """The board that it shares with others."""

    def name(self, memory: Memory, key: Key, /) -> Hashable | None:
        """Return what the board knows a call by; None if it cannot be told of."""

    def pack(self, memory: Memory, value: Any, /) -> Any:
        """Return a value as the board takes it; None if it cannot be told."""

    def unpack(self, data: Any, /) -> Any:
        """Return a value from what the board had."""

    def give(self, memory: Memory, keys: list[Key], /) -> bool:
        """Leave calls to others, to be begun one after the other; False if that cannot be."""

    def hungry(self) -> bool:
        """Tell whether somebody is idle."""

    def wake(self, places: frozenset[int], /) -> None:
        """Wake who waits."""

    def park(self, name: Hashable, /) -> float:
        """Let other stacks run until there may be news of a call; return the seconds that none did."""
