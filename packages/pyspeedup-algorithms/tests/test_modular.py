import math
import pickle
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyspeedup.algorithms import (
    NotInvertible,
    NotPrime,
    crt,
    gcd,
    gcdext,
    jacobi_symbol,
    kronecker_symbol,
    lcm,
    legendre_symbol,
    mod_divide,
    mod_inverse,
)

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


@given(INTEGERS, INTEGERS)
def test_gcdext_combines_to_the_gcd_with_small_factors(a, b):
    g, s, t = gcdext(a, b)
    assert g == math.gcd(a, b) == s * a + t * b
    assert {type(g), type(s), type(t)} == {int}
    assert 2 * g * abs(s) <= max(abs(b), 2 * g)
    assert 2 * g * abs(t) <= max(abs(a), 2 * g)


def test_gcdext_gives_the_smallest_pair_that_a_search_finds():
    for a in range(-12, 13):
        for b in range(-12, 13):
            g, s, t = gcdext(a, b)
            pairs = [(x, y) for x in range(-13, 14) for y in range(-13, 14) if x * a + y * b == g]
            assert abs(s) + abs(t) == min(abs(x) + abs(y) for x, y in pairs)


def test_mod_divide_finds_the_least_solution_that_a_search_finds():
    for m in range(1, 13):
        for a in range(-m, 2 * m):
            for b in range(-m, 2 * m):
                found = [x for x in range(m) if (b * x - a) % m == 0]
                if found:
                    assert mod_divide(a, b, m) == mod_divide(a, b, -m) == found[0]
                else:
                    with pytest.raises(NotInvertible):
                        mod_divide(a, b, m)


@given(INTEGERS, INTEGERS, INTEGERS.filter(bool))
def test_mod_divide_undoes_a_product(x, b, m):
    quotient = mod_divide(b * x, b, m)
    assert type(quotient) is int
    assert 0 <= quotient < abs(m) // math.gcd(b, m)
    assert (b * quotient - b * x) % m == 0


def test_mod_divide_refuses_a_modulus_of_zero():
    with pytest.raises(ValueError, match="m must not be 0"):
        mod_divide(1, 1, 0)


@given(INTEGERS, st.lists(INTEGERS.filter(bool), max_size=6))
def test_crt_finds_a_number_again_by_its_remainders(x, moduli):
    found, modulus = crt([x % m for m in moduli], moduli)
    assert modulus == math.lcm(*moduli)
    assert found == x % modulus
    assert type(found) is type(modulus) is int


def test_crt_solves_or_refuses_as_a_search_does():
    for m in range(1, 9):
        for n in range(1, 9):
            for r in range(m):
                for s in range(n):
                    both = [x for x in range(math.lcm(m, n)) if x % m == r and x % n == s]
                    if both:
                        assert crt([r, s], [m, n]) == (both[0], math.lcm(m, n))
                    else:
                        with pytest.raises(ValueError, match="nothing is"):
                            crt([r, s], [m, n])


def test_crt_of_many_moduli():
    primes = [n for n in range(2, 2_000) if all(n % d for d in range(2, math.isqrt(n) + 1))]
    x = 3**1000
    assert crt([x % p for p in primes], primes) == (x, math.prod(primes))


def test_crt_takes_iterators_and_residues_out_of_range():
    assert crt(iter([-1, 8]), iter([3, -5])) == (8, 15)


@pytest.mark.parametrize(
    ("residues", "moduli", "message"),
    [
        ([1], [2, 3], "as many, not 1 and 2"),
        ([1, 2], [5, 0], r"moduli\[1\] must not be 0"),
    ],
)
def test_crt_refuses_what_makes_no_sense(residues, moduli, message):
    with pytest.raises(ValueError, match=message):
        crt(residues, moduli)


@pytest.mark.parametrize("bad", [1.0, "1", None])
def test_crt_and_mod_divide_take_integers_alone(bad):
    with pytest.raises(TypeError, match=r"residues\[1\] must be an integer"):
        crt([1, bad], [2, 3])
    with pytest.raises(TypeError, match=r"moduli\[0\] must be an integer"):
        crt([1, 2], [bad, 3])
    for arguments in [(bad, 1, 5), (1, bad, 5), (1, 1, bad)]:
        with pytest.raises(TypeError, match="must be an integer"):
            mod_divide(*arguments)


def test_legendre_symbol_is_eulers_criterion():
    for p in (3, 5, 7, 11, 101, 2**61 - 1):
        for a in range(-20, 20):
            euler = pow(a, (p - 1) // 2, p)
            assert legendre_symbol(a, p) == (-1 if euler == p - 1 else euler)


@pytest.mark.parametrize("n", [-7, 0, 1, 4, 9, 15, 561])
def test_legendre_symbol_is_for_primes_only(n):
    with pytest.raises(NotPrime) as caught:
        legendre_symbol(2, n)
    assert caught.value.n == n


def test_legendre_symbol_is_for_odd_primes_only():
    with pytest.raises(ValueError, match="p must be odd"):
        legendre_symbol(1, 2)


def test_kronecker_symbols_that_are_published():
    assert [kronecker_symbol(-1, n) for n in range(1, 17)] == [  # OEIS A034947
        *(1, 1, -1, 1, 1, -1, -1, 1, 1, 1, -1, -1, 1, -1, -1, 1)
    ]
    assert [kronecker_symbol(2, n) for n in range(10)] == [  # OEIS A091337
        *(0, 1, 0, -1, 0, -1, 0, 1, 0, 1)
    ]


@given(INTEGERS, INTEGERS.filter(bool), INTEGERS.filter(bool))
def test_kronecker_symbol_is_multiplicative_below(a, m, n):
    assert kronecker_symbol(a, m * n) == kronecker_symbol(a, m) * kronecker_symbol(a, n)


@given(INTEGERS, st.integers(0, 10**20))
def test_kronecker_symbol_continues_the_jacobi_symbol(a, half):
    assert kronecker_symbol(a, 2 * half + 1) == jacobi_symbol(a, 2 * half + 1)


def test_kronecker_symbol_at_its_ends():
    assert [kronecker_symbol(a, 0) for a in (-2, -1, 0, 1, 2)] == [0, 1, 0, 1, 0]
    assert [kronecker_symbol(a, -1) for a in (-2, -1, 0, 1, 2)] == [-1, -1, 1, 1, 1]


def test_errors_are_explained_for_integers_of_other_types_too():
    class Foreign:
        def __init__(self, value):
            self.value = value

        def __index__(self):
            return self.value

    with pytest.raises(NotInvertible, match="6 has no inverse modulo 9"):
        mod_inverse(Foreign(6), Foreign(9))
    with pytest.raises(ValueError, match="n must be odd and positive, not 8"):
        jacobi_symbol(Foreign(3), Foreign(8))
