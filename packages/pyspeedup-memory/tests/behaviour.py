"""Calls the methods of a built-in and of what stands for it alike, and tells where they differ."""

from __future__ import annotations

import copy
import inspect
import itertools

from pyspeedup.memory import DiskDict, DiskList

OF_EVERY_OBJECT = frozenset(dir(object)) - {
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
}
"""Attributes that say nothing of what a structure does; how it compares and is shown, does."""


def methods(builtin, left_out=()):
    """Return the names of the methods that make `builtin` what it is."""
    names = [name for name in dir(builtin) if name not in OF_EVERY_OBJECT]
    return [name for name in [*names, "__repr__", "__str__", "__format__"] if name not in left_out]


def outcome(structure, name, arguments, named):
    """Return what a call gives, in plain types, or the error that it raises."""
    try:
        result = getattr(structure, name)(*copy.deepcopy(arguments), **copy.deepcopy(named))
    except Exception as error:  # noqa: BLE001 -- the built-in says which
        known = error.args if isinstance(error, KeyError) and name != "popitem" else None
        return type(error).__name__, known
    return "gives", plain(result), result is structure


def plain(result):
    """Return a result as dicts, lists and what a test can compare."""
    if isinstance(result, DiskDict):
        return dict(result)
    if isinstance(result, DiskList):
        return list(result)
    if hasattr(type(result), "__iter__") and not isinstance(result, str | dict | list):
        return list(result)
    return result


def contents(structure):
    return list(structure.items()) if hasattr(structure, "items") else list(structure)


def differences(builtin, make, names, calls):
    """Return the calls that differ, each as ``name(arguments)``, with both outcomes.

    `builtin` is called on plain content, what `make` gives of it on the same; both are compared after it.
    """
    found = {}
    expected, stored = copy.deepcopy(builtin), make(builtin)
    for name, (arguments, named) in itertools.product(names, calls):
        outcomes = [outcome(each, name, arguments, named) for each in (expected, stored)]
        if outcomes[0] != outcomes[1] or contents(expected) != contents(stored):
            found[f"{name}{arguments}{named}"] = outcomes
        if contents(expected) != contents(builtin) or contents(stored) != contents(builtin):
            stored.close()
            expected, stored = copy.deepcopy(builtin), make(builtin)
    stored.close()
    return found


def shape(function):
    """Return how a method takes its arguments: by place or name, with the names that matter."""
    _self, *parameters = inspect.signature(function).parameters.values()
    return [
        (each.kind.name, each.kind.name == "KEYWORD_ONLY" and each.name, each.default is each.empty)
        for each in parameters
    ]


def signature_differences(builtin, ours, names):
    """Return the methods whose arguments are taken in other ways, where the interpreter tells them."""
    found = {}
    for name in names:
        try:
            expected = shape(getattr(builtin, name))
        except ValueError:  # written in C, without a signature: the calls tell
            continue
        if expected != shape(getattr(ours, name)):
            found[name] = expected, shape(getattr(ours, name))
    return found
