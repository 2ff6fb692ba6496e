"""Proofs of primality: those of primes hold, and no change makes one of a composite."""

import copy
import json
import math
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import FactorTimeout, NotPrime, prime_certificate, verify_certificate

MERSENNE = [2**k - 1 for k in (2, 3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521)]  # OEIS A000043
PSEUDOPRIMES = [561, 1105, 2047, 1373653, 3215031751, 3825123056546413051]  # A002997, A014233
BESIDE = [10**9 + 7, 10**12 + 39, 10**18 + 9, 10**40 + 121]  # the last is the first above 10**40


def divides(d, n):
    return n % d == 0


def is_prime_by_dividing(n):
    return n > 1 and not any(divides(d, n) for d in range(2, math.isqrt(n) + 1))


@pytest.mark.parametrize("p", MERSENNE + BESIDE)
def test_the_proof_of_a_prime_holds_through_json(p):
    certificate = prime_certificate(p)
    assert certificate["n"] == p
    assert verify_certificate(certificate)
    assert verify_certificate(json.loads(json.dumps(certificate)))


def test_small_primes_and_no_others_have_proofs():
    for n in range(-5, 2000):
        if is_prime_by_dividing(n):
            assert verify_certificate(prime_certificate(n))
        else:
            with pytest.raises(NotPrime):
                prime_certificate(n)
            assert not verify_certificate({"n": n, "factors": [], "proofs": []})


@given(st.integers(10**6, 10**10))
def test_a_number_has_a_proof_exactly_if_nothing_divides_it(n):
    if is_prime_by_dividing(n):
        assert verify_certificate(prime_certificate(n))
    else:
        with pytest.raises(NotPrime):
            prime_certificate(n)


@pytest.mark.parametrize(
    "n", [n for n in PSEUDOPRIMES if n > 10**6] + [1009 * 1_000_003, 10**12 + 1]
)
def test_nothing_makes_a_proof_of_a_composite(n):
    """All that could be said truly of n - 1, with whatever bases."""
    factors = []
    rest = n - 1
    for q in range(2, 10**6):
        power = 0
        while rest % q == 0:
            rest //= q
            power += 1
        if power:
            factors.append([q, power, 2])
    for base in range(2, 60):
        for each in factors:
            each[2] = base
        assert not verify_certificate({"n": n, "factors": factors, "proofs": []})


STEP = 2 * (2**61 - 1)
PROVEN_WITHIN = next(p for p in count(STEP + 1, STEP) if all(pow(a, p - 1, p) == 1 for a in (2, 3)))
CERTIFICATE = prime_certificate(PROVEN_WITHIN)


def numbers_in(part, path=()):
    """Yield the way to each number of a certificate."""
    if isinstance(part, int):
        yield path
    else:
        for key in part if isinstance(part, dict) else range(len(part)):
            yield from numbers_in(part[key], (*path, key))


@given(st.sampled_from(list(numbers_in(CERTIFICATE))), st.integers(-3, 3).filter(bool))
def test_a_changed_number_breaks_the_proof_or_leaves_a_true_one(path, change):
    changed = copy.deepcopy(CERTIFICATE)
    part = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] += change
    if verify_certificate(changed):  # another base may do as well
        assert changed["n"] == PROVEN_WITHIN


def test_every_factor_needs_its_own_proof():
    without = copy.deepcopy(CERTIFICATE)
    large = [q for q, _, _ in without["factors"] if q >= 10**6]
    assert large, "nothing here is proven by a proof within"
    without["proofs"] = []
    assert not verify_certificate(without)


@pytest.mark.parametrize(
    "thing",
    [
        None,
        7,
        "7",
        [],
        {},
        {"n": 7},
        {"n": "7", "factors": [], "proofs": []},
        {"n": True, "factors": [], "proofs": []},
        {"n": 10**6 + 3, "factors": [[2]], "proofs": []},
        {"n": 10**6 + 3, "factors": [["2", 1, 2]], "proofs": []},
        {"n": 10**6 + 3, "factors": [[2, 10**9, 2]], "proofs": []},
        {"n": 10**6 + 3, "factors": None, "proofs": None},
        {"n": 10**6 + 3, "factors": [], "proofs": ["x", None, {"n": []}]},
    ],
)
def test_what_is_no_certificate_is_no_proof(thing):
    assert verify_certificate(thing) is False


def test_proofs_that_nest_without_end_are_no_proof():
    certificate = {"n": 10**6 + 3, "factors": [[166667, 1, 2], [3, 1, 2]], "proofs": []}
    certificate["proofs"].append(certificate)
    assert verify_certificate(certificate) is True
    deep = {"n": 10**7 + 19, "factors": [], "proofs": []}
    for _ in range(5000):
        deep = {"n": 10**7 + 19, "factors": [], "proofs": [deep]}
    assert verify_certificate(deep) is False


@pytest.mark.parametrize("p", [7.0, "7", None])
def test_what_is_no_integer_is_refused(p):
    with pytest.raises(TypeError, match="p must be an integer"):
        prime_certificate(p)


def test_what_does_not_come_apart_in_time_says_so():
    step = 2 * (2**89 - 1) * (2**107 - 1)
    p = next(p for p in count(step + 1, step) if all(pow(a, p - 1, p) == 1 for a in (2, 3, 5)))
    with pytest.raises(FactorTimeout):
        prime_certificate(p, timeout=0.05)
