"""The items of a dict that are written together, as columns: keys, their hashes, records."""

from __future__ import annotations

from array import array
from itertools import compress
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.memory._dict.heap import LONG_KEY, make_record

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

__all__ = ["Batch", "make_batch"]


class Batch(NamedTuple):
    """One list a column, all of the same length."""

    keys: list[Any]
    codes: array[int]
    images: list[bytes]
    bodies: Sequence[bytes]
    records: list[bytes]
    sizes: list[int]  # the last bytes of the records' places

    def without(self, positions: Container[int]) -> Batch:
        """Return the batch of the other items, in O(items)."""
        kept = [position not in positions for position in range(len(self.keys))]
        return Batch(
            list(compress(self.keys, kept)),
            array("I", compress(self.codes, kept)),
            list(compress(self.images, kept)),
            list(compress(self.bodies, kept)),
            list(compress(self.records, kept)),
            list(compress(self.sizes, kept)),
        )


def make_batch(
    keys: list[Any],
    bodies: Sequence[bytes],
    images_of: Callable[[list[Any]], list[bytes]],
    codes_of: Callable[[list[Any]], array[int]],
) -> Batch:
    """Return the batch of `keys`, which have stable hashes, and `bodies`, in O(bytes)."""
    images = images_of(keys)
    sizes = list(map(len, images))
    if max(sizes) < LONG_KEY:
        records = list(map(add, images, bodies))
    else:
        made = map(make_record, images, bodies)
        records, sizes = map(list, zip(*made, strict=True))
    return Batch(keys, codes_of(keys), images, bodies, records, sizes)
