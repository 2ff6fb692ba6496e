"""Finds the entry of a key: by its stable hash, and by its own hash where it has no other.

Keys with a stable hash are in an index that is kept in the store. A key without one is found by
``hash(key)``, which means something in this process only: an index of those is made anew, from the
marked pages, when the first look-up asks for it, and kept in a temporary file. A looked-up key that
has no stable hash may equal one that has (a user's ``Text("a") == "a"``), so for such a one the
second index is extended to all keys, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pyspeedup.memory._dict.bulk import records_of
from pyspeedup.memory._dict.hasher import Hasher
from pyspeedup.memory._dict.hashing import equals_by_identity, own_hash
from pyspeedup.memory._dict.index import Index
from pyspeedup.memory._dict.packing import TEXT, TEXT_MARK, key_image
from pyspeedup.memory._dict.runs import Runs
from pyspeedup.memory._pages.scratch import ScratchPages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.memory._dict.entries import EntryLog, Record
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Found", "KeyIndex"]

Found: TypeAlias = tuple[int, "Record"]
"""An entry, and what is kept of it."""


class KeyIndex:
    """Entry numbers of `log` by key, in pages of `volume`. Finding costs O(1): some looks at a few bytes."""

    def __init__(self, volume: Volume, log: EntryLog, state: bytes | None = None) -> None:
        """Take up what `state` describes, as `write_back` returned it, or start empty."""
        self._volume = volume
        self._log = log
        hasher = Hasher(volume.secret)
        self.codes_of = hasher.codes
        self._code_of = hasher.code
        self._code_of_bytes = hasher.of_bytes
        seed = volume.seed
        self._stable = Index(volume, state, seed=seed, name=volume.name)
        self._own: _OwnHashes | None = None
        self.changes = 0

    def find(self, key: Any) -> Found | None:
        """Return the entry of `key`, compared as a dict compares; None if there is none.

        Raises whatever ``hash(key)`` and the comparisons raise.
        """
        if type(key) is str:
            try:
                encoded = key.encode()
            except UnicodeEncodeError:
                encoded = key.encode("utf-8", "surrogatepass")
            code_of_bytes = self._code_of_bytes
            text_code = code_of_bytes(encoded)
            image = TEXT.pack(TEXT_MARK, len(encoded)) + encoded
            code: int | None = text_code
            entry = self._stable.first(text_code)
            if entry is not None:
                record = self._log.record(entry)
                if record is not None and record[0][record[1] : record[2]] == image:
                    return entry, record
                found = self._find_by_stable_hash(key, text_code)  # the next, or one equal to it
                if found is not None:
                    return found
        elif self._log.count:
            code = self._code_of(key)
            found = None if code is None else self._find_by_stable_hash(key, code)
            if found is not None:
                return found
        else:
            hash(key)
            return None
        if code is not None and not self._log.has_marks:
            return None
        return self._find_by_own_hash(key, code)

    def _find_by_stable_hash(self, key: Any, code: int) -> Found | None:
        image = key_image(key)
        for entry in self._stable.find(code):
            record = self._log.record(entry)
            if record is None:
                continue
            data, begin, end = record
            if image == data[begin:end]:
                return entry, record
            before = self.changes
            is_key = self._is_key(key, entry, record)
            if self.changes != before:  # the comparison changed the dict, so that all may be moved
                return self.find(key)
            if is_key:
                return entry, record
        return None

    def find_many(
        self, keys: Sequence[Any], codes: Sequence[int], images: Sequence[bytes]
    ) -> dict[int, Found]:
        """Return what `find` finds of `keys`, by their positions; all have `codes` and `images`."""
        if self._log.has_marks:
            every = ((position, self.find(key)) for position, key in enumerate(keys))
            return {position: found for position, found in every if found is not None}
        firsts = self._stable.first_of_each(codes)
        positions = sorted(firsts, key=firsts.__getitem__)
        entries = [firsts[position] for position in positions]
        result: dict[int, Found] = {}
        for position, entry, record in zip(
            positions, entries, records_of(self._log, entries), strict=True
        ):
            if record is not None and record[0][record[1] : record[2]] == images[position]:
                result[position] = entry, record
            else:
                found = self._find_by_stable_hash(keys[position], codes[position])
                if found is not None:
                    result[position] = found
        return result

    def make_room(self, count: int) -> None:
        """Have room for `count` keys in RAM, so that adding them writes no page; O(slots that wait)."""
        self._stable.make_room(count)

    def add(self, key: Any, entry: int) -> bool:
        """Let `key` lead to `entry`; return whether the page of `entry` must be marked."""
        self.changes += 1
        code = self._code_of(key)
        if code is not None:
            self._stable.add(code, entry)
        if self._own is not None and (code is None or self._own.covers_all):
            self._own.index.add(own_hash(key), entry)
        return code is None

    def add_many(self, keys: Sequence[Any], codes: Sequence[int], entry: int) -> None:
        """Let each of `keys`, which have stable hashes, lead to an entry, counting from `entry`."""
        self.changes += 1
        self._stable.add_many(codes, entry)
        if self._own is not None and self._own.covers_all:
            self._own.index.add_many(list(map(own_hash, keys)), entry)

    def forget(self) -> None:
        """Note that an entry was removed: where it leads is found out then."""
        self.changes += 1

    def rebuilt(self, log: EntryLog) -> KeyIndex:
        """Return an index of the entries of another log, marking its pages anew, in O(entries).

        Where this raises, nothing has changed.
        """
        new = KeyIndex(self._volume, log)
        try:
            for entry, key in Runs(log).each_key(marked_only=False):
                if new.add(key, entry):
                    log.mark(entry)
        except BaseException:
            new.clear()
            raise
        return new

    def write_back(self) -> bytes:
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

    def _is_key(self, key: Any, entry: int, record: Record) -> bool:
        stored = self._log.key_of(record, entry)
        return bool(hash(stored) == hash(key) and stored == key)

    def _find_by_own_hash(self, key: Any, code: int | None) -> Found | None:
        covers_all = code is None and not equals_by_identity(type(key))
        own = self._own_hashes(covers_all=covers_all)
        for entry in own.index.find(own_hash(key)):
            record = self._log.record(entry)
            if record is None:
                continue
            before = self.changes
            is_key = self._is_key(key, entry, record)
            if self.changes != before:
                return self.find(key)
            if is_key:
                return entry, record
        return None

    def _own_hashes(self, *, covers_all: bool) -> _OwnHashes:
        """Return the second index, made or extended so that it covers all keys if `covers_all`."""
        if self._own is None or (covers_all and not self._own.covers_all):
            made = _OwnHashes(covers_all=covers_all)
            try:
                for entry, key in Runs(self._log).each_key(marked_only=not covers_all):
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
