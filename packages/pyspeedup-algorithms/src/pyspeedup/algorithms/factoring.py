"""Integers taken apart into primes."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain, count

from pyspeedup.algorithms._integers import to_int
from pyspeedup.algorithms.primes import is_prime

__all__ = ["factor", "factorint"]

TRIAL_LIMIT = 1_000
STEPS_PER_GCD = 128


def factor(n: int) -> list[int]:
    """Return the primes whose product is `n`, in ascending order, each as often as it divides.

    A negative `n` has -1 in front; 1 has no factors. Method, cost and errors as for `factorint`.

    >>> factor(360)
    [2, 2, 2, 3, 3, 5]
    >>> factor(-12), factor(1)
    ([-1, 2, 2, 3], [])
    """
    return list(chain.from_iterable([p] * power for p, power in factorint(n).items()))


def factorint(n: int) -> dict[int, int]:
    """Return the primes that divide `n`, in ascending order, and how often each does.

    A negative `n` has ``-1: 1`` too, so that the product is `n` always; 1 gives an empty dict.

    Trial division below 1,000, then Pollard's rho method as Brent improved it (BIT 20, 1980): about
    the square root of the second largest prime factor in steps, so fourth-root of `n` at worst.
    Instant up to 64 bits, seconds at 25 digits of two equal halves, hopeless from 40 on.

    Raises `ValueError` for 0, which every prime divides.

    >>> factorint(360)
    {2: 3, 3: 2, 5: 1}
    >>> factorint(2**67 - 1)  # "three years of Sundays": F. N. Cole, 1903
    {193707721: 1, 761838257287: 1}
    >>> factorint(-12), factorint(1)
    ({-1: 1, 2: 2, 3: 1}, {})
    """
    n = to_int(n, "n")
    if n == 0:
        raise ValueError("n must not be 0: it is divisible by every prime")
    powers = Counter({-1: 1} if n < 0 else ())
    cofactor = _divide_out_small(abs(n), powers)
    _split(cofactor, powers)
    return dict(sorted(powers.items()))


def _divide_out_small(n: int, powers: Counter[int]) -> int:
    for p in chain((2,), range(3, TRIAL_LIMIT, 2)):
        # A composite p never divides: its primes are gone by then.
        while n % p == 0:
            powers[p] += 1
            n //= p
        if p * p > n:
            break
    return n


def _split(n: int, powers: Counter[int]) -> None:
    """Count the prime factors of `n`, all of them above the limit of trial division."""
    unsplit = [n] if n > 1 else []
    while unsplit:
        n = unsplit.pop()
        if is_prime(n):
            powers[n] += 1
        else:
            divisor = _proper_divisor(n)
            unsplit += [divisor, n // divisor]


def _proper_divisor(n: int) -> int:
    """Find a divisor of the composite `n` other than 1 and `n`."""
    return next(divisor for c in count(1) if (divisor := _rho(n, c)) < n)


def _rho(n: int, c: int) -> int:
    """Find a divisor above 1 by the walk y -> y*y + c: `n` itself where that walk is of no use."""
    y, length, divisor = 2, 1, 1
    while divisor == 1:
        y, divisor = _stretch(y, c, n, length)
        length *= 2
    return divisor


def _stretch(x: int, c: int, n: int, length: int) -> tuple[int, int]:
    """Take `length` steps from `x`; return where that leads, and a divisor that `x` has revealed."""
    y, divisor = x, 1
    for done in range(0, length, STEPS_PER_GCD):
        checkpoint = y
        y, product = _walk(x, y, c, n, min(STEPS_PER_GCD, length - done))
        divisor = math.gcd(product, n)
        if divisor > 1:
            # Several primes of n may have fallen together: one step at a time tells them apart.
            return y, divisor if divisor < n else _slow_walk(x, checkpoint, c, n)
    return y, divisor


def _walk(x: int, y: int, c: int, n: int, steps: int) -> tuple[int, int]:
    """Take `steps` from `y`; return where that leads and the product of all distances from `x`."""
    product = 1
    for _ in range(steps):
        y = (y * y + c) % n
        product = product * (x - y) % n
    return y, product


def _slow_walk(x: int, y: int, c: int, n: int) -> int:
    """Find the first divisor above 1 from `y` on: the same steps again, one gcd each."""
    divisor = 1
    while divisor == 1:
        y = (y * y + c) % n
        divisor = math.gcd(x - y, n)
    return divisor
