"""Primes counted and numbered, against definitions and published tables."""

from bisect import bisect_right
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.algorithms import is_prime, nth_prime, prime_pi
from pyspeedup.algorithms._sieving import meissel
from pyspeedup.algorithms.sieve import primes_between

SMALL = [n for n in range(2, 20_000) if all(n % d for d in range(2, int(n**0.5) + 1))]
# OEIS A006880
PI_OF_POWERS = [
    4, 25, 168, 1_229, 9_592, 78_498, 664_579, 5_761_455, 50_847_534, 455_052_511, 4_118_054_813,
]  # fmt: skip
# OEIS A006988
NTH_OF_POWERS = [
    2, 29, 541, 7_919, 104_729, 1_299_709, 15_485_863, 179_424_673, 2_038_074_743, 22_801_763_489,
]  # fmt: skip


@pytest.mark.parametrize(("exponent", "count"), [*enumerate(PI_OF_POWERS, 1)])
def test_powers_of_ten_are_counted_as_published(exponent, count):
    assert prime_pi(10**exponent) == count


@pytest.mark.parametrize(("exponent", "prime"), [*enumerate(NTH_OF_POWERS)])
def test_primes_of_round_numbers_are_those_published(exponent, prime):
    assert nth_prime(10**exponent) == prime


def test_powers_of_two_are_counted_as_published():
    # OEIS A007053
    published = {20: 82_025, 25: 2_063_689, 30: 54_400_028, 32: 203_280_221, 36: 2_874_398_515}
    assert {k: prime_pi(2**k) for k in published} == published


def test_the_recurrence_counts_what_the_definition_does():
    for n in (*range(9, 500), *range(500, 20_000, 97)):
        assert meissel.count_primes(n) == bisect_right(SMALL, n)


@given(st.integers(-5, 19_999))
def test_few_are_counted_as_by_the_definition(n):
    assert prime_pi(n) == bisect_right(SMALL, n)


@settings(max_examples=50)
@given(st.integers(10**5, 10**8), st.integers(0, 500))
def test_counts_differ_by_the_primes_between(n, width):
    between = sum(map(is_prime, range(n + 1, n + width + 1)))
    assert prime_pi(n + width) - prime_pi(n) == between


@pytest.mark.parametrize("p", [317, 1_009])
def test_squares_and_cubes_of_primes_are_where_counting_changes(p):
    for n in (p**2, p**3):
        counts = [prime_pi(m) for m in (n - 1, n, n + 1)]
        assert counts[0] == counts[1] == counts[2] - is_prime(n + 1)


def test_integers_beyond_exact_floats_are_divided_exactly(monkeypatch):
    n = 10**8
    expected = prime_pi(n)
    monkeypatch.setattr(meissel, "EXACT", 0)
    assert prime_pi(n) == expected == 5_761_455


def test_the_sieve_may_stop_in_between(monkeypatch):
    monkeypatch.setattr(meissel, "SIEVED_AT_ONCE", 1 << 10)
    assert prime_pi(10**9) == 50_847_534


@given(st.integers(1, 2_262))
def test_few_are_numbered_as_by_the_definition(n):
    assert nth_prime(n) == SMALL[n - 1]


@settings(max_examples=50)
@given(st.integers(1, 10**6))
def test_the_nth_prime_is_prime_and_the_nth(n):
    p = nth_prime(n)
    assert type(p) is int
    assert is_prime(p)
    assert prime_pi(p) == n == prime_pi(p - 1) + 1


@pytest.mark.parametrize("off", [-3 * 10**6, 3 * 10**6, -1, 0, 1])
def test_a_bad_estimate_costs_time_alone(monkeypatch, off):
    from pyspeedup.algorithms import counting

    monkeypatch.setattr(counting, "_about", lambda n: 15_485_863 + off)
    assert nth_prime(10**6) == 15_485_863
    assert nth_prime(10**6 + 1) == 15_485_867
    assert nth_prime(10**6 - 1) == primes_between(15_485_000, 15_485_863)[-1]


@pytest.mark.parametrize("wrong", [1e6, "7", None, Fraction(7)])
def test_what_is_no_integer_is_refused(wrong):
    for ask in (prime_pi, nth_prime):
        with pytest.raises(TypeError, match="n must be an integer"):
            ask(wrong)


def test_what_has_no_answer_is_refused():
    for n in (0, -1, -(10**30)):
        with pytest.raises(ValueError, match="n must be at least 1"):
            nth_prime(n)
    for ask, n in ((prime_pi, 2**63), (prime_pi, 10**100), (nth_prime, 10**30)):
        with pytest.raises(ValueError, match="must be below 2"):
            ask(n)
