"""Logarithms are held to their definition: the first of the powers of b that is a."""

import math
import pickle
import random
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyspeedup.algorithms import (
    NoDiscreteLog,
    baby_step_giant_step,
    discrete_log,
    index_calculus,
    is_prime,
    pollard_rho_log,
)

METHODS = ["auto", "baby_step_giant_step", "pollard_rho_log", "index_calculus"]
SAFE_PRIMES = {20: 1_048_703, 30: 1_073_742_623, 40: 1_099_511_628_443}
"""p with (p - 1) / 2 prime too, and just above a power of two."""


def logs_by_search(n, b):
    """Return each power of b with the first exponent that gives it."""
    found, value = {}, 1 % n
    while value not in found:
        found[value] = len(found)
        value = value * b % n
    return found


def check(n, b, expected, **how):
    for a in range(n):
        if a in expected:
            assert discrete_log(n, a, b, **how) == expected[a], (n, a, b)
        else:
            with pytest.raises(NoDiscreteLog):
                discrete_log(n, a, b, **how)


@pytest.mark.parametrize("n", range(1, 33))
def test_every_logarithm_of_small_moduli_is_the_first_found_by_search(n):
    for b in range(n):
        check(n, b, logs_by_search(n, b))


@pytest.mark.parametrize("n", [49, 64, 81, 97, 100, 120, 121, 125])
def test_every_logarithm_to_some_bases_of_larger_moduli(n):
    for b in (0, 1, 2, 3, 5, 6, 7, 10, n - 1):
        check(n, b, logs_by_search(n, b))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_the_same_in_a_small_field(method):
    for b in (2, 5, 250):
        check(251, b, logs_by_search(251, b), method=method)


@given(st.integers(2, 10**6), st.integers(), st.integers(0, 10**7))
def test_a_power_is_found_again_or_a_smaller_exponent_that_gives_it(n, b, exponent):
    x = discrete_log(n, pow(b, exponent, n), b)
    assert 0 <= x <= exponent
    assert pow(b, x, n) == pow(b, exponent, n)
    assert type(x) is int


@given(st.integers(2, 3_000), st.integers(0, 3_000), st.integers(0, 3_000))
def test_it_is_the_least_and_nothing_is_answered_where_nothing_is(n, a, b):
    expected = logs_by_search(n, b).get(a % n)
    if expected is None:
        with pytest.raises(NoDiscreteLog) as caught:
            discrete_log(n, a, b)
        assert (caught.value.n, caught.value.a, caught.value.b) == (n, a, b)
    else:
        assert discrete_log(n, a, b) == expected


@given(
    st.lists(st.sampled_from([2, 3, 5, 7, 11, 13, 101, 257]), min_size=1, max_size=30),
    st.integers(0, 10**40),
    st.integers(0, 10**40),
)
def test_moduli_of_many_small_primes_and_high_powers(primes, b, exponent):
    n = math.prod(primes)
    x = discrete_log(n, pow(b, exponent, n), b)
    assert x <= exponent
    assert pow(b, x, n) == pow(b, exponent, n)


def test_what_comes_before_the_period_is_searched_too():
    # The powers of 6 modulo 72 are 1, 6, 36, 0, 0, ...; of 10 modulo 56 they are 1, 10, 44, 48, 32, 40, 8, 24, 16, 48
    assert [discrete_log(72, a, 6) for a in (1, 6, 36, 0)] == [0, 1, 2, 3]
    assert [discrete_log(56, a, 10) for a in (1, 10, 44, 48, 32, 40, 8, 24, 16)] == list(range(9))
    assert discrete_log(2**200, 0, 2) == 200
    assert discrete_log(2**200, 2**199, 2) == 199
    assert discrete_log(10**30, 0, 10**7) == 5


def test_zero_and_one_as_base_and_as_modulus():
    assert discrete_log(1, 0, 0) == discrete_log(1, 5, 7) == 0
    assert discrete_log(7, 1, 0) == 0  # 0**0 is 1
    assert discrete_log(7, 0, 0) == 1
    assert discrete_log(7, 1, 1) == 0
    for a, b in ((2, 0), (2, 1), (0, 3), (0, 1)):
        with pytest.raises(NoDiscreteLog):
            discrete_log(7, a, b)


def test_arguments_are_reduced():
    assert discrete_log(383, 228 - 383, 2 + 10 * 383) == 110
    assert discrete_log(7, -1, 3) == 3


@pytest.mark.parametrize(
    ("n", "a", "b", "x"),
    [
        (113, 57, 3, 100),  # Menezes, van Oorschot, Vanstone, Handbook, example 3.57
        (383, 228, 2, 110),  # the same, example 3.61: in the subgroup of order 191
        (251, 210, 71, 197),  # the same, example 3.65
        (229, 13, 6, 117),  # the same, example 3.70
        (809, 525, 3, 309),  # Stinson, Cryptography: theory and practice, chapter 6
        (809, 618, 89, 49),  # the same, chapter 6
        (29, 18, 2, 11),  # the same, chapter 6
        (10007, 9451, 5, 6057),  # the same, chapter 6
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_examples_of_textbooks(n, a, b, x, method):
    assert discrete_log(n, a, b, method=method) == x


@pytest.mark.parametrize(
    ("bits", "method"), [(20, m) for m in METHODS] + [(30, m) for m in METHODS]
)
def test_safe_primes(bits, method):
    p = SAFE_PRIMES[bits]
    assert is_prime(p)
    assert is_prime(p // 2)
    chance = random.Random(bits)
    for _ in range(3):
        b, exponent = chance.randrange(2, p - 1), chance.randrange(p // 2)
        x = discrete_log(p, pow(b, exponent, p), b, method=method)
        assert x == exponent
        assert pow(b, x, p) == pow(b, exponent, p)


def test_a_safe_prime_of_forty_bits():
    p = SAFE_PRIMES[40]
    b = next(b for b in count(2) if pow(b, p // 2, p) != 1)
    for exponent in (123_456_789_012, p - 2, p // 2, 0, 1):
        assert discrete_log(p, pow(b, exponent, p), b) == exponent


def test_no_power_of_a_square_is_no_square():
    p = SAFE_PRIMES[30]
    squares = pow(7, 2, p)
    with pytest.raises(NoDiscreteLog):
        discrete_log(p, p - 1, squares)
    # FLINT answers 0 where there is no logarithm.
    with pytest.raises(NoDiscreteLog):
        discrete_log(7, 3, 2)


def test_a_smooth_order_of_sixty_bits():
    p = next(q for q in range(2**60 + 1, 2**61, 2**20 * 3**5) if is_prime(q))
    for exponent in (987_654_321_987_654_321, 1, 0):
        x = discrete_log(p, pow(3, exponent, p), 3)
        assert x <= exponent
        assert pow(3, x, p) == pow(3, exponent, p)


def test_a_huge_modulus_with_a_small_subgroup():
    p = 2**607 - 1
    order = 2 * 3**2 * 7  # of p - 1, which nobody has to factor
    b = pow(5, (p - 1) // order, p)
    assert pow(b, order, p) == 1
    known = next(k for k in range(1, order + 1) if pow(b, k, p) == 1)
    for exponent in (0, 1, known // 2, known - 1):
        assert discrete_log(p, pow(b, exponent, p), b, order=known) == exponent


@given(st.integers(2, 500), st.integers(1, 500))
def test_the_order_that_is_given_is_used_and_checked(n, b):
    assume(math.gcd(n, b) == 1)
    logs = logs_by_search(n, b)
    check(n, b, logs, order=len(logs))
    for wrong in (0, -1, 2 * len(logs), len(logs) + 1):
        with pytest.raises(ValueError, match="order must be that of b"):
            discrete_log(n, 1, b, order=wrong)


def test_a_base_that_is_no_unit_has_no_order():
    with pytest.raises(ValueError, match="order must be that of b"):
        discrete_log(12, 4, 2, order=2)


@pytest.mark.parametrize("n", [0, -1, -7])
def test_a_modulus_below_one_is_refused(n):
    with pytest.raises(ValueError, match=f"n must be at least 1, not {n}"):
        discrete_log(n, 1, 1)


def test_an_unknown_method_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match=r"auto.*index_calculus.*'guessing'"):
        discrete_log(7, 1, 3, method="guessing")


@pytest.mark.parametrize("wrong", [0, -2])
def test_a_number_of_workers_below_one_is_refused(wrong):
    with pytest.raises(ValueError, match="workers must be at least 1"):
        discrete_log(7, 1, 3, workers=wrong)


@pytest.mark.parametrize("wrong", [1.0, "3", None, Fraction(3)])
def test_only_integers_are_taken(wrong):
    for arguments in ((wrong, 1, 3), (7, wrong, 3), (7, 1, wrong)):
        with pytest.raises(TypeError, match="must be an integer"):
            discrete_log(*arguments)
    if wrong is not None:
        with pytest.raises(TypeError, match="order must be an integer"):
            discrete_log(7, 1, 3, order=wrong)
        with pytest.raises(TypeError, match="workers must be an integer"):
            discrete_log(7, 1, 3, workers=wrong)


@pytest.mark.parametrize("module", ["numpy.int64", "gmpy2.mpz", "flint.fmpz"])
def test_integers_of_other_libraries_are_taken_and_plain_ones_given(module):
    library, _, name = module.partition(".")
    kind = getattr(pytest.importorskip(library), name)
    x = discrete_log(kind(383), kind(228), kind(2), order=kind(191))
    assert x == 110
    assert type(x) is int


def test_the_parts_have_names():
    for function in (baby_step_giant_step, pollard_rho_log, index_calculus):
        assert function(383, 228, 2) == function(383, 228, 2, order=191) == 110
        with pytest.raises(NoDiscreteLog):
            function(7, 3, 2)


def test_the_same_is_answered_each_time_and_no_chance_of_others_is_used():
    random.seed(1)
    before = random.getstate()
    for method in METHODS:
        discrete_log(SAFE_PRIMES[20], 1234, 5, method=method)
    assert random.getstate() == before


def test_the_error_survives_a_trip_between_processes():
    error = pickle.loads(pickle.dumps(NoDiscreteLog(7, 3, 2)))
    assert (error.n, error.a, error.b) == (7, 3, 2)


@settings(max_examples=20)
@given(st.integers(2**24, 2**45), st.integers(2, 10**6), st.integers(0, 10**9))
def test_moduli_whose_orders_need_tables(n, b, exponent):
    x = discrete_log(n, pow(b, exponent, n), b)
    assert x <= exponent
    assert pow(b, x, n) == pow(b, exponent, n)
