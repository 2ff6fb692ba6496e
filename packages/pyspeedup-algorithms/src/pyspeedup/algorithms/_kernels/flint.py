"""Kernels by python-flint, the Python face of FLINT, each behind what keeps its traps shut.

FLINT ends the whole process where it is asked to divide by what has no inverse: `rref` is only for prime
moduli, and inverses are not taken here. Its factors of zero are none, and those of a negative number
lose the sign, so neither gets here; and those of large numbers are wrong at times, see `factor`.
"""

from __future__ import annotations

from math import gcd, prod
from typing import TYPE_CHECKING, Final

from flint import fmpz, fmpz_mat, fmpz_mod_ctx, fmpz_mod_mat, nmod, nmod_mat
from flint.utils.flint_exceptions import DomainError

from pyspeedup.algorithms._kernels import plain_factoring
from pyspeedup.algorithms._kernels.plain_primality import PROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "factor",
    "fibonacci",
    "is_prime",
    "is_proven_prime",
    "rref",
    "smooth_log",
    "sqrt_mod_prime",
]

WORD: Final = 1 << 64
"""Moduli below it fit into what `nmod` computes with."""
SMALL_PRIMES: Final = (3, 5, 7, 11, 13, 17, 19, 23)
SMALL_PRODUCT: Final = 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23
"""All odd primes whose product is one digit of Python's: a gcd with it costs less than the way to FLINT."""


def is_prime(n: int) -> bool:
    """Tell whether `n`, at least 0, is prime: proven below `PROVEN`, else by Baillie-PSW."""
    if not n & 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    if gcd(n % SMALL_PRODUCT, SMALL_PRODUCT) > 1:
        return n in SMALL_PRIMES
    number = fmpz(n)
    return bool(number.is_prime() if n < PROVEN else number.is_probable_prime())


def is_proven_prime(n: int) -> bool:
    """Tell whether `n`, at least 0, is prime, by proof: to n - 1 and n + 1, or Jacobi sums."""
    return bool(fmpz(n).is_prime())


def fibonacci(n: int) -> int:
    """Return F(n) for `n` from 0."""
    return int(fmpz.fib_ui(n))  # type: ignore[arg-type]  # it takes an int, whatever its stub says


def factor(n: int) -> list[tuple[int, int]]:
    """Return the primes that divide `n`, at least 1, in ascending order, with their powers.

    FLINT's list is taken for hints above 64 bits: it names some primes twice, with a part of their power each,
    and some products of primes as if they were one (FLINT 3.6, of n with repeated primes).
    """
    hints = [(int(prime), power) for prime, power in fmpz(n).factor()]
    if n < WORD and prod(prime**power for prime, power in hints) == n:
        return sorted(hints)
    powers: dict[int, int] = {}
    rest = n
    for hint, _ in hints:
        for prime in [hint] if is_prime(hint) else _primes_of(hint, n):
            while rest % prime == 0:
                powers[prime] = powers.get(prime, 0) + 1
                rest //= prime
    for prime in _primes_of(rest, n):
        powers[prime] = powers.get(prime, 0) + sum(1 for _ in _divisions(rest, prime))
    return sorted(powers.items())


def _primes_of(part: int, n: int) -> list[int]:
    """Return the primes of a part of `n`; of all of it, of which FLINT knows nothing, in plain Python."""
    found = plain_factoring.factor(part) if part == n else factor(part)
    return [prime for prime, _ in found]


def _divisions(n: int, prime: int) -> Iterator[int]:
    """Yield what is left of `n` each time that `prime` has divided it."""
    while n % prime == 0:
        n //= prime
        yield n


def sqrt_mod_prime(a: int, p: int) -> int | None:
    """Return a square root of `a`, in ``range(p)``, modulo the prime `p`; None if there is none."""
    try:
        return int(nmod(a, p).sqrt() if p < WORD else fmpz(a).sqrtmod(p))
    except DomainError:
        return None


def rref(rows: list[list[int]], p: int) -> list[list[int]]:
    """Return the reduced echelon form of a matrix modulo the prime `p`."""
    height, width = len(rows), len(rows[0])
    entries = [entry % p for row in rows for entry in row]
    matrix: nmod_mat | fmpz_mod_mat
    if p < WORD:
        matrix = nmod_mat(height, width, entries, p)
    else:
        matrix = fmpz_mod_mat(fmpz_mat(height, width, entries), fmpz_mod_ctx(p))
    reduced, _ = matrix.rref()
    return [[int(entry) for entry in row] for row in reduced.tolist()]


def smooth_log(p: int, a: int, b: int) -> int | None:
    """Return the least x with ``b**x % p == a``, both from 1, or None; quick where p - 1 is smooth.

    Modulo a prime `p`. Where there is no logarithm FLINT answers something, so the power is looked at;
    and it ends the process where `a` is 0.
    """
    field = fmpz_mod_ctx(p)
    base, target = field(b), field(a)
    x = int(base.discrete_log(target)) if b > 1 else 0
    return x if base**x == target else None
