"""What every test of this package runs under."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.dask import Dask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack


@contextlib.contextmanager
def running_cluster(threads: int, folder: Path) -> Iterator[str]:
    """Run a cluster in a process of its own, what it logs in a file ``log`` of the folder."""
    program = Path(__file__).with_name("cluster_process.py")
    environment = {
        **os.environ,
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        "TMPDIR": str(folder),  # workers may make folders there beside their own, which they leave
    }
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, str(program), str(threads), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        ) as process,
    ):
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of two workers of one thread each, the same for all tests.

    The thread by which dask unpickles what is large, and which it never ends, begins here.
    """
    with running_cluster(1, tmp_path_factory.mktemp("dask")) as address:
        with Dask(address=address) as engine:
            number = engine.define(bytes, "bytes")
            assert len(engine.submit(number, (20_000_000,), {}).result(60)) == 20_000_000
        yield address


@pytest.fixture
def make_engine(cluster: str) -> Iterator[Callable[..., Dask]]:
    """Make engines on the cluster, which are closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Dask(address=cluster, **options))


@pytest.fixture
def mortal_cluster(leaves_nothing_behind: None, tmp_path: Path) -> Iterator[ExitStack]:
    """Give an exit stack around two workers of two threads each, for one test that ends them.

    Their address is its attribute `address`.
    """
    with contextlib.ExitStack() as stack:
        stack.address = stack.enter_context(running_cluster(2, tmp_path))
        yield stack


@pytest.fixture
def run_program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code as a script of its own, and return how that went."""

    def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(code))
        return subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture(autouse=True)
def shared_engines_end(cluster: str, leaves_nothing_behind: None) -> Iterator[None]:
    """End what Caches share before the test is searched for leaks."""
    yield
    close_shared_engines()
