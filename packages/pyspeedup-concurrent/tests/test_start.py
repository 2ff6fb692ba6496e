"""What a program loads on its way to the first result, and what it does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PLUGIN_MACHINERY = {"pluggy", "importlib.metadata", "pyspeedup.concurrent._plugin"}


def modules_after(program):
    """Run `program` in a fresh interpreter; return what it has loaded."""
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


def test_the_default_engine_is_found_without_a_look_at_plugins():
    loaded = modules_after("""
from pyspeedup.concurrent import Cache
assert Cache(lambda n: n * n)(12) == 144
""")
    assert "pyspeedup.concurrent.engines.processes" in loaded
    assert not loaded & {*PLUGIN_MACHINERY, "pyspeedup.concurrent.engines.threads"}


@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_an_engine_loads_nothing_of_the_others(engine):
    loaded = modules_after(f"""
from pyspeedup.concurrent import Cache
assert Cache(lambda n: n * n, engine={engine!r})(12) == 144
""")
    assert f"pyspeedup.concurrent.engines.{engine}" in loaded
    assert "pyspeedup.concurrent.engines.processes" not in loaded
    assert "importlib.metadata" not in loaded


FUNCTIONS = {
    "plain": "@Cache\ndef f(n):\n    return n * n",
    "with defaults and names": "@Cache\ndef f(n, /, k=2, *, z=3):\n    return n * k * z",
    "recursive": """
@Cache
def f(n):
    if n < 2: return n
    f.batch_async((n - 1,), (n - 2,))
    return f(n - 1) + f(n - 2)
assert f(100) == 354224848179261915075
""",
    "mutually recursive, with a helper and a module": """
import math
def half(n): return math.floor(n / 2)
@Cache
def f(n): return n * g(half(n)) if n else 1
@Cache
def g(n): return n + f(half(n))
""",
}


@pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS)
def test_common_functions_travel_without_cloudpickle(source):
    assert "cloudpickle" not in modules_after(
        f"from pyspeedup.concurrent import Cache\n{source}\nf(12)"
    )


def test_others_travel_by_cloudpickle():
    assert "cloudpickle" in modules_after("""
from pyspeedup.concurrent import Cache
class C:
    pass
assert Cache(lambda n: type(C()).__name__)(12) == "C"
""")


@pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS)
def test_common_functions_are_read_and_computed_without_inspect_and_dataclasses(source):
    loaded = modules_after(f"from pyspeedup.concurrent import Cache\n{source}\nf(12)")
    assert not loaded & {"inspect", "dataclasses", "dis"}


def test_a_program_gets_to_its_first_result_without_the_compiler_as_a_builtin():
    modules_after("""
import builtins
compile_anything = builtins.compile
def refuse(source, filename, *args, **kwargs):
    if filename == "<string>":
        raise SystemExit(f"compiled {source!r}, and 0.8 ms went by before")
    return compile_anything(source, filename, *args, **kwargs)  # a module that has no cache yet
builtins.compile = refuse
from pyspeedup.concurrent import Cache
assert Cache(lambda n: n * n)(12) == 144
""")


def test_a_cache_loads_nothing_of_buffers_and_no_protocols():
    loaded = modules_after("""
from pyspeedup.concurrent import Cache
assert Cache(lambda n: n * n)(12) == 144
""")
    assert not {name for name in loaded if "buffer" in name and name.startswith("pyspeedup")}
    assert "pyspeedup.core.protocols" not in loaded


def test_a_buffer_loads_nothing_of_caches_until_it_must():
    loaded = modules_after("from pyspeedup.concurrent import Buffer, buffer")
    assert "pyspeedup.concurrent.cache" not in loaded


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import pyspeedup.concurrent.buffer",
        "from pyspeedup.concurrent.buffer import Buffer",
        "from pyspeedup.concurrent import Buffer",
        "import pyspeedup.concurrent as c; c.buffer",
    ],
)
def test_buffer_means_the_decorator_whatever_was_imported_before(before):
    modules_after(f"""{before}
from pyspeedup.concurrent import *
import pyspeedup.concurrent as package
@buffer()
def numbers():
    yield from range(3)
assert isinstance(numbers, Buffer) and package.buffer is buffer
assert set(package.__all__) == set(dir(package))
""")


SECOND_CLAIM = """
from pyspeedup.concurrent import Cache
from pyspeedup.core import DuplicateNameError, hookimpl, register
class Shadow:
    @hookimpl
    def pyspeedup_register_engines(self, register):
        register("processes", lambda **options: 1 / 0)
register(Shadow())
"""


def test_a_plugin_that_claims_the_name_of_the_default_is_told_to_who_asks_for_the_name():
    modules_after(f"""{SECOND_CLAIM}
try:
    Cache(abs, engine="processes")
except DuplicateNameError as error:
    assert "Shadow" in str(error) and "pyspeedup-concurrent" in str(error), error
else:
    raise SystemExit("shadowed")
""")


def test_a_cache_that_names_no_engine_has_ours_whoever_claims_its_name():
    modules_after(f"""{SECOND_CLAIM}
assert Cache(lambda n: n * n)(12) == 144
""")


def test_a_cache_that_names_the_default_shares_the_engine_of_one_that_names_none():
    modules_after("""
from pyspeedup.concurrent import Cache
one, other = Cache(abs), Cache(abs, engine="processes")
assert one._evaluator()[0] is other._evaluator()[0]
""")


def test_engines_are_there_when_they_are_asked_for():
    from pyspeedup.concurrent import engines

    assert [getattr(engines, name).__name__ for name in engines.__all__] == engines.__all__
    assert not hasattr(engines, "Nobody")


FORKED_MEANWHILE = """
import os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # this program has threads and forks
from pyspeedup.concurrent import Cache

begun = threading.Event()

class SlowToFind:
    def find_spec(self, name, *_):
        if name == "pyspeedup.concurrent.engines.processes" and not begun.is_set():
            begun.set()
            time.sleep(0.3)  # so that the fork comes meanwhile, if nothing keeps it

sys.meta_path.insert(0, SlowToFind())
double = Cache(lambda n: 2 * n, workers=1)
found = []
first = threading.Thread(target=lambda: found.append(double(1)))
first.start()
begun.wait()
child = os.fork()
if not child:
    signal.alarm(10)
    os._exit(double(2))
first.join()
_, status = os.waitpid(child, 0)
print(found, os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_forked_while_another_thread_makes_the_first_call_can_call_too():
    found = subprocess.run(
        [sys.executable, "-c", FORKED_MEANWHILE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "[2] 4\n"), found.stderr
