"""Looks up many hashes in an index at once, with numpy: each block is fetched and checked once.

The hashes are sorted, so that those of one block and of one page stand together. Blocks of a page
that many of them need are fetched as one piece, others one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

import numpy as np

from pyspeedup.memory._dict.index_nodes import RESIDUE, ROW
from pyspeedup.memory._dict.slots import (
    BLOCK,
    BLOCK_SLOTS,
    ENTRIES_AT,
    HASH_BITS,
    HASH_MASK,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspeedup.memory._dict.index_nodes import Pages

__all__ = ["Batch"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

AT_ONCE = 4_096
"""So many hashes are looked up together: 2 MB of blocks."""
WORTH_A_PIECE = 8
"""Fetching one piece for so many blocks of a page costs less than fetching them one by one."""
ROWS = np.dtype(
    {
        "names": ["page", "homes", "salt", "depth"],
        "formats": ["<u8", "<u4", "<u4", "u1"],
        "offsets": [0, 8, 12, 16],
        "itemsize": ROW.size,
    }
)
COLUMNS = np.arange(BLOCK_SLOTS, dtype=np.uint32)


class Batch:
    """Looks hashes up in the nodes that `tables` of rows describe, in `pages`.

    Raises ``damaged(page, block)`` for a block whose check does not match.
    """

    def __init__(
        self,
        tables: Sequence[tuple[bytearray, int]],
        pages: Pages,
        damaged: Callable[[int, int], Exception],
    ) -> None:
        self._tables = tables
        self._pages = pages
        self._damaged = damaged

    def find(self, codes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield positions in `codes`, with an entry of each."""
        every = np.asarray(codes, np.uint64)
        order = every.argsort()
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            for table, shift in self._tables:
                rows = np.frombuffer(table, ROWS)[every[some] >> np.uint64(shift)]
                yield from self._find_in(rows, every[some], some)

    def _find_in(self, rows: Array, codes: Array, positions: Array) -> Iterator[tuple[int, int]]:
        blocks = (codes << rows["depth"] & HASH_MASK) * rows["homes"] >> np.uint64(HASH_BITS)
        goes_on = rows["homes"] > 0
        while goes_on.any():
            rows, blocks = rows[goes_on], blocks[goes_on]
            codes, positions = codes[goes_on], positions[goes_on]
            words = self._fetch(rows, blocks)
            hashes, used = words[:, :BLOCK_SLOTS], words[:, BLOCK_SLOTS]
            is_hit = (hashes == codes[:, None]) & (used[:, None] > COLUMNS)
            at, columns = is_hit.nonzero()
            entries = words[at, columns + ENTRIES_AT // 4]
            yield from zip(positions[at].tolist(), entries.tolist(), strict=True)
            goes_on = (used == BLOCK_SLOTS) & (hashes[:, -1] <= codes)
            blocks = blocks + np.uint64(1)

    def _fetch(self, rows: Array, blocks: Array) -> Array:
        """Return the block of each row, checked, as numbers of 32 bits."""
        is_new = np.ones(len(rows), bool)
        is_new[1:] = (rows["page"][1:] != rows["page"][:-1]) | (blocks[1:] != blocks[:-1])
        first = is_new.nonzero()[0]
        places = list(zip(rows["page"][first].tolist(), blocks[first].tolist(), strict=True))
        salts = (rows["salt"][first] + blocks[first]).tolist()
        data = list(_pieces(places, self._pages))
        for place, salt, block in zip(places, salts, data, strict=True):
            if crc32(block, salt) != RESIDUE:
                raise self._damaged(*place)
        words: Array = np.frombuffer(b"".join(data), "<u4").reshape(-1, BLOCK // 4)
        return np.take(words, is_new.cumsum() - 1, axis=0)


def _pieces(places: list[tuple[int, int]], pages: Pages) -> Iterator[bytes]:
    """Yield the bytes of blocks, given by page and number in ascending order."""
    start = 0
    while start < len(places):
        page = places[start][0]
        stop = start + 1
        while stop < len(places) and places[stop][0] == page:
            stop += 1
        if stop - start < WORTH_A_PIECE:
            for _, block in places[start:stop]:
                yield pages.peek(page, block * BLOCK, block * BLOCK + BLOCK)
        else:
            low = places[start][1]
            piece = pages.peek(page, low * BLOCK, (places[stop - 1][1] + 1) * BLOCK)
            for _, block in places[start:stop]:
                yield piece[(block - low) * BLOCK : (block - low + 1) * BLOCK]
        start = stop
