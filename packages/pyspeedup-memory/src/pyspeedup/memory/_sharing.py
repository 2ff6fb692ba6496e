"""Which content is live in this process, so that two handles on one store share it."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyspeedup.memory._content import Content
    from pyspeedup.memory._storage.opening import OpenStore

__all__ = ["Shared", "Unusable", "shared", "usable_handles"]


class Unusable:
    """Stands where a handle's content was: whatever is asked of it raises, and says why."""

    def __init__(self, error: type[Exception], message: str) -> None:
        self.error_type = error
        self.message = message

    def __getattr__(self, name: str) -> Any:
        raise self.error_type(self.message)

    def __getitem__(self, key: object) -> Any:
        raise self.error_type(self.message)

    def __contains__(self, key: object) -> bool:
        raise self.error_type(self.message)


class Shared:
    """The place of one store in this process: its live content while any handle uses it.

    `lock` is held while the content is opened or closed, so that a second handle waits for either.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.pid = os.getpid()
        self.handles: set[object] = set()
        self.content: Content | None = None
        self.store: OpenStore | None = None
        self.options: dict[str, Any] = {}
        self.clean_up: Callable[[], None] | None = None

    def release(self, handle: object) -> None:
        """Forget what stands for a handle; with the last, save what is unsaved and close, whatever happens.

        Called by `weakref.finalize`: at an explicit close (which has saved before), at garbage
        collection, or at exit. Does nothing in a forked child, nor when it is called again.
        """
        if self.pid != os.getpid():
            return
        with self.lock:
            if handle not in self.handles:
                return
            self.handles.remove(handle)
            if not self.handles and self.content is not None:
                self._close(self.content)

    def _close(self, content: Content) -> None:
        with ExitStack() as last_of_all, content.own_lock:
            last_of_all.callback(self._let_go)
            content.save_for_good()

    def _let_go(self) -> None:
        self.content = None
        store, self.store = self.store, None  # a fork later on must not abandon it once more
        with ExitStack() as afterwards:
            if self.clean_up is not None:
                afterwards.callback(self.clean_up)
            if store is not None:
                store.close()

    def abandon(self) -> None:
        """Let go in a forked child."""
        if self.store is not None:
            self.store.abandon()


_shared: WeakValueDictionary[Hashable, Shared] = WeakValueDictionary()
_table_lock = threading.Lock()
usable_handles: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""Every handle that is open by its id (none can be hashed), for a forked child to make unusable."""


def shared(key: Hashable) -> Shared:
    """Return the one `Shared` of `key`, in O(1). It lives as long as somebody refers to it."""
    with _table_lock:
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = Shared()
        return found


def _after_fork_in_child() -> None:
    """Leave everything to the parent: its locks may be held by threads that are not here."""
    global _table_lock  # noqa: PLW0603 -- a lock that a thread of the parent holds is never given up here
    _table_lock = threading.Lock()
    handles, entries = list(usable_handles.values()), list(_shared.values())
    usable_handles.clear()
    _shared.clear()
    for handle in handles:
        handle._forked()  # noqa: SLF001 -- the other half of a handle
    for entry in entries:
        entry.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
