"""A Cache that nobody has any more leaves nothing behind, here or in the workers."""

import gc
import time
import weakref

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching.evaluating import Evaluating
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.concurrent.engines import processes
from pyspeedup.concurrent.engines.processes import Processes
from pyspeedup.concurrent.engines.serial import Serial
from pyspeedup.concurrent.engines.threads import Threads

PATIENCE = 60


class Value:
    """What is remembered; workers count those they have."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return int, (self.number,)


def values_here():
    gc.collect()
    return sum(type(each).__name__ == "Value" for each in gc.get_objects())


def made_inside(engine, number):
    """Return what a Cache made in here has come to, and a reference to it."""

    @Cache(engine=engine)
    def countdown(n):
        value = Value(number)
        if n:
            countdown.apply_async(n - 1)
            countdown(n - 1)
        return (n, number, value)

    assert countdown(3)[:2] == (3, number)
    return weakref.ref(countdown)


@pytest.fixture(params=[1, 2])
def some(request):
    with Processes(workers=request.param) as made:
        yield made


def test_caches_made_inside_a_function_are_freed_here(some):
    gc.collect()
    before = len(processes._definitions)
    made = [made_inside(some, number) for number in range(20)]
    gc.collect()
    assert [each for each in made if each() is not None] == []
    assert len(processes._definitions) == before


@pytest.mark.parametrize("make_engine", [Serial, Threads])
def test_caches_of_other_engines_are_freed(make_engine):
    engine = make_engine()
    made = [made_inside(engine, number) for number in range(40)]
    deadline = time.monotonic() + PATIENCE
    alive = 40
    while (
        alive > 2 and time.monotonic() < deadline
    ):  # what a thread has done last it may still hold
        time.sleep(0.001)
        gc.collect()
        alive = sum(each() is not None for each in made)
    assert alive <= 2
    number = engine.define(lambda n: n * n, "square")
    gc.collect()
    assert engine.submit(number, (7,), {}).result(PATIENCE) == 49
    engine.close()


def test_workers_drop_what_was_freed_here_and_nothing_else(some):
    @Cache(engine=some)
    def kept(n):
        return n, Value(n)

    @Cache(engine=some)
    def count(_way):
        return values_here()

    assert kept(1)[0] == 1
    for number in range(20):
        made_inside(some, number)
    gc.collect()
    for way in range(4):  # each worker is told with the next call that it is sent
        count(way)
    assert max(count(way) for way in range(10, 14)) <= 1
    number = kept._evaluator()[1]
    assert some.submit(number, (1,), {}).result(PATIENCE)[0] == 1


def test_what_was_dropped_does_not_wait_for_the_collector_of_rings(some):
    def still_there(_way):
        gc.disable()
        return sum(type(each).__name__ == "Value" for each in gc.get_objects())

    count = Cache(still_there, engine=some)
    for way in range(20):
        count(way)
        made_inside(some, way)
        gc.collect()
    assert max(count(way) for way in range(20, 24)) <= 8, "those of the last one or two"


def test_renewed_functions_are_freed_too(some):
    made = []
    for number in range(5):
        variables = {"Cache": Cache, "some": some, "number": number}
        exec(
            "@Cache(engine=some)\ndef once(n): return once(n - 1) + number if n else number\n",
            variables,
        )
        once = variables["once"]
        assert once(2) == 3 * number
        variables["number"] = 7
        once.cache_clear()
        assert once(2) == 21
        made.append(weakref.ref(once))
        del once, variables
    gc.collect()
    assert [each for each in made if each() is not None] == []
    assert Cache(lambda: 3, engine=some)() == 3
    assert not [n for n in processes._tidings.renewed if n not in processes._definitions]


def test_a_call_under_way_is_answered_though_its_cache_is_gone(some):
    future = Cache(lambda n: n + 1, engine=some).submit(3)
    other = Cache(lambda n: n + 2, engine=some)
    call = other.__call__
    del other
    gc.collect()
    assert [call(n) for n in range(3)] == [2, 3, 4]
    assert future.result(PATIENCE) == 4


def test_what_was_defined_without_a_structure_stays(some):
    number = some.define(lambda n: n * n, "square")
    gc.collect()
    assert some.submit(number, (7,), {}).result(PATIENCE) == 49


def test_caches_that_a_function_makes_in_a_worker_are_freed_there(some):
    def make(number):
        @Cache(engine=some)
        def inner(n):
            return inner(n - 1) if n else Value(number)

        return inner(3).number

    outer = Cache(make, engine=some)
    count = Cache(lambda _way: values_here(), engine=some)
    assert [outer(n) for n in range(10)] == [*range(10)]
    assert max(count(way) for way in range(4)) == 0


@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_what_a_closed_engine_remembered_is_freed(engine):
    made = []

    @Cache(engine=engine)
    def value(number):
        found = Value(number)
        made.append(weakref.ref(found))
        return found

    for number in range(10):
        assert value(number).number == number
        close_shared_engines()
        value.cache_clear()
    assert value(10).number == 10
    close_shared_engines()
    deadline = time.monotonic() + PATIENCE
    while sum(each() is not None for each in made) > 2 and time.monotonic() < deadline:
        time.sleep(0.001)  # until the threads have ended
        gc.collect()
    assert sum(each() is not None for each in made) <= 2


def test_an_engine_that_is_closed_in_its_own_call_answers_it():
    @Cache(engine="serial")
    def close(n):
        close_shared_engines()
        return n and close(n - 1)

    assert close(3) == 0
    assert close.submit(4).result(PATIENCE) == 0
    close_shared_engines()


def test_a_function_that_is_let_go_of_in_its_last_call_answers_it():
    engine = Serial()
    held = []
    number = engine.define(lambda n: held.clear() or n, "last")
    held.append(engine.hold(number))
    assert engine.submit(number, (7,), {}).result() == 7


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_a_function_defined_anew_by_another_thread_meanwhile_is_found(engine, monkeypatch):
    """Another thread has the function defined anew between the look for the engine and its use."""
    double = Cache(lambda n: 2 * n, engine=engine)
    find, closings = Evaluating.engine_and_number, []

    def close_and_define_anew(evaluating):
        found = find(evaluating)
        if closings:
            closings.pop()
            close_shared_engines()
            find(evaluating)
        return found

    monkeypatch.setattr(Evaluating, "engine_and_number", close_and_define_anew)
    for n in range(4):
        closings.append(True)
        assert double(n) == 2 * n
        closings.append(True)
        double.cache_clear()
    close_shared_engines()


def test_what_was_defined_anew_is_renewed_in_workers_that_know_it_by_its_former_number():
    with Processes(workers=1) as own:
        variables = {"factor": 1}
        exec("def scaled(n): return factor * n\ndef around(n, way): return scaled(n)", variables)
        scaled = variables["scaled"] = Cache(variables["scaled"], workers=1)
        around = Cache(variables["around"], engine=own)
        assert [scaled(1), around(1, "old")] == [1, 1]
        close_shared_engines()
        assert [scaled(2), around(2, "defined anew")] == [2, 2]
        variables["factor"] = 2
        scaled.cache_clear()
        assert [scaled(3), around(3, "new")] == [6, 6]
    close_shared_engines()
