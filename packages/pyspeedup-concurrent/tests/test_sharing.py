"""What is dear is computed once by all workers together; and whatever a function does, its answers are right."""

import contextlib
import linecache
import math
import operator
import os
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest
from pyspeedup.concurrent import Buffer, Cache
from pyspeedup.concurrent._caching.costs import SAMPLE
from pyspeedup.concurrent.engines.processes import Processes

LONG = 0.3
PATIENCE = 60


def spend(seconds, way):
    """Spend time asleep, or computing."""
    if way == "asleep":
        time.sleep(seconds)
        return
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def gather(cache, *calls):
    """Begin calls at the same time, and return what they come to."""
    futures = [cache.submit(*call) for call in calls]
    return [future.result(PATIENCE) for future in futures]


# A value that takes long is computed once


@pytest.mark.parametrize("way", ["asleep", "computing"])
def test_a_long_value_that_several_branches_need_is_computed_once(engine, log, way):
    note, noted = log

    @Cache(engine=engine)
    def shared(n):
        note(n)
        spend(LONG, way)
        return n + 1

    @Cache(engine=engine)
    def branch(n):
        return shared(0) + n

    assert gather(branch, *((n,) for n in range(6))) == [n + 1 for n in range(6)]
    assert noted() == ["0"]


def test_a_long_value_that_two_mutually_recursive_functions_need_is_computed_once(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def even(n):
        if n == 0:
            note("even")
            time.sleep(LONG)
            return True
        odd.apply_async(n - 1)
        return odd(n - 1)

    @Cache(engine=engine)
    def odd(n):
        return n != 0 and even(n - 1)

    calls = [(even, 6), (odd, 7), (even, 4), (odd, 5)]
    futures = [function.submit(n) for function, n in calls]
    assert all(future.result(PATIENCE) for future in futures)
    assert noted() == ["even"]


def test_a_long_call_of_a_function_whose_others_are_cheap_is_waited_for_once_it_runs_long(
    engine, log, tmp_path
):
    """It is claimed late; two that begin in the same instant may both compute."""
    note, noted = log
    go_on = tmp_path / "go_on"

    @Cache(engine=engine)
    def mixed(n):
        if n >= 0:
            return n
        note(n)
        while not go_on.exists():
            time.sleep(0.001)
        return n

    @Cache(engine=engine)
    def branch(first):
        many = sum(mixed(n) for n in range(first, first + 500))
        if first:  # let the other one begin, and run long enough to be seen
            while not noted():
                time.sleep(0.001)
            time.sleep(0.2)
            threading.Timer(0.2, go_on.touch).start()
        return many + mixed(-1)

    assert gather(branch, (0,), (1000,)) == [sum(range(500)) - 1, sum(range(1000, 1500)) - 1]
    assert noted() == ["-1"]


def test_an_error_in_a_shared_call_reaches_each_who_waits_and_is_not_remembered(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def shared():
        note("begun")
        time.sleep(0.1)
        error = FileNotFoundError(2, "not there", "file.txt")
        error.colour = "red"
        raise error

    @Cache(engine=engine)
    def branch(n):
        shared()

    futures = [branch.submit(n) for n in range(4)]
    for future in futures:
        error = future.exception(PATIENCE)
        assert type(error) is FileNotFoundError
        assert (error.errno, error.filename, error.colour) == (2, "file.txt", "red")
        assert "in shared" in "".join(traceback.format_exception(error))
    before = len(noted())
    assert before >= 1
    with pytest.raises(FileNotFoundError):
        branch(9)
    assert len(noted()) > before


# Calls that need themselves


def test_a_call_that_needs_itself_is_a_recursion_error(engine):
    @Cache(engine=engine)
    def endless(n):
        return endless(n) + 1

    for _ in range(2):
        with pytest.raises(RecursionError):
            endless(1)


def test_a_ring_of_two_calls_over_two_workers_is_a_recursion_error(engine, log):
    note, noted = log
    begun = []

    @Cache(engine=engine)
    def ring(n):
        if not begun:
            begun.append(n)
            note(n)
            while len(noted()) < 2:
                time.sleep(0.001)
        return ring(1 - n)

    futures = [ring.submit(n) for n in (0, 1)]
    assert [type(future.exception(PATIENCE)) for future in futures] == [RecursionError] * 2
    assert Cache(abs, engine=engine)(-5) == 5


# Values


class Unwilling:
    """Cannot be pickled."""

    def __init__(self, n):
        self.n = n
        self.lock = threading.Lock()


def test_a_nested_value_that_cannot_travel_is_computed_by_each_and_an_error_at_the_top(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def unwilling(n):
        note(os.getpid())
        time.sleep(0.05)
        return Unwilling(n)

    @Cache(engine=engine)
    def branch(n):
        return unwilling(7).n + n

    assert gather(branch, *((n,) for n in range(4))) == [7, 8, 9, 10]
    assert len(noted()) == len(set(noted())), "once in each worker"
    with pytest.raises(TypeError, match=r"unwilling\(\) returned cannot be sent"):
        unwilling(7)


def test_values_larger_than_any_pipe_go_both_ways_at_once(engine):
    size = 50_000_000

    @Cache(engine=engine)
    def part(n):
        return bytes([n]) * size

    @Cache(engine=engine)
    def whole(n, given):
        part.batch_async((1,), (2,))
        found = part(1), part(2)
        return given + bytes([len(found), found[0][-1], found[1][-1]])

    given = bytes(size)
    futures = [whole.submit(n, given) for n in range(2)]
    for future in futures:
        answer = future.result(PATIENCE)
        assert (len(answer), answer[-3:]) == (size + 3, b"\2\1\2")


def test_large_calls_are_given_away_while_large_answers_come_back(engine):
    @Cache(engine=engine)
    def part(n, filling):
        time.sleep(0.01)
        return filling[:n] + filling

    @Cache(engine=engine)
    def whole(n):
        filling = bytes([n]) * 1_000_000
        part.batch_async(*((k, filling) for k in range(10)))
        return sum(len(part(k, filling)) for k in range(10))

    assert gather(whole, *((n,) for n in range(4))) == [10 * 1_000_000 + 45] * 4


# What functions do


def test_methods_closures_keywords_and_defaults_mean_the_same_calls_everywhere(engine, log):
    note, noted = log
    offset = 100

    class Shape:
        def __init__(self, size):
            self.size = size

        def __hash__(self):
            return hash(self.size)

        def __eq__(self, other):
            return self.size == other.size

        @Cache(engine=engine)
        def scaled(self, factor=2, *, shift=offset):
            note((self.size, factor, shift))
            time.sleep(0.1)
            return self.size * factor + shift

        @Cache(engine=engine)
        def both(self, n):
            self.scaled.apply_async(2)
            ways = self.scaled(), self.scaled(2), self.scaled(factor=2, shift=offset)
            assert len(set(ways)) == 1
            return ways[0] + n

    futures = [Shape(3).both.submit(n) for n in range(4)]
    assert [future.result(PATIENCE) for future in futures] == [106 + n for n in range(4)]
    assert set(noted()) == {str((3, 2, 100))}
    assert len(noted()) <= 2, "a key that only cloudpickle can send is not shared"


def test_unhashable_arguments_inside_are_a_type_error_that_names_them(engine):
    @Cache(engine=engine)
    def length(items):
        return len(items)

    @Cache(engine=engine)
    def caller(n):
        return length([n])

    with pytest.raises(TypeError, match=r"length"):
        caller(1)


def test_what_functions_print_and_log_comes_out_once_and_whole(run_program):
    result = run_program("""
        import logging, sys, time
        from pyspeedup.concurrent import Cache
        logging.basicConfig(format="%(message)s", level=logging.INFO)

        @Cache(workers=2)
        def speak(n):
            print("printed", n, "x" * 300)
            logging.info("logged %d %s", n, "y" * 300)
            time.sleep(0.001)
            return n

        @Cache(workers=2)
        def caller(n):
            speak.batch_async(*((k,) for k in range(n, n + 40)))
            return sum(speak(k) for k in range(n, n + 40))

        for future in [caller.submit(n) for n in (0, 40)]:
            future.result()
    """)
    assert result.returncode == 0, result.stderr
    printed = [f"printed {n} {'x' * 300}" for n in range(80)]
    logged = [f"logged {n} {'y' * 300}" for n in range(80)]
    assert sorted(result.stdout.splitlines()) == sorted(printed)
    assert sorted(result.stderr.splitlines()) == sorted(logged)


def test_a_function_may_use_a_buffer_inside(engine):
    @Cache(engine=engine)
    def primes_below(n):
        with Buffer(lambda: (k for k in range(2, n) if all(k % d for d in range(2, k)))) as primes:
            return list(primes)

    @Cache(engine=engine)
    def count(n):
        return len(primes_below(n))

    assert gather(count, *((n,) for n in (10, 20, 30))) == [4, 8, 10]


def test_a_function_may_use_a_disk_dict_inside(engine, tmp_path):
    memory = pytest.importorskip("pyspeedup.memory")

    @Cache(engine=engine)
    def count(n):
        with memory.DiskDict(f"store{n}", file_location=str(tmp_path)) as store:
            store.update({k: k * k for k in range(n)})
            return sum(store.values())

    @Cache(engine=engine)
    def twice(n):
        return 2 * count(n)

    assert gather(twice, (10,), (20,)) == [2 * sum(k * k for k in range(n)) for n in (10, 20)]


def test_a_function_may_start_threads_that_call(engine):
    @Cache(engine=engine)
    def square(n):
        return n * n

    @Cache(engine=engine)
    def total(n):
        found = []
        threads = [threading.Thread(target=lambda k=k: found.append(square(k))) for k in range(n)]
        for thread in threads:
            thread.start()
        square.batch_async(*((k,) for k in range(n)))
        for thread in threads:
            thread.join()
        return sum(found) + square(n)

    assert gather(total, *((n,) for n in (8, 9, 10))) == [
        sum(k * k for k in range(n + 1)) for n in (8, 9, 10)
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "return", "raise SystemExit"])
def test_a_function_may_fork(engine, end, log):
    note, noted = log
    namespace = {"os": os, "sys": sys}
    exec(f"def leave():\n    {end}\n", namespace)
    leave = namespace["leave"]

    @Cache(engine=engine)
    def square(n):
        time.sleep(0.001)
        return n * n

    @Cache(engine=engine)
    def forks(n):
        before = square(n)
        pid = os.fork()
        if pid == 0:
            note(sum(square(k) for k in range(n)) == sum(k * k for k in range(n)))
            leave()
            return None
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        square.batch_async(*((k,) for k in range(n)))
        return sum(square(k) for k in range(n)) + before

    found = gather(forks, *((n,) for n in range(5, 25)))
    assert found == [sum(k * k for k in range(n + 1)) for n in range(5, 25)]
    assert noted() == ["True"] * 20


def test_a_function_may_run_a_program(engine):
    @Cache(engine=engine)
    def run(n):
        return subprocess.check_output([sys.executable, "-c", f"print({n} + 1)"], text=True)

    assert gather(run, (1,), (2,)) == ["2\n", "3\n"]


# Depth


@pytest.mark.parametrize("hint", ["none", "the next", "both"])
def test_a_recursion_of_any_depth_is_shared_and_answered(engine, hint):
    depth = 100_000

    @Cache(engine=engine)
    def chain(n):
        if n == 0:
            return 0
        if hint == "the next":
            chain.apply_async(n - 1)
        elif hint == "both":
            chain.batch_async((n - 1,), (n // 2,))
        return chain(n - 1) + 1

    assert gather(chain, (depth,), (depth - 1000,)) == [depth, depth - 1000]


# Forgetting


def test_what_is_under_way_while_all_is_forgotten_again_and_again_ends_well(engine):
    @Cache(engine=engine)
    def part(n):
        time.sleep(0.002)
        return n

    @Cache(engine=engine)
    def whole(n):
        part.batch_async(*((k,) for k in range(n, n + 10)))
        return sum(part(k) for k in range(n, n + 10))

    futures = []
    for turn in range(30):
        futures += [(n, whole.submit(n)) for n in range(3)]
        (part if turn % 2 else whole).cache_clear()
    for n, future in futures:
        assert future.result(PATIENCE) == sum(range(n, n + 10))


def test_what_calls_cost_is_known_after_all_is_forgotten(engine):
    @Cache(engine=engine)
    def count(n):
        return count(n - 1) + 1 if n else 0

    for _ in range(20):
        assert count(50) == 50
        count.cache_clear()
    told_of = count.profile().figures.stats.published
    assert 0 < told_of <= 2 * 2 * SAMPLE  # by two workers, until they knew that it is not worth it


# Many at once


def test_thousands_of_tasks_from_eight_threads_on_two_workers(engine):
    @Cache(engine=engine)
    def path(a, b):
        if not a or not b:
            return 1
        path.batch_async((a - 1, b), (a, b - 1))
        return path(a - 1, b) + path(a, b - 1)

    wrong = []

    def ask(start):
        for n in range(start, 2000, 8):
            a, b = divmod(n, 45)
            if path(a, b) != math.comb(a + b, a):
                wrong.append(n)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wrong
    assert not any(map(threading.Thread.is_alive, threads))


def test_batches_run_beside_calls_and_share_with_them(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def slow(n):
        note(n)
        time.sleep(0.02)
        return n + 1

    number = slow._evaluator()[1]
    batches = [engine.submit_batch(number, [(n,) for n in range(8)]) for _ in range(3)]
    calls = [engine.submit(number, (n,), {}) for n in range(8)]
    assert [batch.result(PATIENCE).values for batch in batches] == [[*range(1, 9)]] * 3
    assert [call.result(PATIENCE) for call in calls] == [*range(1, 9)]
    assert sorted(noted()) == [str(n) for n in range(8)]


def test_futures_cancelled_while_they_are_queued_are_dropped_and_the_others_answered(engine):
    def slow(n):
        time.sleep(0.01)
        return n

    number = engine.define(slow, "slow")
    futures = [engine.submit(number, (n,), {}) for n in range(200)]
    cancelled = [n for n in range(1, 200, 2) if futures[n].cancel()]
    assert len(cancelled) > 50
    for n in range(0, 200, 2):
        assert futures[n].result(PATIENCE) == n
    assert all(futures[n].cancelled() for n in cancelled)
    assert not wait(futures, PATIENCE).not_done


def test_cancelling_while_answers_arrive_breaks_nothing(engine):
    number = engine.define(abs, "abs")
    for _ in range(20):
        futures = [engine.submit(number, (-n,), {}) for n in range(100)]
        cancelled = {n for n, future in enumerate(futures) if future.cancel()}
        for n, future in enumerate(futures):
            if n not in cancelled:
                assert future.result(PATIENCE) == n
    assert engine.submit(number, (-7,), {}).result(PATIENCE) == 7


def test_a_pool_may_be_closed_while_a_cancellation_is_on_its_way():
    with Processes(workers=1) as engine:
        future = engine.submit(engine.define(time.sleep, "sleep"), (1000,), {})
        queued = engine.submit(engine.define(abs, "abs"), (1,), {})
        engine._pool.courier.pause(("a test", 0))
        engine._pool.courier.join()
        assert queued.cancel()
    with pytest.raises(CancelledError):  # whether it had been begun or not
        future.result(PATIENCE)


def test_a_pool_closed_while_calls_are_under_way_leaves_nobody_waiting():
    for _ in range(3):
        engine = Processes(workers=2)
        number = engine.define(operator.mul, "mul")
        futures = [engine.submit(number, (n, n), {}) for n in range(300)]
        futures[0].result(PATIENCE)
        threading.Thread(target=engine.close).start()
        for n, future in enumerate(futures):
            with contextlib.suppress(CancelledError):
                assert future.result(PATIENCE) == n * n
        engine.close()


def test_several_pools_share_nothing(engine, log):
    note, noted = log
    with Processes(workers=3) as second:
        functions = []
        for each in (engine, second):

            @Cache(engine=each)
            def slow(n):
                note((n, os.getpid()))
                time.sleep(0.01)
                return n

            functions.append(slow)
        futures = [function.submit(n) for n in range(20) for function in functions]
        assert [future.result(PATIENCE) for future in futures] == [
            n for n in range(20) for _ in "ab"
        ]
    assert len(noted()) == 40


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
def test_pools_that_come_and_go_leave_nothing_open():
    def count():
        return len([*Path("/proc/self/fd").iterdir()]), threading.active_count()

    counts = []
    for _ in range(12):
        with Processes(workers=2) as engine:
            assert engine.submit(engine.define(abs, "abs"), (-3,), {}).result(PATIENCE) == 3
        counts.append(count())
    assert counts[2:] == counts[2:3] * 10


def test_an_engine_may_be_closed_where_an_answer_arrives():
    engine = Processes(workers=2)
    number = engine.define(operator.mul, "mul")
    futures = [engine.submit(number, (n, n), {}) for n in range(100)]
    closed = threading.Event()
    futures[10].add_done_callback(lambda _: (engine.close(), closed.set()))
    for n, future in enumerate(futures):
        with contextlib.suppress(CancelledError):
            assert future.result(PATIENCE) == n * n
    assert closed.wait(PATIENCE)
    with pytest.raises(RuntimeError, match="closed"):
        engine.submit(number, (1, 1), {})


class InterruptedAt:
    """Raises KeyboardInterrupt at the n-th line of the engine that a thread comes to, as Ctrl-C may."""

    def __init__(self, line):
        self.left = line
        self.before = sys.gettrace()

    def __enter__(self):
        sys.settrace(self.see)

    def __exit__(self, *_):
        sys.settrace(self.before)

    def see(self, frame, event, _):
        code = frame.f_code
        if Path(code.co_filename).name not in {"processes.py", "pool.py", "inbox.py"}:
            return None
        line = linecache.getline(code.co_filename, frame.f_lineno).strip()
        # Python heeds no signal between the body of a `with` and its end, which is a line of its own.
        if event == "line" and not line.startswith("with"):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self.see


def test_ctrl_c_at_any_line_of_a_submission_leaves_an_engine_that_answers():
    with Processes(workers=1) as engine:
        number = engine.define(abs, "abs")
        assert engine.submit(number, (-1,), {}).result(PATIENCE) == 1
        interrupts = 0
        for line in range(1, 1000):
            try:
                with InterruptedAt(line):
                    engine.submit(number, (-line,), {})
            except KeyboardInterrupt:
                interrupts += 1
            else:
                break
            assert engine.submit(number, (-line,), {}).result(20) == line, f"deaf after line {line}"
        assert interrupts > 10
