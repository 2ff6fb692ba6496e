"""What a contender is: how it is opened, told to commit, and closed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

COMMIT_EVERY = 10_000
"""Writes a transaction, where a peer has transactions."""


class Peer:
    """A store of a peer, opened: `content` is used as a dict or a list is."""

    name: ClassVar[str]
    module: ClassVar[str] = "pickle"
    most: ClassVar[int] = 2_000_000
    content: Any
    _pending = 0

    @classmethod
    def installed(cls) -> bool:
        """Return whether it can take part here."""
        return importlib.util.find_spec(cls.module.partition(".")[0]) is not None

    @classmethod
    def load(cls) -> None:
        """Import what it needs, off the watch."""
        importlib.import_module(cls.module)

    def __init__(self, folder: Path) -> None:
        raise NotImplementedError

    def begin(self) -> None:
        """Get ready to write."""

    def commit(self) -> None:
        """Make what was written permanent."""

    def wrote(self, operations: int) -> None:
        """Commit, where that many more writes make it due."""
        self._pending += operations
        if self._pending >= COMMIT_EVERY:
            self.commit()
            self._pending = 0

    def count(self) -> int:
        """Return how many items there are."""
        return len(self.content)

    def close(self) -> None:
        """Close it, with everything kept."""
        self.content.close()
