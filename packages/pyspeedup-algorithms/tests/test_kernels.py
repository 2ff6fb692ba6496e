"""Every kernel answers the same wherever it comes from, and comes from plain Python if nothing else is there."""

import subprocess
import sys

import pytest
from pyspeedup.algorithms import _kernels

PROGRAM = """
from pyspeedup.algorithms import _kernels
import sys
for name in _kernels.SOURCES:
    print(_kernels.source_of(name).__name__.rsplit(".")[-1])
print(*{"flint", "gmpy2"} & sys.modules.keys(), "nothing")
"""


def test_without_libraries_every_kernel_is_plain(monkeypatch):
    monkeypatch.setenv("PYSPEEDUP_PURE", "1")
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert found.pop() == "nothing"
    assert found
    assert all(name.startswith("plain_") for name in found)


def test_an_unknown_kernel_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        _kernels.guess  # noqa: B018 -- the attribute is the test


def test_a_library_that_is_there_and_broken_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "gmpy2.py").write_text("import something_that_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gmpy2", raising=False)
    monkeypatch.delenv("PYSPEEDUP_PURE", raising=False)
    with pytest.raises(ModuleNotFoundError, match="something_that_it_needs"):
        _kernels.is_there("gmpy2")
