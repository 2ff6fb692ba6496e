"""The values of a dict that are in front, as the objects that the program has: taken in, and let go of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._dict.packing import PLAIN_KEYS, plain_weight, rough_weight
from pyspeedup.memory._dict.tracking import LIVE_FACTOR
from pyspeedup.memory._pages.changes import may_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspeedup.memory._dict.front import Front
    from pyspeedup.memory._dict.key_index import Found
    from pyspeedup.memory._dict.known_keys import KnownKeys
    from pyspeedup.memory._dict.tracking import Tracked
    from pyspeedup.memory._dict.unwritten import Unwritten

__all__ = ["LiveValues"]


class LiveValues:
    """What goes into `front` and out of it; what was changed in place meanwhile goes to `unwritten`.

    What went out of `front` is let go of before the operation after: to look whether it was changed, and
    to write that, may run code of keys, and raise; nothing must have been done then.

    ``find(key)`` returns the entry of a key that is written. `on_handing_out` is called when a value
    that may change is handed out, as it may be changed unnoticed from then on.
    """

    def __init__(  # noqa: PLR0917 -- the parts that it moves values between
        self,
        front: Front,
        tracked: Tracked,
        known: KnownKeys,
        unwritten: Unwritten,
        find: Callable[[Any], Found | None],
        on_handing_out: Callable[[], None],
        *,
        readonly: bool,
    ) -> None:
        self._front = front
        self._tracked = tracked
        self._known = known
        self._unwritten = unwritten
        self._find = find
        self._on_handing_out = on_handing_out
        self._readonly = readonly
        self._is_letting_go = False

    def take_in(self, key: Any, value: Any, length: int) -> None:
        """Have a value in front whose body has `length` bytes; it may be one that can change."""
        if may_change(value):
            self._tracked.add(key, length)
            self._on_handing_out()
        else:
            self._tracked.discard(key)
        self._front.keep(key, value, LIVE_FACTOR * length)

    def keep(self, key: Any, value: Any) -> None:
        """Have a value in front that is in memory already."""
        if key in self._tracked:
            weight = self._tracked.weight(key)
        else:
            weight = plain_weight(value) or rough_weight(value)
        self._front.keep(key, value, weight)

    def let_go(self) -> None:
        """Give up what went out of front, but for values that are held outside or cannot be written."""
        if self._is_letting_go:  # code of a value that is looked at just now uses the dict
            return
        self._is_letting_go = True
        try:
            self._let_go()
        finally:
            self._is_letting_go = False

    def _let_go(self) -> None:
        gone, pinned = self._front.gone, self._front.pinned
        if self._known.is_full:
            self._known.sweep(lambda key: key in gone or key in self._front)
        if not self._tracked:
            gone.clear()
            return
        gone.update(pinned)
        pinned.clear()
        leaving = list(gone)
        tracked = [key for key in leaving if key in self._tracked]
        kept = self._tracked.held(gone, self._front.generations())
        kept |= self.note_changes(tracked)  # last: what nobody holds stays as it is by now
        for key in tracked:
            if key not in gone:  # it is in front again
                continue
            if key in kept:
                pinned[key] = gone[key]
            else:
                self._tracked.discard(key)
        for key in leaving:
            gone.pop(key, None)

    def note_changes(self, keys: Iterable[Any]) -> set[Any]:
        """Have written what was changed in place; return the keys of values that cannot be written."""
        if self._readonly:
            return set()
        gone = self._front.gone
        bodies, refused = self._tracked.changed(
            keys, lambda key: gone[key] if key in gone else self._front.get(key), self._is_written
        )
        for key, body in bodies.items():
            if type(key) in PLAIN_KEYS:
                self._unwritten.put_body(key, body)
                continue
            found = self._find(key)
            if found is not None:  # it was removed meanwhile otherwise
                self._unwritten.put_body(key, body)
                self._unwritten.settle(key, found[0])
        return refused

    def _is_written(self, key: Any, body: bytes) -> bool:
        if key in self._unwritten:
            return self._unwritten.bodies.get(key) == body
        found = self._find(key)
        return found is not None and found[1][0][found[1][2] :] == body

    def forget_pinned(self) -> None:
        """Let go of values only because they are held outside."""
        for key in self._front.pinned:
            self._tracked.discard(key)
        self._front.pinned.clear()
