"""State machines that hold `DiskDict` to a dict; they need the ``testing`` extra.

A page store's author subclasses one and says where the store is:

>>> from pyspeedup.core.testing import state_machine_test
>>> from pyspeedup.memory.testing import DiskDictMachine
>>> class OnAMapping(DiskDictMachine):
...     def make_page_store(self):
...         return {}
>>> TestOnAMapping = state_machine_test(OnAMapping)
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from pyspeedup.core.testing import MappingMachine
from pyspeedup.memory.diskdict import DiskDict

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pyspeedup.core import PageStore

__all__ = ["DiskDictMachine"]


class _GoBack(Exception):  # noqa: N818 -- not an error of anybody: it ends a transaction
    """Leaves a transaction, which is taken back then."""


class DiskDictMachine(MappingMachine):
    """A `DiskDict` of tiny pages against a dict; it is synced, closed, reopened, compacted between.

    Choices are class attributes, beside those of `MappingMachine`: `page_size` is the dict's
    `size_limit`; `max_pages`; `serializer`; and `page_store`, a registered name. Override
    `make_page_store` to bring an object instead.
    """

    max_pages: ClassVar[int] = 1
    serializer: ClassVar[str | None] = None
    page_store: ClassVar[str | None] = None

    def make_page_store(self) -> str | PageStore | MutableMapping[str, bytes] | None:
        """Return what each opening is given as `page_store`. Called once a run."""
        return self.page_store

    def make_mapping(self) -> DiskDict[Any, Any]:
        """Open the store for the first time, in a folder of its own."""
        self._folder = tempfile.mkdtemp(prefix="pyspeedup-test-")
        self._store = self.make_page_store()
        return self.open()

    def open(self, max_pages: int | None = None) -> DiskDict[Any, Any]:
        """Open the store, new or not."""
        return DiskDict(
            "machine",
            self.page_size,
            max_pages or self.max_pages,
            self._folder,
            serializer=self.serializer,
            page_store=self._store,
        )

    @rule()
    def sync(self) -> None:
        """Commit."""
        self.subject.sync()

    @rule(max_pages=st.integers(1, 3))
    def close_and_reopen(self, max_pages: int) -> None:
        """Close the store, and go on with what is read from it."""
        self.subject.close()
        self.replace_subject(self.open(max_pages))

    @rule()
    def go_on_with_another_handle(self) -> None:
        """Open a second handle on the live content, and close the first."""
        live = self.subject
        self.subject = DiskDict(
            "machine",
            self.page_size,
            live._content.max_pages,
            self._folder,
            page_store=self._store,
        )
        live.close()

    @rule(key=MappingMachine.known_keys)
    def take_a_transaction_back(self, key: Any) -> None:
        """Change things in a transaction that ends in an exception: none of it has happened."""
        try:
            with self.subject.transaction():
                self.subject.pop(key, None)
                self.subject["in the transaction"] = 1
                self.subject.popitem()
                raise _GoBack
        except _GoBack:
            self.replace_subject(self.subject)

    @precondition(lambda self: not self.subject._content.scans)
    @rule()
    def compact(self) -> None:
        """Leave dead rows out, which changes no order."""
        with self.subject._content.lock:
            self.subject._content.compact()
            self.subject._content.changed()

    def check(self, subject: DiskDict[Any, Any]) -> None:
        """Hold log and index to each other, and what is resident to its bounds."""
        content = subject._content
        content.check()
        assert content.pager.resident - content.pager.pinned <= content.max_pages

    def teardown(self) -> None:
        """Close, and remove the folder."""
        try:
            super().teardown()
        finally:
            shutil.rmtree(self._folder)
