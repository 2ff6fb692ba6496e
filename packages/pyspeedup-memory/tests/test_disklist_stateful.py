"""DiskList against list: every store, tiny pages, one or two of them resident."""

from __future__ import annotations

from evictions import machine_with_evictions
from hypothesis import strategies as st
from pyspeedup.core.testing import strategies
from pyspeedup.memory.stores.memory import MemoryStore
from pyspeedup.memory.testing import DiskListMachine


class OneItemAPage(DiskListMachine):
    page_size = 1


class OnFiles(DiskListMachine):
    page_size = 4
    max_pages = 2


class OnSqlite(DiskListMachine):
    page_size = 2
    page_store = "sqlite"


class OnAMapping(DiskListMachine):
    page_size = 3
    max_pages = 2

    def make_page_store(self):
        return {}


class InMemory(DiskListMachine):
    page_size = 8  # below a quarter of which pages are joined

    def make_page_store(self):
        return MemoryStore()


class LongValues(DiskListMachine):
    """Values that are kept in pages of their own, and are more than RAM may hold."""

    page_size = 4
    max_pages = 2
    ram_limit = 2_000
    value_strategy = st.one_of(
        strategies.values(),
        st.builds("{} ".__mul__, st.integers(90, 400)),
        st.builds(lambda item, times: [item] * times, strategies.scalars(), st.integers(90, 400)),
    )

    def make_page_store(self):
        return {}


class AsJson(DiskListMachine):
    page_size = 2
    serializer = "json"
    value_strategy = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner)),
        max_leaves=5,
    )

    def make_page_store(self):
        return {}


TestOneItemAPage = machine_with_evictions(OneItemAPage)
TestOnFiles = machine_with_evictions(OnFiles)
TestOnSqlite = machine_with_evictions(OnSqlite)
TestOnAMapping = machine_with_evictions(OnAMapping)
TestInMemory = machine_with_evictions(InMemory)
TestLongValues = machine_with_evictions(LongValues)
TestAsJson = machine_with_evictions(AsJson)
