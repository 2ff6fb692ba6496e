import os
import signal
import subprocess
import sys
import textwrap
import warnings

import pytest
from pyspeedup.core.testing.processes import child_processes, wait_for_processes

SCRIPT = """
    import sys
    from pyspeedup.concurrent import Cache

    @Cache(engine="dask", workers=2)
    def fibonacci(n):
        if n < 2:
            return n
        fibonacci.batch_async((n - 1,), (n - 2,))
        return fibonacci(n - 1) + fibonacci(n - 2)

    if __name__ == "__main__":
        print(fibonacci(90), "distributed" in sys.modules, flush=True)
"""


METHOD = "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD"


def test_a_script_that_names_the_engine_ends_clean(run_program):
    ended = run_program(SCRIPT, **{METHOD: "spawn"})
    assert (ended.returncode, ended.stdout) == (0, "2880067194370816120 True\n"), ended.stderr
    assert ended.stderr == ""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a program as the system does")
def test_a_killed_program_leaves_no_worker(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(SCRIPT) + "    sys.stdin.read()\n")
    before = set(child_processes())
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what multiprocessing's helper says of semaphores
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),  # its own folder stays there
            METHOD: "forkserver",
        },
    ) as program:
        assert program.stdout.readline().split()[0] == b"2880067194370816120"
        started = set(child_processes()) - before
        assert len(started) >= 3, "the program and two workers"
        program.kill()
        assert program.wait(30) == -signal.SIGKILL
        assert wait_for_processes(started, 30)


def test_the_current_client_is_used_and_left_alone(run_program, tmp_path):
    program = """
        import os, threading
        from distributed import Client
        from pyspeedup.concurrent import Cache
        from pyspeedup.dask import Dask

        if __name__ == "__main__":
            with Client(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as client:
                with Dask() as engine:
                    @Cache(engine=engine)
                    def power(base, exponent):
                        return 1 if exponent == 0 else base * power(base, exponent - 1)

                    print(power(2, 100) == 2**100, engine.workers)
                    print(engine.submit(engine.define(os.getpid, "getpid"), (), {}).result() == os.getpid())
                print(client.submit(pow, 2, 5).result())
                known = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
                print([key for key in known if key.startswith("pyspeedup")])
    """
    ended = run_program(program, TMPDIR=str(tmp_path))  # dask leaves a folder there
    expected = "True 2\nTrue\n32\n[]\n"
    assert (ended.returncode, ended.stdout) == (0, expected), ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only a fork brings an engine along")
def test_a_fork_refuses_and_leaves_the_connection_to_its_parent(make_engine):
    engine = make_engine()
    number = engine.define(pow, "pow")
    assert engine.submit(number, (2, 3), {}).result(60) == 8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, since Python 3.12
        pid = os.fork()
    if pid == 0:
        refused = False
        try:
            engine.submit(number, (2, 4), {})
        except RuntimeError as error:
            refused = "spawn" in str(error)
        engine.close()
        os._exit(17 if refused else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 17
    assert engine.submit(number, (2, 5), {}).result(60) == 32
