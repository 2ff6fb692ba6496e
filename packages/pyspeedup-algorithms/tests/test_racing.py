"""Factoring as a race: right whoever wins, over in time, and nothing of it left running."""

import math
import pickle

import pytest
from pyspeedup.algorithms import FactorTimeout, NotFactored, _kernels, factor, factorint
from pyspeedup.core.testing.processes import child_processes

HARD = (2**401 - 1) * (2**521 - 1)  # the first has primes of 86 and 35 digits at least
HAS_FLINT = _kernels.is_there("flint")


@pytest.mark.parametrize("method", ["siqs", "ecm", "pollard_rho"])
def test_each_method_alone_factors(method):
    n = -(2**3) * 3 * (10**9 + 7) * (10**9 + 9) * (10**10 + 19)
    expected = {-1: 1, 2: 3, 3: 1, 10**9 + 7: 1, 10**9 + 9: 1, 10**10 + 19: 1}
    assert factorint(n, methods=[method], workers=1) == expected


def test_the_usual_methods_race():
    n = (10**14 + 31) * (10**14 + 67)
    assert factor(n, workers=2) == [10**14 + 31, 10**14 + 67]


@pytest.mark.parametrize("n", [1, -1, 2, 97, 360, 997**2])
def test_what_needs_no_race_is_not_raced_for(n):
    before = set(child_processes())
    assert math.prod(factor(n, timeout=60)) == n
    assert set(child_processes()) <= before


def test_a_timeout_keeps_what_was_found_and_ends_every_process():
    before = set(child_processes())
    with pytest.raises(FactorTimeout) as caught:
        factorint(21 * 1_000_003**2 * HARD, timeout=1)
    error = caught.value
    assert error.found == {3: 1, 7: 1, **({1_000_003: 2} if 1_000_003 in error.found else {})}
    assert math.prod(p**k for p, k in error.found.items()) * error.cofactor == error.n
    assert isinstance(error, TimeoutError)
    assert set(child_processes()) <= before
    again = pickle.loads(pickle.dumps(error))
    assert (again.found, again.cofactor, str(again)) == (error.found, error.cofactor, str(error))


def test_methods_that_give_up_leave_what_was_found():
    with pytest.raises(NotFactored, match="pollard_pm1 found no divisor") as caught:
        factorint(91 * (2**89 - 1) * (2**107 - 1), methods=["pollard_pm1"])
    error = caught.value
    assert (error.found, error.cofactor) == ({7: 1, 13: 1}, (2**89 - 1) * (2**107 - 1))
    again = pickle.loads(pickle.dumps(error))
    assert (again.found, again.methods) == (error.found, ("pollard_pm1",))


def test_one_that_gives_up_makes_room_for_the_next():
    n = (2**89 - 1) * (10**9 + 7)
    methods = ["fermat_factor", "pollard_rho"]
    assert factor(n, methods=methods, workers=1) == [10**9 + 7, 2**89 - 1]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"methods": ["guess"]}, ValueError, "no method 'guess'"),
        ({"methods": "ecm"}, TypeError, "a sequence of names"),
        ({"methods": []}, ValueError, "at least one"),
        ({"workers": 0}, ValueError, "workers"),
        ({"workers": 1.5}, TypeError, "workers"),
        ({"timeout": "soon"}, TypeError, "timeout"),
        ({"timeout": True}, TypeError, "timeout"),
        ({"timeout": -1}, ValueError, "timeout"),
        ({"timeout": float("nan")}, ValueError, "timeout"),
    ],
)
def test_options_are_checked(options, error, words):
    with pytest.raises(error, match=words):
        factor(91, **options)


@pytest.mark.parametrize("timeout", [float("inf"), 1e300, 10**400])
def test_a_timeout_may_be_of_any_length(timeout):
    n = (10**9 + 7) * (10**10 + 19)
    assert factor(n, timeout=timeout) == [10**9 + 7, 10**10 + 19]


@pytest.mark.skipif(HAS_FLINT, reason="python-flint is here")
def test_a_library_that_is_missing_is_named():
    with pytest.raises(ValueError, match=r"pyspeedup-algorithms\[flint\]"):
        factor(91, methods=["flint"])


@pytest.mark.skipif(not HAS_FLINT, reason="needs python-flint")
def test_flint_may_be_what_races():
    assert factor((10**14 + 31) * (10**14 + 67), methods=["flint"]) == [10**14 + 31, 10**14 + 67]


def test_a_bar_shows_the_bits_factored(monkeypatch):
    shown = []

    class Bar:
        def update(self, bits):
            shown.append(bits)

        def close(self):
            shown.append("closed")

    monkeypatch.setattr("pyspeedup.algorithms.racing.make_bar", lambda *_: Bar())
    assert factor(2 * 3 * (10**9 + 7), progress=True) == [2, 3, 10**9 + 7]
    assert shown == [2, 2, 30, "closed"]
