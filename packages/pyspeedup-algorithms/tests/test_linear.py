"""Equations modulo a number, against all vectors there are."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import NoSolution, nullspace_mod, rank_mod, rref_mod, solve_mod

MODULI = [2, 3, 4, 5, 6, 7, 8, 9, 12]
LARGE_PRIMES = [2**31 - 1, 2**61 - 1, 2**63 + 29, 2**89 - 1]


@st.composite
def matrices(draw, moduli=MODULI):
    n = draw(st.sampled_from(moduli))
    height, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    entries = st.integers(-n, 2 * n)
    row = st.lists(entries, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=height, max_size=height)), n


def product(matrix, vector, n):
    return tuple(sum(a * x for a, x in zip(row, vector, strict=True)) % n for row in matrix)


def span(rows, width, n):
    found = {(0,) * width}
    for row in rows:
        found = {
            tuple((x + k * y) % n for x, y in zip(vector, row, strict=True))
            for vector in found
            for k in range(n)
        }
    return found


def all_vectors(width, n):
    return itertools.product(range(n), repeat=width)


@given(matrices())
def test_an_echelon_form_spans_the_same_and_so_does_each_end_of_it(given_):
    matrix, n = given_
    width = len(matrix[0])
    form, pivots = rref_mod(matrix, n)
    everything = span(matrix, width, n)
    assert span(form, width, n) == everything
    for zeros in range(width + 1):
        end = [row for row in form if not any(row[:zeros])]
        assert span(end, width, n) == {each for each in everything if not any(each[:zeros])}
    assert list(pivots) == sorted(pivots)
    assert rank_mod(matrix, n) == len(pivots) == sum(map(any, form))
    assert not any(map(any, form[len(pivots) :]))


@given(matrices())
def test_pivots_divide_the_modulus_and_what_is_above_them_is_less(given_):
    matrix, n = given_
    form, pivots = rref_mod(matrix, n)
    for place, column in enumerate(pivots):
        pivot = form[place][column]
        assert not any(form[place][:column])
        assert n % pivot == 0
        assert all(0 <= row[column] < pivot for row in form[:place])


@given(matrices())
def test_the_form_is_the_same_whatever_rows_it_is_made_of(given_):
    matrix, n = given_
    other = [[sum(column) for column in zip(*matrix, strict=True)], *reversed(matrix)]
    one, pivots = rref_mod(matrix, n)
    two, same = rref_mod(other, n)
    assert pivots == same
    assert one[: len(pivots)] == two[: len(pivots)]


@given(matrices())
def test_the_null_space_is_all_that_gives_zero(given_):
    matrix, n = given_
    width = len(matrix[0])
    zero = (0,) * len(matrix)
    expected = {x for x in all_vectors(width, n) if product(matrix, x, n) == zero}
    assert span(nullspace_mod(matrix, n), width, n) == expected


@given(matrices(), st.data())
def test_a_solution_is_found_exactly_if_there_is_one(given_, data):
    matrix, n = given_
    right = data.draw(st.lists(st.integers(-n, n), min_size=len(matrix), max_size=len(matrix)))
    wanted = tuple(entry % n for entry in right)
    possible = any(product(matrix, x, n) == wanted for x in all_vectors(len(matrix[0]), n))
    if possible:
        assert product(matrix, solve_mod(matrix, right, n), n) == wanted
    else:
        with pytest.raises(NoSolution, match=f"modulo {n}"):
            solve_mod(matrix, right, n)


@pytest.mark.parametrize("p", LARGE_PRIMES)
def test_large_primes(p):
    matrix = [
        [pow(i + 2, j, p) for j in range(6)] for i in range(6)
    ]  # Vandermonde's: it has full rank
    assert rref_mod(matrix, p)[1] == tuple(range(6))
    assert nullspace_mod(matrix, p) == []
    x = [p - 1, 1, 2, p // 2, 0, 7]
    assert solve_mod(matrix, product(matrix, x, p), p) == x


def test_a_form_worked_by_hand():
    """Three times the first row begins with another zero, and 5 has an inverse."""
    form, pivots = rref_mod([[4, 1, 10], [0, 0, 5], [0, 0, 0]], 12)
    assert form == [[4, 1, 0], [0, 3, 0], [0, 0, 1]]
    assert pivots == (0, 1, 2)


def test_the_input_stays_as_it_is():
    rows = [[2, 4], [6, 9]]
    rref_mod(rows, 6), rref_mod(rows, 7), nullspace_mod(rows, 7), solve_mod(rows, [2, 3], 11)
    assert rows == [[2, 4], [6, 9]]


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("function", [rref_mod, rank_mod, nullspace_mod])
def test_what_is_no_matrix_is_refused(function, n):
    for rows in ([], [[]], [[], []]):
        with pytest.raises(ValueError, match="at least one row and one column"):
            function(rows, n)
    with pytest.raises(ValueError, match=r"rows\[1\] has 1, rows\[0\] 2"):
        function([[1, 2], [3]], n)
    with pytest.raises(TypeError, match=r"rows\[0\]\[1\] must be an integer"):
        function([[1, 2.0]], n)


@pytest.mark.parametrize("n", [1, 0, -7])
def test_a_modulus_is_at_least_two(n):
    with pytest.raises(ValueError, match="n must be at least 2"):
        rref_mod([[1]], n)


def test_a_right_side_of_another_length_is_refused():
    with pytest.raises(ValueError, match="one entry for each of 2 rows, not 1"):
        solve_mod([[1], [2]], [1], 7)


def test_arrays_of_numpy_are_matrices():
    np = pytest.importorskip("numpy")
    assert rref_mod(np.array([[1, 2], [3, 4]]), 5) == rref_mod([[1, 2], [3, 4]], 5)
