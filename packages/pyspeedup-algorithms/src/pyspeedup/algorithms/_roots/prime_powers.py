"""Square roots modulo a prime and its powers, all of them as a few classes modulo a divisor."""

from __future__ import annotations

from typing import Final

from pyspeedup.algorithms import _kernels

__all__ = ["root_mod_prime", "roots_mod_prime_power"]

WORD: Final = 1 << 64
MANY_TWOS: Final = 32
"""If p - 1 is divisible by more, Mueller's method is faster than FLINT's, which is Tonelli's."""


def root_mod_prime(a: int, p: int) -> int | None:
    """Return a square root of `a`, in ``range(p)``, modulo the prime `p`; None if there is none."""
    a %= p
    if p < WORD or a == 0 or (p - 1) & ((2 << MANY_TWOS) - 1):
        return _kernels.sqrt_mod_prime(a, p)
    return _kernels.sqrt_by_mueller(a, p) if _kernels.jacobi(a, p) == 1 else None


def roots_mod_prime_power(a: int, p: int, exponent: int) -> tuple[int, list[int]] | None:
    """Return a modulus and residues: the roots of `a` modulo p**exponent are what leaves one of them.

    There are at most two residues, though there may be many roots: 0 modulo 7**10 has 7**5, which
    are the residue 0 modulo 7**5. None if there is no root.
    """
    a %= p**exponent
    if a == 0:
        return p ** ((exponent + 1) // 2), [0]
    valuation = 0
    while a % p == 0:
        a, valuation = a // p, valuation + 1
    if valuation % 2:
        return None
    found = _roots_of_unit(a, p, exponent - valuation)
    if found is None:
        return None
    scale = p ** (valuation // 2)
    modulus, roots = found
    return scale * modulus, [scale * root for root in roots]


def _roots_of_unit(a: int, p: int, exponent: int) -> tuple[int, list[int]] | None:
    if p == 2:  # noqa: PLR2004 -- the even prime
        return _roots_mod_power_of_two(a, exponent)
    root = root_mod_prime(a, p)
    if root is None:
        return None
    root, modulus = _lift(root, a, p, exponent), p**exponent
    return modulus, [root, modulus - root]


def _lift(root: int, a: int, p: int, exponent: int) -> int:
    """Make a root modulo `p` one modulo p**exponent: Hensel's lemma, twice the digits each time."""
    known = 1
    while known < exponent:
        known = min(2 * known, exponent)
        modulus = p**known
        root = (root - (root * root - a) * int(_kernels.invert(2 * root, modulus))) % modulus
    return root


def _roots_mod_power_of_two(a: int, exponent: int) -> tuple[int, list[int]] | None:
    """Return the roots of the odd `a`: r and -r, also modulo one half, where there are eight units."""
    if a % min(8, 1 << exponent) != 1:
        return None
    if exponent < 3:  # noqa: PLR2004 -- modulo 2 and 4, every odd number is a root of 1
        return 2, [1]
    inverse, known = 1, 3
    while known < exponent:  # Newton's method for 1 / sqrt(a): known digits become 2 known - 2
        known = min(2 * known - 2, exponent)
        inverse = (inverse * (3 - a * inverse * inverse) >> 1) % (1 << known)
    half = 1 << (exponent - 1)
    root = a * inverse % half
    return half, [root, half - root]
