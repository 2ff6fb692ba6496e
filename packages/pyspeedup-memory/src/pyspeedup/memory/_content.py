"""The live content that all handles on one store in one process share: a lock, dirty time, commits."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, ClassVar

from pyspeedup.core import SerializationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Content"]

MOST_CHANGED = 4_096
"""Beyond so many changed pages the next change commits: each takes some 300 bytes of RAM until then."""


class Content:
    """What a structure's own content builds on: it adds the arithmetic, this adds when to commit.

    A subclass sets `kind`, takes `(volume, *, max_pages, ram_limit, sync_every)`, and defines
    `write_back` and `restart`. Its operations run under `lock`. One that is about to change something
    calls `require_writable` first and `changed` last, when the content is whole again: commits happen
    only there and in `flush`. Nothing has to be closed but the volume, and that is not the content's task.
    """

    kind: ClassVar[str]

    def __init__(
        self, volume: Volume, *, max_pages: int, ram_limit: int, sync_every: float
    ) -> None:
        """Keep `volume`; `max_pages` and `ram_limit` (bytes) are for the subclass's pager."""
        self.volume = volume
        self.max_pages = max_pages
        self.ram_limit = ram_limit
        self.sync_every = sync_every
        self.own_lock = RLock()
        self.lock: AbstractContextManager[object] = self.own_lock
        self._lock_to_go_back = _LockToGoBack(self.own_lock, self._go_back_at_last)
        self._dirty_since: float | None = None
        self._most_changed: float = MOST_CHANGED
        self._transactions = 0

    def write_back(self, *, leave_out_refused: bool = False) -> bytes:
        """Write every change to the volume, and return the state to commit with it.

        Where it raises, nothing may be lost: the next call writes what is still to be written.
        `SerializationError` for a value that was changed into something that cannot be written;
        with `leave_out_refused` the volume keeps such a value as it was written last.
        """
        raise NotImplementedError

    def restart(self) -> None:
        """Forget everything and begin again from ``volume.state``, after a rollback."""
        raise NotImplementedError

    def require_writable(self) -> None:
        """Raise `StoreError` where the store was opened with ``readonly=True``.

        `ValueError` where it was closed while this operation, of another thread, waited for its turn.
        """
        self.volume.require_writable()

    def changed(self) -> None:
        """Note that a change is complete; commits if changes have waited long, or are in many pages.

        Also for a value that was handed out and can be changed in place.
        """
        if self._dirty_since is None:
            self._dirty_since = time.monotonic()
        else:
            self.commit_if_due()

    def commit_if_due(self) -> None:
        """Commit if changes have waited for `sync_every` seconds, or are in many pages, in O(changes).

        Called before something is taken out that is to be returned: should a full disk be told
        after that, it would be lost.
        """
        if self._dirty_since is None or self._transactions:
            return
        now = time.monotonic()
        changed = self.volume.changed_pages
        if now - self._dirty_since >= self.sync_every or changed >= self._most_changed:
            # A full disk is told now and then, not at every operation.
            self._dirty_since, self._most_changed = now, changed + MOST_CHANGED
            self.flush()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let no change commit by itself."""
        sync_every, most_changed = self.sync_every, self._most_changed
        self.sync_every = self._most_changed = math.inf
        try:
            yield
        finally:
            self.sync_every, self._most_changed = sync_every, most_changed

    def flush(self, *, durable: bool = False) -> None:
        """Commit whatever changed since the last commit; with `durable`, a loss of power keeps it.

        Costs O(changes) and a header of O(pages). Where it raises, nothing is lost, and it can
        be called again. `RuntimeError` inside a transaction.
        """
        with self.lock:
            if self._transactions:
                raise RuntimeError(
                    f"{self.volume.name} is in a transaction, which commits as a whole"
                )
            self._commit(durable=durable)

    def save(self) -> None:
        """Commit as `flush` does, before the content is let go.

        Where a transaction could not be taken back yet, nothing: all before it is committed.
        """
        if self.lock is self.own_lock:
            self.flush()

    def save_for_good(self) -> None:
        """Commit as `save` does, but let no value that cannot be written keep the others from it.

        For the end, when nobody can mend anything any more. Such a value stays on disk as it was
        written last, and `SerializationError` tells of it once everything else is committed.
        """
        try:
            self.save()
        except SerializationError:
            self._commit(durable=False, leave_out_refused=True)
            raise

    def _commit(self, *, durable: bool, leave_out_refused: bool = False) -> None:
        if self.volume.readonly:
            return
        state = self.write_back(leave_out_refused=leave_out_refused)
        volume = self.volume
        is_unknown = volume.commit_mark is None  # a commit failed, and may be there all the same
        if durable or is_unknown or volume.changed_pages or state != volume.state:
            volume.commit(state, durable=durable)
        self._dirty_since, self._most_changed = None, MOST_CHANGED

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group operations: all of them are committed at the end, or none if an exception leaves.

        Other threads wait. A transaction inside another is part of the outer one. Where taking back fails
        too, whoever takes `lock` tries that again first, and `StoreError` says so where it fails again.
        """
        with self.lock:
            self.require_writable()
            if not self._transactions:
                self._commit(durable=False)
            self._transactions += 1
            try:
                yield
                if self._transactions == 1:
                    self._commit(durable=False)
            except BaseException:
                if self._transactions == 1:
                    self.lock = (
                        self._lock_to_go_back
                    )  # without a call, behind which interruptions come
                    self._go_back()
                raise
            finally:
                self._transactions -= 1

    def _go_back(self) -> None:
        """Take back what is not committed; until it is done, whoever takes `lock` does so first."""
        try:
            self.volume.rollback()
        finally:
            self.restart()
            self._dirty_since, self._most_changed = None, MOST_CHANGED
        self.lock = self.own_lock

    def _go_back_at_last(self) -> None:
        if self.lock is self.own_lock:
            return  # another thread has done it
        try:
            self._go_back()
        except Exception as error:
            raise StoreError(
                f"{self.volume.name}: a transaction could not be taken back ({error}); each use of the "
                "store tries it again, and nothing is read or changed before; close() lets go of it"
            ) from error


class _LockToGoBack:
    """Stands where a content's lock was while its transaction is not taken back: who takes it does so first.

    A ``with`` looks its methods up before it calls one, and is handed the lock's own, so that no
    interruption comes between taking the lock and its block.
    """

    def __init__(self, lock: AbstractContextManager[object], go_back: Callable[[], None]) -> None:
        self._lock = lock
        self._go_back = go_back

    @property
    def __enter__(self) -> Callable[[], object]:
        with self._lock:
            self._go_back()
        return self._lock.__enter__

    @property
    def __exit__(self) -> Callable[..., bool | None]:  # noqa: PLE0302, PYI036 -- a property
        return self._lock.__exit__
