"""The thread that carries a pool's messages: it runs but for the time of a fork, until it is ended.

A process that is forked while the thread is in the midst of something would find it half done. So
who forks asks it to stop before, and lets it go on after; several may do so at the same time, in any thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Courier", "Fork"]


Fork: TypeAlias = tuple[str, int]
"""Says why something forks, and in which thread, as `threading.get_ident` numbers it."""


class Courier:
    """See the module. `run` asks `is_to_stop` each time that `wake` has been called, and returns if so."""

    def __init__(self, run: Callable[[], None], wake: Callable[[], None], name: str) -> None:
        """Start nothing yet."""
        self._run = run
        self._wake = wake
        self._name = name
        self._thread: threading.Thread | None = None
        self._is_running = self._is_ended = False
        self._forks: set[Fork] = set()
        # A finalizer may end a courier wherever the thread stands.
        self._lock = threading.RLock()

    def begin(self) -> None:
        """Run, once nobody wants it to stop; `RuntimeError` if there can be no more threads."""
        with self._lock:
            self._start()

    def pause(self, fork: Fork) -> None:
        """Ask it to stop, until `resume`; `join` waits for that."""
        with self._lock:
            self._forks.add(fork)
        self._wake()

    def resume(self, fork: Fork) -> None:
        """Let it go on when nobody else wants it to stop; harmless if `fork` did not."""
        with self._lock:
            self._forks.discard(fork)
            self._start()

    def end(self) -> None:
        """Stop it for good, and wait for that unless this is the thread itself."""
        with self._lock:
            self._is_ended = True
            self._run = _nothing  # it may be a method of whoever holds this
        self._wake()
        self.join()

    def join(self) -> None:
        """Wait until the thread has stopped, unless this is the thread itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    @property
    def is_awaited_here(self) -> bool:
        """Whether this is the thread itself, and another waits for it to stop."""
        own = threading.get_ident()
        with self._lock:
            is_here = self._thread is threading.current_thread()
            return is_here and any(thread != own for _, thread in self._forks)

    def is_to_stop(self) -> bool:
        """Tell the thread whether it has to return now."""
        with self._lock:
            if self._forks or self._is_ended:
                self._is_running = False
            return not self._is_running

    def _start(self) -> None:
        if self._is_running or self._is_ended or self._forks:
            return
        self._is_running = True
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            self._thread.start()
        except Exception:  # it is not there; after a KeyboardInterrupt, it is
            self._is_running, self._thread = False, None
            raise


def _nothing() -> None:
    """Run no more."""
