"""Work on the bits of the index's filter with numpy: see `index_filter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from mmap import mmap

__all__ = ["add_many", "some_of"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def add_many(bits: bytearray | mmap, codes: Sequence[int], byte_shift: int) -> None:
    """Set the bits of `codes`."""
    places, masks = _places(codes, byte_shift)
    np.bitwise_or.at(np.frombuffer(bits, np.uint8), places, masks)


def some_of(bits: bytearray | mmap, codes: Sequence[int], byte_shift: int) -> list[int]:
    """Return the positions of those of `codes` whose bits are set."""
    places, masks = _places(codes, byte_shift)
    found: list[int] = (np.frombuffer(bits, np.uint8)[places] & masks).nonzero()[0].tolist()
    return found


def _places(codes: Sequence[int], byte_shift: int) -> tuple[Array, Array]:
    every = np.asarray(codes, np.uint32)
    masks = np.uint8(1) << (every >> np.uint32(byte_shift - 3) & np.uint32(7)).astype(np.uint8)
    return every >> np.uint32(byte_shift), masks
