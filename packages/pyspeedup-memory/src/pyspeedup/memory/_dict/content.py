"""The live content of a dict: what is in front, what is to be written, the entries, and their index."""

from __future__ import annotations

import builtins
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from pyspeedup.core import SerializationError, StoreError
from pyspeedup.memory._content import Content
from pyspeedup.memory._dict.clock import Clock
from pyspeedup.memory._dict.entries import CHANGING
from pyspeedup.memory._dict.front import ABSENT, Front
from pyspeedup.memory._dict.hashing import stable_hash
from pyspeedup.memory._dict.items import Items
from pyspeedup.memory._dict.known_keys import KnownKeys
from pyspeedup.memory._dict.live_runs import LiveRuns
from pyspeedup.memory._dict.live_values import LiveValues
from pyspeedup.memory._dict.packing import PLAIN_KEYS, plain_weight
from pyspeedup.memory._dict.tracking import Tracked
from pyspeedup.memory._dict.unwritten import ENCODED, NEW, Unwritten
from pyspeedup.memory._dict.upkeep import Upkeep
from pyspeedup.memory._pages.changes import COUNTS_TELL, may_change
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Sized

    from pyspeedup.memory._dict.entries import EntryLog, Record
    from pyspeedup.memory._dict.key_index import Found
    from pyspeedup.memory._dict.runs import Columns
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["DictContent"]

MOST_UNWRITTEN = 8_192
"""So many keys are set before the first of them are written: what is set often is written seldom."""
PLAIN_FACTOR = 4
"""RAM of a plain value and its key: at most about so many times their record."""
AT_ONCE = 0.0
"""A time that has passed."""


class DictContent(Content):
    """What the `DiskDict` handles of one store share. Call its methods under `lock`.

    `hot` alone may be read without it: a dict of live values that loads what it does not hold, or
    answers `ABSENT`. Entries are numbers that stay valid until the log is compacted, which waits for
    iterators (`scans`).
    """

    kind: ClassVar[str] = "dict"

    def __init__(
        self, volume: Volume, *, max_pages: int, ram_limit: int, sync_every: float
    ) -> None:
        """Begin from the state of `volume`, reading no page."""
        super().__init__(volume, max_pages=max_pages, ram_limit=ram_limit, sync_every=sync_every)
        self.items = Items(volume)
        most = max_pages * volume.page_size
        self.max_in_front = max(2, most)
        self._front = Front(self.load, most=most, most_bytes=ram_limit // 2)
        self.hot = self._front.hot
        self._most_unwritten = min(MOST_UNWRITTEN, most)
        self._most_bytes_unwritten = ram_limit // 8
        self.clock = Clock()  # ticks when keys come or go, and when an entry gets another value
        self.scans: builtins.set[object] = builtins.set()
        self._unwritten = Unwritten()
        self._tracked = Tracked(self.items.codecs[1])
        self._known = KnownKeys()
        # While any of these holds something, a change concerns more than `hot` and `unwritten`.
        self._watched: tuple[Sized, ...] = (
            self.scans,
            self._unwritten.bodies,
            self._tracked.lengths,
            self._front.pinned,
            self._front.gone,
        )
        self._upkeep = Upkeep(self.items, self._unwritten, self._known, self.scans, most=most)
        self.key_clock = self._upkeep.key_clock  # ticks when keys come or go
        self._live = LiveValues(
            self._front,
            self._tracked,
            self._known,
            self._unwritten,
            self._find,
            self._changed,
            readonly=volume.readonly,
        )
        self._runs = LiveRuns(
            self.items, self._front, self._tracked, self._known, self._live.take_in
        )
        self._packs = self.items.packs
        self._decode = self.items.codecs[1].decode
        self._due = AT_ONCE  # when something is to be done before an operation

    @property
    def log(self) -> EntryLog:
        """The entries on disk."""
        return self.items.log

    def _forget_all(self) -> None:
        self._front.clear()
        self._unwritten.clear()
        self._tracked.clear()
        self._known.clear()
        self._upkeep.forget()

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

    def _do_what_is_due(self) -> None:
        """Do what is due before a look-up: what was looked up before may have been changed in place.

        Where there is no room, or a value cannot be written, that is not said here, where another is
        asked for: nothing is lost by it, and a later change or `flush` says so. Damage is told.
        """
        is_heavy = self._unwritten.weight >= self._most_bytes_unwritten
        if not is_heavy and monotonic() < self._due:
            return
        try:
            if is_heavy:
                self._upkeep.write()
            self.commit_if_due()
        except StoreError:
            raise
        except (OSError, SerializationError):
            return

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

    def _find(self, key: Any) -> Found | None:
        """Return the entry of a key that is not among the unwritten, and what is kept of it."""
        entry = self._known.entry(key) if self._known else None
        if entry is None:
            return self.items.keys.find(key)
        record = self.items.log.record(entry)
        return None if record is None else (entry, record)

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

    def write_back(self, *, leave_out_refused: bool = False) -> bytes:
        """Write every change to the volume, and return the state to commit with it."""
        refused = self._live.note_changes(self._tracked.keys())
        self._upkeep.write()
        if refused and not leave_out_refused:
            self._refuse(next(iter(refused)))
        self._upkeep.compact_if_due()
        if not COUNTS_TELL:
            self._live.forget_pinned()
        return self.items.write_back()

    def _refuse(self, key: Any) -> None:
        try:
            self.items.codecs[1].encode(self._front.get(key))
        except SerializationError as error:
            raise SerializationError(
                f"{self.volume.name}: the value of key {named(key)} was changed in place and "
                f"cannot be written; change it again, or delete the key: {error}"
            ) from error

    def restart(self) -> None:
        """Forget everything and begin again from ``volume.state``, after a rollback."""
        self._due = AT_ONCE
        self.items.keys.close()
        self.items.restart()
        self._forget_all()
        self._tick()

    # ---- upkeep --------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Do what is due before an operation, so that a full disk is told before anything is changed."""
        self.require_writable()
        unwritten = self._unwritten
        if (
            len(unwritten.values) >= self._most_unwritten
            or unwritten.weight >= self._most_bytes_unwritten
        ):
            self._upkeep.write_batch()
        else:
            self._upkeep.step_if_due()
        if self._front.is_full:
            self._front.rotate()
        if self._front.gone:
            self._live.let_go()
        self.commit_if_due()
        since = self._dirty_since = self._dirty_since or monotonic()
        self._due = AT_ONCE if self._upkeep.is_owed else since + self.sync_every

    def _commit(self, *, durable: bool, leave_out_refused: bool = False) -> None:
        self._due = AT_ONCE  # whatever comes of it
        super()._commit(durable=durable, leave_out_refused=leave_out_refused)

    def compact(self) -> None:
        """Write the live items anew, in order, and let all else go, in O(bytes).

        Where this raises, nothing has changed.
        """
        self._upkeep.compact()

    def check(self) -> None:
        """Raise `AssertionError` where the parts contradict each other; reads everything."""
        self._upkeep.write()
        self.items.check()

    def _changed(self) -> None:
        if self._dirty_since is None:
            self.changed()

    def _tick(self) -> None:
        self.key_clock.now += 1
        self.clock.now += 1
        self._changed()
