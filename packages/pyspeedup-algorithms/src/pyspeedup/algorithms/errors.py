"""What number theory says no to; each carries the numbers, and travels between processes with them.

::

    ValueError
    ├── DamagedFile          a file of primes or factors is not what was written
    ├── NotInvertible        a and m have a common divisor
    ├── NoSquareRoot         a is no square modulo n
    ├── NoDiscreteLog        no power of b is a modulo n
    ├── NoSolution           a system of equations has none modulo n
    ├── NotFactored          every method that was named has given up on n
    └── NotPrime             n is composite where a prime is needed
    TimeoutError
    └── FactorTimeout        n could not be taken apart in the time given
"""

from __future__ import annotations

from typing import Any

from pyspeedup.algorithms._integers import shown

__all__ = [
    "FactorTimeout",
    "NoDiscreteLog",
    "NoSolution",
    "NoSquareRoot",
    "NotFactored",
    "NotInvertible",
    "NotPrime",
]


class DamagedFile(ValueError):  # noqa: N818 -- named for the fact, as in the rest of the package
    """The file at `path` is not what was written, so nothing in it is used: take it away.

    >>> str(DamagedFile("primes.bin", "its end is missing"))
    'primes.bin is damaged: its end is missing; take it away, and it is made anew'
    """

    def __init__(self, path: str, reason: str) -> None:
        """Keep both."""
        super().__init__(f"{path} is damaged: {reason}; take it away, and it is made anew")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[DamagedFile], tuple[str, str]]:
        """Travel by what is known."""
        return type(self), (self.path, self.reason)


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


class NoSquareRoot(ValueError):  # noqa: N818 -- likewise
    """No square leaves the same remainder as `a` modulo `n`.

    >>> str(NoSquareRoot(3, 7))
    '3 is not the square of anything modulo 7'
    """

    def __init__(self, a: int, n: int) -> None:
        """Keep both numbers."""
        super().__init__(f"{shown(a)} is not the square of anything modulo {shown(n)}")
        self.a = a
        self.n = n

    def __reduce__(self) -> tuple[type[NoSquareRoot], tuple[int, int]]:
        """Travel by the numbers."""
        return type(self), (self.a, self.n)


class NoDiscreteLog(ValueError):  # noqa: N818 -- likewise
    """No power of `b` leaves the same remainder as `a` modulo `n`.

    >>> str(NoDiscreteLog(7, 3, 2))
    '3 is no power of 2 modulo 7'
    """

    def __init__(self, n: int, a: int, b: int) -> None:
        """Keep the three numbers, in the order of `discrete_log`."""
        super().__init__(f"{shown(a)} is no power of {shown(b)} modulo {shown(n)}")
        self.n = n
        self.a = a
        self.b = b

    def __reduce__(self) -> tuple[type[NoDiscreteLog], tuple[int, int, int]]:
        """Travel by the numbers."""
        return type(self), (self.n, self.a, self.b)


class NoSolution(ValueError):  # noqa: N818 -- likewise
    """A system of linear equations contradicts itself modulo `n`.

    >>> str(NoSolution(6))
    'the equations have no solution modulo 6'
    """

    def __init__(self, n: int) -> None:
        """Keep the modulus."""
        super().__init__(f"the equations have no solution modulo {shown(n)}")
        self.n = n

    def __reduce__(self) -> tuple[type[NoSolution], tuple[int]]:
        """Travel by the number."""
        return type(self), (self.n,)


class NotPrime(ValueError):  # noqa: N818 -- likewise
    """`n` is composite, or below 2, where a prime is needed.

    >>> str(NotPrime(91))
    '91 is not prime'
    """

    def __init__(self, n: int) -> None:
        """Keep the number."""
        super().__init__(f"{shown(n)} is not prime")
        self.n = n

    def __reduce__(self) -> tuple[type[NotPrime], tuple[int]]:
        """Travel by the number."""
        return type(self), (self.n,)


class NotFactored(ValueError):  # noqa: N818 -- likewise
    """Every method that was named has given up on `n`: `found` holds the primes found, `cofactor` what is left.

    >>> str(NotFactored(8051, {}, 8051, ("pollard_pm1",)))
    'of 8051 the composite 8051 is left: pollard_pm1 found no divisor; name more methods'
    """

    def __init__(
        self, n: int, found: dict[int, int], cofactor: int, methods: tuple[str, ...]
    ) -> None:
        """Keep what was found."""
        super().__init__(
            f"of {shown(n)} the composite {shown(cofactor)} is left: "
            f"{', '.join(methods)} found no divisor; name more methods"
        )
        self.n = n
        self.found = found
        self.cofactor = cofactor
        self.methods = methods

    def __reduce__(self) -> tuple[type[NotFactored], tuple[Any, ...]]:
        """Travel by what was found."""
        return type(self), (self.n, self.found, self.cofactor, self.methods)


class FactorTimeout(TimeoutError):  # noqa: N818 -- likewise
    """`n` was not taken apart in time: `found` holds the primes that were, `cofactor` what is left.

    The product of the primes found, to their powers, and the cofactor is `n`.

    >>> error = FactorTimeout(21 * (2**401 - 1), {3: 1, 7: 1}, 2**401 - 1, 1.5)
    >>> error.found
    {3: 1, 7: 1}
    """

    def __init__(self, n: int, found: dict[int, int], cofactor: int, seconds: float) -> None:
        """Keep what was found."""
        super().__init__(
            f"{shown(n)} was not factored within {seconds:g} s: "
            f"a composite of {cofactor.bit_length()} bits is left"
        )
        self.n = n
        self.found = found
        self.cofactor = cofactor
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[FactorTimeout], tuple[Any, ...]]:
        """Travel by what was found."""
        return type(self), (self.n, self.found, self.cofactor, self.seconds)
