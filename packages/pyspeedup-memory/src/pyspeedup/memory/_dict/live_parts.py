"""What a dict's live content is made of, and what it owes between operations: writing, committing, compacting."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from pyspeedup.core import SerializationError, StoreError
from pyspeedup.memory._content import Content
from pyspeedup.memory._dict.clock import Clock
from pyspeedup.memory._dict.front import Front
from pyspeedup.memory._dict.items import Items
from pyspeedup.memory._dict.known_keys import KnownKeys
from pyspeedup.memory._dict.live_runs import LiveRuns
from pyspeedup.memory._dict.live_values import LiveValues
from pyspeedup.memory._dict.tracking import Tracked
from pyspeedup.memory._dict.unwritten import Unwritten
from pyspeedup.memory._dict.upkeep import Upkeep
from pyspeedup.memory._pages.changes import COUNTS_TELL
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Sized

    from pyspeedup.memory._dict.entries import EntryLog
    from pyspeedup.memory._dict.key_index import Found
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["LiveParts"]

MOST_UNWRITTEN = 8_192
"""So many keys are set before the first of them are written: what is set often is written seldom."""
AT_ONCE = 0.0
"""A time that has passed."""


class LiveParts(Content):
    """The parts of a live dict, wired, and their upkeep; `DictContent` adds the operations.

    `hot` alone may be read without `lock`: a dict of live values that loads what it does not hold, or
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
        self.scans: set[object] = set()
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

    def load(self, key: Any) -> Any:
        """Return the value of `key`, or `ABSENT`, and have it in front: what `hot` asks where it has none."""
        raise NotImplementedError

    def _find(self, key: Any) -> Found | None:
        """Return the entry of a key that is not among the unwritten, and what is kept of it."""
        entry = self._known.entry(key) if self._known else None
        if entry is None:
            return self.items.keys.find(key)
        record = self.items.log.record(entry)
        return None if record is None else (entry, record)

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
