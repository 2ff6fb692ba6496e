"""No producer outlives its program, and every kind of program can have one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

METHODS = multiprocessing.get_all_start_methods()

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

# Four producers: one that waits to be asked, one that computes, one that sleeps, one of another's.
ENDINGS = """
import itertools, multiprocessing, os, signal, sys, time
multiprocessing.set_start_method(sys.argv[1])
from pyspeedup.concurrent import Buffer, buffer

@buffer(4)
def waiting():
    while True:
        yield os.getpid()

@buffer(4)
def computing():
    yield os.getpid()
    all(zero == 0 for zero in iter(int, 1))

@buffer(4)
def asleep():
    yield os.getpid()
    time.sleep(1000)

@buffer(4)
def nesting():
    yield nested[0]
    time.sleep(1000)

@buffer(4)
def nested():
    while True:
        yield os.getpid()

print(waiting[0], computing[0], asleep[0], nesting[0], nesting._supply.pid, flush=True)
ending = sys.argv[2]
if ending == "raise":
    raise LookupError("on purpose")
elif ending == "exit":
    sys.exit(3)
elif ending == "_exit":
    os._exit(4)
elif ending in ("SIGTERM", "SIGKILL"):
    os.kill(os.getpid(), getattr(signal, ending))
elif ending == "SIGINT":
    import threading
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    asleep[1]
elif ending == "collected":
    del waiting, computing, asleep, nesting, nested
    sys.stdin.read()
"""

RETURN_CODES = {
    "normal": 0,
    "raise": 1,
    "exit": 3,
    "_exit": 4,
    "SIGTERM": -signal.SIGTERM,
    "SIGKILL": -signal.SIGKILL,
    "SIGINT": -signal.SIGINT,
}


def is_running(pid):
    """Tell whether a process computes still; one that waits to be reaped by init does not."""
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


def run(*command, cwd, source=None):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        input=source,
        env={**os.environ, "HOME": str(cwd)},  # where an interactive session leaves its history
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@linux
@pytest.mark.parametrize("ending", RETURN_CODES)
@pytest.mark.parametrize("method", METHODS)
def test_no_producer_outlives_its_program(tmp_path, method, ending):
    script = tmp_path / "program.py"
    script.write_text(ENDINGS)
    result = run(script, method, ending, cwd=tmp_path)
    assert result.returncode == RETURN_CODES[ending], result.stderr
    pids = [int(pid) for pid in result.stdout.split()]
    assert len(set(pids)) == 5
    wait_until_gone(pids)


@linux
@pytest.mark.parametrize("method", METHODS)
def test_no_producer_outlives_its_buffer(tmp_path, method):
    script = tmp_path / "program.py"
    script.write_text(ENDINGS)
    with subprocess.Popen(
        [sys.executable, str(script), method, "collected"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        pids = [int(pid) for pid in program.stdout.readline().split()]
        assert len(set(pids)) == 5
        wait_until_gone(pids)
        assert program.poll() is None
        program.communicate()
    assert program.returncode == 0


# Every kind of program

PRIMES = """
import itertools, multiprocessing
from pyspeedup.concurrent import Buffer, buffer

if multiprocessing.get_start_method(allow_none=True) is None:
    multiprocessing.set_start_method({method!r})

def is_prime(n):
    for p in primes:
        if p * p > n:
            return True
        if n % p == 0:
            return False

@buffer(4)
def primes():
    '''The primes.

    >>> primes[9], 29 in primes, 33 in primes
    (29, True, False)
    '''
    yield 2
    yield from filter(is_prime, itertools.count(3, 2))

@buffer
def gaps():
    for n in itertools.count():
        yield primes[n + 1] - primes[n]

class Point:
    def __init__(self, x):
        self.x = x

points = Buffer(lambda: map(Point, itertools.count()), haltCondition=lambda *_: True)
"""

USE = """
print(primes[9], 29 in primes, 33 in primes, gaps[0:8], type(points[3]) is Point, points[3].x)
"""

EXPECTED = "29 True False [1, 2, 2, 4, 2, 4, 2, 4] True 3\n"


@pytest.mark.parametrize("method", METHODS)
class TestEveryKindOfProgram:
    def test_a_script_without_main_guard(self, tmp_path, method):
        (tmp_path / "program.py").write_text(PRIMES.format(method=method) + USE)
        self.check(run("program.py", cwd=tmp_path))

    def test_a_module_run_by_name(self, tmp_path, method):
        (tmp_path / "program.py").write_text(PRIMES.format(method=method) + USE)
        self.check(run("-m", "program", cwd=tmp_path))

    def test_an_imported_module(self, tmp_path, method):
        (tmp_path / "imported.py").write_text(PRIMES.format(method=method))
        (tmp_path / "program.py").write_text("from imported import *" + USE)
        self.check(run("program.py", cwd=tmp_path))

    def test_a_package(self, tmp_path, method):
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__init__.py").write_text("from .inner import *")
        (tmp_path / "package" / "inner.py").write_text(PRIMES.format(method=method))
        (tmp_path / "program.py").write_text("from package import *" + USE)
        self.check(run("program.py", cwd=tmp_path))

    def test_standard_input(self, tmp_path, method):
        self.check(run("-", cwd=tmp_path, source=PRIMES.format(method=method) + USE))

    def test_the_command_line(self, tmp_path, method):
        self.check(run("-c", PRIMES.format(method=method) + USE, cwd=tmp_path))

    def test_an_interactive_session(self, tmp_path, method):
        body = repr(PRIMES.format(method=method) + USE)
        result = run("-i", "-q", "-c", "", cwd=tmp_path, source=f"exec({body})\n")
        assert result.stdout == EXPECTED, result.stderr

    def test_a_doctest(self, tmp_path, method):
        (tmp_path / "program.py").write_text(PRIMES.format(method=method))
        result = run("-m", "doctest", "-v", "program.py", cwd=tmp_path)
        assert "Test passed." in result.stdout, result.stdout
        assert "primes[9]" in result.stdout
        assert result.returncode == 0

    def test_a_process_of_the_users_own(self, tmp_path, method):
        (tmp_path / "imported.py").write_text(
            PRIMES.format(method=method) + "def use():" + USE.replace("\n", "\n    ")
        )
        (tmp_path / "program.py").write_text(
            "import imported, multiprocessing\n"
            "if __name__ == '__main__':\n"
            "    imported.primes[3]\n"
            "    process = multiprocessing.Process(target=imported.use)\n"
            "    process.start(); process.join()\n"
            "    assert process.exitcode == 0\n"
        )
        self.check(run("program.py", cwd=tmp_path))

    def check(self, result):
        assert (result.stdout, result.stderr, result.returncode) == (EXPECTED, "", 0)
