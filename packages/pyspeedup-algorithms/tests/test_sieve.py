import math
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import is_prime
from pyspeedup.algorithms.sieve import WIDEST, primes_between, sieve_segments


def by_definition(start, stop):
    return [
        n for n in range(max(start, 2), stop) if all(n % d for d in range(2, math.isqrt(n) + 1))
    ]


def test_every_small_interval_holds_the_primes_of_the_definition():
    primes = by_definition(0, 130)
    for start in range(130):
        for stop in range(130):
            expected = [p for p in primes if start <= p < stop]
            assert primes_between(start, stop).tolist() == expected


@given(st.integers(0, 10**10), st.integers(0, 500))
def test_intervals_far_out_hold_what_is_prime(start, width):
    expected = [n for n in range(start, start + width) if is_prime(n)]
    assert primes_between(start, start + width).tolist() == expected


def test_segments_follow_on_one_another_without_gap_or_overlap():
    found = [p for segment in islice(sieve_segments(), 9) for p in segment]
    assert all(p < q for p, q in pairwise(found))
    assert found == primes_between(0, found[-1] + 1).tolist()


def test_counts_of_primes_are_those_that_are_published():
    counts = {10: 4, 100: 25, 1_000: 168, 10_000: 1_229, 100_000: 9_592, 1_000_000: 78_498}
    assert {n: len(primes_between(0, n)) for n in counts} == counts  # OEIS A006880


def test_a_segment_is_never_wider_than_promised():
    widths = [segment[-1] - segment[0] for segment in islice(sieve_segments(), 12)]
    assert max(widths) < WIDEST
    assert max(widths) > 0.99 * WIDEST
