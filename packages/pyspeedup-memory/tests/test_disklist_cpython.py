"""The interpreter's own tests of ``list``, run on `DiskList`."""

from __future__ import annotations

import pytest
from pyspeedup.memory.disklist import DiskList

list_tests = pytest.importorskip(
    "test.list_tests", reason="this interpreter was installed without its own tests"
)

EXCLUDED = {
    "test_contains_order": "puts in objects of a class local to the test, which pickle refuses",
    "test_index": "likewise; test_disklist has a comparison that empties the list",
    "test_remove": "likewise; test_disklist has a comparison that raises",
    "test_pickle": "a DiskList refuses to be pickled",
    "test_repr": "puts the list into itself, so pickles it",
    "test_repr_deep": "puts lists into lists, so pickles them",
}


class StoredList(DiskList):
    """A list with a store of its own, made from items, as the tests make theirs."""

    def __init__(self, items=(), *, size_limit):
        super().__init__("l", size_limit, 1, page_store={})
        self.extend(items)


class ListOfTinyPages(StoredList):
    def __init__(self, items=()):
        super().__init__(items, size_limit=2)


class ListOfUsualPages(StoredList):
    def __init__(self, items=()):
        super().__init__(items, size_limit=1024)


def excluding(test_case):
    for name in EXCLUDED:
        assert callable(getattr(test_case, name)), "an exclusion excludes nothing"
        setattr(test_case, name, None)
    return test_case


@excluding
class TestTinyPages(list_tests.CommonTest):
    type2test = ListOfTinyPages


@excluding
class TestUsualPages(list_tests.CommonTest):
    type2test = ListOfUsualPages


del list_tests  # it has a base class of test cases, which is none itself
