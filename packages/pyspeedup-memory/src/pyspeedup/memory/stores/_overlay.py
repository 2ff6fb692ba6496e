"""Changes since the last commit, laid over what was committed: the one rule every store here shares."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from pyspeedup.core import StoreError

__all__ = ["Overlay", "require_open", "require_writable"]

Entry = TypeVar("Entry")


class Table(Protocol[Entry]):
    """What is laid under the changes: a dict will do."""

    def __contains__(self, page: int, /) -> bool: ...
    def __getitem__(self, page: int, /) -> Entry: ...
    def __setitem__(self, page: int, entry: Entry, /) -> None: ...
    def __delitem__(self, page: int, /) -> None: ...


class Overlay(Generic[Entry]):
    """A table from page number to `Entry` whose changes can be kept or dropped, in O(changes).

    >>> table = Overlay({1: "one"})
    >>> table.put(2, "two")
    >>> table.drop(1)
    'one'
    >>> table.replaced()
    {1: 'one'}
    >>> table.rollback()
    >>> table.get(1)
    'one'
    """

    def __init__(self, committed: Table[Entry]) -> None:
        self.committed = committed
        self.put_since: dict[int, Entry] = {}
        self.dropped_since: set[int] = set()

    def get(self, page: int) -> Entry:
        """Return the entry of `page`, in O(1); `KeyError` where there is none."""
        if page in self.put_since:
            return self.put_since[page]
        if page in self.dropped_since:
            raise KeyError(page)
        return self.committed[page]

    def put(self, page: int, entry: Entry) -> None:
        """Let `entry` be the one of `page`, in O(1); a negative `page` is a `ValueError`."""
        if page < 0:
            raise ValueError(f"page must be 0 or more, not {page}")
        self.put_since[page] = entry
        self.dropped_since.discard(page)

    def drop(self, page: int) -> Entry:
        """Take `page` out and return its entry, in O(1); `KeyError` where there is none."""
        entry = self.get(page)
        if page in self.committed:
            self.dropped_since.add(
                page
            )  # first: put_since counts for more until it is out of there
        self.put_since.pop(page, None)
        return entry

    def apply_to(self, table: Table[Entry]) -> None:
        """Make the changes in `table`, which holds what was committed, in O(changes)."""
        for page, entry in self.put_since.items():
            table[page] = entry
        for page in self.dropped_since:
            if page in table:  # not, where an interrupted commit is made again
                del table[page]

    def replaced(self) -> dict[int, Entry]:
        """Return the committed entries that a commit would do away with, in O(changes)."""
        changed = (*self.put_since, *self.dropped_since)
        return {page: self.committed[page] for page in changed if page in self.committed}

    def rollback(self) -> None:
        """Drop the changes, in O(changes)."""
        self.put_since = {}
        self.dropped_since = set()


def require_open(opened: bool, name: str) -> None:
    """Raise `ValueError` saying so where a store is used before `open` or after `close`."""
    if not opened:
        raise ValueError(f"{name} is not open")


def require_writable(readonly: bool, name: str) -> None:
    """Raise `StoreError` where a store that was opened for reading is asked to change."""
    if readonly:
        raise StoreError(f"{name} was opened with readonly=True and cannot be changed")
