"""Integers that know their prime factors, and keep them through products, powers and common divisors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast, overload

from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NotPrime
from pyspeedup.algorithms.factoring import factorint
from pyspeedup.algorithms.primes import is_prime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

__all__ = ["FactoredInteger"]

SIGN: Final = -1


class FactoredInteger(int):
    """The integer `n` with its prime factors: an `int` in all respects, and equal to the plain one.

    The factors are found by `factorint`, or given: `factors` says how often each prime divides `n`,
    with ``-1: 1`` for a negative one, and is checked. Products, exact quotients, powers, `gcd` and
    `lcm` of factored integers are factored integers, at the cost of adding exponents; nothing is
    factored again. With a plain integer, and for all other arithmetic, the result is plain.

    Raises `ValueError` for 0, which has no factorization, and for factors whose product isn't `n`, and
    `NotPrime` for one that is not prime.

    >>> n = FactoredInteger(360)
    >>> n, n == 360, n.factors
    (FactoredInteger(360), True, {2: 3, 3: 2, 5: 1})
    >>> (n**100 * FactoredInteger(7)).factors
    {2: 300, 3: 200, 5: 100, 7: 1}
    >>> n.totient(), n.divisor_count(), n.divisor_sum(), n.gcd(84), n + 1
    (96, 24, 1170, FactoredInteger(12), 361)
    >>> FactoredInteger.from_factors({2**61 - 1: 2, 3: 1}) == 3 * (2**61 - 1) ** 2
    True
    """

    _powers: dict[int, int]

    def __new__(cls, n: int, factors: Mapping[int, int] | None = None) -> Self:
        """Factor, or check the factors; errors as for the class."""
        if factors is None and isinstance(n, FactoredInteger):
            return cls._made(int(n), n.factors)
        n = to_int(n, "n")
        powers = factorint(n) if factors is None else _checked(factors)
        if factors is not None and _product(powers) != n:
            raise ValueError(f"the product of the factors is not {shown(n)}")
        return cls._made(n, powers)

    @classmethod
    def from_factors(cls, factors: Mapping[int, int]) -> Self:
        """Return the product of powers of primes; errors as for the class.

        >>> FactoredInteger.from_factors({5: 1, 2: 2, -1: 1})
        FactoredInteger(-20)
        """
        powers = _checked(factors)
        return cls._made(_product(powers), powers)

    @classmethod
    def _made(cls, n: int, powers: Mapping[int, int]) -> Self:
        self = super().__new__(cls, n)
        object.__setattr__(self, "_powers", dict(sorted(powers.items())))
        return self

    @property
    def factors(self) -> dict[int, int]:
        """How often each prime divides it, in ascending order, with ``-1: 1`` if it is negative."""
        return dict(self._powers)

    def quotient(self, divisor: int) -> Self:
        """Return how often it contains `divisor`, which must divide it, else `ValueError`.

        >>> FactoredInteger(360).quotient(-24)
        FactoredInteger(-15)
        """
        divisor = to_int(divisor, "divisor")
        if divisor == 0 or int(self) % divisor:
            raise ValueError(f"{shown(divisor)} does not divide {shown(int(self))}")
        taken = self._common(divisor)
        powers = {p: power - taken.get(p, 0) for p, power in self._primes()}
        return self._signed(powers, negative=(self < 0) != (divisor < 0))

    def gcd(self, *others: int) -> Self:
        """Return the greatest common divisor with any integers, factored; none of these is.

        >>> FactoredInteger(-360).gcd(84, 0)
        FactoredInteger(12)
        """
        common = dict(self._primes())
        for other in others:
            n = to_int(other, "each of others")
            found = self._common(n) if n else common
            common = {p: min(power, found.get(p, 0)) for p, power in common.items()}
        return self._signed(common, negative=False)

    def lcm(self, *others: int) -> Self:
        """Return the least common multiple with integers other than 0, which are factored if they aren't yet.

        >>> FactoredInteger(360).lcm(FactoredInteger(-84)).factors
        {2: 3, 3: 2, 5: 1, 7: 1}
        """
        powers = dict(self._primes())
        for other in others:
            n = other if isinstance(other, FactoredInteger) else FactoredInteger(other)
            for p, power in n.factors.items():
                powers[p] = max(power, powers.get(p, 0))
        powers.pop(SIGN, None)
        return self._signed(powers, negative=False)

    def divisors(self) -> list[int]:
        """Return all positive divisors, in ascending order: as many as `divisor_count` says.

        >>> FactoredInteger(-12).divisors()
        [1, 2, 3, 4, 6, 12]
        """
        found = [1]
        for p, power in self._primes():
            multiples = found
            for _ in range(power):
                multiples = [p * d for d in multiples]
                found = found + multiples
        return sorted(found)

    def divisor_count(self) -> int:
        """Return how many positive divisors it has.

        >>> FactoredInteger(2**10 * 3).divisor_count()
        22
        """
        return math.prod(power + 1 for _, power in self._primes())

    def divisor_sum(self, exponent: int = 1) -> int:
        """Return the sum of the powers of its positive divisors to an exponent of at least 0.

        >>> FactoredInteger(6).divisor_sum(), FactoredInteger(6).divisor_sum(2)
        (12, 50)
        """
        k = to_int(exponent, "exponent")
        if k < 0:
            raise ValueError(f"exponent must not be negative, and is {shown(k)}")
        if k == 0:
            return self.divisor_count()
        return math.prod((p ** (k * (power + 1)) - 1) // (p**k - 1) for p, power in self._primes())

    def totient(self) -> int:
        """Return Euler's totient: how many of 1 to n have no divisor in common with it.

        `ValueError` if it is negative.

        >>> FactoredInteger(36).totient(), FactoredInteger(1).totient()
        (12, 1)
        """
        if self < 0:
            raise ValueError(f"the totient is that of a positive number, not {shown(int(self))}")
        return math.prod(p ** (power - 1) * (p - 1) for p, power in self._primes())

    def moebius(self) -> int:
        """Return 0 if the square of a prime divides it, else 1 or -1, as its primes are even in number or odd.

        >>> [FactoredInteger(n).moebius() for n in (1, 2, 4, 6, 30)]
        [1, -1, 0, 1, -1]
        """
        powers = [power for _, power in self._primes()]
        return 0 if any(power > 1 for power in powers) else (-1) ** len(powers)

    def radical(self) -> Self:
        """Return the product of the primes that divide it, each once.

        >>> FactoredInteger(-360).radical()
        FactoredInteger(30)
        """
        return self._signed({p: 1 for p, _ in self._primes()}, negative=False)

    @overload
    def __mul__(self, other: FactoredInteger) -> Self: ...
    @overload
    def __mul__(self, other: int) -> int: ...
    def __mul__(self, other: int) -> int:
        """Multiply: a factored integer, if both are."""
        if not isinstance(other, FactoredInteger):
            return super().__mul__(other)
        powers = dict(self._primes())
        for p, power in other.factors.items():
            powers[p] = powers.get(p, 0) + power
        powers.pop(SIGN, None)
        return self._signed(powers, negative=(self < 0) != (other < 0))

    def __floordiv__(self, other: int) -> int:
        """Divide, rounding down: a factored integer, if both are, and nothing is left over."""
        if isinstance(other, FactoredInteger) and int(self) % int(other) == 0:
            return self.quotient(other)
        return super().__floordiv__(other)

    def __pow__(self, exponent: Any, modulus: Any = None) -> Any:
        """Raise to a power: a factored integer, but for negative exponents or with a modulus."""
        if modulus is not None or not hasattr(exponent, "__index__") or exponent < 0:
            return super().__pow__(exponent, modulus)
        k = to_int(exponent, "exponent")
        powers = {p: power * k for p, power in self._primes()}
        return self._signed(powers, negative=self < 0 and k % 2 == 1)

    def __neg__(self) -> Self:
        return self._signed(dict(self._primes()), negative=self > 0)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._signed(dict(self._primes()), negative=False)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a factored integer is not changed: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a factored integer is not changed: {name} cannot be deleted")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(int(self))})"

    def __str__(self) -> str:
        return int.__repr__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel with the factors; where it arrives they are checked, not found again."""
        return type(self), (int(self), self.factors)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _primes(self) -> Iterable[tuple[int, int]]:
        return ((p, power) for p, power in self._powers.items() if p != SIGN)

    def _common(self, n: int) -> dict[int, int]:
        """Return how often each prime of this one divides `n`, at most as often as this."""
        if isinstance(n, FactoredInteger):
            return n.factors
        found = {}
        for p, most in self._primes():
            power = 0
            while power < most and n % p == 0:
                n, power = n // p, power + 1
            found[p] = power
        return found

    def _signed(self, powers: dict[int, int], *, negative: bool) -> Self:
        kept = {p: power for p, power in powers.items() if power}
        if negative:
            kept[SIGN] = 1
        return self._made(_product(kept), kept)


def _product(powers: Mapping[int, int]) -> int:
    return math.prod(p**power for p, power in powers.items())


def _checked(factors: Mapping[int, int]) -> dict[int, int]:
    """Return the factors as plain ints, without those to the power of 0."""
    powers: dict[int, int] = {}
    for key, value in cast("Mapping[object, object]", factors).items():
        p, power = to_int(key, "each prime"), to_int(value, "each power")
        if power < 0 or (p == SIGN and power > 1):
            raise ValueError(f"{shown(p)} cannot divide {shown(power)} times")
        if p != SIGN and not is_prime(p):
            raise NotPrime(p)
        if power:
            powers[p] = power
    return powers
