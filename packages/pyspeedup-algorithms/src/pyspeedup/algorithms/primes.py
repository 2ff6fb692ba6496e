"""Which integers are prime."""

from __future__ import annotations

from bisect import bisect_right

from pyspeedup.algorithms._integers import to_int
from pyspeedup.algorithms.probable_primes import is_strong_lucas_prp, is_strong_prp

__all__ = ["is_prime"]

SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)

# The smallest composite that passes to all of the first k primes, with that k (OEIS A014233).
# By Pomerance, Selfridge and Wagstaff (1980), Jaeschke (1993), Jiang and Deng (2014), and Sorenson
# and Webster (2015).
FIRST_FAILURES = (
    (2_047, 1),
    (1_373_653, 2),
    (25_326_001, 3),
    (3_215_031_751, 4),
    (2_152_302_898_747, 5),
    (3_474_749_660_383, 6),
    (341_550_071_728_321, 7),
    (3_825_123_056_546_413_051, 9),
    (318_665_857_834_031_151_167_461, 12),
    (3_317_044_064_679_887_385_961_981, 13),
)
LIMITS = tuple(limit for limit, _ in FIRST_FAILURES)


def is_prime(n: int) -> bool:
    """Tell whether `n` is prime; numbers below 2 are not.

    Proven below 3,317,044,064,679,887,385,961,981, by strong tests to as many of the first 13 primes
    as are known to leave no composite. From there on the Baillie-PSW test: no composite that passes
    it is known, nor has been proven not to exist. The same `n` gives the same answer always.

    Cost: at most 13 modular powers below that limit, the price of about four above; O(digits³).

    >>> is_prime(97), is_prime(91), is_prime(-7)
    (True, False, False)
    >>> is_prime(561)  # a Carmichael number: a Fermat test takes it for a prime
    False
    >>> is_prime(2**127 - 1), is_prime(2**128 + 1)
    (True, False)
    """
    n = to_int(n, "n")
    for p in SMALL_PRIMES:
        if n % p == 0:
            return n == p
    if n < SMALL_PRIMES[-1] ** 2:
        return n > 1
    if n >= LIMITS[-1]:
        return is_strong_prp(n, 2) and is_strong_lucas_prp(n)
    bases = FIRST_FAILURES[bisect_right(LIMITS, n)][1]
    return all(is_strong_prp(n, p) for p in SMALL_PRIMES[:bases])
