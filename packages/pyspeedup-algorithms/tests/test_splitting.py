"""Methods that find one divisor: what they find divides, and what they cannot find they say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import ecm, fermat_factor, pollard_pm1, pollard_rho, siqs

METHODS = [fermat_factor, pollard_rho, pollard_pm1, ecm, siqs]
SURE = [pollard_rho, ecm, siqs]
"""Those that find every divisor of a small number."""


def is_composite(n):
    return any(n % d == 0 for d in range(2, math.isqrt(n) + 1))


COMPOSITES = [n for n in range(4, 1000) if is_composite(n)]


@pytest.mark.parametrize("method", METHODS)
@given(n=st.integers(4, 10**6).filter(is_composite))
def test_what_is_found_is_a_proper_divisor(method, n):
    divisor = method(n)
    assert divisor is None or (1 < divisor < n and n % divisor == 0)


@pytest.mark.parametrize("method", SURE)
def test_every_small_composite_comes_apart(method):
    for n in COMPOSITES:
        divisor = method(n)
        assert divisor is not None, n
        assert 1 < divisor < n
        assert n % divisor == 0


@pytest.mark.parametrize("method", SURE)
@pytest.mark.parametrize("p", [1009, 65537, 1_000_003])
@pytest.mark.parametrize("power", [2, 3, 5])
def test_powers_of_primes_come_apart(method, p, power):
    assert method(p**power) in {p**k for k in range(1, power)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [-12, 0, 1, 2, 3, 97, 2**61 - 1])
def test_what_has_no_proper_divisor_is_refused(method, n):
    with pytest.raises(ValueError, match="n must be a composite"):
        method(n)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [91.0, "91", None])
def test_what_is_no_integer_is_refused(method, n):
    with pytest.raises(TypeError, match="n must be an integer"):
        method(n)


def test_fermat_finds_near_primes_at_once_and_gives_up_on_others():
    near = (10**30 + 57) * (10**30 + 99)
    assert fermat_factor(near, most_steps=10) == 10**30 + 57
    assert fermat_factor((10**9 + 7) * (10**30 + 57), most_steps=1000) is None


def test_rho_gives_up_after_its_steps():
    n = (10**15 + 37) * (10**16 + 61)
    assert pollard_rho(n, most_steps=1000) is None


def test_pm1_finds_primes_by_what_stands_below_them():
    smooth = 2 * 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 40037 + 1
    other = 2**127 - 1  # 77158673929 divides what stands below it
    assert pollard_pm1(smooth * other, bound=40, second_bound=40037) == smooth
    assert pollard_pm1(smooth * other, bound=40, second_bound=40036) is None


def test_pm1_gives_up_where_all_primes_fall_together():
    assert pollard_pm1(7 * 13, bound=10) is None


def test_curves_find_a_prime_of_twelve_digits_in_a_number_of_sixty():
    p, q = 10**11 + 3, 2**157 - 1  # q is 852133201 * 60726444167 * ...: any of them will do
    divisor = ecm(p * q)
    assert 1 < divisor < p * q
    assert p * q % divisor == 0


def test_curves_give_up_after_their_number():
    assert ecm((10**25 + 13) * (10**26 + 67), bound=50, curves=1) is None


@pytest.mark.parametrize("digits", [10, 14, 18])
def test_the_sieve_finds_two_primes_of_equal_length(digits):
    p, q = {  # the first primes above powers of ten: OEIS A033873
        10: (10**10 + 19, 10**10 + 33),
        14: (10**14 + 31, 10**14 + 67),
        18: (10**18 + 3, 10**18 + 9),
    }[digits]
    assert siqs(p * q) in {p, q}


@pytest.mark.parametrize(
    ("method", "bound"),
    [
        (fermat_factor, "most_steps"),
        (pollard_rho, "most_steps"),
        (pollard_pm1, "bound"),
        (ecm, "bound"),
        (ecm, "curves"),
    ],
)
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_bounds_are_checked(method, bound, value, error):
    with pytest.raises(error, match=bound):
        method(8051, **{bound: value})
