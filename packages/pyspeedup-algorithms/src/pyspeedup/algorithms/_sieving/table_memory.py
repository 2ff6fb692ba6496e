"""Where the entries of a factor table lie: in an array, or in a mapped file that is checked as it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyspeedup.algorithms._sieving.block_file import BlockFile, Layout
from pyspeedup.algorithms._sieving.least_factors import ENTRY, least_factors

if TYPE_CHECKING:
    import mmap

__all__ = ["TableMemory"]

ENTRIES: Final = 1 << 19
LEAST_FACTORS: Final = Layout(b"\x89PSspf16", "factors", ENTRIES * ENTRY.itemsize, 1 << 12)
BLOCKS_WRITTEN: Final = 16


class TableMemory:
    """The entries for all odd numbers up to `limit`, in `entries`."""

    def __init__(self, limit: int, path: str | None) -> None:
        """Build them, or map the file, which is extended before if it has too few."""
        self._map: mmap.mmap | None = None
        self._file: BlockFile | None = None
        self._unchecked: set[int] = set()
        count = limit // 2 + 1
        if path is None:
            self.entries: Any = least_factors(0, count)
        else:
            self._open(path, count)

    def at(self, i: int) -> int:
        """Return an entry."""
        if self._unchecked:
            self._check(i // ENTRIES)
        found: int = self.entries.item(i)
        return found

    def check_all(self) -> None:
        """Raise `DamagedFile` if any entry may be another than was written; 1 ns an entry, once."""
        for block in sorted(self._unchecked):
            self._check(block)

    def close(self) -> None:
        """Let go of the mapping."""
        self.entries = None
        if self._map is not None:
            self._map.close()

    def _open(self, path: str, count: int) -> None:
        self._file = file = BlockFile(path, LEAST_FACTORS)
        try:
            blocks = -(-count // ENTRIES)
            if file.writable:
                _extend(file, blocks)
            self._map_file(min(blocks, len(file)), count)
        finally:
            file.close()  # the mapping stays

    def _map_file(self, blocks: int, count: int) -> None:
        file = self._file
        self._unchecked = set(range(blocks))
        there = min(blocks * ENTRIES, count)
        self.entries = np.empty(0, ENTRY)
        if there and file is not None:
            self._map = file.mapped()
            self.entries = np.frombuffer(self._map, ENTRY, there, LEAST_FACTORS.blocks_at)
        if there < count:
            self.entries = np.concatenate([self.entries, least_factors(there, count - there)])

    def _check(self, block: int) -> None:
        if block in self._unchecked and self._map is not None and self._file is not None:
            start = LEAST_FACTORS.blocks_at + block * LEAST_FACTORS.block
            with (
                memoryview(self._map) as memory,
                memory[start : start + LEAST_FACTORS.block] as part,
            ):
                self._file.check(block, part)
            self._unchecked.discard(block)


def _extend(file: BlockFile, blocks: int) -> None:
    while (there := len(file)) < blocks:
        count = min(blocks - there, BLOCKS_WRITTEN)
        entries = least_factors(there * ENTRIES, count * ENTRIES)
        file.refresh()
        if len(file) == there:  # else another process was quicker
            pieces = entries.reshape(count, ENTRIES)
            file.extend([0] * count, [piece.tobytes() for piece in pieces])
