import math
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import (
    NoSquareRoot,
    is_perfect_power,
    is_prime,
    is_square,
    isqrt,
    sqrt_mod,
)
from pyspeedup.algorithms._roots.prime_powers import roots_mod_prime_power

NATURAL = st.integers(0, 10**60)
DEEP = 133 * 2**192 + 1
"""A prime with p - 1 divisible by 2**192 (the first after a search of odd factors)."""


def test_roots_modulo_every_small_number_are_those_that_a_search_finds():
    for n in range(1, 90):
        for a in range(n):
            found = [x for x in range(n) if (x * x - a) % n == 0]
            if found:
                assert sqrt_mod(a, n) == found[0], (a, n)
                assert sqrt_mod(a, n, all_roots=True) == found, (a, n)
            else:
                for all_roots in (False, True):
                    with pytest.raises(NoSquareRoot):
                        sqrt_mod(a, n, all_roots)


@pytest.mark.parametrize(
    "n", [2**10, 3**6, 5**4, 2**5 * 3**3, 7**3 * 4, 720, 1001, 2**3 * 3 * 5 * 7]
)
def test_roots_modulo_powers_and_products_are_those_that_a_search_finds(n):
    squares = {}
    for x in range(n):
        squares.setdefault(x * x % n, []).append(x)
    for a in range(n):
        if a in squares:
            assert sqrt_mod(a, n, all_roots=True) == squares[a]
            assert sqrt_mod(a, n) == squares[a][0]
        else:
            with pytest.raises(NoSquareRoot):
                sqrt_mod(a, n)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_a_square_has_a_root_and_it_is_no_greater(x, n):
    root = sqrt_mod(x * x, n)
    assert type(root) is int
    assert (root * root - x * x) % n == 0
    assert 0 <= root <= min(x % n, -x % n)


@given(st.integers(0, 10**9), st.sampled_from([2, 3, 5, 7, 997]), st.integers(1, 80))
def test_roots_modulo_high_powers_of_a_prime(x, p, exponent):
    n = p**exponent
    root = sqrt_mod(x * x, n)
    assert (root * root - x * x) % n == 0
    assert root <= min(x % n, -x % n)


@given(
    st.integers(1, 10**40), st.sampled_from([2, 2**61 - 1, 133 * 2**192 + 1]), st.integers(1, 60)
)
def test_classes_of_roots_modulo_a_power_of_a_known_prime(x, p, exponent):
    modulus, roots = roots_mod_prime_power(x * x, p, exponent)
    assert p**exponent % modulus == 0
    for root in roots:
        for shift in (0, 1, 10**50):
            assert ((root + shift * modulus) ** 2 - x * x) % p**exponent == 0
    assert x % modulus in roots


PRIMES = [
    2,
    3,
    5,
    13,
    17,
    65537,
    2**61 - 1,
    2**63 + 29,
    2**64 - 59,
    2**127 - 1,
    2**224 - 2**96 + 1,
    DEEP,
]


@pytest.mark.parametrize("p", PRIMES)
def test_eulers_criterion_decides_whether_there_is_a_root_modulo_a_prime(p):
    assert is_prime(p)
    numbers = random.Random(p)
    for a in [*range(-20, 20), *(numbers.randrange(p) for _ in range(30))]:
        if p == 2 or a % p == 0 or pow(a, (p - 1) // 2, p) == 1:
            root = sqrt_mod(a, p)
            assert (root * root - a) % p == 0
            assert 0 <= root <= p // 2
            assert sqrt_mod(a, p, all_roots=True) == sorted({root, -root % p})
        else:
            with pytest.raises(NoSquareRoot) as caught:
                sqrt_mod(a, p)
            assert (caught.value.a, caught.value.n) == (a, p)


def test_the_example_of_the_handbook():
    p, q = 277, 331  # Menezes, van Oorschot, Vanstone, Handbook of Applied Cryptography, 8.12
    assert sqrt_mod(62111, p * q, all_roots=True) == [22033, 40569, 51118, 69654]


def test_zero_has_as_many_roots_as_its_modulus_has_double_divisors():
    assert sqrt_mod(0, 7**10) == 0
    assert sqrt_mod(0, 7**10, all_roots=True) == list(range(0, 7**10, 7**5))
    assert sqrt_mod(0, 7**9, all_roots=True) == list(range(0, 7**9, 7**5))


def test_the_least_of_very_many_roots_is_found():
    primes = [p for p in range(3, 100) if is_prime(p)]
    n = math.prod(primes)
    assert len(primes) == 24
    assert sqrt_mod(1, n) == 1
    assert sqrt_mod(12345**2, n) <= 12345
    assert sqrt_mod(0, n) == 0


def test_the_least_root_is_the_first_of_all():
    n = 3 * 5 * 7 * 11 * 13 * 17 * 19 * 4
    numbers = random.Random(9)
    for _ in range(30):
        a = numbers.randrange(n) ** 2
        roots = sqrt_mod(a, n, all_roots=True)
        assert roots == sorted(set(roots))
        assert all((x * x - a) % n == 0 for x in roots)
        assert sqrt_mod(a, n) == roots[0]


def test_modulo_one_everything_is_zero():
    assert sqrt_mod(5, 1) == 0
    assert sqrt_mod(5, 1, all_roots=True) == [0]


@pytest.mark.parametrize("n", [0, -1, -7])
def test_a_modulus_below_one_is_refused(n):
    with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
        sqrt_mod(1, n)


@given(NATURAL)
def test_the_root_rounded_down_is_the_greatest_whose_square_fits(n):
    root = isqrt(n)
    assert type(root) is int
    assert root**2 <= n < (root + 1) ** 2


@pytest.mark.parametrize("bits", [999, 1000, 1001, 5000])
def test_roots_of_long_numbers(bits):
    for n in (2**bits - 1, 2**bits, 2**bits + 1, (2**bits - 1) ** 2 - 1, (2**bits - 1) ** 2):
        root = isqrt(n)
        assert root**2 <= n < (root + 1) ** 2


@pytest.mark.parametrize("n", [-1, -(10**30)])
def test_a_negative_number_has_no_root(n):
    with pytest.raises(ValueError, match=f"n must not be negative: {n}"):
        isqrt(n)


@given(NATURAL)
def test_squares_are_squares_and_their_neighbours_are_not(n):
    assert is_square(n * n) is True
    assert is_square(n * n + 1) is (n == 0)
    assert is_square(-n) is (n == 0)


def test_squares_that_are_published():
    assert [n for n in range(-200, 200) if is_square(n)] == [k * k for k in range(15)]  # A000290


@pytest.mark.parametrize("n", [2**53 + 1, 10**20 + 1, 3**100, 2**2000 + 1])
def test_a_square_beyond_floating_point_is_told_from_its_neighbour(n):
    assert is_square(n**2)
    assert not is_square(n**2 - 1)
    assert not is_square(n**2 + 2)


def test_perfect_powers_that_are_published():
    assert [n for n in range(2, 400) if is_perfect_power(n)] == [  # OEIS A001597
        *(4, 8, 9, 16, 25, 27, 32, 36, 49, 64, 81, 100, 121, 125, 128, 144, 169, 196, 216, 225),
        *(243, 256, 289, 324, 343, 361),
    ]


def test_perfect_powers_are_exactly_the_powers():
    limit = 5_000
    powers = {0, 1, -1}
    for base in range(-150, 151):
        power = base * base
        while 1 < abs(power) <= limit:
            powers.add(power)
            power *= base
    assert {n for n in range(-limit, limit + 1) if is_perfect_power(n)} == powers


@given(st.integers(-(10**12), 10**12), st.integers(2, 30))
def test_a_power_is_perfect(base, exponent):
    assert is_perfect_power(base**exponent) is True


@given(st.sampled_from([2, 3, 10**9 + 7, 2**61 - 1]), st.integers(1, 40))
def test_a_power_times_another_prime_is_not_perfect(p, exponent):
    assert is_perfect_power(13 * p**exponent) is False
    assert is_perfect_power(-(p ** (2 * exponent))) is any(
        exponent % k == 0 for k in range(3, 41, 2)
    )


def test_roots_go_beyond_what_floats_hold_and_the_recursion_limit():
    exponent = 20 * sys.getrecursionlimit()
    n = 2**exponent
    root = sqrt_mod(17, n)
    assert (root * root - 17) % n == 0
