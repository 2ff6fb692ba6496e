import gc
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import cloudpickle
import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.dask import Dask

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def log(path, *words):
    with Path(path).open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def counts(path):
    return Counter(Path(path).read_text().splitlines())


def keys_on(engine):
    """Return what the scheduler knows of that this package has put there."""
    known = engine._link._client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
    return [key for key in known if key.startswith("pyspeedup")]


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def make_fibonacci(engine, path):
    @Cache(engine=engine)
    def fibonacci(n):
        log(path, n)
        if n < 2:
            return n
        fibonacci.batch_async((n - 1,), (n - 2,))
        return fibonacci(n - 1) + fibonacci(n - 2)

    return fibonacci


def test_each_part_of_a_recursion_is_computed_once_on_all_the_cluster(make_engine, tmp_path):
    fibonacci = make_fibonacci(make_engine(threshold=0), tmp_path / "log")
    assert fibonacci(20) == 6765
    assert counts(tmp_path / "log") == Counter(map(str, range(21)))


def test_another_engine_finds_what_was_computed(make_engine, tmp_path):
    path = tmp_path / "log"
    assert make_fibonacci(make_engine(), path)(15) == 610
    before = counts(path)
    again = make_fibonacci(make_engine(), path)
    assert again(15) == 610
    assert counts(path) == before
    assert again(16) == 987
    assert counts(path) != before


def test_what_was_part_of_a_result_is_found_too(make_engine, tmp_path):
    path = tmp_path / "log"
    assert make_fibonacci(make_engine(threshold=0), path)(12) == 144
    before = counts(path)
    again = make_fibonacci(make_engine(threshold=0), path)
    assert [again(n) for n in (11, 10, 2)] == [89, 55, 1]
    assert counts(path) == before


def test_nothing_is_found_once_the_engine_is_closed(cluster, tmp_path):
    path = tmp_path / "log"
    for times in (1, 2):
        with Dask(address=cluster, threshold=0) as engine:
            assert make_fibonacci(engine, path)(3) == 2
        assert counts(path) == Counter({str(n): times for n in range(4)})


def test_a_function_that_brings_other_values_finds_nothing(make_engine):
    engine = make_engine()

    def make_adder(offset):
        return Cache(lambda n: n + offset, engine=engine)

    assert [make_adder(1)(5), make_adder(2)(5)] == [6, 7]


def test_clearing_forgets_in_this_engine_alone(make_engine, tmp_path):
    path = tmp_path / "log"
    one, other = (make_fibonacci(make_engine(), path) for _ in range(2))
    assert one(0) == other(0) == 0
    assert counts(path) == {"0": 1}
    one.cache_clear()
    assert one(0) == 0
    assert counts(path) == {"0": 2}
    other_again = make_fibonacci(make_engine(), path)
    assert other_again(0) == 0
    assert counts(path) == {"0": 2}


@pytest.mark.parametrize("threshold", [0, 1])
def test_a_function_used_by_another_is_forgotten_too(make_engine, tmp_path, threshold):
    engine = make_engine(threshold=threshold)
    text = tmp_path / "text"
    text.write_text("old")

    @Cache(engine=engine)
    def inner():
        return text.read_text()

    @Cache(engine=engine)
    def outer(_number):
        return inner()

    assert outer(1) == "old"
    for new in ("new", "newer"):
        text.write_text(new)
        inner.cache_clear()
        assert [outer(new + str(n)) for n in range(3)] == [new] * 3
    assert outer(1) == "old", "it was not told to forget"


def test_an_error_is_not_remembered(make_engine, tmp_path):
    there = tmp_path / "there"

    @Cache(engine=make_engine(threshold=0))
    def read(n):
        return read(n - 1) if n else there.read_text()

    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            read(2)
    there.write_text("text")
    assert read(2) == "text"


@pytest.mark.parametrize(("threshold", "tasks"), [(0, 11), (1, 2)])
def test_functions_that_need_each_other(make_engine, threshold, tasks):
    """A task each at first, for what they cost; what is swift goes on on the spot."""
    engine = make_engine(threshold=threshold)

    @Cache(engine=engine)
    def is_even(n):
        return n == 0 or is_odd(n - 1)

    @Cache(engine=engine)
    def is_odd(n):
        return n != 0 and is_even(n - 1)

    assert is_even(10 + 2 * threshold)  # what the other threshold left may not be gone yet
    wait_until(lambda: sum("-is_" in key for key in keys_on(engine)) == tasks)
    assert [is_even(9), is_odd(9)] == [False, True]


def test_a_closed_engine_leaves_nothing_on_the_cluster(cluster):
    treasure = bytes(100_000)

    with Dask(address=cluster) as witness:
        assert witness.workers == 2
        on_workers = witness._link._client.run
        on_workers(gc.disable)  # nothing may wait for it
        try:
            with Dask(address=cluster, threshold=0) as engine:

                @Cache(engine=engine)
                def count(n):
                    return len(treasure) if n == 0 else count(n - 1) + 1

                assert count(3) == 100_003
                wait_until(lambda: len(keys_on(witness)) == 5)  # four calls and the function
            wait_until(lambda: not keys_on(witness))
        finally:
            on_workers(gc.enable)


@pytest.mark.parametrize("threshold", [0, 1])
def test_nested_calls_by_submit_and_map(make_engine, threshold):
    @Cache(engine=make_engine(threshold=threshold))
    def count(n):
        if n < 3:
            return n
        return count.submit(n - 1).result() + sum(count.map(range(n - 2)))

    def plainly(n):
        return n if n < 3 else plainly(n - 1) + sum(map(plainly, range(n - 2)))

    assert count(7) == plainly(7)


@pytest.mark.parametrize("threshold", [0, 1])
def test_methods(make_engine, threshold):
    class Tower:
        def __init__(self, base):
            self.base = base

        def __eq__(self, other):
            return self.base == other.base

        def __hash__(self):
            return hash(self.base)

        @Cache(engine=make_engine(threshold=threshold))
        def height(self, n, step=1):
            return self.base if n == 0 else self.height(n - 1, step=step) + step

        @Cache(engine=make_engine(threshold=threshold))
        def heights(self, n):
            return [*self.height.map(range(n)), self.height.submit(n).result()]

    assert Tower(10).height(4) == 14
    assert Tower(10).heights(2) == [10, 11, 12]
    assert Tower(10).height(4, 3) == 22


@pytest.mark.parametrize("threshold", [0, 1])
def test_methods_of_a_class(make_engine, threshold):
    class Tower:
        floor = 3

        @Cache(engine=make_engine(threshold=threshold))
        @classmethod
        def height(cls, n):
            if n == 0:
                return cls.floor
            cls.height.batch_async((n - 1,))
            return cls.height(n - 1) + 1

        @Cache(engine=make_engine(threshold=threshold))
        @staticmethod
        def double(n):
            return 2 * n

    assert Tower.height(4) == 7
    assert Tower().double(4) == 8


def test_a_name_that_holds_the_bare_function_means_the_memoized_one(make_engine, tmp_path):
    path = tmp_path / "log"

    def slow(n):
        log(path, n)
        return n if n < 2 else slow(n - 1) + slow(n - 2)

    fast = Cache(slow, engine=make_engine())
    assert fast(20) == 6765
    assert counts(path) == Counter(map(str, range(21)))


def test_every_spelling_of_a_call_is_one_call(make_engine, tmp_path):
    path = tmp_path / "log"

    @Cache(engine=make_engine(threshold=0))
    def power(base, exponent=2):
        log(path, base, exponent)
        return base**exponent if base < 5 else power(exponent=2, base=3) + power(3) + power(3, 2)

    assert power(5) == 27
    assert counts(path) == {"5 2": 1, "3 2": 1}


def test_arguments_that_cannot_be_remembered_are_computed(make_engine):
    engine = make_engine(threshold=0)
    number = engine.define(sorted, "ordered")
    for _ in range(2):
        assert engine.submit(number, ([3, 1, 2],), {}).result(PATIENCE) == [1, 2, 3]


def test_a_function_that_brings_much_along(make_engine):
    treasure = bytes(range(256)) * 4_000

    @Cache(engine=make_engine(threshold=0))
    def pick(n):
        return treasure[n] if n < 3 else pick(n - 1) + pick(n - 2)

    assert pick(5) == 8
    assert pick(4) == 5


def test_what_takes_long_by_itself_becomes_tasks_on_all_workers(make_engine):
    @Cache(engine=make_engine(threshold=0.02))
    def work(n):
        time.sleep(0.05)
        if n == 0:
            parts = [(n,) for n in range(1, 9)]
            work.batch_async(*parts)
            return frozenset(work(*part) for part in parts)
        return os.getpid()

    assert len(work(0)) == 2


def test_what_takes_little_by_itself_but_much_in_all_is_shared_out(make_engine):
    @Cache(engine=make_engine(threshold=0.05))
    def tree(path):
        time.sleep(0.004)
        if len(path) == 6:
            return frozenset([os.getpid()])
        tree.batch_async((path + "0",), (path + "1",))
        return tree(path + "0") | tree(path + "1")

    assert len(tree("")) == 2


def test_what_takes_little_is_computed_on_the_spot(make_engine):
    @Cache(engine=make_engine())
    def process_of(n):
        if n == 0:
            return frozenset([os.getpid()])
        process_of.batch_async(*((below,) for below in range(n)))
        return frozenset().union(*(process_of(below) for below in range(n)))

    assert len(process_of(30)) == 1


def test_of_a_swift_function_only_the_first_calls_become_tasks(make_engine):
    engine = make_engine()

    @Cache(engine=engine)
    def leaf(n):
        return n

    @Cache(engine=engine)
    def loop(n):
        return sum(leaf(10 * n + m) for m in range(10))

    assert [loop(n) for n in range(10)] == [100 * n + 45 for n in range(10)]
    assert sum("-leaf-" in key for key in keys_on(engine)) <= 2, "one of each worker"


def test_batches_come_in_order_up_to_the_first_error(make_engine):
    engine = make_engine()
    number = engine.define(lambda n: 12 // n, "divided")
    batch = engine.submit_batch(number, [(1,), (2,), (0,), (3,)]).result(PATIENCE)
    assert batch.values == [12, 6]
    assert isinstance(batch.error, ZeroDivisionError)
    assert engine.submit_batch(number, [(3,), (4,)]).result(PATIENCE)[:2] == ([4, 3], None)
    assert engine.submit_batch(number, []).result(PATIENCE)[:2] == ([], None)
    assert engine.submit_batch(number, [(6,)]).result(PATIENCE)[:2] == ([2], None)
    alone = engine.submit_batch(number, [(0,)]).result(PATIENCE)
    assert (alone.values, type(alone.error)) == ([], ZeroDivisionError)


def test_a_batch_of_one_is_found_as_the_call_itself(make_engine, tmp_path):
    engine, path = make_engine(), tmp_path / "log"
    number = engine.define(lambda n: log(path, n), "logged")
    engine.submit_batch(number, [(7,)]).result(PATIENCE)
    engine.submit(number, (7,), {}).result(PATIENCE)
    assert counts(path) == {"7": 1}


def test_results_beyond_the_bound_are_let_go(make_engine, tmp_path):
    path = tmp_path / "log"
    keeper, other = make_engine(keep=1), make_engine()

    def note(n):
        log(path, n)
        return n

    first, second = (engine.define(note, "note") for engine in (keeper, other))
    for n in (1, 2):
        keeper.submit(first, (n,), {}).result(PATIENCE)
    for n in (1, 2):
        other.submit(second, (n,), {}).result(PATIENCE)
    assert counts(path) == {"1": 2, "2": 1}
