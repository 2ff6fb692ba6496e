"""What a store takes for the same function, and what for another: an answer is never another function's."""

import dataclasses
import functools
import importlib
import operator
import shelve
import sys
import threading
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


def of_signatures():
    return [
        *(lambda n, k=2: (n, k), lambda n, *k: (n, k), lambda n, **k: (n, k)),
        *(lambda n, *, k=2: (n, k), lambda k=2, *, n=5: (n, k), lambda n=5, k=2: (n, k)),
    ]


def typed_in_signatures():
    return [eval(f"lambda n, {k}: (n, k)") for k in ("*k", "**k", "k=()")]


def name_of_kind(made):
    made.close()
    return type(made).__name__


def over_kinds_of_functions():
    """Return functions that differ in nothing but what calling one of their own returns."""
    sources = ("async def f(n): return n", "def f(n):\n    return n\n    yield")

    def made_by(source):
        namespace = {}
        exec(source, namespace)
        make = namespace["f"]
        return lambda n: name_of_kind(make(n))

    return [made_by(source) for source in sources]


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


def decorated_by_objects():
    return [Times(plain, 2), Times(plain, 3), Times(abs, 3), Times(lambda n: n + 1, 3)]


def over_decorated_by_objects():
    return [*map(over, decorated_by_objects()), over(Times(Times(plain, 2), 2))]


def decorated_in_place():
    def kind_of(function):
        class Local(Times):
            def __call__(self, n):
                return function(super().__call__(n))

        return Local

    @kind_of(abs)
    def doubled(n: threading.Lock):
        return 2 * n

    @kind_of(operator.neg)
    def tripled(n: threading.Lock):
        return 3 * n

    return [doubled, tripled]


def decorated_by_objects_with_slots():
    return [Slotted(plain, 2), Slotted(plain, 3)]


def decorated_by_proxies():
    return [Proxy(plain, 2), Proxy(plain, 3)]


def decorated_by_tasks():
    def task(function, factor):
        @functools.wraps(function)
        def run(n):
            return factor * function(n)

        run.apply_async = run.submit = functools.partial(run)
        return run

    return [task(plain, 2), task(plain, 3)]


def decorated_by_objects_that_pickle_their_way():
    return [Listed(plain, factors) for factors in ([2], [3], [2, 3])]


def cached_by_functools():
    return [functools.cache(plain), functools.cache(lambda n: n * 2)]


def typed_in():
    return [eval(f"lambda n: n * {factor}") for factor in (2, 3)]


def plain(n):
    return n


class Times:
    """A decorator that is a class, as many are."""

    def __init__(self, function, factor=1):
        functools.update_wrapper(self, function)
        self.function = function
        self.factor = factor
        self.itself = self.__call__

    def __call__(self, n):
        return self.factor * self.function(n)


class Slotted:
    """The same, which keeps what it needs elsewhere."""

    __slots__ = ("__wrapped__", "factor")

    def __init__(self, function, factor):
        self.__wrapped__, self.factor = function, factor

    def __call__(self, n):
        return self.factor * self.__wrapped__(n)


class Listed(list):
    """The same, which is a list of what it needs, and has more than text in a dict."""

    def __init__(self, function, factors):
        super().__init__(factors)
        self.__wrapped__ = function
        self.seen = {1: "one", "two": 2, None: self.__class__}

    def __call__(self, n):
        return sum(self) * self.__wrapped__(n)


class Proxy(Times):
    """The same, which passes for what it wraps."""

    @property
    def __class__(self):
        return type(self.__wrapped__)

    @property
    def __code__(self):
        return self.__wrapped__.__code__

    __defaults__ = __kwdefaults__ = __closure__ = None


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
    *(of_signatures, typed_in_signatures, over_kinds_of_functions, cached_by_functools),
    *(decorated_by_objects, over_decorated_by_objects, decorated_in_place),
    *(decorated_by_objects_with_slots, decorated_by_proxies, decorated_by_tasks),
    decorated_by_objects_that_pickle_their_way,
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


def test_a_decorator_that_cannot_be_told_from_others_is_refused():
    decorated = Times(plain, threading.Lock())
    with pytest.raises(TypeError, match=r"store cannot tell.*lock.*leave out the store"):
        Cache(decorated, engine="serial", store={})
    assert Cache(decorated, engine="serial").cache_info().misses == 0


def test_a_shelve_is_refused_with_what_to_take_instead(tmp_path):
    with (
        shelve.open(str(tmp_path / "shelf")) as store,
        pytest.raises(TypeError, match=r"shelve takes text alone.*DiskDict"),
    ):
        Cache(abs, store=store)


def test_shelve_may_be_half_imported_by_another_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "shelve", type(sys)("shelve"))
    assert Cache(abs, engine="serial", store={})(-1) == 1


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


def test_a_decorated_cache_is_not_taken_for_the_cache_in_a_worker():
    square = Cache(lambda n: n * n)

    def scaled(factor):
        @functools.wraps(square)
        def wrapper(n):
            return factor * square(n)

        return wrapper

    @Cache
    def kept(n):
        store = {}
        return [Cache(over(scaled(k)), store=store, engine="serial")(n) for k in (2, 3)]

    assert kept(3) == [18, 27]


def test_a_worker_may_keep_results_of_a_function_over_a_cached_method():
    class Tower:
        @Cache
        def height(self, n):
            return n + 1

    @Cache
    def kept(n):
        store, height = {}, Tower.height
        assert Tower().height(n) == n + 1  # which a method remembers
        return Cache(lambda m: height(None, m), store=store, engine="serial")(n), len(store)

    assert kept(3) == (4, 1)
