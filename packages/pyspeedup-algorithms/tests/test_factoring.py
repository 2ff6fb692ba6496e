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
