"""The live content of a dict: its entries, the index of their keys, and when the two are compacted."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._content import Content
from pyspeedup.memory._dict.entry_log import VALUE, EntryLog
from pyspeedup.memory._dict.front import MOST_IN_FRONT, front_weight
from pyspeedup.memory._dict.key_index import KeyIndex
from pyspeedup.memory._dict.write_behind import WriteBehind
from pyspeedup.memory._pages.bodies import key_codec, value_codec
from pyspeedup.memory._pages.changes import UNCHANGING
from pyspeedup.memory._pages.pager import Pager
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from pyspeedup.memory._dict.entry_log import Columns
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Clock", "DictContent"]

STATE = struct.Struct("<BQ")  # format, bytes of the log's state; then that, then the index's
STATE_FORMAT = 1
IN_ITS_PAGE: Any = object()
"""Stands for a value that only the pager may hand out, since it can change or is long."""


class Clock:
    """Counts changes, so that an iterator notices them."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0


class DictContent(Content):
    """What the `DiskDict` handles of one store share. Call its methods under `lock`.

    Entries are numbers that `find` and `insert` know; they stay valid until `compact`, which waits
    for iterators (`scans`).
    """

    kind: ClassVar[str] = "dict"

    def __init__(
        self, volume: Volume, *, max_pages: int, ram_limit: int, sync_every: float
    ) -> None:
        """Begin from the state of `volume`, reading no page."""
        super().__init__(volume, max_pages=max_pages, ram_limit=ram_limit, sync_every=sync_every)
        codecs = (key_codec(volume.serializer), value_codec(volume.serializer))
        self.pager = Pager(volume, codecs, max_pages, ram_limit, self._describe)
        self._front_size = max_pages * volume.page_size
        self._front_limit = ram_limit // 4
        self._front_weight = 0
        self._front: dict[Any, tuple[int, Any]] = {}
        self.key_clock = Clock()  # ticks when keys come or go
        self.clock = Clock()  # ticks then, and when an entry gets another value
        self.scans: set[object] = set()
        self._begin()

    def _begin(self) -> None:
        log_state = index_state = None
        if self.volume.state is not None:
            log_state, index_state = _decode_state(self.volume.state, self.volume.name)
        self.log = EntryLog(self.pager, self.volume.page_size, log_state)
        self.keys = KeyIndex(self.volume, self.log, index_state)
        self._front.clear()
        self._waiting = self._make_waiting()
        self._put_off = 0

    def _make_waiting(self) -> WriteBehind:
        write = self.log.replace
        return WriteBehind(write, most=self._front_size, most_bytes=self._front_limit)

    def __len__(self) -> int:
        """Return the number of entries."""
        return self.log.count

    # ---- one key -------------------------------------------------------------------------------

    def find(self, key: Any) -> int | None:
        """Return the entry of `key`, or None; `TypeError` where it is unhashable."""
        found = self._front.get(key)
        if found is not None:
            return found[0]
        entry = self.keys.find(key)
        if entry is not None:
            self._remember(key, entry)
        return entry

    def get(self, key: Any, default: Any) -> Any:
        """Return the value of `key`, noting that it may be changed in place; else `default`."""
        entry, value = self._front.get(key) or (None, IN_ITS_PAGE)
        if value is not IN_ITS_PAGE:
            return value
        if entry is None:
            entry = self.keys.find(key)
            if entry is None:
                return default
        value = self.value(entry)
        self._remember(key, entry, value)
        if type(value) not in UNCHANGING:
            self.changed()
        return value

    def value(self, entry: int) -> Any:
        """Return the value of `entry`."""
        value = self._waiting.get(entry, IN_ITS_PAGE)
        return self.log.value(entry) if value is IN_ITS_PAGE else value

    def set(self, key: Any, value: Any) -> None:
        """Give `key` the value; where it is there, its key object and its place stay."""
        self.require_writable()
        entry = self.find(key)
        if entry is None:
            self.insert(key, value)
            return
        self._replace(key, entry, value)
        self._front.pop(key, None)
        self._remember(key, entry, value)
        self.clock.now += 1
        if self._waiting.is_full:
            self._waiting.apply()
        self.changed()

    def _replace(self, key: Any, entry: int, value: Any) -> None:
        """Give `entry` the value: in its page at once, or later if it is short and cannot change."""
        weight = front_weight(value)
        if weight > MOST_IN_FRONT:
            self.log.replace(entry, value)
            self._waiting.discard(entry)
            return
        try:
            self.pager.codecs[VALUE].encode(value)
        except SerializationError as error:
            raise SerializationError(f"the value of key {named(key)}: {error}") from error
        self._waiting.put(entry, value, weight)

    def insert(self, key: Any, value: Any) -> None:
        """Add an entry for a key that has none."""
        self.require_writable()
        self._compact_if_due()
        entry = self.log.end
        is_own = self.keys.add(key, entry)
        try:
            self.log.append(key, value)
        except BaseException:
            self.keys.discard(key, entry)
            raise
        if is_own:
            self.log.mark(entry)
        self._remember(key, entry, value)
        self._tick()

    def remove(self, entry: int) -> None:
        """Take `entry` out; where that raises, it stays."""
        self.require_writable()
        key = self.log.key(entry)
        try:
            self.keys.discard(key, entry)
            self.log.remove(entry)
        except BaseException:
            self.keys.add(key, entry)  # perhaps once too often, which does no harm
            raise
        self._waiting.discard(entry)
        self._front.pop(key, None)
        self._tick()

    def clear(self) -> None:
        """Take all entries out, in O(pages)."""
        self.require_writable()
        self._front.clear()
        self._waiting.clear()
        try:
            self.keys.clear()
        finally:
            self.log.clear()
            self._tick()

    def _remember(self, key: Any, entry: int, value: Any = IN_ITS_PAGE) -> None:
        """Have `key` answered from here the next time, with its value if that cannot change."""
        weight = front_weight(key)
        if weight > MOST_IN_FRONT:
            return
        weight_of_value = 0 if value is IN_ITS_PAGE else front_weight(value)
        if weight_of_value > MOST_IN_FRONT:
            value = IN_ITS_PAGE
        else:
            weight += weight_of_value
        if len(self._front) >= self._front_size or self._front_weight > self._front_limit:
            self._front.clear()
            self._front_weight = 0
        self._front[key] = entry, value
        self._front_weight += weight

    def _tick(self) -> None:
        self.key_clock.now += 1
        self.clock.now += 1
        self.changed()

    # ---- runs ----------------------------------------------------------------------------------

    def run(
        self, position: int, columns: Columns, limit: int, *, backwards: bool
    ) -> tuple[list[int], list[Any]]:
        """Return the next live entries from `position` on and what they hold; none at the end."""
        read = self.log.run_back if backwards else self.log.run
        if columns == "keys":
            return read(position, columns, limit)
        try:
            entries, found = read(position, columns, limit)
        except SerializationError:  # of a value, perhaps, in whose stead another waits
            self._waiting.apply()
            entries, found = read(position, columns, limit)
        if len(self._waiting):
            now = partial(self._as_it_is_now, is_item=columns == "items")
            found = list(map(now, entries, found))
        values = found if columns == "values" else [value for _, value in found]
        if not UNCHANGING.issuperset(map(type, values)):
            self.changed()
        return entries, found

    def _as_it_is_now(self, entry: int, found: Any, *, is_item: bool) -> Any:
        value = self._waiting.get(entry, IN_ITS_PAGE)
        if value is IN_ITS_PAGE:
            return found
        return (found[0], value) if is_item else value

    # ---- all of it -----------------------------------------------------------------------------

    def write_back(self, *, leave_out_refused: bool = False) -> bytes:
        """Write every change to the volume, and return the state to commit with it."""
        self._waiting.apply()
        self._compact_if_due()
        self.pager.flush(leave_out_refused=leave_out_refused)
        index_state = self.keys.flush()
        log_state = self.log.encode()
        return STATE.pack(STATE_FORMAT, len(log_state)) + log_state + index_state

    def restart(self) -> None:
        """Begin again from the last commit, after a rollback of the volume."""
        self.keys.close()
        self.pager.clear()
        self._begin()
        self.key_clock.now += 1
        self.clock.now += 1

    def compact(self) -> None:
        """Give all entries new numbers, without dead rows between, in O(entries).

        Where this raises, nothing has changed.
        """
        self._waiting.apply()
        log = self.log.compacted()
        try:
            keys = self.keys.rebuilt(log)
        except BaseException:
            log.clear()
            raise
        old_log, old_keys = self.log, self.keys
        self.log, self.keys = log, keys
        self._waiting = self._make_waiting()
        self._front.clear()
        old_keys.clear()
        old_log.clear()

    def check(self) -> None:
        """Raise `AssertionError` where log and index do not agree; reads everything."""
        self.keys.check()
        entries = [entry for entry, _ in self.log.each_key(marked_only=False)]
        if len(entries) != self.log.count or any(not self.log.is_live(entry) for entry in entries):
            raise AssertionError(f"{len(entries)} entries where {self.log.count} are counted")
        if entries and entries[-1] != self.log.end - 1:
            raise AssertionError(f"the last entry is {entries[-1]}, and the end {self.log.end}")

    def _compact_if_due(self) -> None:
        log = self.log
        least = max(log.count + 1, self.volume.page_size, self._put_off)
        if log.dead < least or self.scans:
            return
        try:
            self.compact()
        except OSError:
            # It only saves room, so what is being done goes on; a damaged page, or a disk too full for
            # that as well, will tell itself. Trying again at once would cost O(entries) each time.
            self._put_off = 2 * log.dead

    def _describe(self, number: int, row: int) -> str:
        """Name an item in a message about what cannot be written."""
        try:
            key = named(self.pager.page(number).value(row, 0))
        except SerializationError:
            key = f"(unreadable, row {row} of page {number})"
        return f"{self.volume.name}: the item of key {key}"


def _decode_state(state: bytes, name: str) -> tuple[bytes, bytes]:
    version, length = STATE.unpack_from(state)
    if version != STATE_FORMAT:
        raise StoreCorruptedError(f"{name}: its dict has format {version}, not {STATE_FORMAT}")
    return state[STATE.size : STATE.size + length], state[STATE.size + length :]
