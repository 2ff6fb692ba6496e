"""Residues modulo coprime numbers, joined: the least of all combinations, or all of them."""

from __future__ import annotations

import math
from bisect import bisect_left

__all__ = ["all_joined", "least_joined"]

Part = tuple[int, list[int]]


def all_joined(parts: list[Part], n: int) -> list[int]:
    """Return what in ``range(n)`` leaves, for each modulus, one of its residues, in ascending order."""
    modulus = math.prod(m for m, _ in parts)
    joined = _sums(parts, modulus)
    return [start + residue for start in range(0, n, modulus) for residue in joined]


def least_joined(parts: list[Part]) -> int:
    """Return the least number from 0 on that leaves, for each modulus, one of its residues.

    Two to the number of moduli combine; sums of two halves of the moduli, one of them sorted, show
    the least in the square root of that.
    """
    modulus = math.prod(m for m, _ in parts)
    some, others = _sums(parts[::2], modulus), _sums(parts[1::2], modulus)
    return min(_least_sum(one, others, modulus) for one in some)


def _least_sum(one: int, others: list[int], modulus: int) -> int:
    """Return the least of ``(one + other) % modulus``, the others being sorted."""
    position = bisect_left(others, modulus - one)
    return one + (others[position] - modulus if position < len(others) else others[0])


def _sums(parts: list[Part], modulus: int) -> list[int]:
    """Return, sorted, the combinations of some parts that are 0 modulo all other moduli."""
    sums = [0]
    for m, residues in parts:
        rest = modulus // m
        basis = rest * pow(rest, -1, m)
        sums = [(total + residue * basis) % modulus for total in sums for residue in residues]
    return sorted(sums)
