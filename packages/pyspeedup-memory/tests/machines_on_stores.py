"""A machine of tiny pages on every kind of store, with one or two pages resident."""

from __future__ import annotations

from evictions import machine_with_evictions
from pyspeedup.memory.stores.memory import MemoryStore


def on_every_store(machine, *, page_size_in_memory):
    """Return test cases of `machine`: with one item a page, on files, SQLite and a mapping, in memory."""

    class OneItemAPage(machine):
        page_size = 1

    class OnFiles(machine):
        page_size = 4
        max_pages = 2

    class OnSqlite(machine):
        page_size = 2
        page_store = "sqlite"

    class OnAMapping(machine):
        page_size = 3
        max_pages = 2

        def make_page_store(self):
            return {}

    class InMemory(machine):
        page_size = page_size_in_memory

        def make_page_store(self):
            return MemoryStore()

    return map(machine_with_evictions, [OneItemAPage, OnFiles, OnSqlite, OnAMapping, InMemory])
