"""What a function takes is read as inspect reads it."""

from __future__ import annotations

import functools
import inspect

import pytest
from pyspeedup.concurrent._caching import parameters as parameters_module
from pyspeedup.concurrent._caching.parameters import REQUIRED, parameters_of


class Tower:
    def __init__(self, height, *, step=1):
        self.height = height * step

    def __call__(self, n, /, base=10):
        return n, base

    def above(self, n, floors=1, *, strict):
        return n, floors, strict

    @classmethod
    def make(cls, height, *heights):
        return cls(height, *heights)

    @staticmethod
    def mangled(__n, /, **__options):
        return __n, __options

    part = functools.partialmethod(above, 2)


def annotated(n: int, base: str = "ten", *more: int, strict: bool, **options: float) -> None:
    """Take something of each kind."""


def with_locals(n, *, base=10):
    return lambda: (n, base)  # which makes cells of the parameters


def redefined(function, defaults, named=None):
    function.__defaults__, function.__kwdefaults__ = defaults, named
    return function


def wrapped(function):
    @functools.wraps(function)
    def f(*args, **kwargs):
        return function(*args, **kwargs)

    return f


def signed(function):
    def f(*args):
        return args

    f.__signature__ = inspect.signature(function)
    return f


PLAIN = [
    lambda: None,
    lambda a: a,
    lambda a, b=1: (a, b),
    lambda a=None, /: a,
    lambda a, /, b, c=1, *, d, e=2: (a, b, c, d, e),
    lambda a=1, /, *, b: (a, b),
    lambda *args: args,
    lambda **kwargs: kwargs,
    lambda a, /, *args, b=1, **kwargs: (a, args, b, kwargs),
    lambda a, *, b=[], c: [a for a in b for c in a],
    annotated,
    with_locals,
    with_locals(1),
    Tower.above,
    Tower.mangled,
    redefined(lambda a, b: (a, b), (1,)),
    redefined(lambda a, b=2: (a, b), None),
    redefined(lambda a, *, b=2: (a, b), (1,), {}),
    redefined(lambda a, *, b: (a, b), None, {"b": 3, "z": 4}),
]
OTHERS = [
    divmod,
    pow,
    len,
    [].append,
    str.join,
    Tower,
    Tower(1),
    Tower(1).above,
    Tower(1).part,
    Tower.make,
    functools.partial(annotated, 1),
    functools.partial(annotated, base="two"),
    functools.partial(lambda a, b=1, c=2: (a, b, c), b=5),
    functools.partial(Tower(1).above, 1, strict=True),
    functools.partial(pow, 2),
    functools.cache(with_locals),
    wrapped(divmod),
    wrapped(wrapped(annotated)),
    signed(divmod),
    signed(annotated),
]


def read(function):
    found = parameters_of(function)
    return found.plain, found.positional_only, found.defaults, found.named, found.takes_more


def inspected(function):
    """Say what a function takes, by inspect alone."""
    said = inspect.signature(function).parameters.values()
    by_kind = {kind: [p for p in said if p.kind is kind] for kind in inspect._ParameterKind}
    only, either, more, named, named_more = by_kind.values()
    return (
        tuple(p.name for p in only + either),
        len(only),
        tuple(p.default for p in only + either if p.default is not p.empty),
        {p.name: REQUIRED if p.default is p.empty else p.default for p in named},
        bool(more or named_more),
    )


@pytest.mark.parametrize("place", range(len(PLAIN)))
def test_a_plain_function_is_read_as_inspect_does_without_it(place, monkeypatch):
    expected = inspected(PLAIN[place])
    monkeypatch.setattr(parameters_module, "signature_of", None)
    assert read(PLAIN[place]) == expected


@pytest.mark.parametrize("place", range(len(OTHERS)))
def test_what_is_no_plain_function_is_read_by_inspect(place):
    assert read(OTHERS[place]) == inspected(OTHERS[place])


def test_a_built_in_that_does_not_tell():
    assert parameters_of(max) is None
