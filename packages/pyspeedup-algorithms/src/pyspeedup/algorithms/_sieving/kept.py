"""Where the blocks of the sieve are kept: in a sequence of the user's or a list, or in a file."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

from pyspeedup.algorithms._sieving.block_file import BlockFile, Layout
from pyspeedup.algorithms.sieve import BLOCK

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

__all__ = ["InFile", "InSequence", "Kept"]

PRIMES: Final = Layout(b"\x89PSprime", "primes", BLOCK, 1 << 16)
WRITTEN_AT_ONCE: Final = 64


class Kept(Protocol):
    """Blocks of the bitmap of all primes, from the first on."""

    def __len__(self) -> int: ...

    def block(self, i: int) -> bytes:
        """Return a block."""
        ...

    def ones(self, i: int) -> int:
        """Return how many primes have their bit in a block."""
        ...

    def add(self, blocks: Sequence[bytes]) -> None:
        """Keep blocks behind those that are there."""
        ...

    def save(self) -> None:
        """Bring in safety what was added, if it is much; an error leaves all as it was."""
        ...

    def close(self) -> None:
        """Bring in safety what was added."""
        ...


class InSequence:
    """Blocks in any `MutableSequence`."""

    def __init__(self, blocks: MutableSequence[Any]) -> None:
        """Take the sequence with what is in it."""
        self._blocks = blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def block(self, i: int) -> bytes:
        """Return a block; `ValueError` if it is none."""
        found: Any = self._blocks[i]
        if not isinstance(found, bytes) or len(found) != BLOCK:
            raise ValueError(f"the store of the primes holds something else at {i}")
        return found

    def ones(self, i: int) -> int:
        """Count them, in 20 us."""
        return _ones(self.block(i))

    def add(self, blocks: Sequence[bytes]) -> None:
        """Append."""
        self._blocks.extend(blocks)

    def save(self) -> None:
        """Leave that to the sequence."""

    def close(self) -> None:
        """Leave the sequence to whose it is."""


class InFile:
    """Blocks in a file, and those in memory that are still to be written there."""

    def __init__(self, path: str) -> None:
        """Open the file; errors as `BlockFile` has them."""
        self._file = BlockFile(path, PRIMES)
        self._waiting: list[bytes] = []
        self._moving = threading.Lock()
        self._pid = os.getpid()

    def __len__(self) -> int:
        with self._moving:
            return len(self._file) + len(self._waiting)

    def block(self, i: int) -> bytes:
        """Read a block, 20 us; `DamagedFile` if it isn't what was written."""
        with self._moving:
            there = len(self._file)
            return self._waiting[i - there] if i >= there else self._file.read(i)

    def ones(self, i: int) -> int:
        """Return what the directory says."""
        with self._moving:
            there = len(self._file)
            return _ones(self._waiting[i - there]) if i >= there else self._file.note(i)

    def add(self, blocks: Sequence[bytes]) -> None:
        """Keep blocks in memory until `save`."""
        with self._moving:
            self._waiting += blocks

    def save(self) -> None:
        """Write what waits once it is much."""
        if len(self._waiting) >= WRITTEN_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Write what waits, and let go of the file; again is harmless.

        In a forked child that is the parent's business: a thread that is not there may hold the lock.
        """
        if self._pid != os.getpid():
            return
        try:
            self._write()
        finally:
            self._file.close()

    def _write(self) -> None:
        with self._moving:
            if self._waiting and self._file.writable and not self._file.closed:
                self._pass_over_what_is_there()
                ready = self._waiting[: PRIMES.capacity - len(self._file)]
                self._file.extend([_ones(block) for block in ready], ready)
                del self._waiting[: len(ready)]

    def _pass_over_what_is_there(self) -> None:
        """Let go of what another process has written by now."""
        before = len(self._file)
        self._file.refresh()
        del self._waiting[: len(self._file) - before]


def _ones(block: bytes) -> int:
    return int.from_bytes(block, "little").bit_count()
