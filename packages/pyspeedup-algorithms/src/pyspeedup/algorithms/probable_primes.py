"""Single tests that every prime passes and few composites do."""

from __future__ import annotations

import math

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int

__all__ = [
    "is_bpsw_prp",
    "is_fermat_prp",
    "is_lucas_prp",
    "is_strong_lucas_prp",
    "is_strong_prp",
]


def is_fermat_prp(n: int, a: int) -> bool:
    """Tell whether `n` is a Fermat probable prime to the base `a`: ``a**(n - 1)`` is 1 modulo `n`.

    True for every prime; 1 is none. A Carmichael number passes to every base that is prime to it.
    Cost: one modular power, O(digits³).

    Raises `ValueError` if ``n < 1``, or if `a` and `n` have a common divisor.

    >>> is_fermat_prp(97, 2), is_fermat_prp(91, 2)
    (True, False)
    >>> is_fermat_prp(341, 2), 11 * 31  # the smallest composite that passes to the base 2
    (True, 341)
    """
    n, a = _checked(n, a)
    return _kernels.power(a, n - 1, n) == 1  # modulo 1 it is 0


def is_strong_prp(n: int, a: int) -> bool:
    """Tell whether `n` is a strong probable prime to the base `a` (the Miller-Rabin test).

    With ``n - 1 == d * 2**s`` and `d` odd: whether ``a**d`` is 1, or one of its first `s` repeated
    squares is -1, modulo `n`. True for every prime; false for at least 3/4 of the bases of a
    composite (M. O. Rabin, 1980). Cost: one modular power, O(digits³).

    Raises `ValueError` if ``n < 1``, or if `a` and `n` have a common divisor.

    >>> is_strong_prp(97, 2), is_strong_prp(91, 2)
    (True, False)
    >>> is_strong_prp(2047, 2), 23 * 89  # the smallest composite that passes to the base 2
    (True, 2047)
    """
    n, a = _checked(n, a)
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    return a == 1 or _kernels.is_strong_prp(n, a)


def is_lucas_prp(n: int) -> bool:
    """Tell whether `n` is a Lucas probable prime, with Selfridge's parameters.

    D is the first of 5, -7, 9, -11, ... with ``jacobi_symbol(D, n) == -1``; P is 1, Q is
    ``(1 - D) / 4``: whether U(n + 1) is 0 modulo `n`. True for every prime. (Baillie and Wagstaff,
    *Lucas Pseudoprimes*, Math. Comp. 35, 1980.) Cost: about three modular powers.

    Raises `ValueError` if ``n < 1``.

    >>> is_lucas_prp(97), is_lucas_prp(91)
    (True, False)
    >>> is_lucas_prp(323), 17 * 19  # the smallest composite that passes
    (True, 323)
    """
    return _kernels.is_lucas_prp(_positive(n))


def is_strong_lucas_prp(n: int) -> bool:
    """Tell whether `n` is a strong Lucas probable prime, with Selfridge's parameters.

    Parameters as for `is_lucas_prp`. With ``n + 1 == d * 2**s`` and `d` odd: whether U(d), or one of
    V(d), V(2d), ..., V(2**(s-1) d), is 0 modulo `n`. True for every prime. (Baillie and Wagstaff,
    *Lucas Pseudoprimes*, Math. Comp. 35, 1980.) Cost: about three modular powers.

    Raises `ValueError` if ``n < 1``.

    >>> is_strong_lucas_prp(97), is_strong_lucas_prp(91)
    (True, False)
    >>> is_strong_lucas_prp(5459), 53 * 103  # the smallest composite that passes
    (True, 5459)
    """
    return _kernels.is_strong_lucas_prp(_positive(n))


def is_bpsw_prp(n: int) -> bool:
    """Tell whether `n` passes the test of Baillie, Pomerance, Selfridge and Wagstaff.

    That is the strong test to the base 2 and the strong Lucas test. True for every prime. Below
    2**64 for nothing else (J. Feitsma's list of pseudoprimes, 2013); above, no composite that
    passes is known, nor has been proven not to exist. Cost: about four modular powers, one for most
    composites.

    Raises `ValueError` if ``n < 1``.

    >>> is_bpsw_prp(2**89 - 1), is_bpsw_prp(2047), is_bpsw_prp(5459)
    (True, False, False)
    """
    n = _positive(n)
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    return _kernels.is_strong_prp(n, 2) and _kernels.is_strong_lucas_prp(n)


def _positive(value: int) -> int:
    n = to_int(value, "n")
    if n < 1:
        raise ValueError(f"n must be positive, not {shown(n)}")
    return n


def _checked(n: int, a: int) -> tuple[int, int]:
    """Return both as integers, with the base below `n`."""
    n, a = _positive(n), to_int(a, "a")
    if math.gcd(a, n) != 1:
        raise ValueError(f"a must have no divisor in common with n: {shown(a)} and {shown(n)} do")
    return n, a % n
