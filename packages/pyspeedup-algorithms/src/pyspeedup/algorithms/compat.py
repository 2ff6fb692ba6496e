"""The names of 2014, with their arguments in the old order: what was written for them runs.

New programs take the names of `pyspeedup.algorithms` itself; each function here says which. What was wrong is
right now: nothing goes through floats, arguments are not changed, and a function that gave up by never ending
raises or returns None. Where the old one said that there is no answer by None or False, so does this.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pyspeedup.algorithms import factoring, splitting
from pyspeedup.algorithms._integers import to_int
from pyspeedup.algorithms.discrete_log import baby_step_giant_step, discrete_log, pollard_rho_log
from pyspeedup.algorithms.errors import NoDiscreteLog
from pyspeedup.algorithms.linear import rref_mod
from pyspeedup.algorithms.memo import cached as _cached
from pyspeedup.algorithms.modular import gcd, jacobi_symbol, mod_divide, mod_inverse
from pyspeedup.algorithms.orders import primitive_root
from pyspeedup.algorithms.primes import is_prime, next_prime
from pyspeedup.algorithms.probable_primes import (
    is_bpsw_prp,
    is_fermat_prp,
    is_lucas_prp,
    is_strong_prp,
)
from pyspeedup.algorithms.recurrences import fibonacci
from pyspeedup.algorithms.sequences import Primes
from pyspeedup.algorithms.squares import is_square, sqrt_mod

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "BailliePSWPrimalityTest",
    "DiscreteLog",
    "FermatPrimeTest",
    "LucasProbablePrime",
    "Shanks",
    "StrongPrimeTest",
    "cached",
    "certificateOfPrimitivity",
    "discreteLog",
    "divideMod",
    "factor",
    "fermat_factorization",
    "fibonacci",
    "findCertificateOfPrimitivity",
    "gcd",
    "get_factorization",
    "invMod",
    "isSquare",
    "is_prime",
    "jacobi_symbol",
    "load_primes",
    "nextPrime",
    "pollard_p1",
    "pollard_rho",
    "rowReduce",
    "start_seive",
    "stop_seive",
    "tsSquareRoot",
]

# Modular arithmetic -----------------------------------------------------------------------------


def invMod(number: int, modulo: int) -> int:  # noqa: N802 -- the name of 2014
    """Return the inverse of `number` modulo `modulo`: now `mod_inverse`.

    >>> invMod(3, 11)
    4
    """
    return mod_inverse(number, modulo)


def divideMod(numerator: int, denominator: int, modulo: int) -> int:  # noqa: N802 -- likewise
    """Return the quotient modulo `modulo`: now `mod_divide`.

    >>> divideMod(3, 4, 11)
    9
    """
    return mod_divide(numerator, denominator, modulo)


def tsSquareRoot(a: int, p: int) -> int:  # noqa: N802 -- likewise
    """Return a square root of `a` modulo `p`: now `sqrt_mod`; `ValueError` if there is none.

    >>> tsSquareRoot(2, 7)
    3
    """
    return sqrt_mod(a, p)


def isSquare(n: int) -> int | bool:  # noqa: N802 -- likewise
    """Return the root of a square, and False for other numbers: now `is_square` and `isqrt`.

    >>> isSquare(49), isSquare(50), isSquare(-4)
    (7, False, False)
    """
    n = to_int(n, "n")
    return math.isqrt(n) if is_square(n) else False


def rowReduce(lstList: Sequence[Sequence[int]], p: int) -> list[list[int]]:  # noqa: N802, N803 -- likewise
    """Return a matrix with its right side reduced modulo `p`, without rows that say nothing: now `rref_mod`.

    >>> rowReduce([[1, 2, 3], [2, 4, 6], [1, 1, 1]], 7)
    [[1, 0, 6], [0, 1, 2]]
    """
    return [row for row in rref_mod(lstList, p)[0] if any(row[:-1])]


# Discrete logarithms ----------------------------------------------------------------------------


def discreteLog(n: int, a: int, p: int, primes: Iterable[int] = ()) -> int | None:  # noqa: ARG001, N802 -- likewise
    """Return the least m for which `a` to the power m is `n` modulo `p`, None if there is none: now `discrete_log`.

    `primes` are no longer needed.

    >>> discreteLog(9, 2, 11, [2, 3, 5]), discreteLog(3, 2, 7)
    (6, None)
    """
    try:
        return discrete_log(p, n, a)
    except NoDiscreteLog:
        return None


def Shanks(n: int, alpha: int, beta: int) -> int:  # noqa: N802 -- likewise
    """Return the logarithm of `beta` to the base `alpha` modulo `n`: now `baby_step_giant_step`.

    >>> Shanks(11, 2, 9)
    6
    """
    return baby_step_giant_step(n, beta, alpha)


def DiscreteLog(p: int, n: int, alpha: int, beta: int) -> int:  # noqa: N802 -- likewise
    """Return the logarithm of `beta` to the base `alpha`, of order `n`, modulo `p`: now `pollard_rho_log`.

    >>> DiscreteLog(809, 101, 89, 618)
    49
    """
    return pollard_rho_log(p, beta, alpha, order=n)


# Primes -----------------------------------------------------------------------------------------

_sequence: Primes | None = None


def load_primes(location: str | os.PathLike[str]) -> None:
    """Keep the primes that are sieved at `location`, and take up what is there: now ``primes.open(path)``."""
    global _sequence  # noqa: PLW0603 -- the old module was one set of primes, too
    stop_seive()
    _sequence = Primes.open(location)


def start_seive() -> None:
    """Begin to sieve ahead: now the first use of `primes` does."""
    global _sequence  # noqa: PLW0603 -- likewise
    if _sequence is None:
        _sequence = Primes()
    _sequence[0]


def stop_seive() -> None:
    """End the sieving: now ``primes.close()``. Again is harmless."""
    global _sequence  # noqa: PLW0603 -- likewise
    if _sequence is not None:
        _sequence.close()
        _sequence = None


def nextPrime(p: int) -> int:  # noqa: N802 -- likewise
    """Return the least prime above `p`: now `next_prime`.

    >>> nextPrime(13)
    17
    """
    return next_prime(p)


def FermatPrimeTest(n: int, t: int = 2) -> bool:  # noqa: N802 -- likewise
    """Tell whether `n` is a Fermat probable prime to the base `t`: now `is_fermat_prp`.

    >>> FermatPrimeTest(341), FermatPrimeTest(341, 3)
    (True, False)
    """
    return is_fermat_prp(n, t)


def StrongPrimeTest(n: int, t: int = 2) -> bool:  # noqa: N802 -- likewise
    """Tell whether `n` is a strong probable prime to the base `t`: now `is_strong_prp`.

    >>> StrongPrimeTest(2047), StrongPrimeTest(2047, 3)
    (True, False)
    """
    return is_strong_prp(n, t)


def LucasProbablePrime(n: int) -> bool:  # noqa: N802 -- likewise
    """Tell whether `n` is a Lucas probable prime: now `is_lucas_prp`. The old one was empty.

    >>> LucasProbablePrime(323), LucasProbablePrime(325)
    (True, False)
    """
    return is_lucas_prp(n)


def BailliePSWPrimalityTest(n: int) -> bool:  # noqa: N802 -- likewise
    """Tell whether `n` passes the test of Baillie, Pomerance, Selfridge and Wagstaff: now `is_bpsw_prp`.

    >>> BailliePSWPrimalityTest(2**61 - 1)
    True
    """
    return is_bpsw_prp(n)


def certificateOfPrimitivity(number: int, modulo: int) -> tuple[set[int], list[int]]:  # noqa: N802 -- likewise
    """Return the primes of ``modulo - 1``, and `number` to (modulo - 1) / each of them: now `prime_certificate`.

    >>> certificateOfPrimitivity(3, 7)
    ({2, 3}, [6, 2])
    """
    primes = factoring.prime_factors(to_int(modulo, "modulo") - 1)
    return set(primes), [pow(to_int(number, "number"), (modulo - 1) // q, modulo) for q in primes]


def findCertificateOfPrimitivity(p: int) -> tuple[set[int], list[int]]:  # noqa: N802 -- likewise
    """Return `certificateOfPrimitivity` of the least primitive root of the prime `p`: now `prime_certificate`.

    >>> findCertificateOfPrimitivity(7)
    ({2, 3}, [6, 2])
    """
    return certificateOfPrimitivity(primitive_root(p), p)


# Factoring --------------------------------------------------------------------------------------


def factor(N: int) -> list[int]:  # noqa: N803 -- likewise
    """Return the primes of `N`, with -1 first if it is negative, and 0 and 1 as they are: now `factor`.

    >>> factor(360), factor(-7), factor(1), factor(0)
    ([2, 2, 2, 3, 3, 5], [-1, 7], [1], [0])
    """
    n = to_int(N, "N")
    return [n] if n in {0, 1} else factoring.factor(n)


def get_factorization(q: int) -> list[int]:
    """Return the primes of `q`, as `factor` does.

    >>> get_factorization(100)
    [2, 2, 5, 5]
    """
    return factor(q)


def fermat_factorization(N: int) -> list[int] | int:  # noqa: N803 -- likewise
    """Return two divisors by Fermat's method, `N` itself if it is prime or below 3: now `fermat_factor`.

    >>> fermat_factorization(8051), fermat_factorization(97)
    ([83, 97], 97)
    """
    n = to_int(N, "N")
    if n < -1:
        return [-1, -n]
    return n if n < 4 or is_prime(n) else _two_divisors(n, splitting.fermat_factor(n, most_steps=n))  # noqa: PLR2004 -- the first composite


def pollard_rho(N: int) -> list[int] | None:  # noqa: N803 -- likewise
    """Return two divisors of `N`, None if none were found, and what is below 3 as it is: now `pollard_rho`.

    >>> pollard_rho(8051)
    [83, 97]
    """
    return _by(splitting.pollard_rho, N)


def pollard_p1(N: int) -> list[int] | None:  # noqa: N803 -- likewise
    """Return two divisors of `N`, None if none were found, and what is below 3 as it is: now `pollard_pm1`.

    >>> pollard_p1(8051)
    [83, 97]
    """
    return _by(splitting.pollard_pm1, N)


def _by(method: Callable[[int], int | None], number: int) -> list[int] | None:
    n = to_int(number, "N")
    if n <= 2:  # noqa: PLR2004 -- as the old ones had it
        return [n]
    divisor = None if is_prime(n) else method(n)
    return None if divisor is None else _two_divisors(n, divisor)


def _two_divisors(n: int, divisor: int | None) -> list[int]:
    assert divisor is not None  # noqa: S101 -- Fermat's method ends for every composite
    return sorted((divisor, n // divisor))


# A memo -----------------------------------------------------------------------------------------


def cached(numberOfCachedValues: int, popType: str = "random") -> Callable[..., Any]:  # noqa: N803 -- likewise
    """Return a decorator that remembers so many results: now `pyspeedup.algorithms.cached`.

    Whatever `popType` says, what was used least recently is forgotten first: it is worth least.

    >>> @cached(100)
    ... def square(n):
    ...     return n * n
    >>> square(12)
    144
    """
    if popType != "random":
        raise ValueError(f"popType must be 'random', the only one there ever was, not {popType!r}")
    return _cached(numberOfCachedValues)
