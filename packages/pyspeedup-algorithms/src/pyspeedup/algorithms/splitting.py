"""Methods that find one divisor of a composite, each by itself and honest about giving up.

`factor` chooses among them, or has them race. Here they are to be learnt from, compared, and used where it is
known what kind of divisor there is. Each returns a divisor other than 1 and `n`, or None if it has given up.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms._kernels.plain_squares import root_of_power
from pyspeedup.algorithms._splitting import rho

__all__ = ["ecm", "fermat_factor", "pollard_pm1", "pollard_rho", "siqs"]

SEED: Final = 1729
"""So that the same call does the same."""
TRIAL_BITS: Final = 40
"""Below it the sieve has no room, and dividing takes no time."""
CURVES: Final = ((2_000, 30), (11_000, 90), (50_000, 250), (250_000, 500))
"""Bounds of the first stage and how many curves they are worth: for primes of 15, 20, 25 and 30 digits."""
STRETCH: Final = 50
"""The second stage goes so many times as far as the first."""


def fermat_factor(n: int, *, most_steps: int = 1_000_000) -> int | None:
    """Find a divisor of the composite `n` near its square root, by writing it as a difference of squares.

    Fermat, 1643: the least a from the root of `n` up for which ``a*a - n`` is a square. It takes about
    ``(p - q)**2 / (8 * sqrt(n))`` steps, so it is instant for two primes that begin with the same half of
    their digits, and hopeless for others: then None after `most_steps`, 0.3 us each.

    `ValueError` for a prime and for ``n < 4``.

    >>> fermat_factor(8051)
    83
    >>> fermat_factor(3 * (10**15 + 37), most_steps=1000) is None
    True
    """
    n = _checked_composite(n)
    if n % 2 == 0:
        return 2
    root = math.isqrt(n - 1) + 1
    for a in range(root, root + _checked_bound(most_steps, "most_steps")):
        square = a * a - n
        if _kernels.is_square(square):
            divisor = a - math.isqrt(square)
            return divisor if divisor > 1 else None
    return None


def pollard_rho(n: int, *, most_steps: int = 1 << 24) -> int | None:
    """Find a divisor of the composite `n`, in about the root of its smallest prime in steps.

    J. M. Pollard, BIT 15 (1975), as R. P. Brent improved it, BIT 20 (1980): 0.3 us a step; so
    primes of 8 digits in milliseconds, of 12 in a second. None after `most_steps`.

    `ValueError` for a prime and for ``n < 4``.

    >>> pollard_rho(193707721 * 761838257287)
    193707721
    """
    n = _checked_composite(n)
    if n % 2 == 0:
        return 2
    left = _checked_bound(most_steps, "most_steps")
    for c in range(1, n):
        divisor = rho.find_divisor(n, c, left)
        if divisor is None or divisor < n:
            return divisor
        left = max(1, left // 2)  # all its primes fell together; that walk was short
    return None


def pollard_pm1(n: int, *, bound: int = 100_000, second_bound: int | None = None) -> int | None:
    """Find a prime p of the composite `n` of which ``p - 1`` has only primes up to `bound`, but for one more.

    J. M. Pollard, *Theorems on factorization and primality testing* (1974). The one more may be up to
    `second_bound`, 50 times `bound` unless given. It takes about 1.4 `bound` squarings, and a product for each
    prime beyond; None if there is no such p, or all primes of `n` are such and fall together.

    `ValueError` for a prime and for ``n < 4``.

    >>> p = 2 * 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 40037 + 1
    >>> pollard_pm1(p * (2**89 - 1), bound=100, second_bound=50_000) == p
    True
    >>> pollard_pm1(1000003 * 1000000007, bound=20) is None
    True
    """
    from pyspeedup.algorithms._splitting import pm1
    from pyspeedup.algorithms.sieve import primes_between

    n = _checked_composite(n)
    if n % 2 == 0:
        return 2
    first = max(3, _checked_bound(bound, "bound"))
    second = STRETCH * first if second_bound is None else to_int(second_bound, "second_bound")
    return pm1.find_divisor(n, primes_between(2, max(first, second) + 1).tolist(), first)


def ecm(n: int, *, bound: int | None = None, curves: int | None = None) -> int | None:
    """Find a divisor of the composite `n`, in a time that grows with its smallest prime, not with `n`.

    H. W. Lenstra, *Factoring integers with elliptic curves*, Ann. Math. 126 (1987), in the form of P. L.
    Montgomery (1987) with H. Suyama's curves and a second stage. Each of `curves` has a chance that the number of
    its points has only primes up to `bound`, but for one more up to 50 times that. Unless given they grow, through what
    suits primes of 15 digits (30 curves up to 2,000: a second), 20, 25 and 30 digits (many minutes). None after that.
    The curves are the same each time.

    `ValueError` for a prime and for ``n < 4``.

    >>> ecm((10**9 + 7) * (2**107 - 1))
    1000000007
    """
    from pyspeedup.algorithms._splitting import ecm as method
    from pyspeedup.algorithms.sieve import primes_between

    n, schedule = _checked_composite(n), _schedule(bound, curves)
    easy = _small_divisor(n) or root_of_power(n)  # of which no curve tells the parts apart
    if easy is not None:
        return easy
    random = Random(SEED)  # noqa: S311 -- curves are no secret
    for first, tries in schedule:
        primes = primes_between(2, STRETCH * first + 1).tolist()
        for _ in range(tries):
            divisor = method.find_divisor(n, primes, first, random)
            if divisor is not None:
                return divisor
    return None


def _schedule(bound: int | None, curves: int | None) -> list[tuple[int, int]]:
    """Return bounds of the first stage, and how many curves to try with each."""
    if bound is None and curves is None:
        return list(CURVES)
    first = CURVES[0][0] if bound is None else max(10, _checked_bound(bound, "bound"))
    usual = next((tries for b, tries in CURVES if b >= first), CURVES[-1][1])
    return [(first, usual if curves is None else _checked_bound(curves, "curves"))]


def siqs(n: int) -> int | None:
    """Find a divisor of the composite `n`, in a time that grows with `n` alone: for two large primes.

    The self-initialising quadratic sieve (C. Pomerance 1981, S. P. Contini 1997), sieved by numpy: 40 digits in
    0.5 s, 50 in 5 s, 60 in a minute and a half. None where it finds only trivial divisors.

    `ValueError` for a prime and for ``n < 4``.

    >>> siqs((10**15 + 37) * (10**16 + 61)) in {10**15 + 37, 10**16 + 61}
    True
    """
    from pyspeedup.algorithms._splitting import siqs as method

    n = _checked_composite(n)
    easy = _small_divisor(n) or root_of_power(n)
    if easy is not None:
        return easy
    return method.find_divisor(n, Random(SEED))  # noqa: S311 -- polynomials are no secret


def _small_divisor(n: int) -> int | None:
    """Return the least prime that divides `n`, if that is small; every one is where `n` is."""
    most = min(math.isqrt(n), 1 << (TRIAL_BITS // 2 if n.bit_length() <= TRIAL_BITS else 11))
    return next((p for p in (2, *range(3, most + 1, 2)) if n % p == 0), None)


def _checked_composite(n: int) -> int:
    n = to_int(n, "n")
    if n < 4:  # noqa: PLR2004 -- the first composite
        raise ValueError(f"n must be a composite, not {shown(n)}")
    if _kernels.is_prime(n):
        raise ValueError(f"n must be a composite: {shown(n)} is prime, and has no proper divisor")
    return n


def _checked_bound(value: int, name: str) -> int:
    number = to_int(value, name)
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {shown(number)}")
    return number
