import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import fibonacci, fibonacci_mod, gcd, lucas


def test_fibonacci_agrees_with_the_recurrence():
    this, following = 0, 1
    for n in range(2_000):
        assert fibonacci(n) == this
        this, following = following, this + following


@given(st.integers(-(10**4), 10**4))
def test_the_recurrence_holds_to_the_left_too(n):
    assert fibonacci(n) + fibonacci(n + 1) == fibonacci(n + 2)


def test_published_values():
    assert fibonacci(100) == 354224848179261915075  # OEIS A000045
    assert [fibonacci(-n) for n in range(8)] == [0, 1, -1, 2, -3, 5, -8, 13]  # OEIS A039834


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_gcd_of_two_is_the_one_at_the_gcd(m, n):
    assert gcd(fibonacci(m), fibonacci(n)) == fibonacci(gcd(m, n))


def test_an_index_far_beyond_the_recursion_limit():
    n = 100 * sys.getrecursionlimit()
    assert fibonacci(n) % 10**9 == pow_of_matrix(n, 10**9)


def pow_of_matrix(n, modulus):
    """F(n) modulo `modulus` by squaring (1 1; 1 0)."""
    result, base = (1, 0, 0, 1), (1, 1, 1, 0)
    while n:
        if n % 2:
            result = product(result, base, modulus)
        base, n = product(base, base, modulus), n // 2
    return result[1]


def product(x, y, modulus):
    (a, b, c, d), (e, f, g, h) = x, y
    entries = (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
    return tuple(entry % modulus for entry in entries)


@pytest.mark.parametrize("n", [5.0, "5", None])
def test_what_is_no_integer_is_refused(n):
    with pytest.raises(TypeError, match="n must be an integer"):
        fibonacci(n)


def test_lucas_numbers_that_are_published():
    assert [lucas(n) for n in range(13)] == [  # OEIS A000032
        *(2, 1, 3, 4, 7, 11, 18, 29, 47, 76, 123, 199, 322)
    ]
    assert lucas(100) == 792070839848372253127


@given(st.integers(-(10**4), 10**4))
def test_lucas_numbers_follow_the_recurrence_to_both_sides(n):
    assert lucas(n) + lucas(n + 1) == lucas(n + 2)
    assert lucas(n) == fibonacci(n - 1) + fibonacci(n + 1)


@given(st.integers(-(10**4), 10**4), st.integers(1, 10**30))
def test_fibonacci_mod_is_the_remainder(n, m):
    assert fibonacci_mod(n, m) == fibonacci(n) % m


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**30))
def test_fibonacci_mod_follows_the_recurrence_at_any_index(n, m):
    this, following, third = (fibonacci_mod(n + i, m) for i in range(3))
    assert (this + following - third) % m == 0
    assert 0 <= this < m


def test_pisano_periods():
    published = [1, 3, 8, 6, 20, 24, 16, 12, 24, 60, 10, 24, 28, 48, 40, 24, 36, 24, 18, 60]
    for m, period in enumerate(published, 1):  # OEIS A001175
        shift = 10**30
        starts = [n for n in range(1, period + 1) if fibonacci_mod(n, m) == 0]
        assert period == next(n for n in starts if fibonacci_mod(n + 1, m) == 1 % m)
        assert fibonacci_mod(shift * period + 7, m) == 13 % m


@pytest.mark.parametrize("m", [0, -1, -(10**30)])
def test_fibonacci_mod_refuses_a_modulus_below_one(m):
    with pytest.raises(ValueError, match=f"m must be positive, not {m}"):
        fibonacci_mod(5, m)


@pytest.mark.parametrize("function", [fibonacci, lucas])
@pytest.mark.parametrize("n", [2**36, -(2**36), 2**64, 10**4000])
def test_a_number_that_no_memory_holds_is_refused_before_a_library_dies_of_it(function, n):
    with pytest.raises(OverflowError, match="fibonacci_mod takes any index"):
        function(n)
