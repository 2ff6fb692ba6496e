"""Children end with their parent, whatever ends it, and never before they are told to."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._processes import children as _children

PARENT = """
import multiprocessing, os, sys, time
from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._processes import children as _children

if __name__ != "__main__":
    raise SystemExit("the parent's program was imported in a child")
method, ending, fast = sys.argv[1:]
multiprocessing.set_start_method(method)
if fast == "no":
    _platform._kill_when_closed = lambda lifeline: False
children = [
    _children.start_child(time.sleep, (1000,), "asleep"),
    _children.start_child(eval, ("all(zero == 0 for zero in iter(int, 1))",), "busy"),
]
print(*(child.pid for child in children), flush=True)
if ending == "kill":
    os.kill(os.getpid(), 9)
elif ending == "terminate":
    os.kill(os.getpid(), 15)
elif ending == "_exit":
    os._exit(0)
elif ending == "raise":
    raise LookupError("on purpose")
elif ending == "interrupt":
    os.kill(os.getpid(), 2)
    time.sleep(60)
"""

RETURN_CODES = {
    "kill": -signal.SIGKILL,
    "terminate": -signal.SIGTERM,
    "_exit": 0,
    "raise": 1,
    "interrupt": -signal.SIGINT,
    "normal": 0,
}


def is_running(pid):
    """Tell whether a process computes still; one that waits to be reaped by init does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or before it was read
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pids, seconds=5):
    deadline = time.monotonic() + seconds
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"still running: {[*filter(is_running, pids)]}"
        time.sleep(0.01)


def run_parent(tmp_path, method, ending, fast="yes"):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    result = subprocess.run(
        [sys.executable, str(script), method, ending, fast],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == RETURN_CODES[ending], result.stderr
    pids = [int(pid) for pid in result.stdout.split()]
    assert len(pids) == 2
    return pids


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
@pytest.mark.parametrize("ending", RETURN_CODES)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_no_child_outlives_its_parent(tmp_path, method, ending):
    wait_until_gone(run_parent(tmp_path, method, ending))


@linux
def test_no_child_outlives_its_parent_where_the_kernel_cannot_be_asked(tmp_path):
    wait_until_gone(run_parent(tmp_path, "fork", "kill", fast="no"))


def test_a_child_runs_until_it_is_told_to_end():
    child = _children.start_child(time.sleep, (1000,), "asleep")
    assert child.is_alive()
    assert child.exitcode is None
    child.end()
    assert not child.is_alive()
    assert child.exitcode == -signal.SIGKILL
    child.end()


def test_a_child_that_ends_by_itself_is_left_in_peace():
    child = _children.start_child(os.getpid, (), "brief")
    assert child.join()
    assert child.exitcode == 0
    child.end()


def test_a_child_ignores_ctrl_c():
    child = _children.start_child(time.sleep, (0.5,), "asleep")
    os.kill(child.pid, signal.SIGINT)
    assert child.join()
    assert child.exitcode == 0
    child.end()


def test_a_child_that_cannot_be_started_leaves_nothing(monkeypatch):
    def refuse(self):
        raise OSError("no more processes")

    process_type = type(_children.context().Process(target=print))
    monkeypatch.setattr(process_type, "start", refuse)
    before = len(_children._living)
    with pytest.raises(OSError, match="no more processes"):
        _children.start_child(print, (), "never")
    assert len(_children._living) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_keeps_nobody_elses_child_alive(tmp_path):
    """A stray child of the user's inherits every descriptor, the lifelines among them."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal, time\n"
        "from pyspeedup.concurrent._processes import children as _children\n"
        "child = _children.start_child(time.sleep, (1000,), 'asleep')\n"
        "stray = os.fork()\n"
        "if stray == 0:\n"
        "    os.close(1); os.close(2)\n"
        "    time.sleep(20)\n"
        "    os._exit(0)\n"
        "print(child.pid, stray, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == -signal.SIGKILL
    child, stray = map(int, result.stdout.split())
    try:
        assert is_running(stray)
        wait_until_gone([child])
        assert is_running(stray)
    finally:
        os.kill(stray, signal.SIGKILL)


FORKING = """
import os, sys
from pyspeedup.concurrent import Buffer, Cache

letters, square = Buffer("abc", 1), Cache(lambda n: n * n, workers=1)
answers = letters[0], square(4)
if os.fork() == 0:
    sys.exit(7)  # through every exit handler
status = os.waitstatus_to_exitcode(os.wait()[1])
print(*answers, status, letters[2], square(5))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_leaves_the_children_to_its_parent_when_it_exits():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]  # a thread runs
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("a 16 7 c 25\n", "")


def test_cores_are_counted_within_the_affinity(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setattr(_platform, "_cgroup_quota", lambda: None)
    assert _platform.available_cores() == 3
    monkeypatch.setattr(_platform, "_cgroup_quota", lambda: 2)
    assert _platform.available_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert _platform.available_cores() == 1


def test_a_lifeline_that_was_being_closed_at_a_fork_keeps_no_child_from_being_let_go():
    child = _children.start_child(time.sleep, (1000,), "asleep")
    os.close(child._lifeline.fileno())  # which ends it; its number is known still
    child.abandon()
    assert not child.is_alive()
    child.process.join()
    child.process.close()
    child._lifeline._handle = None


def test_a_child_may_be_ended_by_several_threads_at_once():
    for _ in range(20):
        child = _children.start_child(time.sleep, (1000,), "asleep")
        errors = []
        together = threading.Barrier(3)

        def end(child=child, together=together, errors=errors):
            together.wait()
            try:
                child.end()
            except ValueError as error:
                errors.append(error)

        threads = [threading.Thread(target=end) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert child.exitcode == -signal.SIGKILL
