"""What a store takes for the same function, and what for another: an answer is never another function's."""

import dataclasses
import functools
import importlib
import operator
import shelve
import sys
from typing import NamedTuple

import pytest
from pyspeedup.concurrent import Cache


def answers(functions, *args, engine="serial"):
    """Return what Caches of the functions, which share a store, answer when asked in turn, twice."""
    store = {}
    return [Cache(function, engine=engine, store=store)(*args) for function in 2 * functions]


def lambdas():
    return [lambda n: n * 2, lambda n: n * 3, lambda n: sum(m * 4 for m in (n,))]


def of_constants():
    return [lambda n: n in {2, 3}, lambda n: n in {5, 7}]


def over(value):
    def applied(n):
        return value(n)

    return applied


def over_functions():
    scaled = [functools.partial(operator.mul, factor) for factor in (2, 3)]
    return [over(abs), over(operator.neg), *map(over, lambdas()), *map(over, scaled)]


def over_functions_over_functions():
    return [over(over(one)) for one in (abs, operator.neg)]


def over_one_of_two():
    def chosen(first, second, third):
        def applied(n):
            return first(n), second(n), third(n)

        return applied

    def double(n):
        return 2 * n

    def triple(n):
        return 3 * n

    return [chosen(double, triple, last) for last in (double, triple)]


def over_caches():
    return [over(Cache(one, engine="serial")) for one in lambdas()[:2]]


def over_methods():
    return [over(Scaled(factor).times) for factor in (2, 3)]


def over_bound_caches():
    return [over(Scaled(factor).kept) for factor in (2, 3)]


def over_classes():
    def kind_of(factor):
        class Local:
            offset = factor

            def __init__(self, n):
                self.n = n

            def __eq__(self, other):
                return self.n * factor == other

            __hash__ = None

        return Local

    def attribute_of(value):
        @dataclasses.dataclass(frozen=True)
        class Fixed:
            number: int
            _secret = value

            def __eq__(self, other):
                return self.number + self._secret == other

            def __hash__(self):
                return 1

        return Fixed

    kinds = [*map(kind_of, (2, 3)), *map(attribute_of, (1, 4))]
    return [over(lambda n, kind=kind: [m for m in range(40) if kind(n) == m]) for kind in kinds]


def over_named_tuples():
    kinds = [NamedTuple("Pair", [(name, int)]) for name in "ab"]
    return [over(lambda n, kind=kind: repr(kind(n))) for kind in kinds]


def with_defaults():
    def looking(table):
        def look(n, table=table):
            return table[n - 5]

        return look

    return [looking([1]), looking([9])]


def with_keyword_only_defaults():
    def looking(given):
        def look(n, *, table=given):
            return table[n - 5]

        return look

    return [looking([1]), looking([9])]


def wrapped():
    def double(function):
        @functools.wraps(function)
        def wrapper(n):
            return 2 * function(n)

        return wrapper

    def triple(function):
        @functools.wraps(function)
        def wrapper(n):
            return 3 * function(n)

        return wrapper

    return [double(plain), triple(plain)]


def typed_in():
    return [eval(f"lambda n: n * {factor}") for factor in (2, 3)]


def plain(n):
    return n


class Scaled:
    """Something whose methods may be brought along."""

    def __init__(self, factor):
        self.factor = factor

    def __hash__(self):
        return self.factor

    def __eq__(self, other):
        return self.factor == other.factor

    def times(self, n):
        return self.factor * n

    @Cache(engine="serial")
    def kept(self, n):
        return self.factor * n


ALL = [
    *(lambdas, of_constants, over_functions, over_functions_over_functions, over_one_of_two),
    *(over_caches, over_methods, over_bound_caches, over_classes, over_named_tuples),
    *(with_defaults, with_keyword_only_defaults, wrapped, typed_in),
]


@pytest.mark.parametrize("make", ALL)
def test_functions_are_told_apart(make):
    assert answers(make(), 5) == 2 * [function(5) for function in make()]


@pytest.mark.parametrize("make", ALL)
def test_a_function_made_again_finds_its_answers(make):
    store = {}
    for function in make():
        Cache(function, engine="serial", store=store)(5)
    again = [Cache(function, engine="serial", store=store) for function in make()]
    for cached in again:
        cached(5)
    assert sum(cached.cache_info().misses for cached in again) == 0


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_what_a_closure_means_is_looked_at_when_the_function_is_first_called(engine):
    store = {}

    def make(first, then):
        scaled = Cache(lambda n: n * factor, engine=engine, store=store)
        factor = first
        scaled.cache_info()
        factor = then
        return scaled

    assert [make(2, 3)(5), make(2, 2)(5), make(3, 3)(5), make(3, 2)(5)] == [15, 10, 15, 10]
    assert len(store) == 2


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_what_a_closure_means_is_looked_at_again_after_clear(engine):
    store, factor = {}, 2
    scaled = Cache(lambda n: n * factor, engine=engine, store=store)
    assert scaled(5) == 10
    factor = 3
    scaled.cache_clear()
    assert scaled(5) == 15
    factor = 2
    scaled.cache_clear()
    assert (scaled(5), len(store)) == (10, 1)


def test_a_recursive_closure_finds_its_answers_again():
    store = {}

    def make():
        @Cache(engine="serial", store=store)
        def depth(n):
            return 0 if n == 0 else 1 + depth(n - 1)

        return depth

    assert make()(3) == 3
    again = make()
    assert again(3) == 3
    assert again.cache_info().misses == 0


def test_a_shelve_is_refused_with_what_to_take_instead(tmp_path):
    with (
        shelve.open(str(tmp_path / "shelf")) as store,
        pytest.raises(TypeError, match=r"shelve takes text alone.*DiskDict"),
    ):
        Cache(abs, store=store)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module, import it or reload it, and return it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text):
        (tmp_path / "of_a_store.py").write_text(text)
        importlib.invalidate_caches()
        known = sys.modules.get("of_a_store")
        return importlib.reload(known) if known else importlib.import_module("of_a_store")

    yield write
    sys.modules.pop("of_a_store", None)


SOURCE = """
class Scale:
    def __init__(self, k): self.k = k
    def __call__(self, n): return {factor} * self.k * n
def scale(k, n):
    return {factor} * k * n
"""


@pytest.mark.parametrize("name", ["Scale", "scale"])
def test_a_callable_whose_source_changes_is_another(module, name):
    store, found = {}, []
    for factor in (2, 22222, 2):
        made = getattr(module(SOURCE.format(factor=factor)), name)
        function = made(3) if name == "Scale" else functools.partial(made, 3)
        cached = Cache(function, engine="serial", store=store)
        found.append((cached(1), cached.cache_info().misses))
    assert found == [(6, 1), (66666, 1), (6, 0)]


def test_a_worker_may_keep_results_of_a_function_over_another_cache():
    square = Cache(lambda n: n * n)

    @Cache
    def kept(n):
        store = {}
        both = Cache(lambda m: square(m) + 1, store=store, engine="serial")
        return both(n), len(store)

    assert kept(3) == (10, 1)
