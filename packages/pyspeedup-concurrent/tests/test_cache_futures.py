"""Calls as futures of their own: `Cache.submit`."""

import asyncio
import concurrent.futures
import contextlib
import gc
import sys
import threading
import time
import weakref

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching.evaluating import Evaluating
from pyspeedup.concurrent._caching.recall import Recall
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.concurrent.engines import Processes, Threads
from pyspeedup.concurrent.engines import threads as threads_module
from pyspeedup.core import WorkerError

ENGINES = ["serial", "threads", "processes"]


@pytest.fixture
def threads():
    engine = Threads(workers=1)
    yield engine
    engine.close()


class Gate:
    """Lets calls begin, and end when they are told to."""

    def __init__(self):
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.log = []

    def pass_through(self, n):
        self.log.append(n)
        self.begun.set()
        self.go_on.wait()
        return n * n


@pytest.mark.parametrize("engine", ENGINES)
def test_a_future_brings_the_value_or_the_error(engine):
    @Cache(engine=engine)
    def invert(n):
        return 12 // n

    futures = [invert.submit(n) for n in (1, 2, 3)]
    assert [future.result(60) for future in futures] == [12, 6, 4]
    assert invert.submit(n=2).result(60) == invert(2) == 6
    with pytest.raises(ZeroDivisionError):
        invert.submit(0).result(60)
    assert isinstance(invert.submit(0).exception(60), ZeroDivisionError)
    assert tuple(invert.cache_info())[1:] == (5, None, 3)


def test_a_known_value_is_there_at_once():
    square = Cache(lambda n: n * n, engine="serial")
    assert square(3) == 9
    assert square.submit(3).done()
    assert square.submit(3).result() == 9


def test_bad_arguments_are_refused_before_anything_begins():
    square = Cache(lambda n: n * n)
    with pytest.raises(TypeError, match="argument 'n' is"):
        square.submit([3])
    with pytest.raises(TypeError, match="argument"):
        square.submit(3, 4)
    assert square.cache_info().misses == 0


def test_the_same_call_is_evaluated_once_for_all_its_futures(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    futures = [square.submit(3) for _ in range(5)]
    square.apply_async(3)
    assert len({*map(id, futures)}) == 5
    gate.go_on.set()
    assert [future.result() for future in futures] == [9] * 5
    assert gate.log == [3]
    assert tuple(square.cache_info()) == (4, 1, None, 1)


def test_who_cancels_cancels_for_nobody_else(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    square.apply_async(0)
    gate.begun.wait()
    first, second = square.submit(3), square.submit(3)
    assert first.cancel()
    assert first.cancelled()
    gate.go_on.set()
    assert second.result() == 9
    with pytest.raises(concurrent.futures.CancelledError):
        first.result()


def test_a_call_that_nobody_wants_any_more_is_dropped(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    square.apply_async(0)
    gate.begun.wait()
    futures = [square.submit(3), square.submit(3)]
    kept = square.submit(4)
    assert all(future.cancel() for future in futures)
    gate.go_on.set()
    assert kept.result() == 16
    assert gate.log == [0, 4]
    assert square(3) == 9, "it can be asked for again"


def test_a_call_that_a_hint_began_is_not_dropped(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    square.apply_async(0)
    gate.begun.wait()
    square.apply_async(3)
    assert square.submit(3).cancel()
    gate.go_on.set()
    assert square(3) == 9
    assert gate.log == [0, 3]


def test_what_has_begun_when_it_is_cancelled_is_remembered(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    future = square.submit(3)
    gate.begun.wait()
    future.cancel()
    gate.go_on.set()
    assert square(3) == 9
    assert gate.log == [3]


def test_cancelled_futures_are_done_for_those_who_wait_for_any(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    futures = [square.submit(n) for n in range(3)]
    gate.begun.wait()
    futures[2].cancel()
    done, not_done = concurrent.futures.wait(futures, 60, concurrent.futures.FIRST_COMPLETED)
    assert (done, len(not_done)) == ({futures[2]}, 2)
    gate.go_on.set()
    assert len([*concurrent.futures.as_completed(futures, 60)]) == 3


def test_a_timeout_leaves_the_call_going(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)
    future = square.submit(3)
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(0.01)
    gate.go_on.set()
    assert future.result() == square(3) == 9
    assert gate.log == [3]


@pytest.mark.parametrize("engine", ENGINES)
def test_asyncio_awaits_it(engine):
    square = Cache(lambda n: n * n, engine=engine)

    async def main():
        futures = [asyncio.wrap_future(square.submit(n)) for n in range(10)]
        return await asyncio.gather(*futures)

    assert asyncio.run(main()) == [n * n for n in range(10)]


def test_asyncio_cancels_it(threads):
    gate = Gate()
    square = Cache(gate.pass_through, engine=threads)

    async def main():
        square.apply_async(0)
        task = asyncio.wrap_future(square.submit(3))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    gate.go_on.set()
    assert square(4) == 16
    assert 3 not in gate.log


@pytest.mark.parametrize("engine", ENGINES)
def test_it_works_inside_an_evaluation(engine):
    @Cache(engine=engine)
    def fibonacci(n):
        if n < 2:
            return n
        futures = [fibonacci.submit(n - 1), fibonacci.submit(n - 2)]
        return sum(future.result() for future in futures)

    assert fibonacci(20) == 6765


def test_methods_have_futures():
    class Tower:
        @Cache(engine="serial")
        def height(self, n, *, step=1):
            return n * step

    assert Tower().height.submit(3, step=2).result() == 6


def test_the_futures_of_a_closed_engine_are_answered():
    gate = Gate()
    engine = Threads(workers=1)
    square = Cache(gate.pass_through, engine=engine)
    futures = [square.submit(n) for n in range(3)]
    gate.begun.wait()
    engine.close()
    for future in futures:
        with pytest.raises(concurrent.futures.CancelledError):
            future.result(60)
    gate.go_on.set()


@pytest.mark.parametrize("engine", ["threads", "processes"])
@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_a_callback_that_ends_its_thread_ends_nobody_elses(engine, ending, monkeypatch):
    def end(_future):
        told.release()
        raise ending

    shown = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    told = threading.Semaphore(0)

    @Cache(engine=engine, workers=1)
    def slow(n):
        time.sleep(0.3 if n < 3 else 0)
        if n == 2:
            raise LookupError(n)
        return n

    assert slow(10) == 10
    for n in (1, 2):
        futures = [slow.submit(n) for _ in range(3)]
        for future in futures[:2]:
            future.add_done_callback(end)
        assert futures[2].exception(20) is None or n == 2, "the others of the same call"
        assert all(told.acquire(timeout=20) for _ in "ab")
    assert slow.submit(3).result(20) == 3
    assert [each.exc_type for each in shown] == [ending] * 4


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_a_callback_that_ends_its_thread_does_not_hold_up_the_end_of_an_engine(engine, monkeypatch):
    shown = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    used = {"threads": Threads, "processes": Processes}[engine](workers=1)
    number = used.define(time.sleep, "sleep")
    futures = [used.submit(number, (seconds,), {}) for seconds in (1, 2, 3, 4)]
    for future in futures[:3]:
        future.add_done_callback(sys.exit)
    used.close()
    for future in futures:
        with contextlib.suppress(concurrent.futures.CancelledError):
            future.result(20)
    assert {each.exc_type for each in shown} == {SystemExit}


@pytest.mark.parametrize("make_engine", [Threads, Processes])
def test_a_call_that_was_cancelled_is_kept_by_nobody(make_engine, tmp_path):
    def wait(path):
        while not path.exists():
            time.sleep(0.01)

    engine = make_engine(workers=1)
    number = engine.define(wait, "wait")
    first = engine.submit(number, (tmp_path / "go on",), {})
    queued = [engine.submit(number, (tmp_path / str(n),), {}) for n in range(50)]
    gone = [weakref.ref(future) for future in queued]
    while not first.running():
        time.sleep(0.01)
    assert all(future.cancel() for future in queued)
    assert not concurrent.futures.wait(queued, 20).not_done
    del queued
    (tmp_path / "go on").touch()
    first.result(20)
    engine.submit(engine.define(abs, "abs"), (-1,), {}).result(20)
    pool = engine._pool
    waiting = pool._waiting._futures if make_engine is Processes else pool._futures
    assert not waiting
    gc.collect()
    assert sum(each() is not None for each in gone) == 0
    engine.close()


def test_a_thread_pool_answers_each_call_that_it_has_accepted(monkeypatch):
    """The pool is closed at the worst moment: by another thread, where a call is about to be left with it."""
    engine = Threads(workers=1)
    number = engine.define(abs, "abs")
    assert engine.submit(number, (-1,), {}).result(20) == 1
    submit, closers = threads_module._Pool.submit, []

    def close_and_submit(*args):
        closers.append(threading.Thread(target=engine.close))
        closers[-1].start()
        closers[-1].join(0.3)  # it may have to wait for the call
        return submit(*args)

    monkeypatch.setattr(threads_module._Pool, "submit", close_and_submit)
    future = engine.submit(number, (-2,), {})
    with contextlib.suppress(concurrent.futures.CancelledError):
        assert future.result(20) == 2
    closers[0].join(20)
    assert not closers[0].is_alive()


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
@pytest.mark.parametrize("way", ["call", "submit", "map"])
def test_a_call_that_finds_the_shared_engine_just_closed_takes_the_next_one(
    engine, way, monkeypatch
):
    @Cache(engine=engine, workers=1 if engine != "serial" else None)
    def double(n):
        return 2 * n

    def close_before(evaluating):
        found = find(evaluating)
        if closings:
            closings.pop()
            close_shared_engines()
        return found

    closings = []
    find = Evaluating.engine_and_number
    monkeypatch.setattr(Evaluating, "engine_and_number", close_before)
    asks = {
        "call": double,
        "submit": lambda n: double.submit(n).result(20),
        "map": lambda n: next(double.map([n])),
    }
    assert asks[way](1) == 2
    for n in range(2, 6):
        closings[:] = [None] * n
        assert asks[way](n) == 2 * n


@pytest.mark.parametrize("way", ["call", "map"])
def test_an_engine_of_ones_own_that_is_closed_says_so(way):
    engine = Threads(workers=1)
    double = Cache(lambda n: 2 * n, engine=engine)
    assert double(1) == 2
    engine.close()
    with pytest.raises(RuntimeError, match="this engine is closed"):
        double(2) if way == "call" else [*double.map([2])]


def test_a_killed_worker_is_told_of_by_each_future():
    import os

    with Processes(workers=1) as engine:
        die = Cache(lambda n: os._exit(3), engine=engine)
        futures = [die.submit(1), die.submit(1)]
        for future in futures:
            with pytest.raises(WorkerError, match="code 3"):
                future.result(60)


def test_threads_that_clear_at_once_forget_one_after_the_other(monkeypatch):
    """Else one of them would leave what the other has taken up, which may still learn what is old."""

    def retire_slowly(recall):
        retired.append(recall)
        time.sleep(0.2)
        retire(recall)

    identity = Cache(abs, engine="serial")
    retired, retire = [], Recall.retire
    monkeypatch.setattr(Recall, "retire", retire_slowly)
    threads = [threading.Thread(target=identity.cache_clear) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({*map(id, retired)}) == 3
    assert identity(-1) == 1


def test_what_waits_for_a_share_of_a_map_is_cancelled_with_it_and_begins_no_workers(log):
    note, lines = log

    @Cache
    def wait(n):
        note(f"begun {n}")
        time.sleep(1000)

    results = wait.map([1], chunksize=1)
    feeding = threading.Thread(target=_read_quietly, args=(results,))
    feeding.start()
    while not lines():
        time.sleep(0.01)
    joined = wait.submit(1)
    close_shared_engines()
    with pytest.raises(concurrent.futures.CancelledError):
        joined.result(60)
    feeding.join(60)
    assert lines() == ["begun 1"]


def _read_quietly(results):
    with contextlib.suppress(concurrent.futures.CancelledError, RuntimeError):
        list(results)
