"""Finds the entry of a key: by its stable hash, and by its own hash where it has no other.

Keys with a stable hash are in an index that is kept in the store. A key without one is found by
``hash(key)``, which means something in this process only: an index of those is made anew, from the
marked pages, when the first look-up asks for it, and kept in a temporary file. A looked-up key that
has no stable hash may equal one that has (a user's ``Text("a") == "a"``), so for such a one the
second index is extended to all keys, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._dict.hashing import equals_by_identity, own_hash, stable_hash
from pyspeedup.memory._dict.index import Index
from pyspeedup.memory._pages.scratch import ScratchPages

if TYPE_CHECKING:
    from pyspeedup.memory._dict.entry_log import EntryLog
    from pyspeedup.memory._dict.index import Pages

__all__ = ["KeyIndex"]


class KeyIndex:
    """Entry numbers of `log` by key, in pages of `pages`.

    Finding costs O(1): a page of the index and one of the log, where they are not resident.
    """

    def __init__(self, pages: Pages, log: EntryLog, state: bytes | None = None) -> None:
        """Take up what `state` describes, as `flush` returned it, or start empty."""
        self._pages = pages
        self._log = log
        self._stable = Index(pages, state)
        self._own: _OwnHashes | None = None
        self.changes = 0

    def find(self, key: Any) -> int | None:
        """Return the entry of `key`, compared as a dict compares; None if there is none.

        Raises whatever ``hash(key)`` and the comparisons raise.
        """
        if not self._log.count:
            hash(key)
            return None
        code = stable_hash(key)
        if code is not None:
            entry = self._equal(self._stable.find(code), key)
            if entry is not None or not self._log.has_marks:
                return entry
        covers_all = code is None and not equals_by_identity(type(key))
        own = self._own_hashes(covers_all=covers_all)
        return self._equal(own.index.find(own_hash(key)), key)

    def add(self, key: Any, entry: int) -> bool:
        """Let `key` lead to `entry`; return whether the page of `entry` must be marked."""
        self.changes += 1
        code = stable_hash(key)
        if code is not None:
            self._stable.add(code, entry)
        if self._own is not None and (code is None or self._own.covers_all):
            self._own.index.add(own_hash(key), entry)
        return code is None

    def discard(self, key: Any, entry: int) -> None:
        """Let `key` lead to `entry` no longer."""
        self.changes += 1
        code = stable_hash(key)
        if code is not None:
            self._stable.discard(code, entry)
        if self._own is not None:
            self._own.index.discard(own_hash(key), entry)

    def rebuilt(self, log: EntryLog) -> KeyIndex:
        """Return an index of the entries of another log, marking its pages anew, in O(entries).

        Where this raises, nothing has changed.
        """
        new = KeyIndex(self._pages, log)
        try:
            for entry, key in log.each_key(marked_only=False):
                if new.add(key, entry):
                    log.mark(entry)
        except BaseException:
            new.clear()
            raise
        return new

    def flush(self) -> bytes:
        """Write what changed to the pages, and return the state to begin from again."""
        return self._stable.flush()

    def clear(self) -> None:
        """Forget everything and drop the pages, in O(pages)."""
        self.changes += 1
        self.close()
        self._stable.clear()

    def close(self) -> None:
        """Let go of the temporary file."""
        if self._own is not None:
            self._own.pages.close()
            self._own = None

    def check(self) -> None:
        """Raise `AssertionError` if the index contradicts itself; reads every page."""
        self._stable.check()

    def _equal(self, candidates: list[int], key: Any) -> int | None:
        for entry in candidates:
            if not self._log.is_live(entry):
                continue
            stored = self._log.key(entry)
            if stored is key:
                return entry
            before = self.changes
            is_equal = hash(stored) == hash(key) and stored == key
            if self.changes != before:  # the comparison changed the dict, so that all may be moved
                return self.find(key)
            if is_equal:
                return entry
        return None

    def _own_hashes(self, *, covers_all: bool) -> _OwnHashes:
        if self._own is None or (covers_all and not self._own.covers_all):
            made = _OwnHashes(covers_all=covers_all)
            try:
                for entry, key in self._log.each_key(marked_only=not covers_all):
                    made.index.add(own_hash(key), entry)
            except BaseException:
                made.pages.close()
                raise
            self.close()
            self._own = made
        return self._own


class _OwnHashes:
    """The index of this process: of marked pages, or of all."""

    def __init__(self, *, covers_all: bool) -> None:
        self.pages = ScratchPages()
        self.index = Index(self.pages)
        self.covers_all = covers_all
