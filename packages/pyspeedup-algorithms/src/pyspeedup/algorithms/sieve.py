"""The primes between two numbers, and all of them as an endless run of bitmaps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms._integers import to_int

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["NUMBERS_A_BLOCK", "primes_between", "sieve_blocks"]

BLOCK: Final = 1 << 15
"""Bytes of a bitmap that travel and are kept together."""
NUMBERS_A_BLOCK: Final = 30 * BLOCK
MOST_AT_ONCE: Final = 32

WORD: Final = 1 << 63
SIEVED_FOR: Final = 1 << 27
"""Up to the square of this, what is wide enough is sieved by all primes that are needed."""
NARROW: Final = 32
LIGHTLY: Final = 1 << 15


def primes_between(start: int, stop: int) -> NDArray[Any]:
    """Return the primes p with ``start <= p < stop`` as a numpy array of int64.

    From 2**63 on it is an array of Python ints (dtype object). An interval that is empty, or has
    none, gives an empty array.

    A segmented sieve of Eratosthenes over the residues modulo 30, 8/30 of a byte a number. Cost: 0.4 ns a
    number up to 10**8, three times that at 10**12, and 50 ns for each prime up to the square root of
    `stop`. An interval that is narrower than that root by far, or lies beyond 10**16, is sieved
    lightly, and what is left is tested by `is_prime`.

    >>> primes_between(90, 110).tolist()
    [97, 101, 103, 107, 109]
    >>> primes_between(10**15, 10**15 + 100).tolist()
    [1000000000000037, 1000000000000091]
    >>> primes_between(2**89 - 1, 2**89)
    array([618970019642690137449562111], dtype=object)
    """
    start, stop = max(to_int(start, "start"), 0), max(to_int(stop, "stop"), 0)
    if stop <= start:
        return _no_primes()
    root = math.isqrt(stop)
    if root > SIEVED_FOR or (stop - start) * NARROW < root:
        return _tested(start, stop)
    return _sieved(start, stop)


def sieve_blocks(first: int = 0) -> Iterator[bytes]:
    """Yield the bitmap of the primes without end, 2**15 bytes for 983,040 numbers at a time.

    Bit j of byte i stands for ``30 * i + (1, 7, 11, 13, 17, 19, 23, 29)[j]``. The first block is the
    one with the number `first`. One is sieved alone, and then ever more at a time, up to 32.

    >>> blocks = sieve_blocks()
    >>> f"{next(blocks)[0]:08b}"  # 29, 23, 19, 17, 13, 11, 7 are prime, and 1 is not
    '11111110'
    """
    from pyspeedup.algorithms._sieving.wheel import bitmap

    many = 1
    while True:
        bits = bitmap(first * BLOCK, many * BLOCK).tobytes()
        yield from (bits[i : i + BLOCK] for i in range(0, len(bits), BLOCK))
        first += many
        many = min(2 * many, MOST_AT_ONCE)


def _sieved(start: int, stop: int) -> NDArray[Any]:
    from pyspeedup.algorithms._sieving import wheel

    first = start // wheel.MODULUS
    found = wheel.read(wheel.bitmap(first, -(-stop // wheel.MODULUS) - first), first)
    begin, end = found.searchsorted([start, stop])
    return found[begin:end]


def _tested(start: int, stop: int) -> NDArray[Any]:
    """Sieve by small primes alone, and test what they leave, in the order of size."""
    import numpy as np

    from pyspeedup.algorithms._sieving import wheel
    from pyspeedup.algorithms.primes import is_prime

    first = start // wheel.MODULUS
    bits = wheel.bitmap(first, -(-stop // wheel.MODULUS) - first, LIGHTLY)
    origin = wheel.MODULUS * (first - 1)
    left = (origin + n for n in wheel.read(bits, 1).tolist())  # read as from byte 1: these fit
    found = [n for n in left if start <= n < stop and is_prime(n)]
    return np.array(found, np.int64 if stop <= WORD else object)


def _no_primes() -> NDArray[Any]:
    import numpy as np

    return np.empty(0, np.int64)
