"""Inverses, symbols and square roots modulo a number, in plain Python."""

from __future__ import annotations

from itertools import count
from typing import Final

__all__ = ["gcdext", "invert", "jacobi", "kronecker", "power", "sqrt_by_mueller", "sqrt_mod_prime"]

MANY_TWOS: Final = 12
"""If p - 1 is divisible by as many, the method of Tonelli and Shanks is the slower one."""

power = pow


def smooth_log(p: int, a: int, b: int) -> int | None:  # noqa: ARG001 -- as the kernel in C
    """Return None: there is no short cut here. What it would find is found without it."""
    return None


def invert(a: int, m: int) -> int:
    """Return the inverse of `a`, in ``range(abs(m))``; `ZeroDivisionError` if there is none."""
    if type(a) is not int or type(m) is not int:
        raise TypeError("a and m must be of the type int")
    try:
        return pow(a, -1, abs(m))
    except ValueError:  # what pow raises for both, and gmpy2 does not
        raise ZeroDivisionError("no inverse exists") from None


def gcdext(a: int, b: int) -> tuple[int, int, int]:
    """Return the greatest common divisor, and the factors that combine to it."""
    (g, s, t), (h, u, v) = (abs(a), 1, 0), (abs(b), 0, 1)
    while h:
        q = g // h
        (g, s, t), (h, u, v) = (h, u, v), (g - q * h, s - q * u, t - q * v)
    return g, s * ((a > 0) - (a < 0)), t * ((b > 0) - (b < 0))


def jacobi(a: int, n: int) -> int:
    """Return the Jacobi symbol for a positive `n`, by quadratic reciprocity; `ValueError` if it is even."""
    if type(a) is not int or type(n) is not int:
        raise TypeError("a and n must be of the type int")
    if n % 2 == 0:
        raise ValueError("n must be odd")
    return _jacobi(a, n)


def _jacobi(a: int, n: int) -> int:
    a %= n
    sign = 1
    while a:
        twos = (a & -a).bit_length() - 1
        a >>= twos
        if twos % 2 and n % 8 in {3, 5}:
            sign = -sign
        if a % 4 == 3 and n % 4 == 3:  # noqa: PLR2004 -- residues of the reciprocity law
            sign = -sign
        a, n = n % a, a
    return sign if n == 1 else 0


def kronecker(a: int, n: int) -> int:
    """Return the Kronecker symbol: Jacobi's, continued to all `n`."""
    if n == 0:
        return int(abs(a) == 1)
    sign = -1 if n < 0 and a < 0 else 1
    n = abs(n)
    twos = (n & -n).bit_length() - 1
    if twos and a % 2 == 0:
        return 0
    if twos % 2 and a % 8 in {3, 5}:
        sign = -sign
    return sign * _jacobi(a, n >> twos)


def sqrt_mod_prime(a: int, p: int) -> int | None:
    """Return a square root of `a`, in ``range(p)``, modulo the prime `p`; None if there is none.

    Tonelli and Shanks (Cohen 1.5.1), where p - 1 is divisible by few twos; else Cipolla, as Mueller has it.
    """
    a %= p
    if a == 0 or p == 2:  # noqa: PLR2004 -- the even prime
        return a
    if _jacobi(a, p) != 1:
        return None
    if p % 4 == 3:  # noqa: PLR2004 -- the easy half of all primes
        return pow(a, (p + 1) // 4, p)
    twos = ((p - 1) & -(p - 1)).bit_length() - 1
    # Tonelli and Shanks take twos**2 / 4 products, Mueller one for each of the twos.
    return _tonelli_shanks(a, p, twos) if twos < MANY_TWOS else sqrt_by_mueller(a, p)


def _tonelli_shanks(a: int, p: int, twos: int) -> int:
    odd = (p - 1) >> twos
    nonresidue = next(z for z in count(2) if _jacobi(z, p) == -1)
    z = pow(nonresidue, odd, p)
    root = pow(a, (odd + 1) // 2, p)
    rest = pow(a, odd, p)
    while rest != 1:
        order, square = 0, rest
        while square != 1:
            square = square * square % p
            order += 1
        step = pow(z, 1 << (twos - order - 1), p)
        root, z = root * step % p, step * step % p
        rest, twos = rest * z % p, order
    return root


def sqrt_by_mueller(a: int, p: int) -> int:
    """Return a square root of the residue `a`, not 0, modulo the prime `p` with p % 4 == 1.

    Cipolla's method in the form of S. Mueller, *On the Computation of Square Roots in Finite Fields*
    (Designs, Codes and Cryptography 31, 2004): if a t**2 - 4 is no square, then the square of
    V((p - 1) / 4), of the Lucas sequence with P = a t**2 - 2 and Q = 1, is a t**2. Each two in
    p - 1 costs one product, each other bit two.
    """
    t = next(t for t in count(1) if _jacobi(a * t * t - 4, p) == -1)
    quarter = (p - 1) >> 2
    twos = (quarter & -quarter).bit_length() - 1
    v = first = (a * t * t - 2) % p
    following = (first * first - 2) % p
    for bit in f"{int(quarter >> twos):b}"[1:]:
        product = (v * following - first) % p
        if bit == "1":
            v, following = product, (following * following - 2) % p
        else:
            v, following = (v * v - 2) % p, product
    for _ in range(twos):
        v = (v * v - 2) % p
    return v * pow(t, -1, p) % p
