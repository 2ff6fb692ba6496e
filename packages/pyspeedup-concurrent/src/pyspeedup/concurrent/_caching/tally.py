"""What becomes of a function's calls, counted where they are computed."""

from __future__ import annotations

__all__ = ["Tally"]


class Tally:
    """What happened to the calls of one function, in one process, since it was told last."""

    __slots__ = ("calls", "exported", "fetched", "published", "seconds", "waited", "waits")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.calls = self.exported = self.fetched = self.published = self.waits = 0
        self.seconds = 0.0
        """What the calls that were measured took by themselves, nested calls apart."""
        self.waited = 0.0

    def __bool__(self) -> bool:
        """Tell whether anything has happened."""
        return any(getattr(self, name) for name in self.__slots__)

    def add(self, other: Tally) -> None:
        """Add what happened in another process, or later."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
