"""The numbers that all contenders are given, the same in each run; made without any of them."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 1729
SMALL = 1000
WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
"""Strong tests to these prove primes below 3.1 * 10**23, and show larger ones well enough to choose by."""


def integers(bits: int, count: int, *, odd: bool = False) -> list[int]:
    """Return random integers of up to `bits` bits, none of them 0, the same for the same arguments."""
    source = _source(f"integers {bits}")
    return [source.getrandbits(bits) | odd or 1 for _ in range(count)]


def primes(bits: int, count: int) -> list[int]:
    """Return random primes of just `bits` bits."""
    source = _source(f"primes {bits}")
    low, high = 1 << (bits - 1), 1 << bits
    return [_prime_in(low, high, source) for _ in range(count)]


def semiprimes(digits: int, count: int) -> list[int]:
    """Return products, of just so many digits, of two primes of half the digits each."""
    source = _source(f"semiprimes {digits}")
    halves = digits // 2, digits - digits // 2
    found: list[int] = []
    while len(found) < count:
        p, q = (_prime_in(10 ** (half - 1), 10**half, source) for half in halves)
        if p * q >= 10 ** (digits - 1):
            found.append(p * q)
    return found


def safe_primes(bits: int, count: int) -> list[int]:
    """Return primes p of just `bits` bits for which (p - 1) / 2 is prime too."""
    source = _source(f"safe {bits}")
    halves = iter(lambda: _prime_in(1 << (bits - 2), 1 << (bits - 1), source), 0)
    safe = (2 * q + 1 for q in halves if is_prime(2 * q + 1))
    return [p for _, p in zip(range(count), safe, strict=False)]


def smooth_primes(bits: int, count: int) -> list[int]:
    """Return primes p of just `bits` bits for which p - 1 has no prime factor above 1,000."""
    source = _source(f"smooth {bits}")
    small = [p for p in range(3, SMALL) if is_prime(p)]
    found: list[int] = []
    while len(found) < count:
        n = 2
        while n.bit_length() < bits:
            n *= source.choice(small)
        if n.bit_length() == bits and is_prime(n + 1):
            found.append(n + 1)
    return found


def primitive_root(p: int) -> int:
    """Return the least primitive root of a prime p for which p - 1 has at most one large prime factor."""
    divisors = _prime_divisors(p - 1)
    return next(g for g in count(2) if all(pow(g, (p - 1) // q, p) != 1 for q in divisors))


def _prime_divisors(n: int) -> list[int]:
    found = [p for p in range(2, SMALL) if n % p == 0 and is_prime(p)]
    for p in found:
        while n % p == 0:
            n //= p
    return found + [n] * (n > 1)


def is_prime(n: int) -> bool:
    """Tell whether `n` passes strong tests to the first twelve primes."""
    if n <= WITNESSES[-1] or any(n % p == 0 for p in WITNESSES):
        return n in WITNESSES
    twos = (n - 1 & 1 - n).bit_length() - 1
    return all(_passes(n, a, twos) for a in WITNESSES)


def _passes(n: int, a: int, twos: int) -> bool:
    power = pow(a, n - 1 >> twos, n)
    return power == 1 or any(pow(power, 1 << k, n) == n - 1 for k in range(twos))


def sieved(limit: int) -> bytearray:
    """Return, for each number below `limit`, 1 where it is prime: by Eratosthenes."""
    flags = bytearray([1]) * limit
    flags[:2] = bytes(2)
    for n in range(2, int(limit**0.5) + 1):
        if flags[n]:
            flags[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return flags


def _prime_in(low: int, high: int, source: random.Random) -> int:
    return next(n for n in _odd(low, high, source) if is_prime(n))


def _odd(low: int, high: int, source: random.Random) -> Iterator[int]:
    while True:
        yield source.randrange(low, high) | 1


def _source(what: str) -> random.Random:
    return random.Random(f"{SEED} {what}")  # noqa: S311 -- numbers to measure by are no secret
