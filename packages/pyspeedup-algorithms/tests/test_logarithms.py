"""The parts that discrete logarithms are made of, each held to its definition."""

import math
import random
import subprocess
import sys
from collections import Counter
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.algorithms import NoDiscreteLog, discrete_log, factorint, is_prime, pollard_rho_log
from pyspeedup.algorithms._logarithms import (
    baby_steps,
    elimination,
    indices,
    rho,
    sieving,
    smooth,
)

PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]
MERSENNE = 2**31 - 1


def safe_prime(bits):
    return next(p for p in count(2**bits + 3, 4) if is_prime(p) and is_prime(p // 2))


@pytest.mark.parametrize("bits", [44, 51, 60, 64])
def test_safe_primes_by_index_calculus(bits):
    p = safe_prime(bits)
    chance = random.Random(bits)
    b, x = chance.randrange(2, p - 1), chance.randrange(p // 2)
    assert discrete_log(p, pow(b, x, p), b) == x


def test_several_large_primes_of_the_order_share_the_relations():
    q, r = 2**21 + 17, 2**22 + 15
    assert is_prime(q)
    assert is_prime(r)
    p = next(p for k in count(2, 2) if is_prime(p := k * q * r + 1))
    for x in (0, 1, 10**12 + 39, q * r - 1):
        found = discrete_log(p, pow(3, x, p), 3, method="index_calculus")
        assert found <= x
        assert pow(3, found, p) == pow(3, x, p)


@pytest.mark.parametrize("method", ["auto", "index_calculus", "pollard_rho_log"])
def test_an_order_with_the_square_of_a_large_prime(method):
    q = 2**21 + 17
    p = next(p for k in count(2, 2) if k % q and is_prime(p := k * q * q + 1))
    assert factorint(p - 1)[q] == 2
    x = 3 * q * q // 4
    assert pow(5, discrete_log(p, pow(5, x, p), 5, method=method), p) == pow(5, x, p)


def test_powers_and_products_of_large_primes():
    p, r = safe_prime(50), safe_prime(44)
    for n in (p * r, p**3, 2**40 * r):
        x = 123_456_789_123_456
        found = discrete_log(n, pow(7, x, n), 7)
        assert found <= x
        assert pow(7, found, n) == pow(7, x, n)


def test_a_square_is_no_power_of_anything_else_modulo_the_other_prime():
    p, r = safe_prime(30), safe_prime(32)
    b = pow(5, 2, p * r)
    a = next(a for a in count(2) if pow(a, p // 2, p) != 1)
    with pytest.raises(NoDiscreteLog):
        discrete_log(p * r, a, b)


def test_sieved_relations_hold():
    p = safe_prime(32)
    root = math.isqrt(p) + 1
    primes = [prime for prime in range(2, 300) if is_prime(prime)]
    squares = 0
    for relation in sieving.relations(p, primes, 60):
        powers = math.prod(pow(prime, relation.get(i, 0)) for i, prime in enumerate(primes))
        places = Counter({u: -e for u, e in relation.items() if u >= len(primes)})
        c, d = (u - len(primes) - 60 for u in places.elements())
        assert (root + c) * (root + d) % p in {powers, p - powers}
        squares += c == d
    assert squares


@given(st.sampled_from([*PRIMES, 997]), st.integers(1, 1000), st.integers(0, 1000))
def test_the_sieve_starts_where_a_prime_divides_first(prime, product, origin):
    product = product % prime or 1
    starts = sieving._starts(prime, product, origin, 60).tolist()
    for i, start in enumerate(starts):
        hits = [j for j in range(prime) if (origin + i) * (origin + j) % prime == product]
        assert hits[:1] == ([start] if start >= 0 else [])


def test_hardly_a_relation_is_missed():
    p = safe_prime(44)
    root = math.isqrt(p) + 1
    primes = [prime for prime in range(2, 300) if is_prime(prime)]
    product = math.prod(primes) ** 30
    there = sum(
        product % abs((root + c) * (root + d) - p) == 0
        for c in range(-40, 41)
        for d in range(c, 41)
    )
    assert 0.9 * there < len(sieving.relations(p, primes, 40)) <= there


@given(
    st.lists(
        st.lists(st.sampled_from([*PRIMES, -1, 53, 10**9 + 7]), max_size=12).map(math.prod),
        min_size=1,
        max_size=20,
    )
)
def test_smooth_numbers_are_told_from_others_with_their_exponents(values):
    found = smooth.factored(values, PRIMES)
    for i, value in enumerate(values):
        exponents = factorint(abs(value))
        if exponents.keys() <= set(PRIMES):
            assert {PRIMES[place]: e for place, e in found[i].items()} == exponents
        else:
            assert i not in found


def random_relations(planted, number, q, chance):
    """Return so many sparse relations that the planted values fulfil."""
    unknowns = range(len(planted))
    relations = []
    for _ in range(number):
        *others, last = chance.sample(unknowns, 5)
        relation = {u: chance.choice([1, 1, -1, 2]) for u in others}
        rest = sum(e * planted[u] for u, e in relation.items())
        relations.append({**relation, last: -rest * pow(planted[last], -1, q) % q})
    return relations


@pytest.mark.parametrize("q", [MERSENNE, 2**61 - 1, 2**89 - 1])
@pytest.mark.parametrize("size", [6, 40, 120])
def test_the_solution_that_was_planted_is_found_up_to_a_factor(q, size):
    chance = random.Random(size)
    planted = [chance.randrange(1, q) for _ in range(size)]
    relations = random_relations(planted, 2 * size + 10, q, chance)
    relations += relations[:5]  # what follows from others tells nothing
    found = elimination.common_solution(relations, q)
    factor = planted[0] * pow(found[0], -1, q) % q
    assert all(value * factor % q == planted[u] for u, value in found.items())
    assert len(found) > 0.9 * size


def test_what_is_not_determined_is_not_guessed():
    chance = random.Random(1)
    planted = [chance.randrange(1, MERSENNE) for _ in range(30)]
    few = random_relations(planted, 20, MERSENNE, chance)
    assert elimination.common_solution(few, MERSENNE) is None
    one = random_relations(planted, 34, MERSENNE, chance)
    apart = [{u + 30: e for u, e in relation.items()} for relation in one]
    assert elimination.common_solution(one, MERSENNE) is not None
    assert elimination.common_solution(one + apart, MERSENNE) is None
    others = random_relations([1] * 30, 20, MERSENNE, chance)
    assert elimination.common_solution(few + others, MERSENNE) is None


@given(st.integers(3, 2**70), st.integers(0), st.integers(1), st.integers(1, 300))
def test_tables_hold_powers(n, start, ratio, number):
    start, ratio = start % n, ratio % n
    found = baby_steps.powers(start, ratio, number, n).tolist()
    expected = [start * pow(ratio, i, n) % n for i in range(number)]
    assert found == [x % 2**63 for x in expected]


@given(st.integers(2**51 - 10**6, 2**51 - 1), st.data())
def test_products_are_exact_up_to_the_largest_modulus(n, data):
    a, b = data.draw(st.integers(n - 1000, n - 1)), data.draw(st.integers(0, n - 1))
    assert baby_steps.powers(a, b, 2, n).tolist() == [a, a * b % n]


def test_products_are_exact_where_a_float_misses_the_quotient():
    chance, missed = random.Random(0), 0
    for n in range(2**51 - 1_000, 2**51):
        a = chance.randrange(n // 2, n)
        b = pow(a, -1, n) if math.gcd(a, n) == 1 else n // math.gcd(a, n)
        assert baby_steps.powers(a, b, 2, n).tolist() == [a, a * b % n]
        missed += int(a * (b / n)) != a * b // n
    assert missed


@settings(max_examples=20)
@given(st.integers(0, 2**22), st.sampled_from([safe_prime(23), safe_prime(28)]))
def test_tables_of_numpy_find_all_powers_and_nothing_else(x, p):
    solver = baby_steps.solver(p, p // 2, 4)
    assert solver(pow(4, x, p)) == x
    assert solver(p - pow(4, x, p)) is None  # -1 is no square


def test_a_walk_ends_where_its_steps_say():
    p = safe_prime(40)
    walk = rho.Walk(p, p // 2, 4, 9, 31 * rho.DIRECTIONS)
    ends = rho.ends(walk, 5, 20)
    assert [seed for seed, _ in ends] == list(range(5, 25))
    for seed, end in ends:
        i, j = rho._retrace(walk, seed)
        assert end == pow(4, i, p) * pow(9, j, p) % p
        assert end & walk.end_mask == 0


def test_workers_walk_too(monkeypatch):
    monkeypatch.setattr(rho, "PARALLEL_BITS", 20)
    p = safe_prime(36)
    x = 12_345_678_901
    assert pollard_rho_log(p, pow(4, x, p), 4, workers=2) == x


def test_short_vectors_are_short_and_equal_to_the_number():
    p = safe_prime(60)
    for y in (1, 2, p - 1, 10**17 + 3, 10**9):
        for u, v in indices._short_vectors(p, y):
            assert (u - v * y) % p == 0


def test_sizes_grow_with_the_modulus_and_beyond_what_was_measured():
    sizes = [indices._sizes(bits) for bits in range(20, 200)]
    assert sizes == sorted(sizes)
    assert indices._sizes(60) == (1_200, 180)


ALONE = """
import sys
from pyspeedup.algorithms import discrete_log
assert not {"numpy", "flint", "gmpy2", "multiprocessing"} & sys.modules.keys() - BEFORE
p = 2**60 + 2731
assert discrete_log(p, 3, 2) == 99681973464596556
p = 1099511628443
assert discrete_log(p, pow(4, 10**10, p), 4, method="pollard_rho_log") == 10**10
assert "pyspeedup.concurrent" not in sys.modules
"""


def test_nothing_is_imported_before_it_is_needed_and_no_process_started_at_all():
    program = "import sys; BEFORE = set(sys.modules)\n" + ALONE
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
