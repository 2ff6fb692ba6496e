"""What becomes of a function's calls, counted where they are computed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """What happened to the calls of one function, in one process, since it was told last."""

    calls: int = 0
    seconds: float = 0.0
    """What the calls that were measured took by themselves, nested calls apart."""
    exported: int = 0
    fetched: int = 0
    published: int = 0
    waits: int = 0
    waited: float = 0.0

    def add(self, other: Tally) -> None:
        """Add what happened in another process, or later."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
