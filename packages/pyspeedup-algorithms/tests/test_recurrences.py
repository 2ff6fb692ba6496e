import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import fibonacci, gcd


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
