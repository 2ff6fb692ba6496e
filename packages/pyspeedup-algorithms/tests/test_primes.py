"""Against the definition below 10,000, and against published values above."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import is_prime, is_strong_lucas_prp, is_strong_prp

MERSENNE_EXPONENTS = {2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279}  # OEIS A000043
CARMICHAEL = [561, 1105, 1729, 2465, 2821, 6601, 8911, 10585, 15841, 29341]  # OEIS A002997
STRONG_PSEUDOPRIMES_2 = [2047, 3277, 4033, 4681, 8321, 15841, 29341, 42799, 49141]  # OEIS A001262
STRONG_LUCAS_PSEUDOPRIMES = [  # OEIS A217255
    *(5459, 5777, 10877, 16109, 18971, 22499, 24569, 25199, 40309, 58519, 75077, 97439),
]
FIRST_FAILURES = [  # OEIS A014233: composites that pass to the first 1, 2, 3, ... primes
    2047,
    1373653,
    25326001,
    3215031751,
    2152302898747,
    3474749660383,
    341550071728321,
    341550071728321,
    3825123056546413051,
    3825123056546413051,
    3825123056546413051,
    318665857834031151167461,
    3317044064679887385961981,
]
FIRST_PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41]
LARGEST_PRIMES_BELOW_POWERS_OF_TWO = {64: 59, 65: 49, 80: 65, 81: 51, 82: 57, 100: 15, 128: 159}


def sieve(limit):
    flags = bytearray([1]) * limit
    flags[:2] = b"\0\0"
    for p in range(2, math.isqrt(limit) + 1):
        if flags[p]:
            flags[p * p :: p] = bytes(len(range(p * p, limit, p)))
    return flags


SIEVED = sieve(100_000)


def test_is_prime_agrees_with_the_definition():
    for n in range(-10, 3_000):
        assert is_prime(n) == (n > 1 and all(n % d for d in range(2, n)))


def test_is_prime_agrees_with_a_sieve():
    assert [is_prime(n) for n in range(100_000)] == [flag == 1 for flag in SIEVED]


def test_carmichael_numbers_are_composite():
    for n in CARMICHAEL:
        assert all(pow(a, n - 1, n) == 1 for a in range(2, n) if math.gcd(a, n) == 1)
        assert not is_prime(n)


@pytest.mark.parametrize(("k", "n"), list(enumerate(FIRST_FAILURES, 1)))
def test_the_composites_that_fool_the_first_bases_do_not_fool_is_prime(k, n):
    assert all(is_strong_prp(n, p) for p in FIRST_PRIMES[:k])
    assert not is_prime(n)


def test_mersenne_primes_are_those_that_are_known():
    assert {p for p in range(2, 1300) if SIEVED[p] and is_prime(2**p - 1)} == MERSENNE_EXPONENTS


@pytest.mark.parametrize(("bits", "distance"), LARGEST_PRIMES_BELOW_POWERS_OF_TWO.items())
def test_the_largest_primes_below_powers_of_two_are_those_that_are_known(bits, distance):
    found = next(d for d in range(1, 1000) if is_prime(2**bits - d))
    assert found == distance


def test_composites_of_two_large_primes_are_found_out_above_the_proven_range():
    p, q = 2**127 - 1, 2**107 - 1
    assert not is_prime(p * q)
    assert not is_prime(p * p)


def test_the_strong_test_to_base_two_passes_exactly_primes_and_the_known_pseudoprimes():
    passing = {n for n in range(3, 50_000, 2) if is_strong_prp(n, 2)}
    assert passing == {n for n in range(3, 50_000) if SIEVED[n]} | set(STRONG_PSEUDOPRIMES_2)


def test_the_strong_lucas_test_passes_exactly_primes_and_the_known_pseudoprimes():
    passing = {n for n in range(1, 100_000) if is_strong_lucas_prp(n)}
    assert passing == {n for n in range(100_000) if SIEVED[n]} | set(STRONG_LUCAS_PSEUDOPRIMES)


@given(st.integers(3, 10**30).map(lambda n: n | 1), st.integers(1, 10**30))
def test_a_prime_passes_every_single_test(n, a):
    if is_prime(n) and a % n:
        assert is_strong_prp(n, a)
        assert is_strong_lucas_prp(n)


@given(st.integers(2, 10**18), st.integers(2, 10**18))
def test_a_product_is_never_prime(a, b):
    assert not is_prime(a * b)


@pytest.mark.parametrize("n", [0, -7])
def test_single_tests_refuse_what_is_not_positive(n):
    with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
        is_strong_prp(n, 2)
    with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
        is_strong_lucas_prp(n)


def test_a_base_with_a_common_divisor_is_refused():
    with pytest.raises(ValueError, match="a must have no divisor in common with n: 6 and 15 do"):
        is_strong_prp(15, 6)


def test_single_tests_know_the_smallest_numbers():
    assert [is_strong_prp(n, 1) for n in (1, 2, 3, 4)] == [False, True, True, False]
    assert [is_strong_lucas_prp(n) for n in (1, 2, 3, 4, 5)] == [False, True, True, False, True]
