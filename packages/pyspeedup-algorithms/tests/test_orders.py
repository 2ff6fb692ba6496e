import math
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyspeedup.algorithms import (
    NotInvertible,
    NotPrime,
    factorint,
    is_prime,
    multiplicative_order,
    primitive_root,
)

ORDERS_OF_TWO = [  # modulo 1, 3, 5, ...: OEIS A002326
    *(1, 2, 4, 3, 6, 10, 12, 4, 8, 18, 6, 11, 20, 18, 28, 5, 10, 12, 36, 12, 20, 14, 12, 23, 21, 8),
]
LEAST_ROOTS_OF_PRIMES = [  # OEIS A001918
    *(1, 2, 2, 3, 2, 2, 3, 2, 5, 2, 3, 2, 6, 3, 5, 2, 2, 2, 2, 7, 5, 3, 2, 3, 5, 2, 5, 2, 6, 3),
]
LEAST_ROOTS = [  # of 1, 2, 3, ..., and 0 where there is none: OEIS A046145
    *(0, 1, 2, 3, 2, 5, 3, 0, 2, 3, 2, 0, 2, 3, 0, 0, 3, 5, 2, 0, 0, 7, 5, 0, 2, 7, 2, 0, 2, 0, 3),
]


def powers(a, n):
    """1, a, a**2, ... as far as they differ."""
    found = [1 % n]
    while (power := found[-1] * a % n) != 1 % n:
        found.append(power)
    return found


def test_orders_agree_with_the_definition():
    for n in range(1, 90):
        for a in range(-n, 2 * n):
            if math.gcd(a, n) == 1:
                assert multiplicative_order(a, n) == len(powers(a, n))


def test_orders_of_two_that_are_published():
    assert [multiplicative_order(2, 2 * k + 1) for k in range(26)] == ORDERS_OF_TWO


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**15))
def test_the_order_is_an_exponent_of_one_and_none_of_its_divisors_is(a, n):
    assume(math.gcd(a, n) == 1)
    order = multiplicative_order(a, n)
    assert type(order) is int
    assert pow(a, order, n) == 1 % n
    assert all(pow(a, order // q, n) != 1 % n for q in factorint(order))


@pytest.mark.parametrize("p", [101, 10**9 + 7, 2**61 - 1, 2**89 - 1])
def test_known_factors_lead_to_the_same_order(p):
    factors = {2: 1, 3: 2, 5: 2, **factorint(p - 1)}
    for power, times in factorint(p - 1).items():
        factors[power] = max(times, factors[power])
    for a in (2, 3, 5, -1, 7**10):
        assert multiplicative_order(a, p, factors=factors) == multiplicative_order(a, p)


def test_known_factors_spare_factoring_a_number_that_cannot_be_factored():
    p, q = 2**521 - 1, 2**607 - 1
    factors = Counter({521: 1, 607: 1})
    assert multiplicative_order(2, p * q, factors) == 521 * 607


def test_factors_that_do_not_suffice_are_refused():
    with pytest.raises(
        ValueError, match="factors must be of a multiple of the order of 3 modulo 7"
    ):
        multiplicative_order(3, 7, factors={2: 1})
    with pytest.raises(ValueError, match="must not be negative"):
        multiplicative_order(3, 7, factors={2: 1, 3: -1})


def test_factors_that_are_not_prime_are_refused():
    with pytest.raises(NotPrime, match="6 is not prime"):
        multiplicative_order(3, 7, factors={6: 1})
    with pytest.raises(TypeError, match="must be an integer"):
        multiplicative_order(3, 7, factors={2.0: 1, 3: 1})
    with pytest.raises(TypeError, match="must be an integer"):
        multiplicative_order(3, 7, factors={2: 1.0, 3: 1})


@pytest.mark.parametrize(("a", "n"), [(0, 2), (0, 7), (6, 9), (14, 21), (-4, 6)])
def test_no_power_of_what_has_a_common_divisor_is_one(a, n):
    with pytest.raises(NotInvertible) as caught:
        multiplicative_order(a, n)
    assert (caught.value.a, caught.value.m) == (a, n)
    assert caught.value.gcd == math.gcd(a, n)


@pytest.mark.parametrize("n", [0, -1, -7])
def test_a_modulus_below_one_is_refused(n):
    with pytest.raises(ValueError, match=f"n must be positive, not {n}"):
        multiplicative_order(1, n)
    with pytest.raises(ValueError, match=f"p must be positive, not {n}"):
        primitive_root(n)


def test_least_primitive_roots_that_are_published():
    primes = [p for p in range(114) if is_prime(p)]
    assert [primitive_root(p) for p in primes] == LEAST_ROOTS_OF_PRIMES
    for n, root in enumerate(LEAST_ROOTS, 1):
        if root or n == 1:
            assert primitive_root(n) == root
        else:
            with pytest.raises(ValueError, match=f"{n} has no primitive root"):
                primitive_root(n)


def test_primitive_roots_are_the_least_whose_powers_are_everything():
    for n in range(2, 300):
        units = [a for a in range(n) if math.gcd(a, n) == 1]
        generators = (g for g in units if len(powers(g, n)) == len(units))
        expected = next(generators, None)
        if expected is None:
            with pytest.raises(ValueError, match="has no primitive root"):
                primitive_root(n)
        else:
            assert primitive_root(n) == expected


@pytest.mark.parametrize(("p", "root"), [(40487, 5), (6692367337, 5), (2**61 - 1, 37)])
def test_large_primitive_roots(p, root):
    assert primitive_root(p) == root


def test_a_primitive_root_that_is_none_of_the_square():
    assert primitive_root(40487) == 5  # OEIS A055578: the square needs another one
    assert primitive_root(40487**2) == 10
    assert pow(5, 40486, 40487**2) == 1


@given(st.integers(2, 10**6), st.integers(1, 4))
def test_a_primitive_root_has_the_full_order(start, exponent):
    p = next(n for n in range(start | 1, start + 1000) if is_prime(n))
    n = p**exponent
    assert multiplicative_order(primitive_root(n), n) == p ** (exponent - 1) * (p - 1)
