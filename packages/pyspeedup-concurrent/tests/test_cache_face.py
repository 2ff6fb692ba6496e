"""What a Cache is to Python: an object of a class of its own that passes for Cache, and counts as functools does."""

import copy
import functools
import gc
import inspect
import pickle
import threading
import weakref

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.engines import Serial, Threads

ENGINES = ["serial", "threads", "processes"]


class Loud(Cache):
    """A subclass that does something at each call."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.calls = 0

    def __call__(self, /, *args, **kwargs):
        self.calls += 1
        return super().__call__(*args, **kwargs)


class Named(Cache):
    """A subclass that leaves calls alone."""

    def shout(self):
        return self.__name__.upper()


def test_a_cache_passes_for_an_instance_of_cache():
    square = Cache(lambda n: n * n, engine="serial")
    assert isinstance(square, Cache)
    assert (type(square).__name__, type(square).__module__) == ("Cache", Cache.__module__)
    assert type(square).__doc__ == Cache.__doc__
    assert callable(square)
    assert not hasattr(square, "no such attribute")


def test_a_hit_takes_no_step_of_python():
    square = Cache(lambda n: n * n, engine="serial")
    assert square(3) == 9
    hit = vars(type(square))["__call__"].__func__
    assert type(hit) is type(functools.cache(abs)), "an object written in C"
    assert hit(3) == 9
    assert square.cache_info()[:2] == (1, 1)


def test_caches_do_not_share_their_classes():
    square, cube = (Cache(function, engine="serial") for function in (lambda n: n**2, abs))
    assert [square(-3), cube(-3), square(-3), cube(-3)] == [9, 3, 9, 3]


def test_a_subclass_with_a_call_of_its_own_is_called_by_it():
    loud = Loud(abs, engine="serial")
    assert [loud(-3), loud(-3), loud.submit(-3).result()] == [3, 3, 3]
    assert loud.calls == 2
    assert tuple(loud.cache_info()) == (2, 1, None, 1)
    loud.cache_clear()
    assert loud(-3) == 3
    assert loud.cache_info().misses == 1


def test_a_subclass_may_add_to_it():
    named = Named(abs, engine="serial")
    assert (type(named), named(-1), named.shout()) == (Named, 1, "ABS")


def test_a_subscripted_cache_is_a_cache():
    square = Cache[[int], int](lambda n: n * n, engine="serial")
    assert isinstance(square, Cache)
    assert square(3) == 9


def test_a_decorator_with_options_makes_caches():
    make = Cache(engine="serial", maxsize=1)
    square = make(lambda n: n * n)
    assert isinstance(square, Cache)
    assert square.cache_parameters()["maxsize"] == 1


def test_copies_and_pickles_mean_the_same_cache():
    square = Cache(lambda n: n * n, engine="serial")
    assert (
        copy.copy(square) is copy.deepcopy(square) is pickle.loads(pickle.dumps(square)) is square
    )


@pytest.mark.parametrize("maxsize", [None, 2])
def test_a_dropped_cache_and_its_results_can_be_collected(maxsize):
    class Result:
        pass

    square = Cache(lambda n: Result(), engine=Serial(), maxsize=maxsize)
    cache, result = weakref.ref(square), weakref.ref(square(3))
    assert result() is not None
    del square
    gc.collect()
    assert cache() is None
    assert result() is None


def test_a_cache_has_weak_references_and_attributes():
    square = Cache(abs, engine="serial")
    square.colour = "red"
    assert weakref.ref(square)().colour == "red"


# Counting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_are_those_of_functools_where_calls_are_spelt_alike(engine):
    cached = Cache(lambda n: -n, engine=engine)
    twin = functools.cache(lambda n: -n)
    for n in (1, 2, 1, 3, 2, 1, 3, 3):
        assert cached(n) == twin(n)
        assert tuple(cached.cache_info()) == tuple(twin.cache_info())


@pytest.mark.parametrize("maxsize", [None, 10])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_begun_ahead_is_a_miss_and_its_calls_are_hits(engine, maxsize):
    cached = Cache(lambda n: -n, engine=engine, maxsize=maxsize)
    cached.apply_async(1)
    cached.batch_async((1,), (2,))
    assert [cached(1), cached(2), cached(2), cached.submit(3).result()] == [-1, -2, -2, -3]
    assert tuple(cached.cache_info()) == (3, 3, maxsize, 3)


def test_another_spelling_is_a_hit_and_no_other_result():
    @Cache(engine="serial")
    def scaled(n, factor=2, *, offset=0):
        return n * factor + offset

    for _ in range(3):
        assert scaled(1) == scaled(n=1) == scaled(1.0, 2) == scaled(factor=2, n=True) == 2
    assert tuple(scaled.cache_info()) == (11, 1, None, 1)
    assert scaled.submit(factor=2, n=1).result() == 2
    assert tuple(scaled.cache_info()) == (12, 1, None, 1)


def test_errors_are_misses_each_time():
    cached = Cache(lambda n: 1 // n, engine="serial")
    for misses in (1, 2):
        with pytest.raises(ZeroDivisionError):
            cached(0)
        assert tuple(cached.cache_info()) == (0, misses, None, 0)


def test_wrong_arguments_are_not_counted():
    cached = Cache(lambda n: n, engine="serial")
    with pytest.raises(TypeError, match="argument"):
        cached(1, 2)
    with pytest.raises(TypeError, match="unhashable"):
        cached([1])
    assert tuple(cached.cache_info()) == (0, 0, None, 0)


@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_nested_calls_count_as_those_of_functools_do(engine):
    def fibonacci(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    twin = fib = functools.cache(fibonacci)
    expected = twin(20), tuple(twin.cache_info())
    fib = Cache(fibonacci, engine=engine)
    assert (fib(20), tuple(fib.cache_info())) == expected


# Clearing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make_engine", [Serial, Threads])
def test_a_nested_call_under_way_at_clear_leaves_nothing_stale(make_engine):
    engine, text = make_engine(), ["old"]
    begun, go_on = threading.Event(), threading.Event()

    @Cache(engine=engine)
    def read(depth):
        if depth:
            return read(depth - 1)
        now = text[0]
        if now == "old":
            begun.set()
            go_on.wait()
        return now

    found = []
    thread = threading.Thread(target=lambda: found.append(read(2)))
    thread.start()
    begun.wait()
    text[0] = "new"
    read.cache_clear()
    go_on.set()
    thread.join()
    assert found == ["old"]
    assert [read(depth) for depth in range(3)] == ["new"] * 3
    engine.close()


def test_clearing_is_seen_through_every_spelling():
    text = ["old"]

    @Cache(engine="serial")
    def read(n, times=1):
        return text[0] * times

    assert read(1) == read(n=1) == read(1, 1) == read(times=1, n=1) == "old"
    text[0] = "new"
    read.cache_clear()
    assert read(1) == read(n=1) == read(1, 1) == read(times=1, n=1) == "new"
    assert tuple(read.cache_info()) == (3, 1, None, 1)


@pytest.mark.parametrize("maxsize", [None, 5])
def test_clearing_is_seen_by_who_holds_the_call_itself(maxsize):
    text = ["old"]
    read = Cache(lambda: text[0], engine="serial", maxsize=maxsize)
    call = read.__call__
    assert call() == "old"
    for new in ("new", "newer", "newest"):
        text[0] = new
        read.cache_clear()
        assert [call(), read(), call()] == [new] * 3


# Methods -------------------------------------------------------------------------------------------


class Tower:
    def __init__(self, base):
        self.base = base

    @Cache(engine="serial")
    def height(self, n, step=1):
        """Count."""
        return self.base + n * step


def test_a_bound_method_has_the_face_of_the_method():
    tower = Tower(10)
    assert tower.height(5) == tower.height(n=5) == 15
    assert (tower.height.__name__, tower.height.__doc__) == ("height", "Count.")
    assert tower.height.__qualname__ == "Tower.height"
    assert tower.height.__self__ is tower
    assert tower.height.__func__ is Tower.height
    assert tower.height.__wrapped__(5) == 15
    assert str(inspect.signature(tower.height)) == "(n, step=1)"
    assert "Cache of Tower.height" in repr(tower.height)
    assert tower.height.submit(6, step=2).result() == 22
    assert tower.height.cache_info() == Tower.height.cache_info()
    assert tower.height.cache_parameters() == {"maxsize": None, "typed": False}
    with pytest.raises(AttributeError, match="width"):
        _ = tower.height.width
