"""An integer is whatever has ``__index__``; nothing else is, in any function."""

from decimal import Decimal
from fractions import Fraction

import pytest
from pyspeedup.algorithms import (
    factor,
    factorint,
    fibonacci,
    fibonacci_mod,
    gcd,
    gcdext,
    is_bpsw_prp,
    is_fermat_prp,
    is_lucas_prp,
    is_perfect_power,
    is_prime,
    is_square,
    is_strong_lucas_prp,
    is_strong_prp,
    isqrt,
    jacobi_symbol,
    kronecker_symbol,
    lcm,
    legendre_symbol,
    lucas,
    mod_divide,
    mod_inverse,
    multiplicative_order,
    next_prime,
    prev_prime,
    primitive_root,
    sqrt_mod,
)

OF_ONE = [
    *(factor, factorint, fibonacci, gcd, is_bpsw_prp, is_lucas_prp, is_perfect_power, is_prime),
    *(is_square, is_strong_lucas_prp, isqrt, lcm, lucas, next_prime),
]
OF_TWO = [
    *(
        fibonacci_mod,
        gcd,
        gcdext,
        is_fermat_prp,
        is_strong_prp,
        jacobi_symbol,
        kronecker_symbol,
        lcm,
    ),
    *(legendre_symbol, mod_inverse, multiplicative_order, sqrt_mod),
]


class Foreign:
    """As the integers of numpy, gmpy2 and flint are."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


@pytest.mark.parametrize("bad", [7.0, "7", b"7", None, Fraction(7), Decimal(7), 7j, [7]])
@pytest.mark.parametrize("function", OF_ONE)
def test_one_argument_that_is_no_integer_is_refused_by_name(function, bad):
    name = r"integers\[0\]" if function in {gcd, lcm} else "n"
    with pytest.raises(
        TypeError, match=f"^{name} must be an integer, not the {type(bad).__name__}"
    ):
        function(bad)


@pytest.mark.parametrize("bad", [7.0, "7", None])
@pytest.mark.parametrize("function", OF_TWO)
def test_two_arguments_are_both_held_to_it(function, bad):
    with pytest.raises(TypeError, match="must be an integer"):
        function(bad, 5)
    with pytest.raises(TypeError, match="must be an integer"):
        function(5, bad)


@pytest.mark.parametrize("function", OF_ONE)
@pytest.mark.parametrize("value", [1, 7, 12, 97])
def test_foreign_integers_count_as_their_value(function, value):
    assert function(Foreign(value)) == function(value)


@pytest.mark.parametrize("function", OF_TWO)
def test_two_foreign_integers_count_as_their_values(function):
    assert function(Foreign(2), Foreign(7)) == function(2, 7)
    assert function(Foreign(2), 7) == function(2, Foreign(7)) == function(2, 7)


@pytest.mark.parametrize(
    ("library", "name"), [("numpy", "int64"), ("gmpy2", "mpz"), ("flint", "fmpz")]
)
def test_integers_of_other_libraries_count_as_their_values(library, name):
    foreign = getattr(pytest.importorskip(library), name)
    for function in (*OF_ONE, prev_prime, primitive_root):
        found = function(foreign(7))
        assert found == function(7)
        assert type(found) is type(function(7))
    for function in OF_TWO:
        found = function(foreign(2), foreign(7))
        assert found == function(2, 7) == function(2, foreign(7)) == function(foreign(2), 7)
        assert type(found) is type(function(2, 7))
    assert mod_divide(foreign(4), foreign(6), foreign(8)) == 2
    assert sqrt_mod(foreign(1), foreign(8), all_roots=True) == [1, 3, 5, 7]


@pytest.mark.parametrize("bad", [7.0, "7", None])
def test_functions_with_other_bounds_are_held_to_it_too(bad):
    with pytest.raises(TypeError, match="n must be an integer"):
        prev_prime(bad)
    with pytest.raises(TypeError, match="p must be an integer"):
        primitive_root(bad)


def test_results_are_plain_integers():
    assert type(gcd(True)) is int
    assert type(mod_inverse(True, 7)) is int
    assert [type(p) for p in factor(Foreign(7))] == [int]
    assert [type(p) for p in factor(True)] == []
