"""The operations of a live dict: on one key, on a run of entries, on all of it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._dict.entries import CHANGING
from pyspeedup.memory._dict.front import ABSENT
from pyspeedup.memory._dict.hashing import stable_hash
from pyspeedup.memory._dict.live_parts import LiveParts
from pyspeedup.memory._dict.packing import PLAIN_KEYS, plain_weight
from pyspeedup.memory._dict.unwritten import ENCODED, NEW
from pyspeedup.memory._pages.changes import may_change
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from pyspeedup.memory._dict.entries import Record
    from pyspeedup.memory._dict.runs import Columns

__all__ = ["DictContent"]

PLAIN_FACTOR = 4
"""RAM of a plain value and its key: at most about so many times their record."""


class DictContent(LiveParts):
    """What the `DiskDict` handles of one store share. Call its methods under `lock`, but for `load`."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no item, in O(1)."""
        return not self.items.log.count and not self._unwritten.values

    def __len__(self) -> int:
        """Return the number of items; which of the keys set are new is found out first."""
        if len(self._unwritten.entries) != len(self._unwritten):
            self._upkeep.settle(self._unwritten.unsettled())
        return self.items.log.count + self._unwritten.new

    # ---- one key -------------------------------------------------------------------------------

    def load(self, key: Any) -> Any:
        """Return the value of `key`, or `ABSENT`, and have it in front. Takes `lock` itself."""
        with self.lock:
            if self._dirty_since is not None:
                self._do_what_is_due()
            front = self._front
            if front.gone:
                self._live.let_go()
            if key in front.old or key in front.hot or front.has_more:
                value = front.get(key)
                if value is not ABSENT:
                    self._live.keep(key, value)
                    return value
            if key in self._unwritten.values:
                return self._take_up_unwritten(key)
            found = self.items.keys.find(key) if type(key) is str else self._find(key)
            return ABSENT if found is None else self._take_up(key, *found)

    def _take_up_unwritten(self, key: Any) -> Any:
        value = self._unwritten.get(key)
        if value is ENCODED:
            body = self._unwritten.bodies[key]
            value = self.items.codecs[1].decode(body)
            self._live.take_in(key, value, len(body))
        else:
            self._live.keep(key, value)
        return value

    def has(self, key: Any) -> bool:
        """Return whether there is such a key; `TypeError` where it is unhashable."""
        return key in self._front or key in self._unwritten or self._find(key) is not None

    def set(self, key: Any, value: Any) -> None:
        """Give `key` the value; where it is there, its key object and its place stay."""
        unwritten = self._unwritten
        if (
            len(unwritten.values) >= self._most_unwritten
            or unwritten.weight >= self._most_bytes_unwritten
            or monotonic() >= self._due
        ):
            self._prepare()
        weight = plain_weight(value) if self._packs else 0
        if not weight or type(key) not in PLAIN_KEYS or any(self._watched):
            self._set_watched(key, value, weight)
            return
        front = self._front
        unwritten.weight += weight
        # Nothing is called from here on, so no interruption comes between.
        unwritten.values[key] = value
        if key in front.hot:
            front.hot[key] = value
            front.weight += weight
        elif key in front.old:
            front.old[key] = value
            front.weight += weight

    def _set_watched(self, key: Any, value: Any, weight: int) -> None:
        if self._front.gone:
            self._live.let_go()
        if type(key) not in PLAIN_KEYS:
            self._set_at_once(key, value)
        elif weight:
            self._tracked.discard(key)
            self._unwritten.put(key, value, weight)
            self._front.keep(key, value, weight)
        else:
            body = self._encoded(key, value)
            self._unwritten.put_body(key, body)
            self._live.take_in(key, value, len(body))
        if self.scans and key in self._unwritten:
            self._upkeep.settle([key])
        self.clock.now += 1

    def remove(self, key: Any) -> bool:
        """Take `key` out and return True; False where it is not there."""
        self._prepare()
        self._upkeep.compact_if_due()
        if type(key) not in PLAIN_KEYS and key in self._unwritten:
            self._upkeep.write()
        if key in self._unwritten:
            self._upkeep.settle([key])
            entry = self._unwritten.entries[key]
        else:
            found = self._find(key)
            if found is None:
                return False
            entry = found[0]
        self._take_out(key, entry)
        return True

    def pop_last(self) -> tuple[Any, Any]:
        """Take the last item out and return it; there must be one."""
        self._prepare()
        self._upkeep.write()
        self._upkeep.compact_if_due()
        entry = self.items.log.last()
        record = self.items.log.record(entry)
        assert record is not None  # noqa: S101 -- tells the type checker what `last` has seen
        (key,) = self._runs.live_keys([entry], [self.items.log.key_of(record, entry)])
        value = self._front.get(key)
        if value is ABSENT:
            value = self.items.log.value_of(record, entry)
        self._take_out(key, entry)
        return key, value

    def _take_out(self, key: Any, entry: int) -> None:
        """Take out a key and its entry: both or, where that is interrupted at first, none."""
        try:
            if entry != NEW:
                self.items.remove(entry)
            self._forget(key)
        except BaseException:
            if entry == NEW or self.items.log.is_dead(entry):
                self._forget(key)
            raise

    def _forget(self, key: Any) -> None:
        self._unwritten.discard(key)
        self._front.discard(key)
        self._tracked.discard(key)
        self._known.discard(key)
        self._tick()

    def _set_at_once(self, key: Any, value: Any) -> None:
        """Set a key that may be refused, that may equal none, or that is found by looking at all."""
        if key in self._unwritten:
            self._upkeep.write()
        body = self._encoded(key, value)
        flags = CHANGING if may_change(value) else 0
        found = self._find(key)
        if found is None:
            image, is_odd = self.items.image(key)
            self._upkeep.write()
            found = self._find(key)  # once more, as code of the key ran
        if found is None:
            entry = self.items.insert(key, image, body, flags, is_odd=is_odd)
            self.key_clock.now += 1
            if is_odd or stable_hash(key) is None:
                self._known.add(key, entry)
        else:
            self.items.replace(found, body, flags)
        self._live.take_in(key, value, len(body))

    def _encoded(self, key: Any, value: Any) -> bytes:
        try:
            return self.items.codecs[1].encode(value)
        except SerializationError as error:
            raise SerializationError(f"the value of key {named(key)}: {error}") from error

    # ---- in front ------------------------------------------------------------------------------

    def _take_up(self, key: Any, entry: int, record: Record) -> Any:
        """Have in front what was found in the log, and return its value."""
        data, _, end = record
        log = self.items.log
        try:
            value = self._decode(data[end:])
        except SerializationError:
            value = log.value_of(record, entry)  # which tells its key
        if log.rows.flags[entry // log.rows.page_size] & CHANGING:
            self._live.take_in(key, value, len(data) - end)
        else:
            self._front.add(key, value, PLAIN_FACTOR * len(data))
        return value

    def run(
        self, position: int, columns: Columns, limit: int, *, backwards: bool
    ) -> tuple[list[int], list[Any]]:
        """Return the next live entries from `position` on and what they hold; none at the end."""
        if self._front.gone:
            self._live.let_go()
        self._upkeep.write()
        return self._runs.run(position, columns, limit, backwards=backwards)

    # ---- all of it -----------------------------------------------------------------------------

    @property
    def takes_plain(self) -> bool:
        """Whether `set_plain` may be used."""
        return self.items.packs

    def set_plain(self, items: dict[Any, Any]) -> None:
        """Set plain keys to plain values, many at once, past the front."""
        self._prepare()
        self._upkeep.write()
        for generation in (*self._front.generations(), self._front.pinned):
            for key in generation.keys() & items.keys():
                self._front.discard(key)
                self._tracked.discard(key)
        self._unwritten.values.update(items)
        self.clock.now += 1
        self._changed()
        self._upkeep.write()

    def clear(self) -> None:
        """Take all items out, in O(pages)."""
        self.require_writable()
        log = self.items.log
        try:
            self.items.clear()
            self._forget_all()
        except BaseException:
            if self.items.log is not log:
                self._forget_all()
            raise
        finally:
            self._tick()
