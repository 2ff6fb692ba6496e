"""What importing the package does, and what it offers."""

from __future__ import annotations

import importlib
import pkgutil

import pyspeedup.memory
from storage_toy import run

QUIET = """
import sys, threading, os
before = set(os.listdir("."))
import pyspeedup.memory
heavy = {"pluggy", "importlib.metadata", "sqlite3", "multiprocessing", "ctypes", "numpy"}
print(sorted(heavy & set(sys.modules)), threading.active_count(), set(os.listdir(".")) == before)
"""


NEED_NUMPY = {
    f"pyspeedup.memory._dict.{name}" for name in ("filter_numpy", "index_batch", "slots_numpy")
}


def test_importing_starts_nothing_and_scans_nothing():
    assert run(QUIET) == "[] 1 True"


def test_all_is_what_is_there():
    assert sorted(pyspeedup.memory.__all__) == pyspeedup.memory.__all__
    for name in pyspeedup.memory.__all__:
        assert getattr(pyspeedup.memory, name) is not None


def test_every_module_lists_what_it_offers():
    for module in pkgutil.walk_packages(pyspeedup.memory.__path__, "pyspeedup.memory."):
        try:
            loaded = importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert (error.name, module.name in NEED_NUMPY) == ("numpy", True)  # noqa: PT017 -- by name
            continue
        assert loaded.__doc__, module.name
        for name in getattr(loaded, "__all__", []):
            assert hasattr(loaded, name), (module.name, name)


def test_the_version_is_the_distributions():
    assert pyspeedup.memory.__version__.count(".") == 2
