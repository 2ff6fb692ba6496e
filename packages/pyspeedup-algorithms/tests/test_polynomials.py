"""Polynomials, against what they are: functions that add, multiply and divide pointwise."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import NotInvertible, NotPrime, Polynomial

MODULI = [None, 2, 6, 7, 97, 2**61 - 1]
PRIMES = [2, 3, 5, 61, 67, 101]
coefficients = st.lists(st.integers(-20, 20), max_size=6)
moduli = st.sampled_from(MODULI)
points = st.integers(-50, 50)


def value(terms, x, modulus):
    found = sum(c * x**e for e, c in enumerate(terms))
    return found if modulus is None else found % modulus


@given(coefficients, coefficients, moduli, points)
def test_operations_are_those_of_the_values(one, other, modulus, x):
    p, q = Polynomial(one, modulus), Polynomial(other, modulus)
    a, b = value(one, x, modulus), value(other, x, modulus)
    assert p(x) == a
    for found, expected in (
        (p + q, a + b),
        (p - q, a - b),
        (p * q, a * b),
        (-p, -a),
        (+p, a),
        (p**3, a**3),
        (p + 5, a + 5),
        (5 - p, 5 - a),
        (3 * p, 3 * a),
    ):
        assert found(x) == (expected if modulus is None else expected % modulus)


@given(coefficients, coefficients, moduli)
def test_quotient_and_rest_make_up_what_was_divided(one, other, modulus):
    p, q = Polynomial(one, modulus), Polynomial([*other, 1], modulus)
    quotient, rest = divmod(p, q)
    assert quotient * q + rest == p
    assert rest.degree < q.degree or not rest
    assert (p // q, p % q) == (quotient, rest)


@given(st.lists(st.integers(0, 100), max_size=6), st.sampled_from(PRIMES))
def test_roots_are_where_it_is_zero(terms, p):
    polynomial = Polynomial(terms, p)
    if not polynomial:
        with pytest.raises(ValueError, match="everything is a root"):
            polynomial.roots()
    else:
        assert polynomial.roots() == [x for x in range(p) if value(terms, x, p) == 0]


def test_roots_modulo_a_large_prime():
    p = 2**61 - 1
    x = Polynomial([0, 1], p)
    wanted = [3, 5, 10**9, 10**18]
    polynomial = x**2 + 1  # without roots: p is 3 modulo 4
    for root in wanted:
        polynomial *= x - root
    assert (polynomial * (x - 5)).roots() == wanted


@given(coefficients, coefficients, coefficients, st.sampled_from([5, 101]))
def test_a_common_divisor_divides_both_and_has_every_other(one, other, both, modulus):
    p, q, common = (Polynomial(each, modulus) for each in (one, other, both))
    found = (p * common).gcd(q * common)
    if not found:
        assert not p * common
        assert not q * common
        return
    assert found[found.degree] == 1
    for each in (p * common, q * common):
        assert not each % found
    if common:
        assert not found % common


def test_few_terms_of_high_degree_are_cheap():
    x = Polynomial([0, 1])
    polynomial = x**1_000_000 - 1
    assert dict(polynomial.items()) == {1_000_000: 1, 0: -1}
    assert polynomial(1) == 0
    assert Polynomial({10**12: 3}, modulus=7)(2) == 3 * pow(2, 10**12, 7) % 7


def test_derivatives_follow_the_rule_of_products():
    x = Polynomial([0, 1])
    p, q = 3 * x**4 - x + 2, x**3 + 7
    assert (p * q).derivative() == p.derivative() * q + p * q.derivative()
    assert Polynomial([5]).derivative() == Polynomial()


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ([], "0"),
        ([5], "5"),
        ([-1, 1], "x - 1"),
        ([0, -1, 0, 2], "2 x^3 - x"),
        ([1, 0, -3], "-3 x^2 + 1"),
    ],
)
def test_it_is_shown_as_it_is_written(terms, text):
    assert str(Polynomial(terms)) == text
    assert repr(Polynomial(terms)) == f"Polynomial('{text}')"


def test_equal_ones_are_one_key_and_integers_are_none():
    assert Polynomial([1, 2, 0]) == Polynomial({1: 2, 0: 1})
    assert len({Polynomial([8, 1], 7), Polynomial([1, 1], 7), Polynomial([1, 1])}) == 2
    assert Polynomial([5]) != 5
    assert Polynomial([1, 2], 7) != Polynomial([1, 2])


def test_it_survives_pickling():
    for polynomial in (Polynomial([1, 2, 3]), Polynomial({100: 2}, 7), Polynomial()):
        assert pickle.loads(pickle.dumps(polynomial)) == polynomial


def test_coefficients_and_degree():
    polynomial = Polynomial([5, 0, 7])
    assert (polynomial.degree, polynomial[2], polynomial[1], polynomial[9]) == (2, 7, 0, 0)
    assert list(polynomial) == [5, 0, 7]
    assert (Polynomial().degree, bool(Polynomial()), list(Polynomial())) == (-1, False, [])
    assert Polynomial([3, 6], 7).monic() == Polynomial([4, 1], 7)


def test_what_cannot_be_divided_is_refused():
    x = Polynomial([0, 1])
    with pytest.raises(ZeroDivisionError):
        divmod(x, 0)
    with pytest.raises(ValueError, match="must begin with 1 or -1"):
        divmod(x, 2 * x + 1)
    with pytest.raises(NotInvertible):
        divmod(Polynomial([0, 1], 6), Polynomial([1, 2], 6))
    with pytest.raises(ValueError, match="must not be negative"):
        x**-1


def test_moduli_do_not_mix():
    with pytest.raises(ValueError, match="different moduli"):
        Polynomial([1], 5) + Polynomial([1], 7)


@pytest.mark.parametrize("modulus", [None, 6])
def test_roots_and_divisors_need_a_prime_modulus(modulus):
    polynomial = Polynomial([1, 1], modulus)
    with pytest.raises((ValueError, NotPrime)):
        polynomial.roots()
    with pytest.raises((ValueError, NotPrime)):
        polynomial.gcd(polynomial)


@pytest.mark.parametrize("bad", [[1.0], ["1"], {1.5: 1}, [None]])
def test_coefficients_are_integers(bad):
    with pytest.raises(TypeError, match="must be an integer"):
        Polynomial(bad)


def test_exponents_and_moduli_are_checked():
    with pytest.raises(ValueError, match="exponents must not be negative"):
        Polynomial({-1: 1})
    with pytest.raises(ValueError, match="modulus must be at least 2"):
        Polynomial([1], 1)
    with pytest.raises(TypeError):
        Polynomial([1]) + 1.5


def test_a_polynomial_that_is_a_key_cannot_be_changed():
    polynomial = Polynomial([0, 9])
    with pytest.raises(AttributeError):
        polynomial.modulus = 5
