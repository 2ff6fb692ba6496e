"""The interpreter's own tests of ``dict``, run on `DiskDict`."""

from __future__ import annotations

import pytest
from cpython_tests import Stored, adapted, run
from pyspeedup.memory import DiskDict
from thoroughness import IS_LONG

mapping_tests = adapted("test.mapping_tests")

OF_MAPPINGS = {
    "test_copy": "a copy is a plain dict, and no DiskDict",
}
OF_DICTS = {
    "test_iterator_pickling": "iterators over what is on disk cannot be pickled",
    "test_itemiterator_pickling": "likewise",
    "test_valuesiterator_pickling": "likewise",
    "test_reverseiterator_pickling": "likewise",
    "test_reverseitemiterator_pickling": "likewise",
    "test_reversevaluesiterator_pickling": "likewise",
    "test_setdefault_atomic": "a key is hashed more than once: it may be looked for in two indexes",
    "test_setitem_atomic_at_resize": "likewise",
    "test_container_iterator": "what the tests put into pages lives as long as the process, here",
    "test_oob_indexing_dictiter_iternextitem": "likewise, so that no __del__ is called",
    "test_reentrant_insertion": "likewise; test_behaviour_dict has values with a __del__",
    "test_copy_maintains_tracking": "asks whether the garbage collector looks at a plain dict",
    "test_track_literals": "likewise",
    "test_track_dynamic": "likewise",
    "test_track_subtypes": "likewise",
    "test_dict_items_result_gc": "likewise",
    "test_dict_items_result_gc_reversed": "likewise",
    "test_copy_fuzz": "150,000 items; the state machines and test_copy_noncompact copy, too",
    "test_literal_constructor": "makes plain dicts by eval",
    "test_instance_dict_getattr_str_subclass": "is about the dict of an instance's attributes",
    "test_object_set_item_single_instance_non_str_key": "likewise",
    "test_reverse_iterator_for_shared_shared_dicts": "likewise",
    "test_splittable_del": "likewise",
    "test_splittable_pop": "likewise",
    "test_splittable_pop_pending": "likewise",
    "test_splittable_popitem": "likewise",
    "test_splittable_setdefault": "likewise",
    "test_splittable_update": "likewise",
    "test_equal_operator_modifying_operand": "a DiskDict that == changes is an error, no odd answer",
}
LATER = {  # of Python 3.13
    "test_splittable_to_generic_combinedtable": "is about the dict of an instance's attributes",
    "test_store_evilattr": "likewise",
}


class StoredDict(Stored, DiskDict):
    """Made from what a dict is made from."""

    def __init__(self, other=(), /, **named):
        self.update(other, **named)


class DictOfTinyPages(StoredDict):
    sizes = (2, 1)


class DictOfSmallPages(StoredDict):
    sizes = (4, 2)


@pytest.mark.parametrize("cls", [DictOfTinyPages, *[DictOfSmallPages] * IS_LONG, StoredDict])
def test_what_holds_for_mappings_holds(cls):
    class Mapping(mapping_tests.TestHashMappingProtocol):
        type2test = cls

    run(Mapping, OF_MAPPINGS)


@pytest.mark.parametrize("cls", [DictOfTinyPages, StoredDict])
def test_what_holds_for_dict_holds(cls):
    """Every ``dict(...)`` and ``{...}`` in the tests is one of ours."""
    module = adapted("test.test_dict", display="dict", dict=cls, mapping_tests=mapping_tests)
    later = {name: reason for name, reason in LATER.items() if hasattr(module.DictTest, name)}
    run(module.DictTest, OF_DICTS | later)
