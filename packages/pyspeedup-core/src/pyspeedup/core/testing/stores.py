"""PageStoreMachine: any page store against a dict of bytes."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, precondition, rule

from pyspeedup.core.testing._running import RunningMachine
from pyspeedup.core.testing.strategies import of_machine, page_bytes, page_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.core.protocols import PageStore

__all__ = ["PageStoreMachine"]

PAGES = of_machine("page_strategy")
DATA = of_machine("data_strategy")
OFFSETS = st.one_of(st.integers(0, 50), st.integers(-3, 10**6))


class PageStoreMachine(RunningMachine):
    """A Hypothesis state machine that holds a page store to what `PageStore` promises.

    Override `make_store`, which is called again to open the same place anew: one in `own_folder`,
    which each run has to itself, or one kept on `self`. Contents are compared
    with a dict: what was written since the last commit is seen until the store is closed, and is
    gone afterwards; what was committed is there whenever the store is opened.

    Choices are class attributes: `page_strategy` and `data_strategy`, the page numbers and contents
    to try; `persistent`, false for a store that ends with its object, which is then never reopened.

    >>> from pyspeedup.core.testing import PageStoreMachine, state_machine_test
    >>> class MyStoreMachine(PageStoreMachine):
    ...     def make_store(self):
    ...         return MyStore(self.own_folder)
    >>> TestMyStore = state_machine_test(MyStoreMachine)
    """

    page_strategy: ClassVar[st.SearchStrategy[int]] = page_numbers()
    data_strategy: ClassVar[st.SearchStrategy[bytes]] = page_bytes()
    persistent: ClassVar[bool] = True

    known_pages: ClassVar[Bundle[int]] = Bundle("known_pages")

    def __init__(self) -> None:
        super().__init__()
        self.committed: dict[int, bytes] = {}
        self.current: dict[int, bytes] = {}
        self.meta: bytes | None = None
        self.store: Any = self.make_store()  # with abilities that the protocol does not ask for
        assert self.store.open(create=True, readonly=False) is None

    def make_store(self) -> PageStore:
        """Return a store of this run's place, not opened yet."""
        raise NotImplementedError

    def check(self, store: Any) -> None:
        """Assert what must hold inside `store`; override it. Called after every step."""

    def compare(self) -> None:
        """Read every page that is there, and its last bytes once more where the store can."""
        for page, data in self.current.items():
            assert bytes(self.store.read(page)) == data, f"page {page} reads otherwise"
            if hasattr(self.store, "peek"):
                start, stop = max(0, len(data) - 9), len(data)
                assert self.store.peek(page, start, stop) == data[start:], f"page {page}: peek"

    @rule(target=known_pages, page=PAGES, data=DATA)
    def write(self, page: int, data: bytes) -> int:
        """Write a page, which may be there."""
        self.store.write(page, bytes(data))
        self.current[page] = bytes(data)
        return page

    @rule(page=known_pages, data=DATA)
    def overwrite(self, page: int, data: bytes) -> None:
        """Write a page that was written before, though it may be deleted or rolled back."""
        self.write(page, data)

    @rule(page=known_pages, data=DATA, view=st.booleans())
    def write_from_a_buffer(self, page: int, data: bytes, view: bool) -> None:
        """Write from a buffer that its owner uses again afterwards."""
        buffer = bytearray(data)
        self.store.write(page, memoryview(buffer) if view else buffer)
        buffer[:] = bytes(len(buffer))
        self.current[page] = bytes(data)

    @rule(page=known_pages | PAGES)
    def read(self, page: int) -> None:
        """Read a page; `KeyError` where there is none."""
        if page in self.current:
            assert bytes(self.store.read(page)) == self.current[page]
        else:
            _require_key_error(self.store.read, page)

    @precondition(lambda self: hasattr(self.store, "peek"))
    @rule(page=known_pages | PAGES, start=OFFSETS, stop=OFFSETS)
    def peek(self, page: int, start: int, stop: int) -> None:
        """Read a part of a page, which is what a slice of it holds; `KeyError` where there is none."""
        if page in self.current:
            assert self.store.peek(page, start, stop) == self.current[page][start:stop]
        else:
            _require_key_error(self.store.peek, page, start, stop)

    @precondition(lambda self: hasattr(self.store, "write_checked"))
    @rule(target=known_pages, page=PAGES, data=DATA)
    def write_checked(self, page: int, data: bytes) -> int:
        """Write a page with its checksum."""
        self.store.write_checked(page, bytes(data), zlib.crc32(data))
        self.current[page] = bytes(data)
        return page

    @rule(page=known_pages | PAGES)
    def delete(self, page: int) -> None:
        """Delete a page; `KeyError` where there is none."""
        if page in self.current:
            self.store.delete(page)
            del self.current[page]
        else:
            _require_key_error(self.store.delete, page)

    @rule(meta=st.binary(max_size=40), durable=st.booleans())
    def commit(self, meta: bytes, durable: bool) -> None:
        """Commit what was written and deleted."""
        self.store.commit(meta, durable=durable)
        self.committed, self.meta = dict(self.current), meta

    @rule(meta=st.sampled_from([b"", b"m" * 100_000]))
    def commit_odd_meta(self, meta: bytes) -> None:
        """Commit with no meta, which is not the same as never, or with much."""
        self.commit(meta, durable=False)

    @precondition(lambda self: self.persistent)
    @rule(times=st.integers(1, 2))
    def close_and_reopen(self, times: int) -> None:
        """Close, perhaps twice, and reopen: only what was committed is there."""
        for _ in range(times):
            self.store.close()
        self.store = self.make_store()
        meta = self.store.open(create=True, readonly=False)
        self._is_as_committed(meta)

    @precondition(lambda self: self.persistent and self.meta is not None)
    @rule(page=known_pages)
    def read_as_reader(self, page: int) -> None:
        """Open what is committed for reading only, and read all of it."""
        self.store.close()
        reader = self.make_store()
        self.store = reader
        self._is_as_committed(reader.open(create=False, readonly=True))
        self.read(page)
        self.compare()
        reader.close()
        self.store = self.make_store()
        self._is_as_committed(self.store.open(create=False, readonly=False))

    @rule()
    def compare_contents(self) -> None:
        """Read every page that is there."""
        self.compare()

    @invariant()
    def holds_inside(self) -> None:
        """Run the subclass's own check."""
        self.check(self.store)

    def teardown(self) -> None:
        """Compare once more unless a step failed, also after a last reopening, and close."""
        try:
            if sys.exc_info()[0] is None:
                self.compare()
                if self.persistent:
                    self.close_and_reopen(times=1)
                    self.compare()
        finally:
            try:
                self.store.close()
            finally:
                super().teardown()

    def _is_as_committed(self, meta: bytes | None) -> None:
        assert meta == self.meta, f"meta is {meta!r}, the last commit's was {self.meta!r}"
        self.current = dict(self.committed)


def _require_key_error(method: Callable[..., Any], page: int, *arguments: int) -> None:
    try:
        result = method(page, *arguments)
    except KeyError:
        return
    raise AssertionError(f"{result!r} where page {page}, which is not there, is a KeyError")
