"""Takes the interpreter's own tests of dict and list, and makes them tests of ours."""

from __future__ import annotations

import ast
import gc
import importlib.util
import sys
import types
import unittest
import weakref
from pathlib import Path

import pytest

_kept = {}
"""The objects that a test has put into pages, by number."""


def _by_number(number):
    return _kept[number]


def reduce_by_number(instance, _protocol):
    """Pickle an object as a number by which this process finds it again."""
    _kept[id(instance)] = instance
    return _by_number, (id(instance),)


def kept_by_number(cls):
    """Make instances of a class that is local to a test what a page can keep: the test's own objects.

    Pickle finds classes by their names, and those of a function have none. What is kept is the very
    object, as a dict's values are.
    """
    if not issubclass(cls, BaseException):
        cls.__reduce_ex__ = reduce_by_number
    return cls


class Adapting(ast.NodeTransformer):
    """Gives classes in functions a `kept_by_number`, and makes displays calls of the name of a type."""

    def __init__(self, display, known):
        self.display, self.known = display, known
        self.depth = 0

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        if self.depth:
            node.decorator_list.append(ast.Name("kept_by_number", ast.Load()))
        return node

    def visit_ImportFrom(self, node):
        node.names = [alias for alias in node.names if alias.name not in self.known]
        return node if node.names else None

    def visit_Dict(self, node):
        self.generic_visit(node)
        if self.display != "dict" or None in node.keys:
            return node
        pairs = zip(node.keys, node.values, strict=True)
        return self.call(
            ast.List([ast.Tuple([*pair], ast.Load()) for pair in pairs], ast.Load()), node
        )

    def visit_DictComp(self, node):
        self.generic_visit(node)
        if self.display != "dict":
            return node
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.call(ast.ListComp(pair, node.generators), node)

    def visit_List(self, node):
        self.generic_visit(node)
        is_value = self.display == "list" and isinstance(node.ctx, ast.Load)
        return self.call(node, node) if is_value else node

    def visit_ListComp(self, node):
        self.generic_visit(node)
        return self.call(node, node) if self.display == "list" else node

    def call(self, argument, node):
        name = ast.Name(self.display, ast.Load())
        return ast.copy_location(ast.Call(name, [argument], []), node)


def adapted(name, *, display="", **known):
    """Return module `name` of the interpreter's tests, run anew from its source.

    Displays of the type called `display` ("dict": ``{1: 2}``) become calls of that name; the names
    `known` are there from the beginning and are not imported.
    """
    spec = importlib.util.find_spec("test") and importlib.util.find_spec(name)
    if spec is None:
        pytest.skip("this interpreter ships no tests of its own", allow_module_level=True)
    tree = Adapting(display, known).visit(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    module = types.ModuleType(f"adapted_{name.rpartition('.')[2]}")
    vars(module).update(known, kept_by_number=kept_by_number)
    exec(compile(ast.fix_missing_locations(tree), spec.origin, "exec"), vars(module))
    # Python 3.12 and later nest as deep as C allows: 10,000 stores, and nothing more is learnt.
    vars(module)["get_c_recursion_limit"] = sys.getrecursionlimit
    return module


class _Opened:
    """The structures that tests have made; they are closed, which saves them, after a block."""

    def __init__(self):
        self._made = []

    def add(self, structure):
        self._made.append(weakref.ref(structure))

    def __enter__(self):
        return self

    def __exit__(self, *_raised):
        for made in self._made:
            if (structure := made()) is not None:
                structure.close()
        self._made.clear()
        _kept.clear()
        gc.collect()


opened = _Opened()


class Stored:
    """A structure with a store of its own, made as the tests make theirs: it goes before a class of ours."""

    sizes = ()
    __reduce_ex__ = reduce_by_number  # tests put structures into structures

    def __new__(cls, *_arguments, **_named):
        """Open the store here, since classes in the tests do not call the constructor of their base."""
        self = super().__new__(cls)
        super().__init__(self, "tested", *cls.sizes, page_store={})
        opened.add(self)
        return self


def run(test_case, excluded=()):
    """Run a test case but for the tests `excluded`, each of which must be there.

    One test of pytest runs all of them: looking for leaks after each would take longer than they do.
    """
    names = unittest.defaultTestLoader.getTestCaseNames(test_case)
    assert set(excluded) <= set(names), f"{set(excluded) - set(names)} exclude nothing"
    suite = unittest.TestSuite(test_case(name) for name in names if name not in excluded)
    result = unittest.TestResult()
    with opened:
        suite.run(result)
    assert result.testsRun == len(names) - len(excluded) > 0
    assert not result.skipped
    failed = [f"{test}\n{told}" for test, told in result.failures + result.errors]
    if failed:
        pytest.fail("\n".join(failed), pytrace=False)
