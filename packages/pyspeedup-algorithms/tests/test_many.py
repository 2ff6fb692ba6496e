"""Many numbers at once: the same answers as one by one, wherever they are computed."""

import math
import random
from itertools import count, islice

import pytest
from pyspeedup.algorithms import _kernels, factor, factor_many, is_prime, is_prime_many, many

SMALL = list(range(1, 200))
MERSENNE = {  # the exponents of composite ones, with their factors: OEIS A001348, Cunningham's tables
    11: [23, 89],
    23: [47, 178481],
    29: [233, 1103, 2089],
    67: [193707721, 761838257287],
    83: [167, 57912614113275649087721],
    97: [11447, 13842607235828485645766393],
}


@pytest.fixture
def dear(monkeypatch):
    """Have every number computed elsewhere."""
    for name in ("FACTOR", "IS_PRIME"):
        monkeypatch.setattr(many, name, getattr(many, name)._replace(most_bits=0))


@pytest.fixture
def evaluations(monkeypatch):
    """Count what is given to other processes."""
    seen = []
    elsewhere = many._Many._elsewhere

    def counted(self, numbers, **options):
        for pair in elsewhere(self, numbers, **options):
            seen.append(pair)
            yield pair

    monkeypatch.setattr(many._Many, "_elsewhere", counted)
    return seen


def test_cheap_numbers_stay_in_this_process(evaluations):
    assert list(factor_many(SMALL)) == list(map(factor, SMALL))
    assert list(is_prime_many(SMALL)) == list(map(is_prime, SMALL))
    assert not evaluations


def test_dear_numbers_go_elsewhere_and_come_back_in_order(evaluations):
    numbers = [2**k - 1 for k in MERSENNE]
    assert list(factor_many(numbers)) == list(MERSENNE.values())
    assert len(evaluations) == 2  # those of more than 80 bits


def test_what_is_dear_by_measure_goes_elsewhere(monkeypatch, evaluations):
    monkeypatch.setattr(many, "ENOUGH", 0.0)
    monkeypatch.setattr(many, "DEAR", 0.0)
    assert list(factor_many(SMALL)) == list(map(factor, SMALL))
    assert len(evaluations) > 100


@pytest.mark.usefixtures("dear")
def test_all_elsewhere_is_the_same(evaluations):
    assert list(factor_many(SMALL)) == list(map(factor, SMALL))
    assert list(is_prime_many(SMALL)) == list(map(is_prime, SMALL))
    assert len(evaluations) == 2 * len(SMALL)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_without_an_order_pairs_come(where, request):
    if where == "elsewhere":
        request.getfixturevalue("dear")
    numbers = random.Random(1).sample(range(2, 10**6), 50)
    assert dict(factor_many(numbers, ordered=False)) == {n: factor(n) for n in numbers}
    assert dict(is_prime_many(numbers, ordered=False)) == {n: is_prime(n) for n in numbers}


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [(0, ValueError, r"ns\[3\] must not be 0"), ("x", TypeError, r"ns\[3\] must be an integer")],
)
def test_what_is_wrong_is_raised_at_its_place(where, bad, error, words, request):
    if where == "elsewhere":
        request.getfixturevalue("dear")
    results = factor_many([4, 6, 9, bad, 10])
    assert [next(results) for _ in range(3)] == [[2, 2], [2, 3], [3, 3]]
    with pytest.raises(error, match=words):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_an_error_of_the_iterable_comes_after_what_it_gave(where, request):
    if where == "elsewhere":
        request.getfixturevalue("dear")

    def numbers():
        yield from (4, 6)
        raise OSError("the file ends here")

    results = factor_many(numbers())
    assert [next(results), next(results)] == [[2, 2], [2, 3]]
    with pytest.raises(OSError, match="ends here"):
        next(results)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_numbers_without_end_are_read_as_results_are(where, request):
    if where == "elsewhere":
        request.getfixturevalue("dear")
    results = factor_many(count(1))
    assert list(islice(results, 5)) == [[], [2], [3], [2, 2], [5]]
    results.close()
    assert list(results) == []


def test_negative_numbers_and_other_integers_are_taken():
    assert list(factor_many([-12, True])) == [[-1, 2, 2, 3], []]


def test_what_is_no_iterable_is_refused():
    with pytest.raises(TypeError, match="ns must be an iterable"):
        factor_many(12)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_store_keeps_the_results(where, request, monkeypatch):
    if where == "elsewhere":
        request.getfixturevalue("dear")
    store = {}
    assert list(factor_many([91, 2**67 - 1], store=store)) == [[7, 13], MERSENNE[67]]
    assert list(is_prime_many([91], store=store)) == [False]
    assert len(store) == 3
    known = {2: [(2, 1)]}
    monkeypatch.setattr(_kernels, "factor", known.__getitem__)  # it could do no other number
    assert list(factor_many([2**67 - 1, 91], store=store)) == [MERSENNE[67], [7, 13]]


def test_a_bar_shows_how_many_are_done(monkeypatch):
    shown = []

    class Bar:
        def update(self):
            shown.append(1)

        def close(self):
            shown.append("closed")

    def make_bar(total, name, unit):
        assert (total, name, unit) == (3, "factor_many", " numbers")
        return Bar()

    monkeypatch.setattr(many, "make_bar", make_bar)
    assert [math.prod(found) for found in factor_many([6, 7, 8], progress=True)] == [6, 7, 8]
    assert shown == [1, 1, 1, "closed"]


@pytest.mark.parametrize("workers", [0, -1, "2"])
def test_workers_are_checked_at_once(workers):
    with pytest.raises((TypeError, ValueError), match="workers"):
        factor_many([6], workers=workers)
