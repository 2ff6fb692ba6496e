import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import cached


def counting(maxsize):
    calls = []

    @cached(maxsize)
    def square(n):
        calls.append(n)
        return n * n

    return square, calls


@given(st.integers(0, 5), st.lists(st.integers(0, 8), max_size=60))
def test_it_forgets_what_was_used_least_recently(maxsize, arguments):
    square, calls = counting(maxsize)
    expected_calls, recent = [], []
    for n in arguments:
        assert square(n) == n * n
        if n in recent:
            recent.remove(n)
        else:
            expected_calls.append(n)
        recent.append(n)
        del recent[: max(0, len(recent) - maxsize)]
    assert calls == expected_calls
    assert square.cache_info().currsize == len(recent)


@pytest.mark.parametrize("maxsize", [-1, None])
def test_without_a_bound_nothing_is_forgotten(maxsize):
    square, calls = counting(maxsize)
    for n in [*range(5_000), *range(5_000)]:
        assert square(n) == n * n
    assert calls == list(range(5_000))
    assert square.cache_info().maxsize is None


def test_zero_remembers_nothing():
    square, calls = counting(0)
    assert [square(3), square(3)] == [9, 9]
    assert calls == [3, 3]


@pytest.mark.parametrize("maxsize", [-2, -100])
def test_other_negative_bounds_are_refused(maxsize):
    with pytest.raises(ValueError, match=f"maxsize .* not {maxsize}"):
        cached(maxsize)


@pytest.mark.parametrize("maxsize", [2.0, "2", [2]])
def test_what_is_no_integer_is_refused(maxsize):
    with pytest.raises(TypeError, match="maxsize must be an integer"):
        cached(maxsize)


def test_forgetting_the_parentheses_says_what_to_write():
    with pytest.raises(TypeError, match=r"write @cached\(128\)"):
        cached(lambda n: n)


def test_an_error_is_raised_and_not_remembered():
    attempts = []

    @cached(10)
    def fragile(n):
        attempts.append(n)
        if len(attempts) == 1:
            raise OSError("first time")
        return n

    with pytest.raises(OSError, match="first time"):
        fragile(7)
    assert fragile(7) == 7


def test_a_recursive_function_becomes_linear_and_keeps_its_name():
    @cached(-1)
    def paths(rows, columns):
        """Count the ways."""
        return 1 if 0 in (rows, columns) else paths(rows - 1, columns) + paths(rows, columns - 1)

    assert paths(20, 20) == 137846528820
    assert paths.cache_info().misses == 21 * 21 - 1
    assert (paths.__name__, paths.__doc__) == ("paths", "Count the ways.")
