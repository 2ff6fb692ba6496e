import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyspeedup.algorithms import is_prime
from pyspeedup.algorithms._sieving import wheel
from pyspeedup.algorithms.sieve import BLOCK, NUMBERS_A_BLOCK, primes_between, sieve_blocks

COPRIME_TO_30 = [r for r in range(30) if math.gcd(r, 30) == 1]


def by_definition(start, stop):
    return [
        n for n in range(max(start, 2), stop) if all(n % d for d in range(2, math.isqrt(n) + 1))
    ]


def test_every_small_interval_holds_the_primes_of_the_definition():
    primes = by_definition(0, 200)
    for start in range(-2, 200, 9):
        for stop in range(-2, 200):
            expected = [p for p in primes if start <= p < stop]
            assert primes_between(start, stop).tolist() == expected


@given(st.integers(0, 10**6), st.integers(0, 3_000))
def test_intervals_hold_the_primes_of_the_definition(start, width):
    assert primes_between(start, start + width).tolist() == by_definition(start, start + width)


@given(st.integers(0, 30), st.integers(0, 10**30), st.integers(0, 400))
@example(63, 0, 300)
@example(62, 2**62, 300)
@example(58, 29 * 2**58, 300)  # where bytes of the bitmap stop being those of 64-bit numbers
def test_intervals_far_out_hold_what_is_prime(exponent, above, width):
    start = 2**exponent + above
    expected = [n for n in range(start, start + width) if is_prime(n)]
    found = primes_between(start, start + width)
    assert found.tolist() == expected
    assert all(type(p) is int for p in found.tolist())


@pytest.mark.parametrize("start", [10**12, 10**14 + 123_456])
def test_wide_intervals_far_out_are_sieved_as_they_are_tested(start):
    width = max(2 * 10**5, math.isqrt(start) // 32 + 1)
    wheel_says = primes_between(start, start + width)
    for part in range(start, start + width - 1_000, width // 4):
        narrow = primes_between(part, part + 1_000)  # which is tested number by number
        assert narrow.tolist() == [p for p in wheel_says.tolist() if part <= p < part + 1_000]


def test_numbers_are_of_64_bits_while_they_fit_and_python_integers_from_there_on():
    assert primes_between(10, 20).dtype == primes_between(20, 10).dtype == np.int64
    assert primes_between(2**63 - 100, 2**63).tolist() == [2**63 - 25]  # OEIS A013603
    assert primes_between(2**63 - 100, 2**63).dtype == np.int64
    assert primes_between(2**89 - 1, 2**89).tolist() == [2**89 - 1]  # a Mersenne prime
    assert primes_between(2**89 - 1, 2**89).dtype == object


def test_the_bitmap_is_the_same_however_it_is_cut():
    whole = wheel.bitmap(0, 3_000)
    for first, count in ((0, 1), (1, 1), (1, 2_999), (17, 400), (2_999, 1), (5, 0)):
        assert (wheel.bitmap(first, count) == whole[first : first + count]).all()


def test_spans_join_without_a_seam(monkeypatch):
    whole = wheel.bitmap(10**6, 5_000)
    monkeypatch.setattr(wheel, "SPAN", 700)
    assert (wheel.bitmap(10**6, 5_000) == whole).all()
    monkeypatch.setattr(wheel, "FEW_HITS", 1)
    assert (wheel.bitmap(10**6, 5_000) == whole).all()


def test_a_limit_leaves_what_no_prime_up_to_it_divides():
    left = wheel.read(wheel.bitmap(1_000, 100, limit=100), 1_000).tolist()
    small = by_definition(2, 101)
    assert left == [n for n in range(30_000, 33_000) if all(n % p for p in small)]


def test_blocks_are_what_is_said_of_them():
    bits = b"".join(islice(sieve_blocks(), 3))
    assert len(bits) == 3 * BLOCK
    named = {
        30 * i + r
        for i in range(len(bits))
        for j, r in enumerate(COPRIME_TO_30)
        if bits[i] >> j & 1
    }
    assert named == set(primes_between(7, 3 * NUMBERS_A_BLOCK).tolist())
    assert next(sieve_blocks(2)) == bits[2 * BLOCK :]


def test_counts_of_primes_are_those_that_are_published():
    counts = {10: 4, 100: 25, 1_000: 168, 10_000: 1_229, 100_000: 9_592, 1_000_000: 78_498}
    counts |= {10**7: 664_579}
    assert {n: len(primes_between(0, n)) for n in counts} == counts  # OEIS A006880


def test_the_sum_of_the_primes_below_two_million_is_known():
    assert primes_between(0, 2_000_000).sum() == 142_913_828_922  # Project Euler, problem 10


def test_primes_by_ten_thousand_are_counted_as_published():
    found = primes_between(10**12, 10**12 + 10**4)
    assert found[0] == 10**12 + 39  # the first prime of 13 digits
    assert len(found) == 335


def test_a_count_of_ones_needs_no_new_numpy(monkeypatch):
    bits = wheel.bitmap(0, 1_000)
    expected = len(wheel.read(bits, 0)) - 3
    assert wheel.ones(bits) == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert wheel.ones(bits) == expected


@pytest.mark.parametrize("wrong", [1.0, "1", None])
def test_bounds_must_be_integers(wrong):
    with pytest.raises(TypeError, match="start must be an integer"):
        primes_between(wrong, 5)
    with pytest.raises(TypeError, match="stop must be an integer"):
        primes_between(5, wrong)


def test_bounds_may_be_numpys():
    assert primes_between(np.int32(3), np.uint8(12)).tolist() == [3, 5, 7, 11]
