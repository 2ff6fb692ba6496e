"""Inverses, symbols and square roots modulo a number, in plain Python."""

from __future__ import annotations

from itertools import count

__all__ = ["invert", "jacobi", "kronecker", "power", "sqrt_mod_prime"]

power = pow


def invert(a: int, m: int) -> int:
    """Return the inverse of `a`, in ``range(abs(m))``; `ZeroDivisionError` if there is none."""
    if type(a) is not int or type(m) is not int:
        raise TypeError("a and m must be of the type int")
    try:
        return pow(a, -1, abs(m))
    except ValueError:  # what pow raises for both, and gmpy2 does not
        raise ZeroDivisionError("no inverse exists") from None


def jacobi(a: int, n: int) -> int:
    """Return the Jacobi symbol for an odd positive `n`, by quadratic reciprocity."""
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
    return sign * jacobi(a, n >> twos)


def sqrt_mod_prime(a: int, p: int) -> int | None:
    """Return a square root of `a`, in ``range(p)``, modulo the prime `p`; None if there is none.

    Tonelli and Shanks (Cohen 1.5.1), where p - 1 is divisible by few twos; else Cipolla.
    """
    a %= p
    if a == 0 or p == 2:  # noqa: PLR2004 -- the even prime
        return a
    if jacobi(a, p) != 1:
        return None
    if p % 4 == 3:  # noqa: PLR2004 -- the easy half of all primes
        return pow(a, (p + 1) // 4, p)
    twos = ((p - 1) & -(p - 1)).bit_length() - 1
    # Tonelli and Shanks take twos**2 / 4 products, Cipolla some 4 for each bit of p.
    return _tonelli_shanks(a, p, twos) if twos * twos < 16 * p.bit_length() else cipolla(a, p)


def _tonelli_shanks(a: int, p: int, twos: int) -> int:
    odd = (p - 1) >> twos
    nonresidue = next(z for z in count(2) if jacobi(z, p) == -1)
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


def cipolla(a: int, p: int) -> int:
    """Return a square root of the residue `a` in the field of p**2 elements: M. Cipolla, 1903."""
    b = next(b for b in count() if jacobi(b * b - a, p) == -1)
    square = (b * b - a) % p
    x, y = 1, 0
    for bit in f"{(p + 1) // 2:b}":
        x, y = (x * x + y * y * square) % p, 2 * x * y % p
        if bit == "1":
            x, y = (x * b + y * square) % p, (x + y * b) % p
    return x
