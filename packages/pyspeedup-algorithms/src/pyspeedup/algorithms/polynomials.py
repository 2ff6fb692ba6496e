"""Polynomials in one variable, over the integers or modulo a number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.errors import NotInvertible, NotPrime

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator

__all__ = ["Polynomial"]

SEED: Final = 1729
FEW: Final = 64
"""Modulo a prime up to this, roots are looked for among all there are."""


class Polynomial:
    """A polynomial with integer coefficients, modulo `modulus` if that is given; immutable and hashable.

    Made from the coefficients, that of the constant first, or from a mapping of exponents to coefficients. Only
    what is not 0 is stored, so ``x**1_000_000 - 1`` is two numbers. `+`, `-`, `*`, `**`, `//`, `%` and `divmod` are as in
    algebra; an integer stands for a constant. Division needs a leading coefficient with an inverse: 1 or -1 over
    the integers.

    Raises `TypeError` for coefficients that are no integers, `ValueError` for negative exponents and
    ``modulus < 2``, and where two polynomials of different moduli meet.

    >>> x = Polynomial([0, 1])
    >>> (x + 1) * (x - 1), (x + 1)**3
    (Polynomial('x^2 - 1'), Polynomial('x^3 + 3 x^2 + 3 x + 1'))
    >>> divmod(x**4 - 1, x**2 + 1)
    (Polynomial('x^2 - 1'), Polynomial('0'))
    >>> Polynomial([1, 0, 1], modulus=5).roots()
    [2, 3]
    >>> Polynomial({0: -1, 100: 1})(2) == 2**100 - 1
    True
    """

    __slots__ = ("_modulus", "_terms")

    _terms: dict[int, int]
    """Coefficients by exponent, from the highest down, none of them 0."""
    _modulus: int | None

    def __init__(
        self,
        coefficients: Iterable[int] | Mapping[int, int] = (),
        modulus: int | None = None,
    ) -> None:
        """Take the coefficients, O(terms)."""
        self._modulus = None if modulus is None else _checked_modulus(modulus)
        self._terms = _tidy(dict(_checked_terms(coefficients)), self._modulus)

    @classmethod
    def _of(cls, terms: dict[int, int], modulus: int | None) -> Polynomial:
        made = cls.__new__(cls)
        made._modulus = modulus  # noqa: SLF001 -- a constructor
        made._terms = _tidy(terms, modulus)  # noqa: SLF001 -- a constructor
        return made

    # What it is ---------------------------------------------------------------------------------

    @property
    def modulus(self) -> int | None:
        """What coefficients are reduced by; None over the integers.

        >>> Polynomial([1, 9], modulus=7).modulus
        7
        """
        return self._modulus

    @property
    def degree(self) -> int:
        """The highest exponent; -1 for the polynomial 0.

        >>> Polynomial([1, 2, 3]).degree, Polynomial().degree
        (2, -1)
        """
        return next(iter(self._terms), -1)

    def __getitem__(self, exponent: int) -> int:
        """Return a coefficient, 0 where there is none, O(1).

        >>> Polynomial([5, 0, 7])[2], Polynomial([5])[100]
        (7, 0)
        """
        return self._terms.get(to_int(exponent, "exponent"), 0)

    def items(self) -> ItemsView[int, int]:
        """Return exponents and coefficients that are not 0, from the highest down.

        >>> list(Polynomial([5, 0, 7]).items())
        [(2, 7), (0, 5)]
        """
        return self._terms.items()

    def __iter__(self) -> Iterator[int]:
        """Iterate over all coefficients from that of the constant on, O(degree).

        >>> list(Polynomial({3: 2}))
        [0, 0, 0, 2]
        """
        return (self._terms.get(exponent, 0) for exponent in range(self.degree + 1))

    def __bool__(self) -> bool:
        return bool(self._terms)

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same polynomial modulo the same number; no integer is one."""
        if not isinstance(other, Polynomial):
            return NotImplemented
        return self.modulus == other.modulus and dict(self.items()) == dict(other.items())

    def __hash__(self) -> int:
        return hash((self.modulus, tuple(self.items())))

    def __repr__(self) -> str:
        if self.modulus is None:
            return f"Polynomial('{self}')"
        return f"Polynomial('{self}', modulus={self.modulus})"

    def __str__(self) -> str:
        if not self._terms:
            return "0"
        parts = [_shown_term(coefficient, exponent) for exponent, coefficient in self.items()]
        return " ".join(parts).removeprefix("+ ").replace("- ", "-", parts[0].startswith("- "))

    def __reduce__(self) -> tuple[type[Polynomial], tuple[dict[int, int], int | None]]:
        return type(self), (self._terms, self.modulus)

    # Arithmetic ---------------------------------------------------------------------------------

    def _taken(self, other: object) -> Polynomial | None:
        """Return `other` as a polynomial; None if it is nothing of the kind."""
        if isinstance(other, Polynomial):
            if other.modulus != self.modulus:
                raise ValueError(
                    f"polynomials of different moduli do not mix: {self.modulus} and {other.modulus}"
                )
            return other
        if hasattr(other, "__index__"):
            return self._of({0: to_int(other, "other")}, self.modulus)
        return None

    def __neg__(self) -> Polynomial:
        return self._of({e: -c for e, c in self.items()}, self.modulus)

    def __pos__(self) -> Polynomial:
        return self

    def __add__(self, other: Any) -> Polynomial:
        taken = self._taken(other)
        if taken is None:
            return NotImplemented
        terms = dict(self._terms)
        for exponent, coefficient in taken.items():
            terms[exponent] = terms.get(exponent, 0) + coefficient
        return self._of(terms, self.modulus)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Polynomial:
        taken = self._taken(other)
        return NotImplemented if taken is None else self + -taken

    def __rsub__(self, other: Any) -> Polynomial:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Polynomial:
        taken = self._taken(other)
        if taken is None:
            return NotImplemented
        terms: dict[int, int] = {}
        for e, c in self.items():
            for f, d in taken.items():
                terms[e + f] = terms.get(e + f, 0) + c * d
        return self._of(terms, self.modulus)

    __rmul__ = __mul__

    def __pow__(self, power: int, divisor: Polynomial | None = None) -> Polynomial:
        """Return a power, modulo `divisor` if ``pow`` is given one, by repeated squaring."""
        power = to_int(power, "power")
        if power < 0:
            raise ValueError(f"power must not be negative: {shown(power)}")
        result, base = self._of({0: 1}, self.modulus), self
        while power:
            if power & 1:
                result = _product(result, base, divisor)
            power >>= 1
            if power:
                base = _product(base, base, divisor)
        return result if divisor is None else result % divisor

    def __divmod__(self, other: Any) -> tuple[Polynomial, Polynomial]:
        taken = self._taken(other)
        if taken is None:
            return NotImplemented
        if not taken:
            raise ZeroDivisionError("division of a polynomial by 0")
        inverse = self._inverse(taken._terms[taken.degree])
        quotient: dict[int, int] = {}
        rest, degree = dict(self._terms), taken.degree
        while rest and (highest := max(rest)) >= degree:
            factor = quotient[highest - degree] = self._reduced(rest[highest] * inverse)
            for exponent, coefficient in taken.items():
                place = exponent + highest - degree
                value = self._reduced(rest.get(place, 0) - factor * coefficient)
                if value:
                    rest[place] = value
                else:
                    rest.pop(place, None)
        return self._of(quotient, self.modulus), self._of(rest, self.modulus)

    def __floordiv__(self, other: Any) -> Polynomial:
        found = divmod(self, other) if self._taken(other) is not None else None
        return NotImplemented if found is None else found[0]

    def __mod__(self, other: Any) -> Polynomial:
        found = divmod(self, other) if self._taken(other) is not None else None
        return NotImplemented if found is None else found[1]

    def _reduced(self, value: int) -> int:
        return value if self.modulus is None else value % self.modulus

    def _inverse(self, leading: int) -> int:
        if self.modulus is None:
            if leading not in {1, -1}:
                raise ValueError(
                    f"over the integers the divisor must begin with 1 or -1, not {shown(leading)}"
                )
            return leading
        try:
            return pow(leading, -1, self.modulus)
        except ValueError:
            divisor = math.gcd(leading, self.modulus)
            raise NotInvertible(leading, self.modulus, divisor) from None

    # What is done with it -----------------------------------------------------------------------

    def __call__(self, x: int) -> int:
        """Return its value at `x`, by Horner's rule over the terms there are.

        >>> Polynomial([1, 2, 3])(10), Polynomial([1, 2, 3], modulus=7)(10)
        (321, 6)
        """
        x = to_int(x, "x")
        value, before = 0, self.degree
        for exponent, coefficient in self.items():
            value = self._reduced(value * pow(x, before - exponent, self.modulus) + coefficient)
            before = exponent
        return self._reduced(value * pow(x, max(before, 0), self.modulus))

    def derivative(self) -> Polynomial:
        """Return the derivative, O(terms).

        >>> Polynomial([1, 2, 3]).derivative()
        Polynomial('6 x + 2')
        """
        return self._of({e - 1: e * c for e, c in self.items() if e}, self.modulus)

    def monic(self) -> Polynomial:
        """Return it divided by its leading coefficient; `NotInvertible` if that has no inverse.

        >>> Polynomial([1, 3], modulus=7).monic()
        Polynomial('x + 5', modulus=7)
        """
        return self * self._inverse(self._terms[self.degree]) if self else self

    def gcd(self, other: Polynomial | int) -> Polynomial:
        """Return the greatest common divisor modulo a prime, with 1 as its leading coefficient; Euclid's.

        Raises `NotPrime` unless the modulus is a prime: elsewhere there need not be one.

        >>> x = Polynomial([0, 1], modulus=11)
        >>> ((x - 1) * (x - 2)).gcd((x - 2) * (x - 3))
        Polynomial('x + 9', modulus=11)
        """
        self._check_prime_modulus()
        one, two = self, self._taken(other)
        if two is None:
            raise TypeError(f"other must be a Polynomial or an integer, not {other!r}")
        while two:
            one, two = two, one % two
        return one.monic()

    def _check_prime_modulus(self) -> int:
        if self.modulus is None:
            raise ValueError("this needs a prime modulus, and this polynomial is over the integers")
        if not _kernels.is_prime(self.modulus):
            raise NotPrime(self.modulus)
        return self.modulus

    def roots(self) -> list[int]:
        """Return where it is 0 modulo its prime modulus p, in ascending order, each once.

        The greatest common divisor with ``x**p - x``, split at random by powers of (p - 1) / 2: D. G. Cantor and H.
        Zassenhaus (1981), O(degree**2 log p). `NotPrime` for other moduli, `ValueError` for 0, of which all are roots.

        >>> Polynomial([-1, 0, 0, 0, 1], modulus=13).roots()
        [1, 5, 8, 12]
        >>> Polynomial([1, 0, 1], modulus=7).roots()
        []
        """
        p = self._check_prime_modulus()
        if not self:
            raise ValueError("everything is a root of the polynomial 0")
        if p <= FEW:
            return [x for x in range(p) if self(x) == 0]
        x = self._of({1: 1}, p)
        return sorted(_split_roots(self.gcd(pow(x, p, self) - x), Random(SEED)))  # noqa: S311 -- no secret


def _product(one: Polynomial, other: Polynomial, divisor: Polynomial | None) -> Polynomial:
    product: Polynomial = one * other
    return product if divisor is None else product % divisor


def _split_roots(product: Polynomial, random: Random) -> Iterator[int]:
    """Yield the roots of a product of different linear factors."""
    p = product.modulus
    assert p is not None  # noqa: S101 -- `roots` has looked
    if product.degree == 1:
        yield -product[0] % p
    if product.degree <= 1:
        return
    while True:
        shifted = Polynomial([random.randrange(p), 1], p)
        part = product.gcd(pow(shifted, (p - 1) // 2, product) - 1)
        if 0 < part.degree < product.degree:
            break
    yield from _split_roots(part, random)
    yield from _split_roots(product // part, random)


def _tidy(terms: dict[int, int], modulus: int | None) -> dict[int, int]:
    if modulus is not None:
        terms = {exponent: coefficient % modulus for exponent, coefficient in terms.items()}
    return {
        exponent: terms[exponent] for exponent in sorted(terms, reverse=True) if terms[exponent]
    }


def _checked_terms(coefficients: Any) -> Iterator[tuple[int, int]]:
    named = isinstance(coefficients, Mapping)
    for key, value in coefficients.items() if named else enumerate(coefficients):
        exponent = to_int(key, "an exponent")
        if exponent < 0:
            raise ValueError(f"exponents must not be negative: {shown(exponent)}")
        yield exponent, to_int(value, f"the coefficient of x^{exponent}")


def _checked_modulus(modulus: int) -> int:
    number = to_int(modulus, "modulus")
    if number < 2:  # noqa: PLR2004 -- modulo 1 everything is 0
        raise ValueError(f"modulus must be at least 2, not {shown(number)}")
    return number


def _shown_term(coefficient: int, exponent: int) -> str:
    sign, size = ("-", -coefficient) if coefficient < 0 else ("+", coefficient)
    power = "" if exponent == 0 else "x" if exponent == 1 else f"x^{exponent}"
    number = "" if size == 1 and power else shown(size)
    return f"{sign} {number}{' ' if number and power else ''}{power}"
