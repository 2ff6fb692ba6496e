"""No worker survives its program, whatever ends it; and wherever a program comes from, it works."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

METHODS = ["fork", "spawn", "forkserver"]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

PROGRAM = """
import multiprocessing, os, signal, sys, threading, time
from pyspeedup.concurrent import Cache

method, ending = sys.argv[1:]
multiprocessing.set_start_method(method)

@Cache(workers=2)
def square(n):
    return n * n, os.getpid()

@Cache(workers=2)
def busy(n):
    while True:
        pass

pids = {square(n)[1] for n in range(200)}
for n in range(20):
    busy.apply_async(n)
print(*pids, flush=True)
if ending == "raise":
    raise LookupError("on purpose")
elif ending == "exit":
    sys.exit(3)
elif ending == "_exit":
    os._exit(4)
elif ending == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif ending == "terminate":
    os.kill(os.getpid(), signal.SIGTERM)
elif ending == "interrupt":
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    busy(0)
"""

RETURN_CODES = {
    "normal": 0,
    "raise": 1,
    "exit": 3,
    "_exit": 4,
    "kill": -signal.SIGKILL,
    "terminate": -signal.SIGTERM,
    "interrupt": -signal.SIGINT,
}


def is_running(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or before it was read
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pids, seconds=10):
    deadline = time.monotonic() + seconds
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"still running: {[*filter(is_running, pids)]}"
        time.sleep(0.01)


@linux
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ending", RETURN_CODES)
def test_no_worker_outlives_its_program(run_program, method, ending):
    result = run_program(PROGRAM, method, ending)
    assert result.returncode == RETURN_CODES[ending], result.stderr
    pids = [int(pid) for pid in result.stdout.split()]
    assert pids, "no worker was seen"
    wait_until_gone(pids)
    if ending == "normal":
        assert not result.stderr


FIBONACCI = """
import sys
from pyspeedup.concurrent import Cache

@Cache
def fibonacci(n):
    if n < 2:
        return 1
    fibonacci.batch_async((n - 1,), (n - 2,))
    return fibonacci(n - 1) + fibonacci(n - 2)

class Point:
    def __init__(self, x):
        self.x = x

@Cache
def shifted(n):
    return Point(fibonacci(n))

print("result", fibonacci(90), type(shifted(5)) is Point, shifted(5).x, flush=True)
"""
ANSWER = "result 4660046610375530309 True 8\n"

SET_METHOD = "import multiprocessing; multiprocessing.set_start_method({!r})\n"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", ["script", "standard input", "command", "module", "doctest"])
def test_a_program_without_main_guard_works_wherever_it_comes_from(tmp_path, method, way):
    code = SET_METHOD.format(method) + FIBONACCI
    path = tmp_path / "program.py"
    path.write_text(code)
    if way == "doctest":
        lines = FIBONACCI.strip().replace("\n\n", "\n").splitlines()
        shown = "\n".join(
            ("... " if line.startswith((" ", "def")) else ">>> ") + line for line in lines
        )
        path.write_text(f"'''\n>>> {SET_METHOD.format(method)}{shown}\n{ANSWER}'''\n")
    arguments, typed = {
        "script": ([str(path)], None),
        "standard input": (["-"], code),
        "command": (["-c", code], None),
        "module": (["-m", "program"], None),
        "doctest": (["-m", "doctest", str(path)], None),
    }[way]
    result = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == ("" if way == "doctest" else ANSWER)


@pytest.mark.parametrize("method", METHODS)
def test_an_imported_modules_function_works_under_every_start_method(tmp_path, method, run_program):
    (tmp_path / "library.py").write_text(
        textwrap.dedent("""
            from pyspeedup.concurrent import Cache

            @Cache
            def fibonacci(n):
                return 1 if n < 2 else previous(n) + fibonacci(n - 2)

            def previous(n):
                return fibonacci(n - 1)
        """)
    )
    program = SET_METHOD.format(method) + "import library; print(library.fibonacci(2000) % 10**9)"
    result = run_program(program)
    assert (result.returncode, result.stderr) == (0, "")
    before, last = 1, 1
    for _ in range(2000):
        before, last = last, before + last
    assert result.stdout == f"{before % 10**9}\n"


def test_after_ctrl_c_calls_work_again(run_program):
    result = run_program("""
        import os, signal, threading, time
        from pyspeedup.concurrent import Cache

        @Cache(workers=2)
        def slow(n):
            time.sleep(1)
            return n

        for _ in range(2):
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                slow(1)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            else:
                print("not interrupted", flush=True)
            assert Cache(abs, workers=2)(-5) == 5
        print(slow(1), slow(2))
    """)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["interrupted", "interrupted", "1", "2"]


def test_nobody_waits_at_exit_for_what_was_queued(run_program):
    """A thousand calls of an hour each would outlast the time limit of the run."""
    result = run_program("""
        import time
        from pyspeedup.concurrent import Cache

        @Cache
        def wait(n):
            time.sleep(3600)

        for n in range(1000):
            wait.apply_async(n)
        print("end")
    """)
    assert (result.returncode, result.stdout, result.stderr) == (0, "end\n", "")


@linux
def test_a_programs_own_fork_is_quiet_and_harmless(run_program):
    """Python 3.12 warns of a fork while threads run; ours is not there then."""
    result = run_program("""
        import os, warnings
        warnings.simplefilter("error")
        from pyspeedup.concurrent import Cache

        square = Cache(lambda n: n * n, workers=2)
        assert square(3) == 9
        pid = os.fork()
        if pid == 0:
            os._exit(0 if square(4) == 16 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert square(5) == 25
        print("end")
    """)
    assert (result.returncode, result.stdout, result.stderr) == (0, "end\n", "")


def test_importing_starts_nothing_and_loads_nothing_heavy(run_program):
    result = run_program("""
        import sys, threading
        import pyspeedup.concurrent
        assert threading.active_count() == 1
        for name in ("cloudpickle", "pluggy", "importlib.metadata", "multiprocessing.heap", "ctypes"):
            assert name not in sys.modules, name
    """)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_pid_in_an_error_is_the_workers(run_program):
    result = run_program("""
        import os
        from pyspeedup.concurrent import Cache
        from pyspeedup.core import WorkerError
        try:
            Cache(lambda: os.kill(os.getpid(), 9))()
        except WorkerError as error:
            print(error.exitcode, error.pid != os.getpid())
    """)
    assert (result.stdout, result.stderr) == ("-9 True\n", "")
    assert os.getpid()


PARKED = """
import multiprocessing, os, signal, sys, time
from pyspeedup.concurrent import Cache

method = sys.argv[1]
multiprocessing.set_start_method(method)

@Cache(workers=3)
def shared():
    time.sleep(1000)

@Cache(workers=3)
def branch(n, path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    return shared()

futures = [branch.submit(n, sys.argv[2]) for n in range(12)]
while True:
    with open(sys.argv[2], "a+") as file:
        file.seek(0)
        pids = file.read().split()
    if len(pids) == 12:  # those that cannot compute it have parked, each for several branches
        break
    time.sleep(0.01)
print(*{*pids}, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@linux
@pytest.mark.parametrize("method", METHODS)
def test_workers_whose_stacks_are_parked_end_with_a_killed_program(run_program, tmp_path, method):
    result = run_program(PARKED, method, str(tmp_path / "log"))
    assert result.returncode == -signal.SIGKILL, result.stderr
    pids = [int(pid) for pid in result.stdout.split()]
    assert len(pids) == 3
    wait_until_gone(pids)


def test_ctrl_c_while_stacks_are_parked_shows_one_traceback_and_leaves_nothing(run_program):
    result = run_program("""
        import os, signal, threading, time
        from pyspeedup.concurrent import Cache

        @Cache(workers=2)
        def shared(seconds):
            time.sleep(seconds)
            return 1

        @Cache(workers=2)
        def branch(n, seconds):
            return shared(seconds) + n

        futures = [branch.submit(n, 0.5) for n in range(6)]
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            [future.result() for future in futures]
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        print(sum(branch(n, 0.5) for n in range(6)), flush=True)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        branch(0, 1000)
    """)
    assert result.returncode == -signal.SIGINT
    assert result.stdout == "interrupted\n21\n"
    assert result.stderr.count("Traceback") == 1
    assert result.stderr.strip().endswith("KeyboardInterrupt")


@linux
def test_processes_forked_from_a_program_have_workers_of_their_own(run_program):
    result = run_program("""
        import multiprocessing, os, sys, warnings
        from concurrent.futures import ProcessPoolExecutor
        from pyspeedup.concurrent import Cache

        @Cache(workers=2)
        def where(n):
            return n, os.getpid()

        def ask(start):
            found = [where(n) for n in range(start, start + 20)]
            assert [n for n, _ in found] == [*range(start, start + 20)]
            return {pid for _, pid in found}

        if __name__ == "__main__":
            # Python 3.13 counts threads once ours has been started again
            warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
            ours = ask(0)
            context = multiprocessing.get_context("fork")
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                for others in pool.map(ask, [100, 200, 300]):
                    assert not others & ours
            for ending in (os._exit, sys.exit):
                pid = os.fork()
                if pid == 0:
                    ending(0 if not ask(1000) & ours else 1)
                assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
                assert ask(2000) <= ours | ask(3000)
            print("end")
    """)
    assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr
    assert result.stderr == ""


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@forks
def test_a_pool_made_while_another_thread_forks_answers_after_that_fork_and_others(run_program):
    result = run_program("""
        import multiprocessing, os, threading, warnings

        def make():
            engine = Processes(workers=1)
            number = engine.define(abs, "abs")
            made.append((engine, number, engine.submit(number, (-1,), {})))

        def make_elsewhere():
            thread = threading.Thread(target=make)
            thread.start()
            thread.join()

        made = []
        os.register_at_fork(before=make_elsewhere)  # such hooks run in reverse: after ours
        from pyspeedup.concurrent.engines import Processes

        multiprocessing.set_start_method("spawn")  # a fork within a fork would call the hook again
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(3):
            if not os.fork():
                os._exit(0)
            os.wait()
            for engine, number, first in made:
                assert first.result(20) == 1
                assert engine.submit(number, (-2,), {}).result(20) == 2
        print(len(made))
    """)
    assert (result.returncode, result.stdout) == (0, "3\n"), result.stderr


@forks
def test_a_fork_where_an_answer_arrives_leaves_each_pool_one_thread(run_program):
    result = run_program("""
        import os, threading, warnings
        from pyspeedup.concurrent.engines import Processes

        warnings.simplefilter("ignore", DeprecationWarning)
        engine = Processes(workers=1)
        number = engine.define(abs, "abs")
        for n in range(5):
            forked = threading.Event()

            def fork(_future):
                if not os.fork():
                    os._exit(0)
                os.wait()
                forked.set()

            with_callback = engine.submit(number, (-n,), {})
            with_callback.add_done_callback(fork)
            assert with_callback.result(20) == n
            assert forked.wait(20)
            assert engine.submit(number, (-n,), {}).result(20) == n
            print(sum(thread.name == "pyspeedup-pool" for thread in threading.enumerate()))
    """)
    assert (result.returncode, result.stdout) == (0, "1\n" * 5), result.stderr


@forks
def test_forks_where_answers_of_several_pools_arrive_do_not_wait_for_each_other(
    run_program, tmp_path
):
    program = """
        import os, sys, threading, warnings
        from pyspeedup.concurrent.engines import Processes

        warnings.simplefilter("ignore", DeprecationWarning)
        together = threading.Barrier(4)

        def fork(*_):
            together.wait(20)
            if not os.fork():
                os._exit(0)
            os.wait()

        def fork_and_tell(future):
            fork()
            told.release()

        told = threading.Semaphore(0)
        engines = [Processes(workers=1) for _ in range(3)]
        gates = {engine: f"{sys.argv[1]}/{n}" for n, engine in enumerate(engines)}
        for gate in gates.values():
            os.mkfifo(gate)
        for n in range(10):
            for engine in engines:
                assert engine.submit(engine.define(abs, "abs"), (-n,), {}).result(20) == n
            for engine, gate in gates.items():
                number = engine.define(lambda gate: open(gate).read(), "wait")
                engine.submit(number, (gate,), {}).add_done_callback(fork_and_tell)
            for gate in gates.values():
                open(gate, "w").close()
            fork()
            for engine in engines:
                assert told.acquire(timeout=20), "a fork waits for another"
        print("end")
    """
    result = run_program(program, str(tmp_path))
    assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr


@forks
def test_a_fork_while_a_function_is_pickled_leaves_it_usable(run_program, tmp_path):
    library = """
        import threading

        class Slow:
            def __reduce__(self):
                if threading.current_thread() is not threading.main_thread():
                    pickling.set()
                    assert forked.wait(20)
                return Slow, ()

        pickling, forked = threading.Event(), threading.Event()
    """
    (tmp_path / "library.py").write_text(textwrap.dedent(library))
    result = run_program("""
        import os, threading, warnings
        from library import Slow, forked, pickling
        from pyspeedup.concurrent import Cache

        warnings.simplefilter("ignore", DeprecationWarning)

        def make():
            slow = Slow()

            @Cache(workers=1)
            def square(n):
                return n * n if slow else None

            return square

        square = make()
        thread = threading.Thread(target=square, args=(1,))
        thread.start()
        assert pickling.wait(20)
        pid = os.fork()
        if not pid:
            import faulthandler  # a child that waits for ever says where

            faulthandler.dump_traceback_later(20, exit=True)
            os._exit(0 if square(2) == 4 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        forked.set()
        thread.join(20)
        print(square(1), square(3))
    """)
    assert (result.returncode, result.stdout) == (0, "1 9\n"), result.stderr


PRINTING = """
import os, sys
from pyspeedup.concurrent import Buffer, Cache

program = os.getpid()

class Tee:
    def write(self, text):
        return sys.__stdout__.write(text)

class Whole(Tee):
    def flush(self):
        sys.__stdout__.flush()

class Full(Tee):
    closed = False

    def flush(self):
        if os.getpid() != program:  # multiprocessing flushes it there before it forks
            raise OSError("no space left")

sys.stdout = {"tee": Tee, "whole": Whole, "full": Full}[sys.argv[1]]()

@Cache(workers=1)
def square(n):
    print("computing")
    return n * n

answers = square(3), [*square.map([4, 5])], [*Buffer(lambda: iter("abc"), 2)]
sys.stdout = sys.__stdout__
print(*answers)
"""


@pytest.mark.parametrize(("stream", "told"), [("tee", 0), ("whole", 0), ("full", 2)])
def test_what_stands_for_standard_output_need_not_be_a_file(run_program, stream, told):
    """One that fails is told of once by each process, and is no failure of the function's."""
    result = run_program(PRINTING, stream)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "9 [16, 25] ['a', 'b', 'c']"
    assert result.stderr.count("What was printed to sys.stdout did not come out") == told
    assert result.stderr.count("OSError: no space left") == told
