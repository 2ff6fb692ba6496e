"""What every test of this package runs under."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.dask import Dask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def running_cluster(threads: int, folder: Path) -> Iterator[str]:
    program = Path(__file__).with_name("cluster_process.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(threads), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
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


@pytest.fixture(autouse=True)
def shared_engines_end(cluster: str, leaves_nothing_behind: None) -> Iterator[None]:
    """End what Caches share before the test is searched for leaks."""
    yield
    close_shared_engines()
