"""DiskList against list: every store, tiny pages, one or two of them resident."""

from __future__ import annotations

from evictions import machine_with_evictions
from hypothesis import strategies as st
from machines_on_stores import on_every_store
from pyspeedup.core.testing import strategies
from pyspeedup.memory.testing import DiskListMachine


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


TestOneItemAPage, TestOnFiles, TestOnSqlite, TestOnAMapping, TestInMemory = on_every_store(
    DiskListMachine,
    page_size_in_memory=8,  # below a quarter of which pages are joined
)
TestLongValues = machine_with_evictions(LongValues)
TestAsJson = machine_with_evictions(AsJson)
