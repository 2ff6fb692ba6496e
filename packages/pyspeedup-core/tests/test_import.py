"""Importing core does nothing but define names."""

from __future__ import annotations

import subprocess
import sys

import pyspeedup.core
from pyspeedup.core import testing


def in_fresh_interpreter(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def modules_brought_by(module):
    return in_fresh_interpreter(
        f"import sys; before = set(sys.modules); import {module}; "
        "print(*sorted(set(sys.modules) - before))"
    )


def test_importing_loads_no_plugin_machinery():
    modules = modules_brought_by("pyspeedup.core")
    assert {name for name in modules if name.startswith("pyspeedup.core.")} == {
        "pyspeedup.core._announced",
        "pyspeedup.core.errors",
    }
    assert not {"pluggy", "importlib.metadata", "multiprocessing"} & {*modules}


def test_importing_brings_no_test_tools():
    modules = modules_brought_by("pyspeedup.core, pyspeedup.core.cli, pyspeedup.core.commands")
    for tool in ("pytest", "_pytest", "hypothesis", "pyspeedup.core.testing"):
        assert tool not in modules


def test_importing_starts_no_thread_and_no_process():
    program = """
import sys
def refuse(event, arguments):
    if event in {"os.fork", "os.exec", "os.posix_spawn", "subprocess.Popen", "_thread.start_new_thread"}:
        raise SystemExit(f"importing does {event}")
sys.addaudithook(refuse)
import pyspeedup.core, threading
print(threading.active_count())
"""
    assert in_fresh_interpreter(program) == ["1"]


def test_looking_a_built_in_up_scans_no_entry_point():
    program = """
import importlib.metadata
def refuse(**_): raise SystemExit("scanned")
importlib.metadata.entry_points = refuse
from pyspeedup.core import serializers
print(serializers.get("pickle").__name__)
"""
    assert in_fresh_interpreter(program) == ["PickleSerializer"]


def test_looking_a_built_in_up_reads_no_metadata():
    program = """
import sys
from pyspeedup.core import serializers
serializers.get("pickle")
print("importlib.metadata" in sys.modules, "difflib" in sys.modules)
"""
    assert in_fresh_interpreter(program) == ["False", "False"]


def test_a_built_in_may_be_announced_before_names_are_looked_up_and_after():
    program = """
import sys, types
from pyspeedup.core import announce
def announce_offer(name):
    from pyspeedup.core import hookimpl
    module = sys.modules[f"pyspeedup.{name}"] = types.ModuleType(f"pyspeedup.{name}")
    def pyspeedup_register_serializers(register):
        register(name, lambda: name)
    module.pyspeedup_register_serializers = hookimpl(pyspeedup_register_serializers)
    announce(module.__name__)
announce_offer("early")
assert "pyspeedup.core.plugins" not in sys.modules
from pyspeedup.core import serializers
print(serializers.get("early")())
announce_offer("late")
print(serializers.get("late")())
"""
    assert in_fresh_interpreter(program) == ["early", "late"]


def test_what_is_exported_is_there_and_sorted():
    for module in (pyspeedup.core, testing):
        assert module.__all__ == sorted(module.__all__)
        for name in module.__all__:
            assert hasattr(module, name), name


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(pyspeedup.core, "no_such_name")


def test_the_version_is_that_of_the_distribution():
    assert pyspeedup.core.__version__.count(".") >= 2


def test_pyspeedup_is_a_namespace_of_which_core_is_a_part():
    assert in_fresh_interpreter(
        "import pyspeedup; print(getattr(pyspeedup, '__file__', None))"
    ) == ["None"]
