"""Logarithms in a group of prime order by baby steps and giant steps.

D. Shanks, "Class number, a theory of factorization, and genera", Proc. Symp. Pure Math. 20 (1971).
"""

from __future__ import annotations

import math
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms import _kernels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.algorithms._logarithms.subgroups import Solver

__all__ = ["solver"]

DICT_LIMIT: Final = 1 << 22
"""Below it a dict is faster than setting up arrays."""
SCAN_LIMIT: Final = 64
"""Below it all powers are in the table."""
LARGEST_TABLE: Final = 1 << 23
GIANTS_AT_ONCE: Final = 1 << 17
SPARSE_BITS: Final = 4
"""One in 16 places of the filter is taken, or less, so as many giant steps need a second look."""
EXACT: Final = 1 << 51
"""Below it floats find the quotient of a product to within one."""
KEPT: Final = (1 << 63) - 1
"""The bits of a number that the table knows it by."""


def solver(n: int, q: int, base: int) -> Solver:
    """Return what finds logarithms to `base`, of the prime order `q` modulo `n`."""
    return _by_dict(n, q, base) if q < DICT_LIMIT else _Tables(n, q, base).log


def _by_dict(n: int, q: int, base: int) -> Solver:
    width = q if q < SCAN_LIMIT else math.isqrt(q - 1) + 1
    babies: dict[int, int] = {}
    value = 1
    for i in range(width):
        babies[value] = i
        value = value * base % n
    giant = int(_kernels.invert(value, n))

    def log(y: int) -> int | None:
        for start in range(0, q, width):
            if y in babies:
                return start + babies[y]
            y = y * giant % n
        return None

    return log


class _Tables:
    """The baby steps as sorted numbers behind a filter; giant steps are looked up by blocks."""

    def __init__(self, n: int, q: int, base: int) -> None:
        import numpy as np

        self._n, self._q, self._base = n, q, base
        self._width = min(math.isqrt(q // 2) + 1, LARGEST_TABLE)
        self._babies = powers(1, base, self._width, n)
        self._sorted = np.sort(self._babies)
        size = 1 << (self._width.bit_length() + SPARSE_BITS)
        self._mask = np.uint64(size - 1)
        self._filter = np.zeros(size, dtype=bool)
        self._filter[self._babies & self._mask] = True

    def log(self, y: int) -> int | None:
        """Return the logarithm of `y`, or None where `y` is no power of the base."""
        giant = int(_kernels.invert(_kernels.power(self._base, self._width, self._n), self._n))
        block = min(GIANTS_AT_ONCE, self._q // self._width + 1)
        stride = _kernels.power(giant, block, self._n)
        start = y
        for first in range(0, self._q, self._width * block):
            for i, j in self._meetings(powers(start, giant, block, self._n)):
                x = first + i * self._width + j
                if _kernels.power(self._base, x, self._n) == y:
                    return x
            start = int(start * stride % self._n)
        return None

    def _meetings(self, giants: Any) -> Iterator[tuple[int, int]]:
        """Yield the places of each giant step that is a baby step too, and of that one."""
        import numpy as np

        perhaps = np.flatnonzero(self._filter[giants & self._mask])
        wanted = giants[perhaps]
        places = np.searchsorted(self._sorted[:-1], wanted)
        for i in perhaps[self._sorted[places] == wanted].tolist():
            for j in np.flatnonzero(self._babies == giants[i]).tolist():
                yield i, j


def powers(start: int, ratio: int, count: int, n: int) -> Any:
    """Return ``start * ratio**i % n`` for all i below `count`: the low 63 bits, as an array."""
    import numpy as np

    if n < EXACT:
        return _powers_by_doubling(start, ratio, count, n)
    steps = accumulate(repeat(ratio, count - 1), lambda x, r: x * r % n, initial=start)
    return np.fromiter((x & KEPT for x in steps), np.uint64, count)


def _powers_by_doubling(start: int, ratio: int, count: int, n: int) -> Any:
    import numpy as np

    found = np.empty(count, np.uint64)
    found[0] = start
    done = 1
    while done < count:
        more = min(done, count - done)
        found[done : done + more] = _times(found[:more], int(_kernels.power(ratio, done, n)), n)
        done += more
    return found


def _times(values: Any, factor: int, n: int) -> Any:
    """Multiply each of `values` by `factor` modulo `n` below `EXACT`.

    Products wrap around at 2**64, the quotients come from floats and are wrong by one at most: what is left
    is right but for one `n` too much or too little.
    """
    import numpy as np

    quotients = (values.astype(np.float64) * (factor / n)).astype(np.uint64)
    rest = (values * np.uint64(factor) - quotients * np.uint64(n)).view(np.int64)
    rest += (rest < 0) * np.int64(n)
    rest -= (rest >= n) * np.int64(n)
    return rest.view(np.uint64)
