"""A Buffer's end of its producer: starts it, asks, waits, and ends it.

Several threads may wait at once. One of them reads from the producer; the others wait for news
from that one, and whoever still misses something reads on.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING

from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._buffering import producer as _producer
from pyspeedup.concurrent._buffering.frames import ASKED, WANTED, Frame, Inbox
from pyspeedup.concurrent._processes import children

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Supply"]

GRACE = 0.2
"""Seconds that a producer has, when nobody needs it any longer, to run its generator's cleaning up."""


class Supply:
    """One running producer."""

    # A Buffer refers to it, and never the other way round: it must end when the Buffer is gone.

    def __init__(self, job: _producer.Job) -> None:
        """Start the producer; it computes nothing before it is asked."""
        self.asked = -1
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._child = children.start_child(_producer.produce, (theirs, job), job.name)
        self.pid = self._child.pid
        self.exitcode: int | None = None
        self._watch = _platform.watch_process(self.pid)
        sentinel = self._child.sentinel if self._watch is None else self._watch
        self._inbox = Inbox(self._channel, sentinel)
        self._news = threading.Condition()
        self._ending = threading.Lock()
        self._reader: int | None = None
        self._ended = False

    def ask(self, index: int) -> None:
        """Say that `index` was asked for, so that the producer may go on; doesn't wait."""
        with self._news:
            self._request(ASKED, index)

    def advance(
        self, index: int, satisfied: Callable[[], bool], accept: Callable[[Frame | None], None]
    ) -> None:
        """Give what has arrived to `accept`; if nothing has, wait for it, or for another thread's news.

        `accept` gets None if the producer is dead. Nothing is done once `satisfied`.
        """
        with self._news:
            if satisfied():
                return
            if self._reader not in {None, threading.get_ident()}:
                self._request(WANTED, index)
                self._news.wait()
                return
            self._reader = threading.get_ident()
        try:
            self._read(index, accept)
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._news:
            self._reader = None
            if self._ended:
                self._release()
            self._news.notify_all()

    def _read(self, index: int, accept: Callable[[Frame | None], None]) -> None:
        inbox = self._inbox
        if inbox.first() is None and not inbox.take():
            with self._news:
                self._request(WANTED, index)
            inbox.wait()
        while (frame := inbox.first()) is not None:
            accept(frame)
            inbox.drop(frame)
        if inbox.closed:
            accept(None)

    def _request(self, kind: bytes, index: int) -> None:
        self._inbox.send(kind, index)
        self.asked = max(self.asked, index)

    def end(self) -> int | None:
        """End the producer, and return its exit code; again is harmless."""
        with self._ending:
            if not self._ended:
                self._inbox.closed = True
                with contextlib.suppress(OSError):  # the other end may be gone already
                    self._channel.shutdown(socket.SHUT_RDWR)
                self._child.join(GRACE)
                self._child.end()
                self.exitcode = self._child.exitcode
                self._after_end()
            return self.exitcode

    def _after_end(self) -> None:
        with self._news:
            self._ended = True
            if self._reader in {None, threading.get_ident()}:
                self._release()
            self._news.notify_all()

    def _release(self) -> None:
        """Close what a reading thread would wait on: not before there is none."""
        self._close_own()
        self._child.process.close()

    def _close_own(self) -> None:
        self._channel.close()
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None

    def abandon(self) -> None:
        """Let go of what belongs to the process that we were forked from."""
        self._close_own()
        self._child.abandon()
