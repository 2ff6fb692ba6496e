import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.dask._identity import digest_of_call, digest_of_function

PROGRAM = """
from pyspeedup.concurrent import Cache
from pyspeedup.dask._identity import digest_of_function
from pyspeedup.dask._packing import dumps, loads, Memoized

WORDS = {"alpha", "beta", "gamma"}

def helper(n):
    return n in {"one", "two", "three"}

@Cache(engine="serial")
def first(n, base=10):
    return second(n) + base if helper(n) or n in WORDS else first(n - 1)

@Cache(engine="serial")
def second(n):
    return first(n - 1)

print(digest_of_function(first.__wrapped__), digest_of_function(second.__wrapped__))
there = loads(dumps(first, "first"), "an engine")
print(digest_of_function(there.pyspeedup_home.function), there.pyspeedup_home.digest)
"""


def test_digests_are_equal_in_every_process_and_after_travelling():
    outputs = [
        subprocess.run(
            [sys.executable, "-"],
            input=("\n" * n + PROGRAM),
            env={"PYTHONHASHSEED": str(n), "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for n in (1, 2)
    ]
    assert outputs[0] == outputs[1]
    first, second, travelled, sent = outputs[0]
    assert first == travelled == sent
    assert first != second


def make(offset, helper):
    return lambda n: helper(n) + offset


def test_what_a_function_calls_tells_it_from_others():
    def once(n):
        return n

    def twice(n):
        return 2 * n

    pictures = [make(1, once), make(1, twice), make(2, once), make(1.0, once), make(True, once)]
    assert len({*map(digest_of_function, pictures)}) == len(pictures)
    assert digest_of_function(make(1, once)) == digest_of_function(make(1, once))


def test_defaults_and_constants_tell_functions_apart():
    functions = [
        *(lambda n, step=step: n + step for step in (1, 2)),
        lambda n: n + 1,
        lambda n: n + 2,
        lambda n: [n + 1 for _ in range(2)],
        lambda n: [n + 2 for _ in range(2)],
        lambda n, *, step=1: n + step,
        lambda n, *, step=2: n + step,
    ]
    assert len({*map(digest_of_function, functions)}) == len(functions)


def test_what_cannot_be_told_apart_shares_nothing():
    generator = (n for n in range(3))
    assert digest_of_function(lambda: generator) != digest_of_function(lambda: generator)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(st.tuples(PLAIN, PLAIN), st.tuples(PLAIN, PLAIN))
def test_calls_are_told_apart_by_value_and_type(one, other):
    same = repr(one) == repr(other)
    assert (digest_of_call(one, {}, b"") == digest_of_call(other, {}, b"")) is same
    assert digest_of_call(one, {}, b"") != digest_of_call((), {"a": one}, b"")
