"""An integer is whatever has ``__index__``; nothing else is, in any function."""

from decimal import Decimal
from fractions import Fraction

import pytest
from pyspeedup.algorithms import (
    factor,
    factorint,
    fibonacci,
    gcd,
    is_prime,
    is_strong_lucas_prp,
    is_strong_prp,
    jacobi_symbol,
    lcm,
    mod_inverse,
)

OF_ONE = [factor, factorint, fibonacci, gcd, is_prime, is_strong_lucas_prp, lcm]
OF_TWO = [gcd, is_strong_prp, jacobi_symbol, lcm, mod_inverse]


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
    assert function(Foreign(3), Foreign(7)) == function(3, 7)


def test_results_are_plain_integers():
    assert type(gcd(True)) is int
    assert type(mod_inverse(True, 7)) is int
    assert [type(p) for p in factor(Foreign(7))] == [int]
    assert [type(p) for p in factor(True)] == []
