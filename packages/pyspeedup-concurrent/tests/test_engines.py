import contextlib
import gc
import os
import signal
import threading
from pathlib import Path

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching.desk import Desk
from pyspeedup.concurrent._caching.dispatcher import Dispatcher
from pyspeedup.concurrent.engines.processes import Processes
from pyspeedup.concurrent.engines.serial import Serial
from pyspeedup.concurrent.engines.threads import Threads
from pyspeedup.core import WorkerError
from pyspeedup.core.testing import EngineContract


class TestSerial(EngineContract):
    def make_engine(self):
        return Serial()


class TestThreads(EngineContract):
    def make_engine(self):
        return Threads(workers=2)


class TestProcesses(EngineContract):
    def make_engine(self):
        return Processes(workers=2)

    def make_callable(self, engine, function):
        return Cache(function, engine=engine)

    def number_of(self, function):
        return function._evaluator()[1]


def die_at_first(times, path):
    """Note a line in `path`, and kill this process unless `times` lines stand there already."""
    with Path(path).open("a+") as file:
        file.write("begun\n")
        file.seek(0)
        begun = len(file.readlines())
    if begun <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return begun


def test_a_worker_that_died_before_it_read_a_call_is_not_held_against_the_call(tmp_path):
    with Processes(workers=1) as engine:
        worker = engine.submit(engine.define(os.getpid, "getpid"), (), {}).result()
        os.kill(worker, signal.SIGSTOP)
        with contextlib.suppress(ChildProcessError):  # a fork server's worker is no child of ours
            os.waitid(os.P_PID, worker, os.WSTOPPED | os.WNOWAIT)  # it may run on for a moment
        call = engine.define(die_at_first, "die_at_first")
        future = engine.submit(call, (1, str(tmp_path / "log")), {})
        assert not future.done()
        os.kill(worker, signal.SIGKILL)
        assert future.result() == 2, "begun by two, of which one died"


def test_a_call_that_two_workers_died_over_is_not_begun_again(tmp_path):
    log = tmp_path / "log"
    with Processes(workers=2) as engine:
        call = engine.define(die_at_first, "die_at_first")
        with pytest.raises(WorkerError, match="ended by signal 9") as caught:
            engine.submit(call, (100, str(log)), {}).result()
        assert caught.value.exitcode == -signal.SIGKILL
        assert log.read_text() == "begun\n" * 2
        assert engine.submit(call, (2, str(log)), {}).result() == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="tells two processes when to go on by a fifo")
def test_what_is_under_way_when_all_is_forgotten_ends_well_and_leaves_nothing_stale(tmp_path):
    begun, go_on, text = (tmp_path / name for name in ("begun", "go_on", "text"))
    os.mkfifo(begun)
    os.mkfifo(go_on)
    text.write_text("old")
    with Processes(workers=2) as engine:

        @Cache(engine=engine)
        def tell(what):
            if what == "both":  # its first part goes to the idle worker, and then it waits for it
                now = text.read_text()
                tell.batch_async(("first",), ("second",))
                tell("second")
                return now + tell("first")
            if what == "first" and text.read_text() == "old":
                begun.write_text("")
                go_on.read_text()
                return "old"
            return text.read_text()

        number = tell._evaluator()[1]
        engine.submit(number, ("warm up",), {}).result()
        both = engine.submit(number, ("both",), {})
        begun.read_text()
        text.write_text("new")
        engine.forget(number)
        assert engine.submit(number, ("second",), {}).result() == "new", "beside what waits"
        go_on.write_text("")
        assert both.result() == "oldold"
        for what in ("first", "second"):
            assert engine.submit(number, (what,), {}).result() == "new"
        assert engine.submit(number, ("both",), {}).result() == "newnew"


def test_a_function_used_by_another_is_forgotten_too(tmp_path):
    text = tmp_path / "text"
    text.write_text("old")
    with Processes(workers=1) as engine:

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
            assert outer(new) == new
        assert outer(1) == "old", "it was not told to forget"


def raise_while_there(path):
    if Path(path).exists():
        raise ImportError("not today")
    return "there"


class ArrivesLater:
    """Can be unpickled only once a file is gone."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return raise_while_there, (self.path,)


def test_a_function_that_could_not_be_unpickled_is_tried_again_at_each_call(tmp_path):
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    part = ArrivesLater(str(obstacle))
    with Processes(workers=1) as engine:
        number = engine.define(lambda n: (n, part), "late")
        for n in range(2):
            with pytest.raises(ImportError, match="not today"):
                engine.submit(number, (n,), {}).result()
        obstacle.unlink()
        assert engine.submit(number, (7,), {}).result() == (7, "there")


@pytest.mark.parametrize("make_engine", [Serial, Threads])
def test_a_call_under_way_when_all_is_forgotten_leaves_nothing_stale(make_engine):
    engine = make_engine()
    text, begun, go_on = ["old"], threading.Event(), threading.Event()

    @Cache(engine=engine)
    def read():
        now = text[0]
        if now == "old":
            begun.set()
            go_on.wait()
        return now

    found = []
    thread = threading.Thread(target=lambda: found.append(read()))
    thread.start()
    begun.wait()
    text[0] = "new"
    read.cache_clear()
    go_on.set()
    thread.join()
    assert found == ["old"]
    assert read() == "new"
    engine.close()


def test_a_fault_of_ours_is_shown_and_leaves_nobody_waiting(monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError("planted")

    shown = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    monkeypatch.setattr(Dispatcher, "finish", fail)
    with (
        Processes(workers=1) as engine,
        pytest.raises(WorkerError, match="planted"),
    ):
        engine.submit(engine.define(abs, "abs"), (-1,), {}).result(60)
    assert [each.exc_type for each in shown] == [AssertionError]


def test_what_ends_the_thread_of_a_pool_on_purpose_leaves_nobody_waiting(monkeypatch):
    def end(*_args, **_options):
        raise SystemExit

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(Dispatcher, "finish", end)
    with (
        Processes(workers=1) as engine,
        pytest.raises(WorkerError, match="no message can be carried any more"),
    ):
        engine.submit(engine.define(abs, "abs"), (-1,), {}).result(20)


def test_a_hint_whose_cache_is_gone_comes_to_nothing():
    """The threads of the engine go on with the hints that come after it."""
    begun = threading.Event()
    engine = Threads(workers=2)
    kept = Cache(lambda _n: begun.set(), engine=engine)

    @Cache(engine=engine)
    def hint(n):
        gone = Cache(lambda k: k, engine=engine)
        gone.apply_async(n)
        del gone
        gc.collect()
        kept.apply_async(n)
        return begun.wait(20)

    assert hint.submit(1).result(60)
    assert hint.submit(2).result(60)
    engine.close()


@pytest.mark.parametrize("fault", [AssertionError, SystemExit])
@pytest.mark.parametrize(
    "where", [(Dispatcher, "finish"), (Dispatcher, "submit"), (Desk, "end")], ids=lambda w: w[1]
)
def test_a_fault_in_the_engine_of_threads_leaves_nobody_waiting(where, fault, monkeypatch):
    def fail(*_args, **_options):
        raise fault("planted")

    shown = []
    monkeypatch.setattr(threading, "excepthook", shown.append)
    engine = Threads(workers=2)
    number = engine.define(abs, "abs")
    with monkeypatch.context() as planted:
        planted.setattr(*where, fail)
        futures = [engine.submit(number, (-n,), {}) for n in range(20)]
        errors = [future.exception(20) for future in futures]
    assert {type(error) for error in errors} == {WorkerError}
    assert "planted" in str(errors[0])
    assert {each.exc_type for each in shown} == {fault}
    assert engine.submit(number, (-1,), {}).result(20) == 1, "other threads have been started"
    engine.close()
