"""What every test and doctest of this package runs under."""  # noqa: INP001 -- pytest finds it by its place

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from pyspeedup.concurrent.cache import close_shared_engines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def shared_engines_end(leaves_nothing_behind: None) -> Iterator[None]:  # noqa: ARG001 -- so that it is outside of this one
    """End the workers that Caches share before the test is searched for leaks."""
    yield
    close_shared_engines()


@pytest.fixture
def run_program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code as a script of its own, with arguments, and return how that went."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(code))
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(  # noqa: S603 -- what our own tests say
            command, capture_output=True, text=True, check=False, timeout=60
        )

    return run
