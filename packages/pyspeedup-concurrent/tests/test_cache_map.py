"""`Cache.map` against the map of Python."""

import gc
import itertools
import os
import random
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.concurrent import Buffer, Cache
from pyspeedup.concurrent._caching.batches import evaluate_batch
from pyspeedup.concurrent._caching.mapping import Part
from pyspeedup.concurrent.engines import Processes, Serial, Threads

ENGINES = ["serial", "threads", "processes"]


@pytest.fixture
def threads():
    engine = Threads(workers=2)
    yield engine
    engine.close()


class Plain:
    """An engine with what the protocol demands, and nothing else."""

    def __init__(self, engine):
        self._engine = engine
        self.workers = engine.workers

    def __getattr__(self, name):
        if name in {"define", "submit", "local", "forget", "close"}:
            return getattr(self._engine, name)
        raise AttributeError(name)

    def define(self, *args):
        return self._engine.define(*args)

    def submit(self, *args):
        return self._engine.submit(*args)

    def local(self, number):
        return self._engine.local(number)

    def forget(self, number):
        self._engine.forget(number)

    def close(self):
        self._engine.close()


class Forgetful:
    """An engine that evaluates whatever it is told to, however often."""

    workers = 2

    def __init__(self):
        self._executor = ThreadPoolExecutor(8)
        self._functions = []

    def define(self, function, name, structure=None):
        self._functions.append(function)
        return len(self._functions) - 1

    def submit(self, number, args, kwargs):
        return self._executor.submit(self._functions[number], *args, **kwargs)

    def submit_batch(self, number, calls):
        return self._executor.submit(evaluate_batch, self._functions[number], calls)

    def local(self, number):
        return None

    def forget(self, number):
        """Remember nothing anyway."""

    def close(self):
        self._executor.shutdown()


@pytest.fixture
def forgetful():
    engine = Forgetful()
    yield engine
    engine.close()


# Results -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_results_are_those_of_map(engine, ordered):
    square = Cache(lambda n: n * n, engine=engine)
    found = [*square.map(range(3000), ordered=ordered)]
    expected = [n * n for n in range(3000)]
    assert (found if ordered else sorted(found)) == expected
    assert tuple(square.cache_info()) == (0, 3000, None, 3000)
    assert [square(n) for n in range(3000)] == expected
    assert square.cache_info().misses == 3000


@pytest.mark.parametrize("engine", ENGINES)
def test_several_iterables_are_zipped_as_by_map(engine):
    @Cache(engine=engine)
    def scaled(n, factor=2, *, offset=0):
        return n * factor + offset

    assert [*scaled.map([1, 2, 3], itertools.count(10))] == [10, 22, 36]
    assert [*scaled.map([1, 2, 3])] == [2, 4, 6]
    assert [*scaled.map([])] == []
    assert scaled(3, 2, offset=0) == 6
    assert scaled.cache_info().misses == 6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("timeout", [float("inf"), 1e18, 10**400, threading.TIMEOUT_MAX])
def test_a_timeout_longer_than_can_be_waited_is_none(engine, timeout):
    assert [*Cache(abs, engine=engine).map([-1, 2], timeout=timeout)] == [1, 2]


@pytest.mark.parametrize("timeout", [-1, 0, float("-inf"), -(10**400)])
def test_a_timeout_that_is_over_already(timeout, engine):
    cached = Cache(time.sleep, engine=engine)
    with pytest.raises(TimeoutError):
        [*cached.map([0.2], timeout=timeout)]


def test_a_timeout_that_is_no_number_is_named():
    with pytest.raises(ValueError, match=r"timeout must be .*, not nan"):
        Cache(abs).map([1], timeout=float("nan"))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_does_not_know_its_length_yet_is_mapped_over(engine):
    square = Cache(lambda n: n * n, engine=engine)

    @Cache(engine=engine)
    def squares(n):
        with Buffer(range(n)) as numbers:
            return [*square.map(numbers)]

    with Buffer(range(5)) as numbers, Buffer(itertools.count) as endless:
        assert [*square.map(numbers)] == [*square.map(numbers)] == [0, 1, 4, 9, 16]
        assert [*itertools.islice(square.map(endless), 3)] == [0, 1, 4]
        assert [*Cache(pow, engine=engine).map(endless, [2, 2])] == [0, 1]
    assert squares(4) == [0, 1, 4, 9]


def items_until_an_error():
    yield from (1, 2)
    raise ValueError("no more items")


@pytest.mark.parametrize("place", ["here", *ENGINES])
@pytest.mark.parametrize(
    ("name", "items", "results", "error"),
    [
        ("input", items_until_an_error, [1, 4], ValueError),
        ("unhashable", lambda: [1, 2, [3], 4], [1, 4], TypeError),
        ("hash", lambda: [1, Unlucky(), 4], [1], ZeroDivisionError),
        ("function", lambda: [1, 2, "three", 4], [1, 4], TypeError),
        ("arguments", lambda: iter([1, 2]), [], TypeError),
    ],
)
def test_results_before_an_error_are_there_wherever_a_map_is_read(
    place, name, items, results, error
):
    engine = "serial" if place == "here" else place
    square = Cache(lambda n: n * n, engine=engine)

    def read(_):
        found = []
        mapped = square.map(items(), items()) if name == "arguments" else square.map(items())
        try:
            found.extend(iter(mapped))
        except error as caught:
            found.append(type(caught).__name__)
        return found, [*mapped]

    if place != "here":
        read = Cache(read, engine=engine)
    assert read(0) == ([*results, error.__name__], [])


class Unlucky:
    """Has a hash that fails otherwise than with a TypeError."""

    def __hash__(self):
        return 1 // 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_map_inside_a_worker_takes_no_more_items_than_it_may(engine):
    square = Cache(lambda n: n * n, engine=engine)

    @Cache(engine=engine)
    def taken(size):
        numbers = itertools.count()
        mapped = square.map(numbers, buffersize=size)
        return [next(mapped) for _ in range(4)], next(numbers)

    assert taken(3) == ([0, 1, 4, 9], 6)
    assert taken(1) == ([0, 1, 4, 9], 4)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_kind_of_parameter_arrives(engine):
    def collected(a, /, b=3, *c, d=4, **e):
        return (a, b, c, d, e)

    cached = Cache(collected, engine=engine)
    for iterables in ([[1, 2]], [[1], [2]], [[1], [2], [3], [4]]):
        assert [*cached.map(*iterables)] == [*map(collected, *iterables)]


def test_known_results_are_not_evaluated_again():
    log = []

    @Cache(engine="serial")
    def square(n):
        log.append(n)
        return n * n

    assert [square(n) for n in (3, 5)] == [9, 25]
    assert [*square.map([1, 3, 2, 3, 1, 5, 4])] == [1, 9, 4, 9, 1, 25, 16]
    assert log == [3, 5, 1, 2, 4]
    assert tuple(square.cache_info()) == (4, 5, None, 5)
    assert [*square.map(range(1, 6))] == [1, 4, 9, 16, 25]
    assert tuple(square.cache_info()) == (9, 5, None, 5)


@pytest.mark.parametrize("maxsize", [0, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_small_memory_answers_all_the_same(engine, maxsize):
    square = Cache(lambda n: n * n, engine=engine, maxsize=maxsize)
    assert [*square.map([*range(100)] * 2)] == [n * n for n in range(100)] * 2
    assert square.cache_info().currsize == maxsize


def test_a_store_keeps_the_results():
    store = {}
    square = Cache(lambda n: n * n, engine="serial", store=store)
    assert [*square.map(range(100))] == [n * n for n in range(100)]
    assert len(store) == 100


def test_an_engine_without_batches_is_given_the_calls_one_by_one():
    square = Cache(lambda n: n * n, engine=Plain(Serial()))
    assert [*square.map(range(50))] == [n * n for n in range(50)]
    engine = Threads(workers=3)
    invert = Cache(lambda n: 12 // n, engine=Plain(engine))
    assert sorted(invert.map([1, 2, 3, 4], ordered=False)) == [3, 4, 6, 12]
    with pytest.raises(ZeroDivisionError):
        list(invert.map([0]))
    engine.close()


@settings(max_examples=50)
@given(
    numbers=st.lists(st.integers(0, 20), max_size=60),
    known=st.lists(st.integers(0, 20), max_size=10),
    ordered=st.booleans(),
    sizes=st.tuples(st.none() | st.integers(1, 10), st.none() | st.integers(1, 10)),
    wrong=st.none() | st.integers(0, 20),
)
def test_any_map_is_that_of_python(numbers, known, ordered, sizes, wrong):
    def function(n):
        if n == wrong:
            raise ValueError(n)
        return -n

    def outcome(results):
        found = []
        try:
            for value in results:
                found.append(value)  # noqa: PERF402 -- those before an error stay
        except ValueError as error:
            found.append(str(error))
        return found

    engine = Serial() if sum(numbers) % 2 else Threads(workers=2)
    cached = Cache(function, engine=engine)
    for n in known:
        if n != wrong:
            cached(n)
    chunksize, buffersize = sizes
    options = {"ordered": ordered, "chunksize": chunksize, "buffersize": buffersize}
    found = outcome(cached.map(iter(numbers), **options))
    expected = outcome(map(function, numbers))
    if ordered or wrong not in numbers:
        assert (found if ordered else sorted(found)) == (expected if ordered else sorted(expected))
    else:
        assert found[-1] == str(wrong)
    assert set(found[:-1]) <= {-n for n in numbers}
    engine.close()


# Laziness ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_without_end_is_read_as_far_as_needed(engine):
    square = Cache(lambda n: n * n, engine=engine)
    read = []

    def numbers():
        for n in itertools.count():
            read.append(n)
            yield n

    results = square.map(numbers())
    assert [*itertools.islice(results, 100)] == [n * n for n in range(100)]
    results.close()
    assert len(read) <= 100 + 4096 * square._evaluator()[0].workers


@pytest.mark.parametrize("chunksize", [None, 1, 3, 100])
def test_no_more_calls_are_begun_than_the_buffer_holds(threads, chunksize):
    begun = []

    @Cache(engine=threads)
    def note(n):
        begun.append(n)
        return n

    results = note.map(itertools.count(), buffersize=7, chunksize=chunksize)
    for seen in range(50):
        assert len(begun) <= seen + 7
        assert next(results) == seen
        time.sleep(0.001)
        assert len(begun) <= seen + 1 + 7
    results.close()


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_what_has_been_read_is_kept_by_nobody(threads, ordered, known):
    identity = Cache(abs, engine=threads, maxsize=None if known else 0)
    assert identity(0) == 0
    calls = (0 if known else n for n in itertools.count())
    results = identity.map(calls, ordered=ordered, buffersize=8)
    assert len([*itertools.islice(results, 1000)]) == 1000
    gc.collect()
    assert sum(isinstance(each, Part) for each in gc.get_objects()) <= 20


def test_it_begins_before_the_first_result_is_asked_for(threads):
    begun = threading.Event()
    cached = Cache(lambda n: begun.set(), engine=threads)
    results = cached.map([1])
    assert begun.wait(60)
    assert [*results] == [None]


def test_a_long_call_holds_up_no_other(threads):
    others = threading.Semaphore(0)

    @Cache(engine=threads)
    def wait(n):
        if n == 0:
            for _ in range(199):
                assert others.acquire(timeout=60)
        else:
            others.release()
        return n

    assert [*wait.map(range(200))] == [*range(200)]


def test_results_come_as_they_are_there_if_order_does_not_matter(threads):
    go_on = threading.Event()

    @Cache(engine=threads)
    def wait(n):
        if n == 0:
            assert go_on.wait(60)
        return n

    results = wait.map(range(10), ordered=False, chunksize=1)
    assert sorted(itertools.islice(results, 9)) == [*range(1, 10)]
    go_on.set()
    assert [*results] == [0]


@pytest.mark.parametrize("way", ["close", "drop", "error", "timeout"])
def test_what_has_not_begun_is_dropped_when_it_ends_early(threads, way):
    begun, first, go_on = [], threading.Event(), threading.Event()

    @Cache(engine=threads)
    def wait(n):
        begun.append(n)
        if n == 0 and way == "error":
            raise ValueError(n)
        if n >= 1:
            first.set()
            assert go_on.wait(60)
        return n

    results = wait.map(range(100), chunksize=1, timeout=0.1 if way == "timeout" else None)
    if way == "error":
        with pytest.raises(ValueError, match="0"):
            next(results)
    else:
        assert next(results) == 0
    first.wait()
    if way == "timeout":
        with pytest.raises(TimeoutError, match="was not there in time"):
            next(results)
    elif way == "close":
        results.close()
    del results
    go_on.set()
    assert wait(1) == 1
    assert wait.submit(200).result() == 200
    assert set(begun) <= {0, 1, 2, 200}, "those that had begun, and what was asked for"


def test_calls_of_a_map_that_was_closed_can_be_asked_for_again(threads):
    go_on = threading.Event()

    @Cache(engine=threads)
    def wait(n):
        assert go_on.wait(60)
        return n

    results = wait.map(range(100), chunksize=5)
    waiting = [wait.submit(n) for n in range(20)]
    results.close()
    go_on.set()
    assert [future.result() for future in waiting] == [*range(20)]


# Errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunksize", [None, 1, 4, 100])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_is_raised_at_its_place(engine, chunksize):
    invert = Cache(lambda n: 12 // n, engine=engine)
    results = invert.map([1, 2, 3, 0, 4, 0], chunksize=chunksize)
    assert [next(results) for _ in range(3)] == [12, 6, 4]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert [*results] == []
    assert [invert(n) for n in (3, 4)] == [4, 3]


class OddError(Exception):
    """Can be pickled, but not made anew from that."""

    def __init__(self, first, second):
        super().__init__(first)


class Fine:
    def __init__(self, number):
        self.number = number


@pytest.mark.parametrize("chunksize", [1, 20, 100])
@pytest.mark.parametrize("kind", [int, Fine])
def test_a_value_that_cannot_be_read_is_an_error_at_its_place(chunksize, kind):
    @Cache(workers=2)
    def make(n):
        return OddError(1, 2) if n == 50 else kind(n)

    results = make.map(range(100), chunksize=chunksize)
    found = [*itertools.islice(results, 50)]
    assert [getattr(value, "number", value) for value in found] == [*range(50)]
    with pytest.raises(TypeError, match="second"):
        next(results)


@pytest.mark.parametrize("chunksize", [1, 20, 100])
def test_a_value_that_cannot_travel_is_an_error_at_its_place(chunksize):
    @Cache(workers=2)
    def make(n):
        return threading.Lock() if n == 50 else Fine(n)

    results = make.map(range(100), chunksize=chunksize)
    assert [value.number for value in itertools.islice(results, 50)] == [*range(50)]
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        next(results)


def test_an_error_of_the_input_is_raised_at_its_place():
    def numbers():
        yield from range(5)
        raise LookupError("no more of them")

    square = Cache(lambda n: n * n, engine="serial")
    results = square.map(numbers(), chunksize=3)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    with pytest.raises(LookupError, match="no more of them"):
        next(results)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_argument_that_cannot_be_used_is_named_at_its_place(engine):
    square = Cache(lambda n: n * n, engine=engine)
    results = square.map([1, 2, [3], 4], chunksize=4)
    assert [next(results), next(results)] == [1, 4]
    with pytest.raises(TypeError, match=r"argument 'n' is \[3\]"):
        next(results)
    with pytest.raises(TypeError, match="argument"):
        list(square.map([1], [2]))


def test_an_argument_that_cannot_travel_is_named_at_its_place():
    kind = Cache(lambda thing: type(thing).__name__, workers=1)
    results = kind.map([1, "a", threading.Lock(), 2], chunksize=4)
    assert [next(results), next(results)] == ["int", "str"]
    with pytest.raises(TypeError, match="the arguments of"):
        next(results)


@pytest.mark.parametrize(
    ("iterables", "options", "kind", "words"),
    [
        ([], {}, TypeError, "needs at least one iterable"),
        ([3], {}, TypeError, r"iterables of arguments, which 3 is not.*write \[3\]"),
        ([[1]], {"chunksize": 0}, ValueError, "chunksize .* at least 1, not 0"),
        ([[1]], {"chunksize": 1.5}, TypeError, "chunksize .* not 1.5"),
        ([[1]], {"buffersize": -1}, ValueError, "buffersize .* not -1"),
        ([[1]], {"timeout": "1"}, TypeError, "timeout .* not '1'"),
    ],
)
def test_bad_options_are_named(iterables, options, kind, words):
    square = Cache(lambda n: n * n, engine="serial")
    with pytest.raises(kind, match=words):
        square.map(*iterables, **options)
    assert square.cache_info().misses == 0


def test_a_worker_that_is_killed_costs_no_result(tmp_path):
    mark = tmp_path / "mark"

    def survive(n):
        if n == 30 and not mark.exists():
            mark.touch()
            os._exit(1)
        return n

    with Processes(workers=2) as engine:
        assert [*Cache(survive, engine=engine).map(range(100))] == [*range(100)]


# With others ---------------------------------------------------------------------------------------


def test_a_call_under_way_is_evaluated_once_whoever_began_it(forgetful):
    log, begun, go_on = [], threading.Event(), threading.Event()

    @Cache(engine=forgetful)
    def wait(n):
        log.append(n)
        begun.set()
        assert go_on.wait(60)
        return n

    wait.apply_async(2)
    assert begun.wait(60)
    results = wait.map(range(5), chunksize=5)
    others = wait.map(range(5), chunksize=2)
    future = wait.submit(3)
    found = []
    thread = threading.Thread(target=lambda: found.append(wait(4)))
    thread.start()
    go_on.set()
    assert [*results] == [*others] == [*range(5)]
    assert future.result() == 3
    thread.join()
    assert found == [4]
    assert sorted(log) == [*range(5)]


@pytest.mark.parametrize("maxsize", [None, 1000])
def test_each_call_is_evaluated_once_whoever_asks_in_whatever_way(forgetful, maxsize):
    log, wrong = [], []
    barrier = threading.Barrier(6)

    @Cache(engine=forgetful, maxsize=maxsize)
    def square(n):
        log.append(n)
        return n * n

    def ask(seed):
        chance = random.Random(seed)
        barrier.wait()
        for start in range(0, 400, 8):
            ns = [*range(start, start + 8)]
            chance.shuffle(ns)
            way = chance.randrange(4)
            if way == 0:
                found = [square(n) for n in ns]
            elif way == 1:
                found = [future.result() for future in [square.submit(n) for n in ns]]
            elif way == 2:
                square.batch_async(*((n,) for n in ns))
                found = [square(n) for n in ns]
            else:
                found = [*square.map(ns, chunksize=chance.randrange(1, 9))]
            wrong.extend(n for n, value in zip(ns, found, strict=True) if value != n * n)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
    assert sorted(log) == [*range(400)]
    info = square.cache_info()
    assert (info.misses, info.currsize) == (400, 400)


def test_what_stands_behind_an_error_is_begun_again_by_who_wants_it(threads):
    begun, go_on = threading.Event(), threading.Event()

    @Cache(engine=threads)
    def invert(n):
        begun.set()
        assert go_on.wait(60)
        return 12 // n

    results = invert.map([1, 0, 2], chunksize=3)
    begun.wait()
    future = invert.submit(2)
    invert.apply_async(1)
    go_on.set()
    assert future.result() == 6
    assert next(results) == 12
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_clearing_in_the_middle_leaves_the_map_its_results(threads):
    square = Cache(lambda n: n * n, engine=threads)
    results = square.map(range(1000))
    assert next(results) == 0
    square.cache_clear()
    assert [*results] == [n * n for n in range(1, 1000)]


@pytest.mark.parametrize("engine", ENGINES)
def test_it_works_inside_an_evaluation(engine):
    @Cache(engine=engine)
    def total(n):
        return n + sum(total.map(range(n))) if n else 1

    def plain(n):
        return n + sum(map(plain, range(n))) if n else 1

    assert total(12) == plain(12)


@pytest.mark.parametrize("engine", ENGINES)
def test_methods_map_over_their_arguments(engine):
    class Tower:
        def __init__(self, base):
            self.base = base

        def __hash__(self):
            return hash(self.base)

        def __eq__(self, other):
            return self.base == other.base

        @Cache(engine=engine)
        def height(self, n, step=1):
            return self.base + sum(self.height.map(range(n))) + step

    def plain(n, step=1):
        return 10 + sum(map(plain, range(n))) + step

    tower = Tower(10)
    assert [*tower.height.map(range(5))] == [*map(plain, range(5))]
    assert [*tower.height.map([1, 2], [3, 4])] == [plain(1, 3), plain(2, 4)]
    with pytest.raises(TypeError, match="at least one"):
        tower.height.map()


# Progress ------------------------------------------------------------------------------------------


def test_progress_is_shown_by_a_bar(monkeypatch, capsys):
    tqdm = pytest.importorskip("tqdm")
    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)  # a thread that stays for ever
    square = Cache(lambda n: n * n, engine="serial")
    assert [*square.map(range(100), progress=True)] == [n * n for n in range(100)]
    assert "100/100" in capsys.readouterr().err


def test_without_tqdm_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    square = Cache(lambda n: n * n, engine="serial")
    with pytest.raises(ImportError, match=r"pyspeedup-concurrent\[progress\]"):
        square.map(range(100), progress=True)
    assert square.cache_info().misses == 0


# Forks ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without a fork nobody inherits a map")
def test_a_map_that_came_along_with_a_fork_says_so():
    with Processes(workers=1) as engine:
        square = Cache(lambda n: n * n, engine=engine)
        results = square.map(itertools.count(), chunksize=1)
        assert next(results) == 0
        pid = os.fork()
        if pid == 0:
            try:
                list(results)
            except RuntimeError as error:
                os._exit(7 if "begun before a fork" in str(error) and square(0) == 0 else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert next(results) == 1
        results.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to inherit")
@pytest.mark.parametrize("options", [{}, {"maxsize": 5}, {"store": {}}])
def test_a_fork_inherits_what_is_known_and_no_lock_that_is_held(options):
    square = Cache(lambda n: n * n, engine="serial", **options)
    assert square(3) == 9
    recall = square._recall
    held, go_on = threading.Event(), threading.Event()

    def hold():
        with recall._lock, getattr(recall.memory, "_lock", recall._lock):
            held.set()
            go_on.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads run is the point
        pid = os.fork()
    if pid == 0:
        signal.alarm(30)  # a lock that nobody releases would hold it for ever
        os._exit(0 if [square(3), square(4), *square.map([5])] == [9, 16, 25] else 1)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Interrupts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_ctrl_c_in_a_map_leaves_a_cache_that_works(run_program, method):
    done = run_program(
        """
        import multiprocessing, os, signal, sys, threading, time
        from pyspeedup.concurrent import Buffer, Cache

        @Cache(workers=2)
        def wait(n):
            time.sleep(0.01 if n < 1000 else 0)
            return n

        multiprocessing.set_start_method(sys.argv[1])
        assert wait(0) == 0
        for ordered in (True, False):
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                for _ in wait.map(range(1000), ordered=ordered):
                    pass
            except KeyboardInterrupt:
                print("interrupted")
        print(sum(wait.map(range(1000, 1100))), [wait(n) for n in range(5)])
        """,
        method,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["interrupted", "interrupted", "104950 [0, 1, 2, 3, 4]"]
    assert done.stderr == ""


def test_a_program_that_ctrl_c_ends_in_a_map_shows_one_traceback(run_program):
    done = run_program(
        """
        import os, signal, threading, time
        from pyspeedup.concurrent import Buffer, Cache

        wait = Cache(lambda n: time.sleep(0.05), workers=2)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        list(wait.map(range(1000)))
        """
    )
    assert done.returncode != 0
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
