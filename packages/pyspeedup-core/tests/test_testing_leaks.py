"""What a test leaves behind is seen, and what it put away is not."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path

import pytest
from pyspeedup.core.testing import Leak, leak_check
from pyspeedup.core.testing.processes import child_processes, wait_for_processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sees all of it on Linux only")

WAITS = "import sys; sys.stdin.read()"


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Do not wait long for what will never end."""
    monkeypatch.setattr("pyspeedup.core.testing.leaks.GRACE", 0.2)


def start(program=WAITS):
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


@contextlib.contextmanager
def leaking(message, *folders):
    """Expect that the block leaks, and that `message` matches what is said of it."""
    with pytest.raises(Leak, match=message), leak_check(*folders):
        yield


def end(process):
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_process_is_seen():
    with leaking(r"process \d+ \(.*sys.stdin.read"):
        process = start()
    end(process)


def test_a_process_of_multiprocessing_is_seen(start_method):
    context = multiprocessing.get_context(start_method)
    reader, writer = context.Pipe(duplex=False)
    with leaking(r"process \d+"):
        child = context.Process(target=reader.recv, daemon=True)
        child.start()
    writer.send(None)
    child.join()
    child.close()
    reader.close()
    writer.close()


def test_a_process_that_ended_is_not():
    with leak_check():
        end(start())


def test_a_grandchild_is_seen_also_when_its_parent_ended():
    program = (
        "import subprocess, sys; "
        f"print(subprocess.Popen([sys.executable, '-c', {WAITS!r}]).pid, flush=True)"
    )
    with leaking(r"process \d+"):
        process = start(program)
        grandchild = int(process.stdout.readline())
        process.wait()
    assert grandchild in child_processes()
    process.communicate()
    assert wait_for_processes([grandchild], 10)


def test_a_process_that_is_ending_is_waited_for(monkeypatch):
    monkeypatch.setattr("pyspeedup.core.testing.leaks.GRACE", 10.0)
    with leak_check():
        process = start("import time; time.sleep(0.3)")
        process.stdin.close()
        process.stdout.close()
    assert process.wait() == 0


def test_a_thread_is_seen():
    ended = threading.Event()
    with leaking("thread 'spinner'"):
        thread = threading.Thread(target=ended.wait, name="spinner")
        thread.start()
    ended.set()
    thread.join()


def test_a_thread_that_is_ending_is_waited_for(monkeypatch):
    monkeypatch.setattr("pyspeedup.core.testing.leaks.GRACE", 10.0)
    ended = threading.Event()
    with leak_check():
        thread = threading.Thread(target=ended.wait, args=(0.3,))
        thread.start()
    assert not thread.is_alive()


def test_a_descriptor_is_seen(tmp_path):
    with leaking(r"descriptor \d+ \(.*left_open"):
        descriptor = os.open(tmp_path / "left_open", os.O_CREAT)
    os.close(descriptor)


def test_a_pipe_is_seen_and_a_closed_one_is_not():
    with leaking("pipe"):
        ends = os.pipe()
    with leak_check():
        for descriptor in ends:
            os.close(descriptor)


def test_a_file_held_by_a_cycle_of_garbage_is_not_seen(tmp_path):
    class Holder:
        pass

    with leak_check():
        holder = Holder()
        holder.itself = holder
        holder.descriptor = os.open(tmp_path / "held", os.O_CREAT)
        weakref.finalize(holder, os.close, holder.descriptor)
        del holder


def test_what_a_thread_lets_go_of_while_it_is_waited_for_is_not_seen():
    class Holder:
        def __init__(self):
            self.itself = self  # so that it takes the collector of garbage
            weakref.finalize(self, os.close, os.open(os.devnull, os.O_RDONLY))

    is_over = threading.Event()
    with leak_check():
        thread = threading.Thread(target=lambda _held: is_over.wait(), args=(Holder(),))
        thread.start()
        threading.Timer(0.2, is_over.set).start()
        del thread


def test_folders_and_files_are_seen_in_the_folders_that_are_named(tmp_path):
    with leaking(r"file .*page; folder .*store", tmp_path):
        (tmp_path / "store").mkdir()
        (tmp_path / "page").touch()
    with leak_check(tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere").rmdir()


def test_an_error_of_the_block_itself_is_not_hidden():
    opened = []

    def open_and_fail():
        opened.append(os.open(os.devnull, os.O_RDONLY))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), leak_check():
        open_and_fail()
    os.close(opened.pop())


def test_tests_have_a_home_and_a_temporary_folder_of_their_own(private_folders):
    home, temporary = private_folders
    assert Path.home() == home
    assert tempfile.gettempdir() == str(temporary)
    program = "import pathlib, tempfile; print(pathlib.Path.home(), tempfile.gettempdir())"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [str(home), str(temporary)]


LEAKY = """
import os, pytest, tempfile

pytestmark = pytest.mark.usefixtures("no_leaks")

def test_clean():
    os.rmdir(tempfile.mkdtemp())

def test_leaky():
    tempfile.mkdtemp()
"""


def test_a_test_that_leaks_fails(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    plugins = ["-p", "pyspeedup.core.testing.leaks", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, f"--basetemp={tmp_path / 'base'}", "."]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed, 1 error" in result.stdout
    assert "Leak: left behind: folder " in result.stdout


def test_wait_for_processes_tells_whether_they_ended():
    process = start()
    assert not wait_for_processes([process.pid], 0.05)
    process.kill()
    assert wait_for_processes([process.pid], 10)
    process.communicate()
    assert wait_for_processes([process.pid], 10)
