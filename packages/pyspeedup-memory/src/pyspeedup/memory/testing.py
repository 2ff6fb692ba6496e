"""State machines that hold `DiskDict` to a dict and `DiskList` to a list; for the ``testing`` extra.

A page store's author subclasses one and says where the store is:

>>> from pyspeedup.core.testing import state_machine_test
>>> from pyspeedup.memory.testing import DiskDictMachine
>>> class OnAMapping(DiskDictMachine):
...     def make_page_store(self):
...         return {}
>>> TestOnAMapping = state_machine_test(OnAMapping)
"""

# ruff: noqa: S101, SLF001 -- machines are made of assertions, some about what only inside is seen

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from pyspeedup.core.testing import MappingMachine, SequenceMachine
from pyspeedup.memory._list.records import Records
from pyspeedup.memory.diskdict import DiskDict
from pyspeedup.memory.disklist import DiskList

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pyspeedup.core import PageStore
    from pyspeedup.memory._list.content import ListContent

__all__ = ["DiskDictMachine", "DiskListMachine"]


class _GoBack(Exception):  # noqa: N818 -- not an error of anybody: it ends a transaction
    """Leaves a transaction, which is taken back then."""


class _StoredMachine(RuleBasedStateMachine):
    """What is done to either structure that a plain one has not: syncing, closing, reopening."""

    structure: ClassVar[type[DiskDict[Any, Any] | DiskList[Any]]]
    subject: Any
    page_size: ClassVar[int]
    max_pages: ClassVar[int] = 1
    ram_limit: ClassVar[int] = 1 << 20
    serializer: ClassVar[str | None] = None
    page_store: ClassVar[str | None] = None

    def make_page_store(self) -> str | PageStore | MutableMapping[str, bytes] | None:
        """Return what each opening is given as `page_store`. Called once a run."""
        return self.page_store

    def begin(self) -> Any:
        """Open the store for the first time, in a folder of its own."""
        self._folder = tempfile.mkdtemp(prefix="pyspeedup-test-")
        self._store = self.make_page_store()
        return self.open()

    def open(self, max_pages: int | None = None) -> Any:
        """Open the store, new or not."""
        return self.structure(
            "machine",
            self.page_size,
            max_pages or self.max_pages,
            self._folder,
            serializer=self.serializer,
            page_store=self._store,
            ram_limit=self.ram_limit,
        )

    def replace_subject(self, subject: Any) -> None:
        """Go on with `subject`; `TwinMachine` defines it."""
        super().replace_subject(subject)  # type: ignore[misc]  # of the machine beside this one

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
        self.subject = self.open(live._content.max_pages)
        live.close()

    def teardown(self) -> None:
        """Close, and remove the folder."""
        try:
            super().teardown()
        finally:
            shutil.rmtree(self._folder)


class DiskDictMachine(_StoredMachine, MappingMachine):
    """A `DiskDict` of tiny pages against a dict; it is synced, closed, reopened, compacted between.

    Choices are class attributes, beside those of `MappingMachine`: `page_size` is the dict's
    `size_limit`; `max_pages`; `ram_limit`; `serializer`; and `page_store`, a registered name.
    Override `make_page_store` to bring an object instead.
    """

    structure = DiskDict

    def make_mapping(self) -> DiskDict[Any, Any]:
        """Open the store for the first time."""
        return self.begin()  # type: ignore[no-any-return]  # a `structure`

    @rule(key=MappingMachine.known_keys)
    def take_a_transaction_back(self, key: Any) -> None:
        """Change things in a transaction that ends in an exception: none of it has happened."""
        with contextlib.suppress(_GoBack), self.subject.transaction():
            self.subject.pop(key, None)
            self.subject["in the transaction"] = 1
            self.subject.popitem()
            raise _GoBack
        self.replace_subject(self.subject)

    @precondition(lambda self: not self.subject._content.scans)
    @rule()
    def compact(self) -> None:
        """Leave dead rows out, which changes no order."""
        with self.subject._content.lock:
            self.subject._content.compact()
            self.subject._content.changed()

    def check(self, subject: DiskDict[Any, Any]) -> None:
        """Hold log and index to each other, and what is in front to its bounds."""
        content = subject._content
        content.check()
        assert len(content._front) - len(content._front.pinned) <= content.max_in_front


class DiskListMachine(_StoredMachine, SequenceMachine):
    """A `DiskList` of tiny pages against a list; it is synced, closed and reopened between.

    Choices are class attributes, beside those of `SequenceMachine`: `page_size` is the list's
    `size_limit`; `max_pages`; `ram_limit`; `serializer`; and `page_store`, a registered name.
    Override `make_page_store` to bring an object instead.

    >>> from pyspeedup.core.testing import state_machine_test
    >>> class OnAMapping(DiskListMachine):
    ...     def make_page_store(self):
    ...         return {}
    >>> TestOnAMapping = state_machine_test(OnAMapping)
    """

    structure = DiskList

    def make_sequence(self) -> DiskList[Any]:
        """Open the store for the first time."""
        return self.begin()  # type: ignore[no-any-return]  # a `structure`

    @rule()
    def take_a_transaction_back(self) -> None:
        """Change things in a transaction that ends in an exception: none of it has happened."""
        with contextlib.suppress(_GoBack), self.subject.transaction():
            self.subject.append("in the transaction")
            self.subject.reverse()
            self.subject.pop()
            raise _GoBack
        self.replace_subject(self.subject)

    @rule()
    def look_for_lost_pages(self) -> None:
        """Commit, and hold what the volume has to what the list uses."""
        self.subject.sync()
        content: ListContent = self.subject._content
        used: list[int] = []
        for number, count in content.pages.table:
            records = Records(bytes(content.volume.read(number)))
            assert len(records) == count
            used += [number, *(own.page for own in records.own_pages())]
        assert sorted(used) == content.volume.pages()

    def check(self, subject: DiskList[Any]) -> None:
        """Hold the pages' fill and what is resident to their bounds."""
        content = subject._content
        counts = [count for _, count in content.pages.table]
        assert all(0 < count <= 2 * self.page_size for count in counts)
        assert sum(counts) == len(subject)
        content.pager.check()
        assert content.pager.resident - content.pager.pinned <= content.max_pages
