"""Primes as a bitmap, a byte for thirty numbers: struck out residue by residue, and read as integers.

Only eight of thirty numbers in a row have no divisor in 2, 3 and 5. Bit j of byte i stands for
``30 * i + RESIDUES[j]``; so 10**9 numbers take 33 MB. The primes 2, 3 and 5 have no bit.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Integers = NDArray[np.int64]

__all__ = ["MODULUS", "WITHOUT_BITS", "bitmap", "read"]

MODULUS: Final = 30
RESIDUES: Final = (1, 7, 11, 13, 17, 19, 23, 29)
WITHOUT_BITS: Final = (2, 3, 5)

SPAN: Final = 1 << 20
"""Bytes struck at a time: about what the second cache holds, so that few strokes are begun."""
READ_AT_ONCE: Final = 1 << 15
FEW_HITS: Final = 64
"""A prime with fewer hits in a span is struck with all others like it: a stroke costs 0.2 us."""

PATTERNS: Final = ((7, 11, 13, 17), (19, 23, 29), (31, 37, 41), (43, 47, 53))
"""Primes whose multiples repeat soon enough for a pattern to be laid over the bitmap, eight flags at once."""
PRESIEVED: Final = sum(map(len, PATTERNS))
LEAST_BASE: Final = 15
ALL: Final = 1 << 32
FAR_OUT: Final = 1 << 58
"""The first byte whose numbers are beyond 64 bits."""

# k * p is -1 modulo 30 for k = MINUS_INVERSE[p % 30], so (k * p + 1) / 30 inverts 30 modulo p.
MINUS_INVERSE: Final = np.zeros(MODULUS, np.int64)
MINUS_INVERSE[list(RESIDUES)] = [-pow(r, -1, MODULUS) % MODULUS for r in RESIDUES]
VALUES: Final = (MODULUS * np.arange(READ_AT_ONCE)[:, None] + np.array(RESIDUES)).ravel()


def bitmap(first: int, count: int, limit: int = ALL) -> Bytes:
    """Return the bytes `first` to ``first + count`` of the bitmap of all primes.

    With a `limit`, of all numbers that are divisible by no prime up to there, except those primes.

    A sieve of Eratosthenes with a row of flags for each residue, where the multiples of a prime are
    a stride apart. Cost: 0.3 ns a number at 10**8, O(log log) of them more further out, and
    80 ns for each prime up to the square root of the last.
    """
    out = np.empty(count, np.uint8)
    size = -(-count // -(-count // SPAN)) if count else 1
    row = np.empty(size, np.uint8)
    for start in range(0, count, size):
        piece = out[start : start + size]
        _strike(first + start, piece, row[: len(piece)], limit)
    for number, group in enumerate(PATTERNS):
        _lay_pattern(out, _pattern(number), math.prod(group), first)
    _mend(out, first)
    return out


def read(bits: Bytes, first: int) -> Integers:
    """Return the primes in a bitmap whose first byte is `first`, in order; 3.5 ns each.

    A bitmap that begins at 0 gives 2, 3 and 5 too.
    """
    without = WITHOUT_BITS[: len(WITHOUT_BITS) if first == 0 else 0]
    found = np.empty(len(without) + ones(bits), np.int64)
    found[: len(without)] = without
    done = len(without)
    for start in range(0, len(bits), READ_AT_ONCE):
        flags = np.unpackbits(bits[start : start + READ_AT_ONCE], bitorder="little")
        places = np.flatnonzero(flags.view(np.bool_))
        out = found[done : done + len(places)]
        np.take(VALUES, places, out=out, mode="clip")  # the mode that needs no copy of `out`
        out += MODULUS * (first + start)
        done += len(places)
    return found


def ones(bits: Bytes) -> int:
    """Count the ones in a bitmap."""
    if hasattr(np, "bitwise_count"):  # from numpy 2 on, and ten times as fast
        return int(np.bitwise_count(bits).sum())
    return int.from_bytes(bits.tobytes(), "little").bit_count()


def base_primes(limit: int) -> Integers:
    """Return the primes above those of the pattern, up to `limit`."""
    known = _base(max(LEAST_BASE, limit.bit_length()))
    return known[: np.searchsorted(known, limit, side="right")]


@lru_cache(maxsize=4)
def _base(bits: int) -> Integers:
    """Return the primes of less than so many bits, without those of the pattern."""
    if bits <= LEAST_BASE:
        return _smallest_base()
    primes = read(bitmap(0, (1 << bits) // MODULUS + 1), 0)
    return primes[len(WITHOUT_BITS) + PRESIEVED :]


def _smallest_base() -> Integers:
    """Return the first of the base primes, by the plain sieve that needs none."""
    flags = np.ones(1 << LEAST_BASE, np.bool_)
    for p in range(2, math.isqrt(len(flags)) + 1):
        flags[p * p :: p] = False
    return np.flatnonzero(flags)[2 + len(WITHOUT_BITS) + PRESIEVED :]


@lru_cache(maxsize=len(PATTERNS))
def _pattern(number: int) -> Bytes:
    """Return the bitmap that the primes of a group leave of all numbers, for two of its periods."""
    group = PATTERNS[number]
    out = np.zeros(2 * math.prod(group), np.uint8)
    for j, residue in enumerate(RESIDUES):
        row = np.full(len(out), 1 << j, np.uint8)
        for p in group:
            row[-residue * pow(MODULUS, -1, p) % p :: p] = 0
        out |= row
    return out


def _lay_pattern(out: Bytes, pattern: Bytes, period: int, first: int) -> None:
    phase = first % period
    piece = pattern[phase : phase + period]
    whole = len(out) // period * period
    repeated = out[:whole].reshape(-1, period)
    np.bitwise_and(repeated, piece, out=repeated)
    out[whole:] &= piece[: len(out) - whole]


def _mend(out: Bytes, first: int) -> None:
    """Set the bits of the primes of the patterns, which struck them too, and clear that of 1."""
    for n in (p for group in PATTERNS for p in group):
        place = n // MODULUS - first
        if 0 <= place < len(out):
            out[place] |= 1 << RESIDUES.index(n % MODULUS)
    if first == 0 and len(out):
        out[0] &= 0b1111_1110


def _strike(first: int, out: Bytes, row: Bytes, limit: int) -> None:
    """Fill `out`, the bytes from `first` on, with `row` to work in and primes up to `limit`."""
    size = len(out)
    primes = base_primes(min(math.isqrt(MODULUS * (first + size)), limit))
    near = int(np.searchsorted(primes, size // FEW_HITS))
    strides = primes[:near].tolist()
    out.fill(0)
    for j, offsets in enumerate(_offsets(first, primes)):
        row.fill(1 << j)
        for p, offset in zip(strides, offsets[:near].tolist(), strict=True):
            row[offset::p] = 0
        _strike_far(row, offsets[near:], primes[near:])
        np.bitwise_or(out, row, out=out)


def _offsets(first: int, primes: Integers) -> Iterator[Integers]:
    """Yield for each residue where, from `first` on, each prime strikes first: near its square or later."""
    inverses = (MINUS_INVERSE[primes % MODULUS] * primes + 1) // MODULUS
    if first < FAR_OUT:
        ahead = np.maximum(primes * primes // MODULUS - first, 0)
        places = (-inverses - first - ahead) % primes
    else:
        ahead = np.zeros_like(primes)
        places = (-inverses - np.array([first % p for p in primes.tolist()], np.int64)) % primes
    yield ahead + places
    steps = {gap: inverses * gap % primes for gap in (2, 4, 6)}
    for before, residue in pairwise(RESIDUES):
        places -= steps[residue - before]
        places += primes & (places >> 63)  # which is all ones for a negative place
        yield ahead + places


def _strike_far(row: Bytes, offsets: Integers, primes: Integers) -> None:
    """Strike at each offset, and from there on once in as many bytes as the prime says."""
    while len(offsets):
        inside = offsets < len(row)
        offsets, primes = offsets[inside], primes[inside]
        row[offsets] = 0
        offsets = offsets + primes
