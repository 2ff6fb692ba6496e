"""Against the definition below 10,000, and against published values above."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import (
    _kernels,
    is_bpsw_prp,
    is_fermat_prp,
    is_lucas_prp,
    is_prime,
    is_strong_lucas_prp,
    is_strong_prp,
    next_prime,
    prev_prime,
)
from pyspeedup.algorithms._kernels import plain_proofs

MERSENNE_EXPONENTS = {2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279}  # OEIS A000043
CARMICHAEL = [561, 1105, 1729, 2465, 2821, 6601, 8911, 10585, 15841, 29341]  # OEIS A002997
STRONG_PSEUDOPRIMES_2 = [2047, 3277, 4033, 4681, 8321, 15841, 29341, 42799, 49141]  # OEIS A001262
STRONG_LUCAS_PSEUDOPRIMES = [  # OEIS A217255
    *(5459, 5777, 10877, 16109, 18971, 22499, 24569, 25199, 40309, 58519),
]
PSEUDOPRIMES_2 = [  # OEIS A001567
    *(341, 561, 645, 1105, 1387, 1729, 1905, 2047, 2465, 2701, 2821, 3277, 4033, 4369, 4371, 4681)
]
PSEUDOPRIMES_3 = [91, 121, 286, 671, 703, 949, 1105, 1541, 1729, 1891, 2465, 2665, 2701]  # A005935
LUCAS_PSEUDOPRIMES = [  # OEIS A217120
    *(323, 377, 1159, 1829, 3827, 5459, 5777, 9071, 9179, 10877, 11419, 11663, 13919, 14839, 16109)
]
NEXT_AFTER_POWERS_OF_TEN = [1, 1, 1, 9, 7, 3, 3, 19, 7, 7, 19, 3, 39, 37, 31, 37, 61, 3, 3, 51, 39]
"""OEIS A033873."""
LAST_BEFORE_POWERS_OF_TEN = [
    3,
    3,
    3,
    27,
    9,
    17,
    9,
    11,
    63,
    33,
    23,
    11,
    29,
    27,
    11,
    63,
    3,
    11,
    39,
    11,
]
"""OEIS A033874."""
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
    candidates = [p for p in range(2, 620) if SIEVED[p]]
    assert {p for p in [*candidates, 1279] if is_prime(2**p - 1)} == MERSENNE_EXPONENTS


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
    passing = {n for n in range(1, 60_000) if is_strong_lucas_prp(n)}
    assert passing == {n for n in range(60_000) if SIEVED[n]} | set(STRONG_LUCAS_PSEUDOPRIMES)


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


def test_fermat_tests_pass_exactly_primes_and_the_known_pseudoprimes():
    for base, pseudoprimes, limit in [(2, PSEUDOPRIMES_2, 5_000), (3, PSEUDOPRIMES_3, 2_800)]:
        passing = {n for n in range(2, limit) if n % base and is_fermat_prp(n, base)}
        primes = {n for n in range(limit) if SIEVED[n] and n != base}
        assert passing == primes | {n for n in pseudoprimes if n < limit}


def test_the_lucas_test_passes_exactly_primes_and_the_known_pseudoprimes():
    passing = {n for n in range(1, 16_110) if is_lucas_prp(n)}
    assert passing == {n for n in range(16_110) if SIEVED[n]} | set(LUCAS_PSEUDOPRIMES)


def test_both_tests_together_pass_primes_alone():
    assert [is_bpsw_prp(n) for n in range(1, 100_000)] == [flag == 1 for flag in SIEVED[1:]]


def test_carmichael_numbers_pass_every_fermat_test_and_fail_a_strong_one():
    for n in CARMICHAEL:
        bases = [a for a in range(2, 60) if math.gcd(a, n) == 1]
        assert all(is_fermat_prp(n, a) for a in bases)
        assert not all(is_strong_prp(n, a) for a in bases)


@pytest.mark.parametrize("n", [2, 3, 5, 97, 2**61 - 1, 2**89 - 1])
def test_a_prime_passes_to_every_base_however_written(n):
    for a in [1, -1, n - 1, n + 1, 2 * n + 1, -n - 1, 10**30 * n + 1]:
        assert is_strong_prp(n, a)
        assert is_fermat_prp(n, a)


def test_a_base_counts_modulo_n():
    assert is_strong_prp(2047, 2 - 2047)
    assert is_strong_prp(2047, 2 + 5 * 2047)
    assert not is_strong_prp(2047, 3 + 2047)
    assert [is_strong_prp(n, n - 1) for n in (9, 15, 4, 8)] == [True, True, False, False]


def test_one_is_not_prime_to_any_test():
    assert not is_fermat_prp(1, 5)
    assert not is_strong_prp(1, 5)
    assert not is_lucas_prp(1)
    assert not is_bpsw_prp(1)


@pytest.mark.parametrize("n", [0, -7, -(2**70)])
def test_the_other_single_tests_refuse_what_is_not_positive(n):
    for test in (is_lucas_prp, is_bpsw_prp):
        with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
            test(n)
    with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
        is_fermat_prp(n, 2)


def test_tests_answer_with_plain_truth_values():
    for n in (2, 9, 97, 2**64 + 13, 2**127 - 1, 2**127 + 1):
        answers = [is_prime(n), is_fermat_prp(n, 5), is_strong_prp(n, 5), is_lucas_prp(n)]
        answers += [is_strong_lucas_prp(n), is_bpsw_prp(n), is_prime(n, prove=True)]
        assert {type(answer) for answer in answers} == {bool}


def test_next_and_previous_primes_are_those_of_a_sieve():
    primes = [n for n in range(10_000) if SIEVED[n]]
    for smaller, greater in pairwise(primes):
        assert {next_prime(n) for n in range(smaller, greater)} == {greater}
        assert {prev_prime(n) for n in range(smaller + 1, greater + 1)} == {smaller}


def test_next_prime_below_two_is_two():
    assert {next_prime(n) for n in (-(10**30), -5, 0, 1)} == {2}


@pytest.mark.parametrize("n", [2, 1, 0, -5, -(10**30)])
def test_no_prime_is_below_two(n):
    with pytest.raises(ValueError, match=f"n must be above 2, the least prime, not {n}"):
        prev_prime(n)


def test_primes_next_to_powers_of_ten_are_those_that_are_published():
    distances = [next_prime(10**k) - 10**k for k in range(len(NEXT_AFTER_POWERS_OF_TEN))]
    assert distances == NEXT_AFTER_POWERS_OF_TEN
    distances = [10**k - prev_prime(10**k) for k in range(1, len(LAST_BEFORE_POWERS_OF_TEN) + 1)]
    assert distances == LAST_BEFORE_POWERS_OF_TEN


@given(st.integers(3, 10**40))
def test_next_and_previous_prime_undo_each_other(n):
    p = next_prime(n)
    assert p > n
    assert prev_prime(p) <= n
    assert next_prime(prev_prime(p)) == p


@pytest.mark.parametrize("exponent", [89, 107, 127, 521])
def test_mersenne_primes_are_proven(exponent):
    assert is_prime(2**exponent - 1, prove=True)


@pytest.mark.parametrize("n", [-5, 0, 1, 4, 561, 2**127 + 1, (2**89 - 1) * (2**107 - 1)])
def test_what_is_not_prime_is_not_proven_to_be(n):
    assert not is_prime(n, prove=True)


def test_a_proof_does_not_rest_on_the_tests(monkeypatch):
    n = (2**89 - 1) * (2**107 - 1)
    monkeypatch.setattr(_kernels, "is_prime", lambda n: True)
    monkeypatch.setattr(_kernels, "is_strong_prp", lambda n, a: True)
    assert is_prime(n)
    assert not plain_proofs.is_proven_prime(n)
    assert not is_prime(n, prove=True)


def test_a_proof_in_plain_python_says_no_where_the_tests_do():
    assert plain_proofs.is_proven_prime(2**107 - 1)
    assert not plain_proofs.is_proven_prime((2**89 - 1) * (2**107 - 1))


def test_random_bases_tell_a_composite_that_passes_the_first_test(monkeypatch):
    n = FIRST_FAILURES[-1] * (2**89 - 1)
    monkeypatch.setattr(_kernels, "is_prime", lambda n: True)
    assert not is_prime(n)
