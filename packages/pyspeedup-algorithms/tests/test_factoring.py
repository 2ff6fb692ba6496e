import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import factor, factorint, is_prime


def by_trial(n):
    found, d = [], 2
    while n > 1:
        while n % d == 0:
            found.append(d)
            n //= d
        d += 1
    return found


def test_factor_agrees_with_trial_division():
    for n in range(1, 3_000):
        assert factor(n) == by_trial(n)


@given(st.integers(-(10**15), 10**15).filter(bool))
def test_factors_are_sorted_primes_that_multiply_back(n):
    factors = factor(n)
    assert math.prod(factors) == n
    assert factors == sorted(factors)
    assert all(is_prime(p) or p == -1 for p in factors)
    assert factors.count(-1) == (n < 0)


@given(st.integers(-(10**15), 10**15).filter(bool))
def test_factorint_counts_what_factor_lists(n):
    factors = factor(n)
    assert factorint(n) == {p: factors.count(p) for p in factors}
    assert list(factorint(n)) == sorted(factorint(n))


@pytest.mark.parametrize("p", [1009, 10007, 1_000_003, 2**31 - 1])
@pytest.mark.parametrize("power", [1, 2, 3, 4, 5])
def test_powers_of_primes_above_trial_division(p, power):
    assert factorint(p**power) == {p: power}


FERMAT = {  # OEIS A000215, factored by Euler 1732, Landry 1880
    5: [641, 6700417],
    6: [274177, 67280421310721],
}


@pytest.mark.parametrize(("k", "factors"), FERMAT.items())
def test_fermat_numbers(k, factors):
    assert factor(2 ** (2**k) + 1) == factors


def test_numbers_of_several_large_primes():
    primes = [1009, 1013, 1_000_003, 1_000_033, 2**31 - 1, 2**61 - 1]
    assert factor(math.prod(primes)) == primes
    assert factor(math.prod(primes) * 1009) == [1009, *primes]


def test_a_factorial_holds_each_prime_as_often_as_legendre_says():
    n, expected = 100, {}
    for p in (p for p in range(2, 101) if is_prime(p)):
        expected[p] = sum(n // p**i for i in range(1, 8))
    assert factorint(math.factorial(n)) == expected


def test_units():
    assert (factor(1), factor(-1)) == ([], [-1])
    assert (factorint(1), factorint(-1)) == ({}, {-1: 1})


@pytest.mark.parametrize("function", [factor, factorint])
def test_zero_is_refused(function):
    with pytest.raises(ValueError, match="n must not be 0"):
        function(0)


LARGE_PRIMES = [10007, 65537, 144773, 246271, 1_000_003]


@given(st.dictionaries(st.sampled_from(LARGE_PRIMES), st.integers(1, 4), min_size=1, max_size=4))
def test_products_of_large_primes_come_apart_into_them(powers):
    n = math.prod(p**power for p, power in powers.items())
    assert factorint(n) == dict(sorted(powers.items()))
    assert list(factorint(n)) == sorted(powers)
    assert factor(n) == sorted(p for p, power in powers.items() for _ in range(power))


@pytest.mark.parametrize(
    "powers",
    [  # of each of these FLINT 3.6 names primes twice, a product of primes as one, or no order
        {65537: 3, 10007: 2},
        {144773: 1, 246271: 1},
        {2: 1, 3: 4, 17: 1, 10007: 2, 2**31 - 1: 4},
    ],
)
def test_what_a_library_gets_wrong_is_right(powers):
    n = math.prod(p**power for p, power in powers.items())
    assert list(factorint(n).items()) == sorted(powers.items())


@pytest.mark.parametrize(
    "n", [19379451181049361071, 12797481539541543282867062293615895651377961480102722]
)
def test_numbers_that_came_apart_wrongly_once(n):
    found = factorint(n)
    assert math.prod(p**power for p, power in found.items()) == n
    assert list(found) == sorted(found)
    for p in found:
        assert all(pow(a, p - 1, p) == 1 for a in (2, 3, 5, 7) if p > a), p
        assert math.isqrt(p) ** 2 != p
