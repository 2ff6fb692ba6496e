"""Integers that know their factors, against what plain integers say and the definitions."""

import copy
import math
import pickle
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import FactoredInteger, NotPrime
from pyspeedup.algorithms import factored as module

SMALL = st.integers(-3_000, 3_000).filter(bool)
POSITIVE = st.integers(1, 1_500)
LARGE = FactoredInteger.from_factors({2**61 - 1: 2, 2**89 - 1: 1, 3: 5})


def divisors_of(n):
    return [d for d in range(1, abs(n) + 1) if n % d == 0]


def is_right(n):
    """Tell whether the factors are primes, ascending, and multiply to the number."""
    factors = n.factors
    assert list(factors) == sorted(factors)
    assert all(p == -1 or divisors_of(p) == [1, p] for p in factors)
    assert all(type(p) is int and type(power) is int and power > 0 for p, power in factors.items())
    assert math.prod(p**power for p, power in factors.items()) == int(n)
    return True


@given(SMALL)
def test_it_is_the_integer(n):
    one = FactoredInteger(n)
    assert is_right(one)
    assert (one, hash(one), int(one), str(one), f"{one:x}") == (n, hash(n), n, str(n), f"{n:x}")
    assert type(int(one)) is int
    assert {n: "found"}[one] == "found"
    assert (one + 1, one - 1, 7 - one, one % 7, one < n + 1) == (n + 1, n - 1, 7 - n, n % 7, True)
    assert repr(one) == f"FactoredInteger({n})"


@given(SMALL, SMALL)
def test_products_quotients_and_common_divisors_are_those_of_integers(a, b):
    one, other = FactoredInteger(a), FactoredInteger(b)
    for found, expected in (
        (one * other, a * b),
        ((one * other).quotient(other), a),
        ((one * other).quotient(b), a),
        ((one * other) // one, b),
        (one.gcd(other), math.gcd(a, b)),
        (one.gcd(b), math.gcd(a, b)),
        (one.lcm(other), math.lcm(a, b)),
        (one.lcm(b), math.lcm(a, b)),
        (-one, -a),
        (+one, a),
        (abs(one), abs(a)),
    ):
        assert found == expected
        assert type(found) is FactoredInteger
        assert is_right(found)


@given(SMALL, SMALL)
def test_with_a_plain_integer_or_a_rest_the_result_is_plain(a, b):
    one, other = FactoredInteger(a), FactoredInteger(b)
    assert (one * b, b * one, one // b, one // other, divmod(one, other)) == (
        a * b, a * b, a // b, a // b, divmod(a, b),
    )  # fmt: skip
    assert type(one * b) is type(b * one) is type(one // b) is type(one + other) is int
    assert (type(one // other) is int) == (a % b != 0)


@given(SMALL, st.integers(0, 7))
def test_powers_are_those_of_integers(n, k):
    found = FactoredInteger(n) ** k
    assert found == n**k
    assert type(found) is FactoredInteger
    assert is_right(found)


def test_other_powers_are_those_of_plain_integers():
    n = FactoredInteger(12)
    assert (n**-1, pow(n, 5, 7), pow(n, -1, 7), n**0.5, 2**n) == (
        1 / 12, pow(12, 5, 7), pow(12, -1, 7), 12**0.5, 4096,
    )  # fmt: skip
    assert type(2**n) is int
    assert n ** Fraction(1, 2) == 12**0.5


@given(POSITIVE, st.sampled_from([1, -1]))
def test_what_is_made_of_the_divisors_is_as_defined(n, sign):
    one = FactoredInteger(sign * n)
    divisors = divisors_of(n)
    assert one.divisors() == divisors
    assert one.divisor_count() == len(divisors) == one.divisor_sum(0)
    assert one.divisor_sum() == sum(divisors)
    assert one.divisor_sum(3) == sum(d**3 for d in divisors)
    primes = [p for p in divisors if len(divisors_of(p)) == 2]
    assert one.radical() == math.prod(primes)
    squarefree = all(n % (p * p) for p in primes)
    assert one.moebius() == (squarefree and (-1) ** len(primes))


@given(POSITIVE)
def test_the_totient_counts_what_has_no_common_divisor(n):
    assert FactoredInteger(n).totient() == sum(math.gcd(k, n) == 1 for k in range(1, n + 1))


def test_published_values():
    perfect = [6, 28, 496, 8_128, 33_550_336, 8_589_869_056]  # OEIS A000396
    assert all(FactoredInteger(n).divisor_sum() == 2 * n for n in perfect)
    composite = [1, 2, 4, 6, 12, 24, 36, 48, 60, 120, 180, 240, 360, 720, 840]  # OEIS A002182
    counts = [FactoredInteger(n).divisor_count() for n in composite]
    assert all(a < b for a, b in pairwise(counts))
    assert counts[-1] == 32  # OEIS A002183
    carmichael = FactoredInteger(561)
    assert (carmichael.factors, carmichael.totient()) == ({3: 1, 11: 1, 17: 1}, 320)


def test_nothing_is_factored_again(monkeypatch):
    def fail(*_):
        raise AssertionError("it is factored again")

    monkeypatch.setattr(module, "factorint", fail)
    n = FactoredInteger(12, {2: 2, 3: 1})
    huge = LARGE**1_000 * n
    assert huge == int(LARGE) ** 1_000 * 12
    assert huge.factors[2**89 - 1] == 1_000
    assert huge.quotient(LARGE).gcd(n**2) == 36
    assert huge.lcm(n) == huge
    assert LARGE.totient() == (2**61 - 2) * (2**61 - 1) * (2**89 - 2) * 2 * 81
    assert pickle.loads(pickle.dumps(LARGE)).factors == LARGE.factors
    assert repr(huge) == f"FactoredInteger(<an integer of {int(huge).bit_length()} bits>)"


@pytest.mark.parametrize("n", [1, -1, -360, 97, LARGE])
def test_it_travels_and_is_copied_with_its_factors(n):
    one = FactoredInteger(n)
    for found in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert (found, type(found), found.factors) == (one, FactoredInteger, one.factors)


def test_it_is_not_changed():
    n = FactoredInteger(12)
    n.factors[5] = 1
    for change in (
        lambda: setattr(n, "factors", {}),
        lambda: setattr(n, "_powers", {}),
        lambda: setattr(n, "more", 1),
        lambda: delattr(n, "_powers"),
    ):
        with pytest.raises(AttributeError, match="is not changed"):
            change()
    m = n
    m *= FactoredInteger(2)
    assert (n, n.factors, m) == (12, {2: 2, 3: 1}, 24)


def test_factors_may_be_given_in_any_order_and_as_any_integers():
    numpy = pytest.importorskip("numpy")
    n = FactoredInteger.from_factors({numpy.int64(7): True, 2: numpy.uint8(3), 5: 0, -1: 1})
    assert (n, n.factors) == (-56, {-1: 1, 2: 3, 7: 1})
    assert is_right(n)
    assert FactoredInteger.from_factors({}) == 1
    assert FactoredInteger(numpy.int64(12)).factors == {2: 2, 3: 1}


@pytest.mark.parametrize("not_prime", [4, 561, 1, 0, -2, 2_047, 3_215_031_751])
def test_factors_that_are_not_prime_are_refused(not_prime):
    with pytest.raises(NotPrime) as raised:
        FactoredInteger.from_factors({2: 1, not_prime: 1})
    assert raised.value.n == not_prime


def test_what_has_no_answer_is_refused():
    for ask, message in (
        (lambda: FactoredInteger(0), "must not be 0"),
        (lambda: FactoredInteger(12, {2: 1, 3: 1}), "product of the factors is not 12"),
        (lambda: FactoredInteger(0, {}), "product of the factors is not 0"),
        (lambda: FactoredInteger.from_factors({2: -1}), "2 cannot divide -1 times"),
        (lambda: FactoredInteger.from_factors({-1: 2}), "-1 cannot divide 2 times"),
        (lambda: FactoredInteger(12).quotient(5), "5 does not divide 12"),
        (lambda: FactoredInteger(12).quotient(0), "0 does not divide 12"),
        (lambda: FactoredInteger(-12).totient(), "positive number, not -12"),
        (lambda: FactoredInteger(12).divisor_sum(-1), "must not be negative"),
        (lambda: FactoredInteger(12).lcm(0), "must not be 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ask()
    with pytest.raises(ZeroDivisionError):
        FactoredInteger(12) // 0
    assert FactoredInteger(12).gcd(0) == FactoredInteger(12).gcd() == 12


@pytest.mark.parametrize("wrong", [1.0, "12", None, Fraction(12)])
def test_what_is_no_integer_is_refused(wrong):
    n = FactoredInteger(12)
    for ask in (
        lambda: FactoredInteger(wrong),
        lambda: FactoredInteger.from_factors({wrong: 1}),
        lambda: FactoredInteger.from_factors({2: wrong}),
        lambda: n.gcd(wrong),
        lambda: n.lcm(wrong),
        lambda: n.quotient(wrong),
        lambda: n.divisor_sum(wrong),
    ):
        with pytest.raises(TypeError, match="must be an integer"):
            ask()
