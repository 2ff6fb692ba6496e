"""The self-initialising quadratic sieve, sieved by numpy.

After S. P. Contini, *Factoring integers with the self-initializing quadratic sieve* (1997), and R. Crandall
and C. Pomerance, *Prime Numbers*, 6.1: polynomials (a x + b)**2 - n with a, a product of primes of the
base, kept for 2**(k - 1) values of b, each of which is got from the last by one sum; relations with one larger prime,
joined in pairs; and an elimination modulo 2 with whole rows as integers.
"""

from __future__ import annotations

import math
from itertools import count, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._splitting.dependencies import dependencies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from numpy.typing import NDArray

__all__ = ["find_divisor"]

SIZES: Final = (
    (40, 60, 1 << 13),
    (60, 110, 1 << 14),
    (80, 190, 1 << 15),
    (100, 380, 1 << 16),
    (120, 800, 1 << 16),
    (140, 1400, 1 << 17),
    (160, 2600, 1 << 17),
    (180, 4500, 1 << 18),
    (200, 7500, 1 << 18),
    (220, 12000, 1 << 19),
    (250, 24000, 1 << 19),
)
"""Bits of the number; primes in the base; half of what each polynomial is sieved over."""
SPARE: Final = 24
"""More relations than primes."""
LEAST_SIEVED: Final = 30
"""Smaller primes add little to the logarithms for what they cost."""
LARGE: Final = 64
"""The one larger prime of a relation is at most so many times the largest of the base."""
MULTIPLIERS: Final = (1, 2, 3, 5, 6, 7, 10, 11, 13, 14, 15, 17, 19, 21, 23, 29, 31, 37, 41, 43)


class Base(NamedTuple):
    """The primes modulo which n is a square, its roots, and their logarithms."""

    primes: NDArray[np.int64]
    roots: NDArray[np.int64]
    logs: NDArray[np.uint8]


class Relation(NamedTuple):
    """A square that is, modulo n, a product of the base's primes: `value` squared, and their places."""

    value: int
    exponents: dict[int, int]
    """By place in the base; -1 is the sign."""
    large: int


class Polynomial(NamedTuple):
    """(a x + b)**2 - n, and where it is divisible by each prime of the base."""

    a: int
    b: int
    places: tuple[int, ...]
    """Those of a's primes in the base."""
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def find_divisor(n: int, random: Random) -> int | None:
    """Find a divisor of the odd composite `n`, no power, of 40 bits or more; None if all dependencies are in vain."""
    multiple = n * _multiplier(n)
    size, half = _size(multiple)
    base = _base(multiple, size)
    found: list[Relation] = []
    partial: dict[int, Relation] = {}
    for polynomial in _polynomials(multiple, base, half, random):
        for relation in _sieve(multiple, base, polynomial, half):
            _collect(relation, n, found, partial)
        if len(found) > len(base.primes) + SPARE:
            break
    return _divisor(n, base, found)


def _size(n: int) -> tuple[int, int]:
    bits = n.bit_length()
    for (low, fewer, half), (high, more, _) in pairwise(SIZES):
        if bits <= high:
            part = max(0.0, (bits - low) / (high - low))
            return round(fewer * (more / fewer) ** part), half
    return SIZES[-1][1:]


def _multiplier(n: int) -> int:
    """Return the k for which k n is a square modulo many small primes: Knuth and Schroeppel."""

    def score(k: int) -> float:
        number = k * n
        points = -math.log(k) / 2 + math.log(2) * {1: 2.0, 5: 1.0}.get(number % 8, 0.5)
        for p in _SMALL[1:]:
            if k % p == 0:
                points += math.log(p) / p
            elif _kernels.jacobi(number % p, p) == 1:
                points += 2 * math.log(p) / (p - 1)
        return points

    return max(MULTIPLIERS, key=score)


def _base(n: int, size: int) -> Base:
    primes, roots = [2], [n % 2]
    for p in count(3, 2):
        if len(primes) >= size:
            break
        if _kernels.is_prime(p) and (root := _kernels.sqrt_mod_prime(n % p, p)) is not None:
            primes.append(p)
            roots.append(root)
    return Base(
        np.array(primes, np.int64),
        np.array(roots, np.int64),
        np.round(np.log2(primes)).astype(np.uint8),
    )


def _polynomials(n: int, base: Base, half: int, random: Random) -> Iterator[Polynomial]:
    seen: set[tuple[int, ...]] = set()
    best = math.isqrt(2 * n) // half
    while True:
        places = _factors_of_a(base, best, random)
        if places not in seen:
            seen.add(places)
            yield from _with_same_a(base, places)


def _factors_of_a(base: Base, best: int, random: Random) -> tuple[int, ...]:
    """Choose primes of the base whose product is near `best`, each of about the same size."""
    primes = base.primes
    usable = int(np.searchsorted(primes, 2 * LEAST_SIEVED)), len(primes)
    usual = max(3, round(math.log(best) / math.log(float(primes[(usable[0] + usable[1]) // 2]))))
    tries = []
    for _ in range(30):
        places = set(random.sample(range(*usable), min(usual, usable[1] - usable[0]) - 1))
        rest = best / math.prod(int(primes[place]) for place in places)
        last = int(np.searchsorted(primes, min(rest, float(primes[-1]))))
        places.add(next(p for p in _around(min(last, usable[1] - 1), *usable) if p not in places))
        off = abs(math.log(math.prod(int(primes[place]) for place in places) / best))
        tries.append((off, tuple(sorted(places))))
    return min(tries)[1]


def _around(place: int, low: int, high: int) -> Iterator[int]:
    for distance in range(high - low + abs(place - low)):
        for other in (place - distance, place + distance):
            if low <= other < high:
                yield other


def _with_same_a(base: Base, places: tuple[int, ...]) -> Iterator[Polynomial]:
    """Yield the polynomials of one a: each b differs from the last by one of the parts, twice."""
    a = math.prod(int(base.primes[place]) for place in places)
    parts = [_part(a, int(base.primes[place]), int(base.roots[place])) for place in places]
    b = sum(parts)
    inverse = np.array([pow(a, -1, p) if a % p else 0 for p in base.primes.tolist()], np.int64)
    steps = [
        2 * (np.array([part % p for p in base.primes.tolist()]) * inverse % base.primes)
        for part in parts
    ]
    shift = np.array([b % p for p in base.primes.tolist()], np.int64)
    first = (base.roots - shift) * inverse % base.primes
    second = (-base.roots - shift) * inverse % base.primes
    yield Polynomial(a, b, places, first, second)
    for number in range(1, 1 << (len(parts) - 1)):
        which = (number & -number).bit_length() - 1
        if (number >> (which + 1)) & 1:
            b, move = b + 2 * parts[which], -steps[which]
        else:
            b, move = b - 2 * parts[which], steps[which]
        first, second = (first + move) % base.primes, (second + move) % base.primes
        yield Polynomial(a, b, places, first, second)


def _part(a: int, p: int, root: int) -> int:
    """Return what is the root of n modulo `p`, and 0 modulo the other primes of `a`."""
    other = a // p
    gamma = root * pow(other, -1, p) % p
    return other * min(gamma, p - gamma)


def _sieve(n: int, base: Base, polynomial: Polynomial, half: int) -> Iterator[Relation]:
    a, b = polynomial.a, polynomial.b
    width = 2 * half
    sums = np.zeros(width, np.uint8)
    own = set(polynomial.places)
    start = int(np.searchsorted(base.primes, LEAST_SIEVED))
    firsts = ((polynomial.first + half) % base.primes).tolist()
    seconds = ((polynomial.second + half) % base.primes).tolist()
    primes, logs = base.primes.tolist(), base.logs.tolist()
    for place in range(start, len(primes)):
        if place not in own:
            p, log = primes[place], logs[place]
            sums[firsts[place] :: p] += log
            sums[seconds[place] :: p] += log
    c = (b * b - n) // a
    largest = primes[-1]
    # What is left of the value when the base is divided out may be the small primes, not sieved, and one larger.
    expected = math.log2(half * math.isqrt(n // 2)) - math.log2(largest) - 6
    for x in np.flatnonzero(sums >= max(8, int(expected))).tolist():
        relation = _relation(base, polynomial, c, x - half, largest * LARGE)
        if relation is not None:
            yield relation


def _relation(base: Base, polynomial: Polynomial, c: int, x: int, most: int) -> Relation | None:
    """Divide a value by the base; None if more than one prime up to `most` is left."""
    a, b = polynomial.a, polynomial.b
    value = a * x * x + 2 * b * x + c  # ((a x + b)**2 - n) / a
    exponents: dict[int, int] = dict.fromkeys(polynomial.places, 1)
    if value < 0:
        exponents[-1] = 1
        value = -value
    moved = x % base.primes
    hits = np.flatnonzero((moved == polynomial.first) | (moved == polynomial.second))
    for place in {0, *hits.tolist(), *polynomial.places}:
        p = int(base.primes[place])
        while value % p == 0:
            value //= p
            exponents[place] = exponents.get(place, 0) + 1
    return Relation(a * x + b, exponents, value) if value <= most else None


def _collect(
    relation: Relation, n: int, found: list[Relation], partial: dict[int, Relation]
) -> None:
    """Keep a relation; one with a larger prime waits for another with the same."""
    if relation.large == 1:
        found.append(relation)
        return
    other = partial.setdefault(relation.large, relation)
    if other.value == relation.value or math.gcd(relation.large, n) != 1:
        return
    exponents = dict(relation.exponents)
    for place, power in other.exponents.items():
        exponents[place] = exponents.get(place, 0) + power
    value = relation.value * other.value * pow(relation.large, -1, n) % n
    found.append(Relation(value, exponents, 1))


def _divisor(n: int, base: Base, found: Sequence[Relation]) -> int | None:
    odd = [
        sum(1 << (place + 1) for place, power in relation.exponents.items() if power % 2)
        for relation in found
    ]
    for chosen in dependencies(odd):
        value, powers = 1, dict[int, int]()
        for number in chosen:
            value = value * found[number].value % n
            for place, power in found[number].exponents.items():
                powers[place] = powers.get(place, 0) + power
        root = 1
        for place, power in powers.items():
            if place >= 0:
                root = root * pow(int(base.primes[place]), power // 2, n) % n
        divisor = math.gcd(value - root, n)
        if 1 < divisor < n:
            return divisor
    return None


_SMALL: Final = [p for p in range(2, 300) if all(p % d for d in range(2, math.isqrt(p) + 1))]
