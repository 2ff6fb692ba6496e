"""What was written for the library of 2014 runs, with its names, its order and its answers."""

import math

import pytest
from pyspeedup.algorithms import NoSquareRoot, compat


def test_modular_arithmetic_takes_what_it_took():
    assert compat.invMod(number=3, modulo=11) == 4
    assert compat.divideMod(numerator=3, denominator=4, modulo=11) == 9
    assert compat.tsSquareRoot(a=2, p=7) in {3, 4}
    with pytest.raises(NoSquareRoot):
        compat.tsSquareRoot(3, 7)
    assert compat.gcd(12, 18) == 6
    assert compat.jacobi_symbol(2, 15) == 1
    assert compat.fibonacci(10) == 55


def test_a_square_gives_its_root_however_large():
    root = 10**40 + 7
    assert compat.isSquare(root * root) == root
    assert compat.isSquare(root * root + 1) is False
    assert compat.isSquare(0) == 0


def test_logarithms_take_the_power_first():
    p, a = 101, 2
    for m in range(100):
        n = pow(a, m, p)
        assert compat.discreteLog(n, a, p, [2, 3, 5, 7]) == m
        assert compat.Shanks(p, a, n) == m
        assert compat.DiscreteLog(p, 100, a, n) == m
    assert compat.discreteLog(3, 4, 7, []) is None  # the powers of 4 are 1, 4 and 2


def test_rows_are_reduced_in_a_copy():
    rows = [[1, 1, 1], [1, 2, 3]]
    assert compat.rowReduce(rows, 7) == [[1, 0, 6], [0, 1, 2]]
    assert rows == [[1, 1, 1], [1, 2, 3]]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 97, 360, -12, 2**32 + 1])
def test_factors_multiply_back(n):
    for function in (compat.factor, compat.get_factorization):
        assert math.prod(function(n)) == n


@pytest.mark.parametrize("n", [15, 91, 8051])
def test_two_divisors_come_of_each_method(n):
    for method in (compat.fermat_factorization, compat.pollard_rho, compat.pollard_p1):
        found = method(n)
        assert found is None or (math.prod(found) == n and 1 < found[0] < n)
    assert compat.fermat_factorization(n)


def test_what_is_prime_or_small_comes_back_as_it_did():
    assert [compat.fermat_factorization(n) for n in (1, 2, 3, 97, -7)] == [1, 2, 3, 97, [-1, 7]]
    assert [compat.pollard_rho(n) for n in (1, 2, 97)] == [[1], [2], None]
    assert [compat.pollard_p1(n) for n in (1, 2, 97)] == [[1], [2], None]


def test_a_certificate_is_the_primes_and_their_residues():
    primes, residues = compat.findCertificateOfPrimitivity(101)
    assert primes == {2, 5}
    assert 1 not in residues


def test_primes_are_kept_where_they_are_told(tmp_path):
    compat.load_primes(tmp_path / "primes")
    compat.start_seive()
    compat.stop_seive()
    compat.stop_seive()
    assert (tmp_path / "primes").exists()
    assert compat.nextPrime(13) == 17


def test_a_memo_takes_its_old_options():
    calls = []

    @compat.cached(2, popType="random")
    def square(n):
        calls.append(n)
        return n * n

    assert [square(n) for n in (1, 2, 2, 1)] == [1, 4, 4, 1]
    assert calls == [1, 2]
    with pytest.raises(ValueError, match="popType"):
        compat.cached(2, popType="oldest")
