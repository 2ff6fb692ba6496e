"""Functions that travel without cloudpickle arrive as they would with it."""

from __future__ import annotations

import math
import pickle
import sys
import textwrap
import threading

import cloudpickle
import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._processes import plain_functions, shipping


def define(source, name="f", **variables):
    """Return a function of a program: one that nobody can import."""
    namespace = {"__name__": "__main__", "__file__": "program.py", **variables}
    exec(textwrap.dedent(source), namespace)
    return namespace[name]


def no_structure(_):
    return None


def sent(function):
    data = plain_functions.dumps(function, no_structure)
    return None if data is None else pickle.loads(data)


PLAIN = {
    "nothing but its argument": "def f(n): return n * n",
    "constants": "K = (1, {'a': [2.5, b'x']}, None)\ndef f(n): return K[1]['a'][0] * n",
    "a module": "import math\ndef f(n): return math.isqrt(n)",
    "an importable function": "from operator import add\ndef f(n): return add(n, 1)",
    "an importable class": "from fractions import Fraction\ndef f(n): return Fraction(n, 3)",
    "defaults": "def f(n, k=2, *rest, z=5, **more): return (n, k, rest, z, more)",
    "annotations": "def f(n: int, k: str = 'a') -> dict: return {n: k}",
    "a lambda": "f = lambda n: n + 1",
    "a function in it": "K = 3\ndef f(n):\n    def g(m): return m * K\n    return [g(i) for i in range(n)]",
    "a generator in it": "K = 3\ndef f(n): return sum(K * i for i in range(n))",
    "an assignment to a global": "def f(n):\n    global K\n    K = n\n    return K",
    "itself": "def f(n): return n * f(n - 1) if n else 1",
    "a helper": "K = 2\ndef g(n): return n + K\ndef f(n): return g(n) * K",
    "no such name": "def f(n): return nowhere if n < 0 else n",
    "an import": "def f(n):\n    import json\n    return json.dumps(n)",
    "an attribute of a global's name": "K = 1\ndef f(n): return n.real.real",
    "many globals": "\n".join(f"V{i} = {i}" for i in range(600))
    + "\ndef f(n): return n + "
    + " + ".join(f"V{i}" for i in range(600)),
}


@pytest.mark.parametrize("source", PLAIN.values(), ids=PLAIN)
def test_a_function_arrives_as_by_cloudpickle(source):
    function = define(source)
    ours, theirs = sent(function), pickle.loads(cloudpickle.dumps(function))
    assert ours is not None, "it was left to cloudpickle"
    assert ours is not function
    assert set(ours.__globals__) == set(theirs.__globals__)
    assert ours.__code__ == theirs.__code__ == function.__code__
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__"):
        assert getattr(ours, name) == getattr(theirs, name) == getattr(function, name), name
    assert ours.__kwdefaults__ == function.__kwdefaults__
    assert ours.__annotations__ == function.__annotations__
    assert ours(7) == theirs(7) == function(7)


def test_what_was_set_on_a_function_comes_along():
    function = define('def f(n):\n    "Doc."\n    return f.step')
    function.step = [1, function]
    arrived = sent(function)
    assert arrived.step[0] == 1
    assert arrived.step[1] is arrived
    assert arrived(0) is arrived.step
    assert arrived.__doc__ == "Doc."


def test_its_own_name_means_what_arrived():
    arrived = sent(define(PLAIN["itself"]))
    assert arrived.__globals__["f"] is arrived


def test_functions_sent_together_share_a_namespace_of_their_own():
    function = define("""
        count = 0
        def step():
            global count
            count += 1
        def f(n):
            step()
            return count
    """)
    arrived = sent(function)
    assert [arrived(0), arrived(0)] == [1, 2]
    assert function.__globals__["count"] == 0


def test_globals_that_are_not_used_stay_behind():
    function = define("def f(n): return n.spam", spam=threading.Lock(), eggs=threading.Lock())
    assert "spam" not in sent(function).__globals__


def lock_in(name):
    return {name: threading.Lock()}


LEFT = {
    "a variable around it": lambda: define("def g(k):\n    return lambda n: n + k\nf = g(1)"),
    "a class of the program": lambda: define("class C: pass\ndef f(n): return C"),
    "an object of a class": lambda: define("def f(n): return x", x=math.inf and range(3)),
    "a lock": lambda: define("def f(n): return lock", **lock_in("lock")),
    "a package": lambda: define("import xml\ndef f(n): return xml"),
    "a module that cannot be imported": lambda: define("def f(n): return m", m=type(sys)("gone")),
    "a class made in it": lambda: define("K = 1\ndef f(n):\n    class C: k = K\n    return C.k"),
    "a default that is not plain": lambda: define("def f(n, k=range(3)): return k"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_needs_more_is_left_to_cloudpickle(case):
    assert plain_functions.dumps(LEFT[case](), no_structure) is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="such functions came with Python 3.12")
def test_a_generic_function_is_left_to_cloudpickle():
    assert sent(define("def f[T](n: T) -> T: return n")) is None


def test_a_newer_python_is_left_to_cloudpickle(monkeypatch):
    function = define(PLAIN["constants"])
    assert sent(function) is not None
    monkeypatch.setattr(plain_functions, "_NEWEST", sys.version_info[:2])
    assert sent(function) is None


def test_modules_that_are_to_go_by_value_are_left_to_cloudpickle():
    function = define(PLAIN["an importable function"])
    cloudpickle.register_pickle_by_value(textwrap)
    try:
        assert sent(function) is None
    finally:
        cloudpickle.unregister_pickle_by_value(textwrap)
    assert sent(function) is not None


def test_cloudpickle_may_be_half_imported_by_another_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", type(sys)("cloudpickle"))
    assert sent(define(PLAIN["constants"]))(7) == 17.5


def test_structures_travel_as_references():
    cache = Cache(define("def f(n): return n"))
    function = define("def f(n): return cache(n)", cache=cache)
    data = shipping.dumps(function, "a function", known=(cache.identity,))
    assert b"cloudpickle" not in data
    assert shipping.loads(data).__globals__["cache"] is cache


def test_what_cannot_travel_is_explained_as_ever():
    function = define("def f(n): return lock", **lock_in("lock"))
    with pytest.raises(TypeError, match="because of the global variable 'lock'"):
        shipping.dumps(function, "f()")
