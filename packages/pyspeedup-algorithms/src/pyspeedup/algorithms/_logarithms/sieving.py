"""Relations between the logarithms of small primes: the linear sieve.

D. Coppersmith, A. M. Odlyzko and R. Schroeppel, "Discrete logarithms in GF(p)", Algorithmica 1 (1986). Let H be
just above the square root of p. For small c and d, ``(H + c) * (H + d) - p`` is small too, and where it is a
product of small primes, the logarithms of those add up to that of H + c and that of H + d.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms._logarithms import smooth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.algorithms._logarithms.elimination import Relation

__all__ = ["relations"]

ROWS_AT_ONCE: Final = 256
STRIDED: Final = 40
"""Primes below it divide so often that it is best to go through all rows of a residue at a time."""
SLACK_BITS: Final = 2
"""So much more than the largest prime may be missing, for higher powers of primes are not sieved."""


def relations(p: int, primes: list[int], width: int) -> list[Relation]:
    """Return the relations for all c and d from -`width` to `width`.

    Each maps what stands for a logarithm to how often it is counted, with a sum of 0: the place of a
    prime, and behind the primes a place for each H + c.
    """
    found: list[Relation] = []
    for start in range(-width, width + 1, ROWS_AT_ONCE):
        found += _relations_in(p, primes, (start, min(width + 1, start + ROWS_AT_ONCE)), width)
    return found


def _relations_in(
    p: int, primes: list[int], rows: tuple[int, int], width: int
) -> Iterator[Relation]:
    """Yield the relations for the c in a range of `rows`, and the d from c on."""
    pairs = _promising(p, primes, rows, width)
    root = math.isqrt(p) + 1
    values = [(root + c) * (root + d) - p for c, d in pairs]
    zero = len(primes) + width
    for i, relation in smooth.factored(values, primes).items():
        c, d = pairs[i]
        relation[zero + c] = -1
        relation[zero + d] = -2 if c == d else -1
        yield relation


def _promising(p: int, primes: list[int], rows: tuple[int, int], width: int) -> list[list[int]]:
    """Return c and d of which the value is a product of `primes`, as far as a sieve can tell."""
    import numpy as np

    start, stop = rows
    root = math.isqrt(p) + 1
    logs = np.zeros((stop - start, width + 1 - start), dtype=np.float32)
    for prime in primes:
        _sieve(logs, prime, p, root + start)
    c, d = np.ogrid[start:stop, start : width + 1]
    sizes = np.log2(np.abs(float(root * root - p) + (c + d) * float(root) + c * d) + 1)
    missing = math.log2(primes[-1]) + SLACK_BITS
    places: list[list[int]] = (np.argwhere((logs > sizes - missing) & (c <= d)) + start).tolist()
    return places


def _sieve(logs: Any, prime: int, p: int, origin: int) -> None:
    """Add the logarithm of a prime wherever it divides ``(origin + i) * (origin + j) - p``."""
    rows, columns = logs.shape
    starts = _starts(prime, p % prime, origin % prime, rows)
    if prime < STRIDED:
        for i, start in enumerate(starts.tolist()):
            if start >= 0:
                logs[i::prime, start::prime] += math.log2(prime)
    else:
        places = _places(starts, prime, rows, columns)
        logs.reshape(-1)[places] += math.log2(prime)


def _places(starts: Any, prime: int, rows: int, columns: int) -> Any:
    """Return the places of every prime-th number from the start on, in each row."""
    import numpy as np

    first = starts[np.arange(rows) % prime, None]
    within = first + np.arange(0, columns, prime)
    places = within + np.arange(0, rows * columns, columns)[:, None]
    return places[(first >= 0) & (within < columns)]


def _starts(prime: int, product: int, origin: int, rows: int) -> Any:
    """Return for each i below `rows` the least j with (origin + i)(origin + j) = product; -1 if none."""
    import numpy as np

    firsts = (origin + np.arange(min(rows, prime))) % prime
    starts = (_inverses(firsts, prime) * product - origin) % prime
    starts[firsts == 0] = -1
    return starts


def _inverses(values: Any, prime: int) -> Any:
    """Return the inverses, by Fermat's theorem: as the power of the prime less two."""
    found, exponent = values, prime - 2
    for bit in f"{exponent:b}"[1:]:
        found = found * found % prime
        if bit == "1":
            found = found * values % prime
    return found if exponent else values
