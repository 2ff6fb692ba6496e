"""What number theory says no to; each is a `ValueError` that carries the numbers.

::

    ValueError
    └── NotInvertible        a and m have a common divisor
"""

from __future__ import annotations

from pyspeedup.algorithms._integers import shown

__all__ = ["NotInvertible"]


class NotInvertible(ValueError):  # noqa: N818 -- named for the fact, as in the rest of the package
    """`a` has no inverse modulo `m`, because `gcd`, which divides both, is not 1.

    >>> from pyspeedup.algorithms import mod_inverse
    >>> try:
    ...     mod_inverse(6, 9)
    ... except NotInvertible as error:
    ...     print(error)
    ...     print(error.a, error.m, error.gcd)
    6 has no inverse modulo 9: both are divisible by 3
    6 9 3
    """

    def __init__(self, a: int, m: int, gcd: int) -> None:
        """Keep the three numbers."""
        super().__init__(
            f"{shown(a)} has no inverse modulo {shown(m)}: both are divisible by {shown(gcd)}"
        )
        self.a = a
        self.m = m
        self.gcd = gcd

    def __reduce__(self) -> tuple[type[NotInvertible], tuple[int, int, int]]:
        """Travel between processes by the numbers, not by the message."""
        return type(self), (self.a, self.m, self.gcd)
