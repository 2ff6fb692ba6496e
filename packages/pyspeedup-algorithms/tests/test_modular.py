import math
import pickle
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyspeedup.algorithms import NotInvertible, gcd, jacobi_symbol, lcm, mod_inverse

INTEGERS = st.integers(-(10**40), 10**40)


def divisors(n):
    return {d for d in range(1, abs(n) + 1) if n % d == 0}


@given(st.lists(st.integers(-60, 60).filter(bool), min_size=1, max_size=4))
def test_gcd_is_the_greatest_of_the_common_divisors(numbers):
    assert gcd(*numbers) == max(set.intersection(*map(divisors, numbers)))


@given(st.lists(INTEGERS, max_size=4), INTEGERS)
def test_gcd_takes_any_number_of_integers_and_is_never_negative(numbers, factor):
    assert gcd(*numbers) >= 0
    assert gcd(*(factor * n for n in numbers)) == abs(factor) * gcd(*numbers)


def test_gcd_and_lcm_of_nothing_and_of_zeros():
    assert (gcd(), gcd(0), gcd(0, 0), gcd(5, 0), gcd(4, -6)) == (0, 0, 0, 5, 2)
    assert (lcm(), lcm(0), lcm(7, 0), lcm(4, -6)) == (1, 0, 0, 12)


@given(INTEGERS, INTEGERS)
def test_gcd_times_lcm_is_the_product(a, b):
    assert gcd(a, b) * lcm(a, b) == abs(a * b)


@given(INTEGERS, INTEGERS.filter(bool))
def test_mod_inverse_multiplies_to_one(a, m):
    assume(math.gcd(a, m) == 1)
    x = mod_inverse(a, m)
    assert 0 <= x < abs(m)
    assert (a * x - 1) % m == 0
    assert type(x) is int


@given(INTEGERS, INTEGERS.filter(bool), st.integers(2, 10**20))
def test_what_has_a_common_divisor_is_not_invertible_and_the_error_names_it(a, m, divisor):
    with pytest.raises(NotInvertible) as caught:
        mod_inverse(a * divisor, m * divisor)
    error = caught.value
    assert (error.a, error.m) == (a * divisor, m * divisor)
    assert error.gcd % divisor == error.a % error.gcd == error.m % error.gcd == 0


def test_every_inverse_of_small_moduli_is_the_one_found_by_search():
    for m in range(1, 40):
        for a in range(-m, 2 * m):
            found = [x for x in range(m) if (a * x - 1) % m == 0]
            if found:
                assert [mod_inverse(a, m)] == found
            else:
                with pytest.raises(NotInvertible):
                    mod_inverse(a, m)


def test_a_modulus_of_zero_is_refused_by_name():
    with pytest.raises(ValueError, match="m must not be 0"):
        mod_inverse(3, 0)


def test_not_invertible_survives_a_trip_between_processes():
    error = pickle.loads(pickle.dumps(NotInvertible(6, 9, 3)))
    assert (error.a, error.m, error.gcd) == (6, 9, 3)
    assert str(error) == "6 has no inverse modulo 9: both are divisible by 3"


def test_numbers_too_long_to_print_do_not_break_the_message():
    huge = 2**40_000
    with pytest.raises(NotInvertible, match="an integer of 40001 bits"):
        mod_inverse(huge, 2)


@pytest.mark.parametrize("p", [3, 5, 7, 11, 13, 101])
def test_jacobi_symbol_tells_squares_modulo_a_prime(p):
    squares = {x * x % p for x in range(1, p)}
    for a in range(-p, 3 * p):
        expected = 0 if a % p == 0 else 1 if a % p in squares else -1
        assert jacobi_symbol(a, p) == expected


@given(INTEGERS, INTEGERS, st.integers(0, 10**20), st.integers(0, 10**20))
def test_jacobi_symbol_is_multiplicative_above_and_below(a, b, half_m, half_n):
    m, n = 2 * half_m + 1, 2 * half_n + 1
    assert jacobi_symbol(a * b, n) == jacobi_symbol(a, n) * jacobi_symbol(b, n)
    assert jacobi_symbol(a, m * n) == jacobi_symbol(a, m) * jacobi_symbol(a, n)


@given(INTEGERS, st.integers(0, 10**20))
def test_jacobi_symbol_is_zero_exactly_for_a_common_divisor(a, half):
    n = 2 * half + 1
    assert (jacobi_symbol(a, n) == 0) == (math.gcd(a, n) != 1)


@pytest.mark.parametrize("n", [0, -1, -3, 2, 100])
def test_jacobi_symbol_refuses_moduli_that_it_is_not_defined_for(n):
    with pytest.raises(ValueError, match=f"n must be odd and positive, not {n}"):
        jacobi_symbol(3, n)


def test_consecutive_fibonacci_numbers_have_no_common_divisor():
    numbers = [1, 1]
    while len(numbers) < 200:
        numbers.append(numbers[-1] + numbers[-2])
    assert {gcd(a, b) for a, b in pairwise(numbers)} == {1}
