"""Single tests that every prime passes and few composites do."""

from __future__ import annotations

import math
from itertools import count

from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.modular import jacobi_symbol

__all__ = ["is_strong_lucas_prp", "is_strong_prp"]


def is_strong_prp(n: int, a: int) -> bool:
    """Tell whether `n` is a strong probable prime to the base `a` (the Miller-Rabin test).

    With ``n - 1 == d * 2**s`` and `d` odd: whether ``a**d`` is 1, or one of its first `s` repeated
    squares is -1, modulo `n`. True for every prime; false for at least 3/4 of the bases of a
    composite. Cost: one modular power, O(digits³).

    Raises `ValueError` if ``n < 1``, or if `a` and `n` have a common divisor.

    >>> is_strong_prp(97, 2), is_strong_prp(91, 2)
    (True, False)
    >>> is_strong_prp(2047, 2), 23 * 89  # the smallest composite that passes to the base 2
    (True, 2047)
    """
    n, a = to_int(n, "n"), to_int(a, "a")
    _check_positive(n)
    if math.gcd(a, n) != 1:
        raise ValueError(f"a must have no divisor in common with n: {shown(a)} and {shown(n)} do")
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    s = _twos(n - 1)
    power = pow(a, (n - 1) >> s, n)
    if power in {1, n - 1}:
        return True
    for _ in range(s - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def is_strong_lucas_prp(n: int) -> bool:
    """Tell whether `n` is a strong Lucas probable prime, with Selfridge's parameters.

    D is the first of 5, -7, 9, -11, ... with ``jacobi_symbol(D, n) == -1``; P is 1, Q is
    ``(1 - D) / 4``. With ``n + 1 == d * 2**s`` and `d` odd: whether U(d), or one of V(d), V(2d), ...,
    V(2**(s-1) d), is 0 modulo `n`. True for every prime. (Baillie and Wagstaff, *Lucas
    Pseudoprimes*, Math. Comp. 35, 1980.) Cost: about three modular powers.

    Raises `ValueError` if ``n < 1``.

    >>> is_strong_lucas_prp(97), is_strong_lucas_prp(91)
    (True, False)
    >>> is_strong_lucas_prp(5459), 53 * 103  # the smallest composite that passes
    (True, 5459)
    """
    n = to_int(n, "n")
    _check_positive(n)
    if n % 2 == 0 or n == 1:
        return n == 2  # noqa: PLR2004 -- the even prime
    discriminant = _selfridge_discriminant(n)
    if discriminant is None:
        return False
    s = _twos(n + 1)
    u, v, q_power = _lucas(n, discriminant, (n + 1) >> s)
    if u == 0 or v == 0:
        return True
    for _ in range(s - 1):
        v = (v * v - 2 * q_power) % n
        if v == 0:
            return True
        q_power = q_power * q_power % n
    return False


def _check_positive(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be positive, not {shown(n)}")


def _twos(n: int) -> int:
    """Count how often 2 divides `n`."""
    return (n & -n).bit_length() - 1


def _selfridge_discriminant(n: int) -> int | None:
    """Find the first of 5, -7, 9, -11, ... with symbol -1; None if `n` turns out composite before."""
    # No discriminant would ever be found for a square.
    if math.isqrt(n) ** 2 == n:
        return None
    candidates = (size if size % 4 == 1 else -size for size in count(5, 2))
    symbols = ((d, jacobi_symbol(d, n)) for d in candidates if d % n)
    discriminant, symbol = next((d, symbol) for d, symbol in symbols if symbol != 1)
    return discriminant if symbol else None


def _lucas(n: int, discriminant: int, k: int) -> tuple[int, int, int]:
    """Compute U(k), V(k) and Q**k modulo the odd `n` for P = 1, by doubling along the bits of `k`."""
    q = (1 - discriminant) // 4
    u, v, q_power = 1, 1, q % n
    for bit in f"{k:b}"[1:]:
        u, v, q_power = u * v % n, (v * v - 2 * q_power) % n, q_power * q_power % n
        if bit == "1":
            u, v = _half(u + v, n), _half(discriminant * u + v, n)
            q_power = q_power * q % n
    return u, v, q_power


def _half(x: int, n: int) -> int:
    """Divide by 2 modulo the odd `n`."""
    return (x + n if x % 2 else x) // 2 % n
