"""The interpreter's own tests of ``list``, run on `DiskList`."""

from __future__ import annotations

import pytest
from cpython_tests import Stored, adapted, run
from pyspeedup.memory import DiskList
from thoroughness import IS_LONG

seq_tests = adapted("test.seq_tests")
list_tests = adapted("test.list_tests", seq_tests=seq_tests)

OF_SEQUENCES = {
    "test_pickle": "a DiskList refuses to be pickled; here it is as a number, so that lists nest",
}
OF_LISTS = OF_SEQUENCES | {
    "test_iterator_pickle": "iterators over what is on disk cannot be pickled",
    "test_reversed_pickle": "likewise",
    "test_keywords_in_subclass": "a DiskList is not made from items alone, nor by __new__",
    "test_preallocation": "asks how many bytes the interpreter takes for a list",
    "test_equal_operator_modifying_operand": "where == itself empties both lists, they were not equal",
}


class StoredList(Stored, DiskList):
    """Made from what a list is made from."""

    def __init__(self, items=(), /):
        self[:] = items


class ListOfTinyPages(StoredList):
    sizes = (2, 1)


class ListOfSmallPages(StoredList):
    sizes = (4, 2)


@pytest.mark.parametrize("cls", [ListOfTinyPages, *[ListOfSmallPages] * IS_LONG, StoredList])
def test_what_holds_for_mutable_sequences_holds(cls):
    class Sequence(list_tests.CommonTest):
        type2test = cls

    run(Sequence, OF_SEQUENCES)


@pytest.mark.parametrize("cls", [ListOfTinyPages, StoredList])
def test_what_holds_for_list_holds(cls):
    """Every ``list(...)`` and ``[...]`` in the tests is one of ours."""
    module = adapted("test.test_list", display="list", list=cls, list_tests=list_tests)
    run(module.ListTest, OF_LISTS)
