"""Tells of most hashes that have no slot that they have none, without a look at any page.

A bit in RAM for the first 24 bits of each hash that was ever added: a Bloom filter with one hash function
(Bloom 1970). It takes 2 MB however many slots there are, and less while these are some hundred. Of a million keys it lets through one absent key in 17, of
ten million every other one; then the pages are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.memory._dict.slots import HASH_BITS, is_for_numpy
from pyspeedup.memory._platform import zeros

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Filter"]

BITS = 24
BIT_SHIFT = HASH_BITS - BITS
BYTE_SHIFT = BIT_SHIFT + 3


class Filter:
    """Hashes that may have been added; all costs are O(1) a hash.

    >>> seen = Filter()
    >>> seen.add(0xCAFE_0000)
    >>> seen.may_have(0xCAFE_0000), seen.may_have(0xBEEF_0000)
    (1, 0)
    >>> seen.some_of([0xBEEF_0000, 0xCAFE_0000])
    [1]
    """

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits = zeros(1 << BITS - 3)

    def add(self, code: int) -> None:
        """Note `code`."""
        self._bits[code >> BYTE_SHIFT] |= 1 << (code >> BIT_SHIFT & 7)

    def add_many(self, codes: Sequence[int]) -> None:
        """Note all `codes`."""
        if is_for_numpy(len(codes)):
            from pyspeedup.memory._dict import filter_numpy

            filter_numpy.add_many(self._bits, codes, BYTE_SHIFT)
            return
        bits = self._bits
        for code in codes:
            bits[code >> BYTE_SHIFT] |= 1 << (code >> BIT_SHIFT & 7)

    def may_have(self, code: int) -> int:
        """Return 0 if `code` was never added."""
        return self._bits[code >> BYTE_SHIFT] >> (code >> BIT_SHIFT & 7) & 1

    def some_of(self, codes: Sequence[int]) -> list[int]:
        """Return the positions of those of `codes` that may have been added."""
        if is_for_numpy(len(codes)):
            from pyspeedup.memory._dict import filter_numpy

            return filter_numpy.some_of(self._bits, codes, BYTE_SHIFT)
        may_have = self.may_have
        return [position for position, code in enumerate(codes) if may_have(code)]
