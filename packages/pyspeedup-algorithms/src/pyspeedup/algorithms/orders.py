"""The multiplicative group modulo a number: orders of its elements, and what generates it."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NotInvertible, NotPrime
from pyspeedup.algorithms.factoring import factorint
from pyspeedup.algorithms.primes import is_prime

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["multiplicative_order", "primitive_root"]


def multiplicative_order(a: int, n: int, factors: Mapping[int, int] | None = None) -> int:
    """Return the least k from 1 on with ``a**k`` equal to 1 modulo `n`.

    `factors`, if given, are the primes of a multiple of the order, with their powers, as `factorint`
    tells them: ``factorint(p - 1)`` for a prime p, or what is known otherwise. It saves factoring.

    Else `n` is factored, and for each prime p that divides it p - 1 (`factorint`, which costs the
    most). Then each prime of that exponent of the group is taken away as often as the power stays 1
    (Cohen 1.4.3): some modular powers for each, O(digits³).

    Raises `NotInvertible`, a `ValueError`, if `a` and `n` have a common divisor, so that no power is
    1; `ValueError` if ``n < 1``, or if `factors` is of no multiple of the order; `NotPrime` if one of
    them is not.

    >>> multiplicative_order(10, 7), multiplicative_order(2, 15), multiplicative_order(5, 1)
    (6, 4, 1)
    >>> multiplicative_order(37, 2**61 - 1, factors=factorint(2**61 - 2))
    2305843009213693950
    """
    a, n = to_int(a, "a"), _positive(n)
    divisor = math.gcd(a, n)
    if divisor != 1:
        raise NotInvertible(a, n, divisor)
    exponent = _exponent(n) if factors is None else _checked(factors, a, n)
    return _order(a % n, n, exponent)


def _order(a: int, n: int, exponent: dict[int, int]) -> int:
    """Return the order of `a`, which divides the product of the prime powers in `exponent`."""
    multiple = math.prod(p**power for p, power in exponent.items())
    order = 1
    for p, power in exponent.items():
        part = _kernels.power(a, multiple // p**power, n)
        while part != 1 % n:
            part, order = _kernels.power(part, p, n), order * p
    return order


def _exponent(n: int) -> dict[int, int]:
    """Return, by primes, the least exponent that makes every unit modulo `n` a 1 (or twice that)."""
    exponent: dict[int, int] = {}
    for p, power in factorint(n).items():
        for q, times in [*factorint(p - 1).items(), (p, power - 1)]:
            exponent[q] = max(exponent.get(q, 0), times)
    return exponent


def _checked(factors: Mapping[int, int], a: int, n: int) -> dict[int, int]:
    exponent = {
        to_int(p, "each prime of factors"): to_int(power, "each power of factors")
        for p, power in factors.items()
    }
    for p, power in exponent.items():
        if not is_prime(p):
            raise NotPrime(p)
        if power < 0:
            raise ValueError(f"factors[{shown(p)}] must not be negative, not {shown(power)}")
    multiple = math.prod(p**power for p, power in exponent.items())
    if _kernels.power(a, multiple, n) != 1 % n:
        raise ValueError(
            f"factors must be of a multiple of the order of {shown(a)} modulo {shown(n)}, which "
            f"their product {shown(multiple)} is not"
        )
    return exponent


def primitive_root(p: int) -> int:
    """Return the least g from 0 on whose powers are all that is prime to `p`, modulo `p`.

    There is one if `p` is 1, 2, 4, a power of an odd prime, or twice that; 0 for 1. The numbers from
    2 on are tried: g is one if no power of it to phi(p) / q, q prime, is 1 (Cohen 1.4.4); the least is
    small. The cost is that of factoring `p` and phi(p).

    Raises `ValueError` if there is none.

    >>> primitive_root(7), primitive_root(9), primitive_root(14), primitive_root(409)
    (3, 2, 3, 21)
    >>> primitive_root(8)
    Traceback (most recent call last):
    ValueError: 8 has no primitive root: it is not 1, 2, 4, a power of an odd prime, or twice one
    """
    n = _positive(p, "p")
    if n <= 4:  # noqa: PLR2004 -- where n - 1 is one
        return n - 1
    prime, power = _odd_prime_power(n)
    phi = prime ** (power - 1) * (prime - 1)
    quotients = [phi // q for q in {*factorint(prime - 1), *([prime] if power > 1 else [])}]
    return next(g for g in count(2) if math.gcd(g, n) == 1 and _generates(g, n, quotients))


def _generates(g: int, n: int, quotients: list[int]) -> bool:
    return all(_kernels.power(g, quotient, n) != 1 for quotient in quotients)


def _odd_prime_power(n: int) -> tuple[int, int]:
    """Return the prime and the power that `n`, from 5 on, or half of it, is."""
    factors = factorint(n // 2 if n % 4 == 2 else n)  # noqa: PLR2004 -- even once
    if len(factors) != 1 or factors.get(2):
        raise ValueError(
            f"{shown(n)} has no primitive root: it is not 1, 2, 4, a power of an odd prime, "
            "or twice one"
        )
    return next(iter(factors.items()))


def _positive(value: int, name: str = "n") -> int:
    n = to_int(value, name)
    if n < 1:
        raise ValueError(f"{name} must be positive, not {shown(n)}")
    return n
