"""Workers die in any way, at any moment: it is noticed, they are replaced, and the answers are right."""

import contextlib
import faulthandler
import math
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching import here
from pyspeedup.core import WorkerError
from pyspeedup.core.testing.processes import child_processes

PATIENCE = 60
linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")


def pids_of(engine):
    return [hand.child.pid for hand in engine._pool._hands]


def end_by(way):
    if way == "segfault":
        faulthandler.disable()
        faulthandler._sigsegv()
    elif way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


EXIT_CODES = {"segfault": -signal.SIGSEGV, "kill": -signal.SIGKILL, "_exit": 3}


@pytest.mark.parametrize("way", EXIT_CODES)
def test_a_worker_that_dies_once_is_replaced_and_one_that_dies_twice_is_named(engine, log, way):
    note, noted = log

    @Cache(engine=engine)
    def fatal(times):
        note(os.getpid())
        if len(noted()) <= times:
            end_by(way)
        return "alive"

    @Cache(engine=engine)
    def caller(times):
        return fatal(times)

    assert caller(1) == "alive"
    assert len(set(noted())) == 2
    with pytest.raises(WorkerError) as caught:
        caller(100)
    assert caught.value.exitcode == EXIT_CODES[way]
    assert str(caught.value.pid) == noted()[-1]
    assert str(caught.value.pid) in str(caught.value)
    assert len(noted()) == 4
    assert caller(3) == "alive"


def test_who_waits_for_a_call_of_a_dead_worker_goes_on(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def shared():
        note(os.getpid())
        if len(noted()) == 1:
            time.sleep(0.3)  # the others wait by now
            end_by("kill")
        return 7

    @Cache(engine=engine)
    def branch(n):
        return shared() + n

    futures = [branch.submit(n) for n in range(4)]
    assert [future.result(PATIENCE) for future in futures] == [7, 8, 9, 10]
    assert 2 <= len(noted()) <= 3, "computed once more, or by two that began at the same time"


def test_who_waits_for_the_board_goes_on_when_its_holder_dies(engine, log):
    note, noted = log

    @Cache(engine=engine)
    def holder(n):
        if not noted():
            with here.worker.board._memory.region:
                note("held")
                time.sleep(0.2)
                end_by("kill")
        return n

    @Cache(engine=engine)
    def other(n):
        return n

    futures = [holder.submit(1), *(other.submit(n) for n in range(20))]
    assert [future.result(PATIENCE) for future in futures] == [1, *range(20)]
    assert noted() == ["held"]


@pytest.mark.parametrize("size", [1_000, 60_000_000])
def test_a_worker_may_die_while_it_writes_a_message(engine, log, size):
    note, noted = log

    @Cache(engine=engine)
    def large(n):
        if not noted():
            note("begun")
            threading.Timer(0.02, end_by, ["kill"]).start()
            time.sleep(0.019)
        return bytes(size)

    number = large._evaluator()[1]
    futures = [engine.submit(number, (n,), {}) for n in range(3)]
    assert all(len(future.result(PATIENCE)) == size for future in futures)


@linux
@pytest.mark.parametrize("state", ["idle", "stopped"])
def test_a_death_is_noticed_without_a_call(engine, state):
    number = engine.define(abs, "abs")
    assert engine.submit(number, (-1,), {}).result(PATIENCE) == 1
    before = pids_of(engine)
    if state == "stopped":
        os.kill(before[0], signal.SIGSTOP)
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while before[0] in pids_of(engine) or len(pids_of(engine)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert engine.submit(number, (-2,), {}).result(PATIENCE) == 2


def test_a_worker_whose_function_left_a_process_behind_may_die(engine, log):
    """What is left holds copies of what the worker held."""
    note, noted = log

    @Cache(engine=engine)
    def leaves(n):
        if not noted():
            pid = os.fork()
            if pid == 0:
                time.sleep(1000)
            note(pid)
            end_by("kill")
        return n

    try:
        assert leaves(5) == 5
    finally:
        os.kill(int(noted()[0]), signal.SIGKILL)


def test_all_workers_die_again_and_again_while_calls_are_under_way(engine):
    @Cache(engine=engine)
    def paths(a, b):
        if not a or not b:
            return 1
        paths.batch_async((a - 1, b), (a, b - 1))
        if (a + b) % 8 == 0:
            time.sleep(0.0005)
        return paths(a - 1, b) + paths(a, b - 1)

    done, killed = threading.Event(), []

    def kill():
        while not done.wait(0.15):
            for hand in [*engine._pool._hands]:
                if hand.ready:
                    with contextlib.suppress(ProcessLookupError):  # buried this very moment
                        os.kill(hand.child.pid, signal.SIGKILL)
                        killed.append(hand.child.pid)

    number = paths._evaluator()[1]
    thread = threading.Thread(target=kill)
    calls = [(n % 40, n // 40) for n in range(1500)]
    futures = [engine.submit(number, call, {}) for call in calls]
    thread.start()
    outcomes = {
        call: future.exception(PATIENCE) for call, future in zip(calls, futures, strict=True)
    }
    done.set()
    thread.join()
    assert len(killed) >= 2
    lost = [error for error in outcomes.values() if error is not None]  # two had them in hand
    assert {type(error) for error in lost} <= {WorkerError}
    assert {error.pid for error in lost} <= {*killed}
    assert len(lost) < 100
    for (a, b), future in zip(calls, futures, strict=True):
        assert outcomes[a, b] is not None or future.result() == math.comb(a + b, a)
    assert engine.submit(number, (50, 3), {}).result(PATIENCE) == math.comb(53, 3)


@linux
def test_calls_make_no_more_children_than_workers_and_one(engine):
    before = set(child_processes())
    number = engine.define(math.factorial, "factorial")
    futures = [engine.submit(number, (n % 50,), {}) for n in range(5000)]
    counts = {len(set(child_processes()) - before)}
    while not all(future.done() for future in futures):
        counts.add(len(set(child_processes()) - before))
        time.sleep(0.01)
    assert max(counts) <= engine.workers + 1
    assert [future.result() for future in futures] == [math.factorial(n % 50) for n in range(5000)]


@linux
def test_an_idle_pool_uses_no_time(engine, log):
    @Cache(engine=engine)
    def shared():
        time.sleep(0.1)
        return 1

    @Cache(engine=engine)
    def branch(n):
        shared.apply_async()
        return shared() + n

    futures = [branch.submit(n) for n in range(4)]
    assert [future.result(PATIENCE) for future in futures] == [1, 2, 3, 4]
    pids = [os.getpid(), *pids_of(engine)]
    time.sleep(0.1)
    before = [switches(pid) for pid in pids]
    time.sleep(0.7)
    after = [switches(pid) for pid in pids]
    assert [now - then for now, then in zip(after, before, strict=True)][1:] == [0, 0]
    assert after[0] - before[0] <= 2, "this sleep's own"


def switches(pid):
    """Return how often the threads of a process went to sleep."""
    return sum(
        int(line.split()[1])
        for path in Path(f"/proc/{pid}/task").glob("*/status")
        for line in path.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
