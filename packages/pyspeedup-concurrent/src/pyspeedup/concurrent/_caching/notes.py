"""The calls that a stack has said it will want: the oldest are kept, and taken out first, for they are the best.

A few calls are noted one by one, and marked in the memory of their function, so that one is known to
have been begun when it is. Many at once are noted as a lot, in O(1), and looked at when they are taken: from the
end, for whoever noted them is going to begin at the start.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.local import Memory

__all__ = ["Note", "Notes"]

MOST: Final = 64


class Note:
    """A call that will be wanted."""

    __slots__ = ("key", "memory")

    def __init__(self, memory: Memory, key: Key) -> None:
        """Name the call by its function's memory and its key there."""
        self.memory = memory
        self.key = key


class _Lot:
    """Calls of one function, as they were written."""

    __slots__ = ("calls", "key_of", "memory")

    def __init__(
        self,
        memory: Memory,
        calls: list[tuple[Any, ...]],
        key_of: Callable[[tuple[Any, ...], dict[str, Any]], Key],
    ) -> None:
        self.memory = memory
        self.calls = calls
        self.key_of = key_of

    def take(self) -> Note | None:
        """Take the last one out that is not known, nor noted or left to others."""
        memory = self.memory
        while self.calls:
            try:
                key = self.key_of(self.calls.pop(), {})
            except TypeError:  # whoever asks for that call will be told
                continue
            if not (key in memory.values or key in memory.marks):
                return Note(memory, key)
        return None


_Entry: TypeAlias = Note | _Lot


class Notes:
    """The notes of one stack; the thread of the stack adds, and another may take at the same time."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        """Begin without any."""
        self._entries: deque[_Entry] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another note would be kept."""
        return len(self._entries) < MOST

    @property
    def first_memory(self) -> Memory | None:
        """That of the oldest note, None where there is none."""
        try:
            return self._entries[0].memory
        except IndexError:
            return None

    def add(self, memory: Memory, key: Key) -> None:
        """Note a call, in O(1)."""
        note = memory.marks[key] = Note(memory, key)
        self._entries.append(note)

    def add_lot(
        self,
        memory: Memory,
        calls: tuple[tuple[Any, ...], ...],
        key_of: Callable[[tuple[Any, ...], dict[str, Any]], Key],
    ) -> None:
        """Note many calls, of which the first is about to be begun, in O(1) but for a copy."""
        self._entries.append(_Lot(memory, [*calls[1:]], key_of))

    def take(self) -> Note | None:
        """Take the oldest call out that is not known, and that nobody has begun in this process."""
        while True:
            try:
                entry = self._entries[0]
                found = entry.take() if isinstance(entry, _Lot) else self._taken(entry)
                if found is None or found is entry:
                    self._entries.popleft()
            except IndexError:
                return None
            if found is not None:
                return found

    def _taken(self, note: Note) -> Note | None:
        memory, key = note.memory, note.key
        is_unbegun = memory.marks.get(key) is note and memory.marks.pop(key, None) is note
        return note if is_unbegun and key not in memory.values else None

    def clear(self) -> None:
        """Drop all."""
        while self._entries:
            entry = self._entries.popleft()
            if isinstance(entry, Note):
                entry.memory.marks.pop(entry.key, None)
