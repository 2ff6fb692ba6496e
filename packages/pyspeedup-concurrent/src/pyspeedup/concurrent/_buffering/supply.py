"""A Buffer's end of its producer: starts it, asks, waits, and ends it.

Several threads may wait at once. One of them reads from the producer; the others wait for news
from that one, and whoever still misses something reads on.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._buffering import producer as _producer
from pyspeedup.concurrent._buffering import ring
from pyspeedup.concurrent._buffering.channel import connect
from pyspeedup.concurrent._processes import children

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._buffering.ring import Accept

__all__ = ["Supply"]

GRACE = 0.2
"""Seconds that a producer has, when nobody needs it any longer, to run its generator's cleaning up."""


class Supply:
    """One running producer."""

    # A Buffer refers to it, and never the other way round: it must end when the Buffer is gone.

    def __init__(self, job: _producer.Job) -> None:
        """Start the producer; it computes nothing before it is asked."""
        self._asked = 0
        self._channel, theirs = connect()
        try:
            self._child = children.start_child(_producer.produce, (theirs, job), job.name)
        except BaseException:
            self._channel.close()
            raise
        finally:
            theirs.let_go()
        self.pid = self._child.pid
        self.exitcode: int | None = None
        self._watch = _platform.watch_process(self.pid)
        self._channel.watch(self._child.sentinel if self._watch is None else self._watch)
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._others = 0
        """How many threads wait for the news of the one that reads."""
        self._ending = threading.Lock()
        self._reader: int | None = None
        self._ended = self._released = False

    def ask(self, count: int, *, urgent: bool = True) -> None:
        """Say that `count` items were asked for, so that the producer may go on; doesn't wait.

        A producer that sleeps hears of it at once if that is `urgent`, else when somebody waits.
        """
        if count > self._asked:
            with self._lock:
                if count > self._asked and not self._ended:
                    self._channel.ask(count)
                    if urgent:
                        self._channel.urge()
                # Last, for what an interrupt kept from being asked must not look asked for.
                self._asked = max(count, self._asked)

    def advance(self, satisfied: Callable[[], bool], accept: Accept) -> None:
        """Give what has arrived to `accept`; if nothing has, wait for it, or for another thread's news.

        `accept` gets the kind `GONE` if the producer is dead. Nothing is done once `satisfied`.
        """
        me = threading.get_ident()
        try:  # already here: an interrupt could come as soon as we are the reader
            with self._lock:
                if satisfied():
                    return
                mine = self._reader in {None, me}
                if mine:
                    self._reader = me
                else:
                    self._wait_for_news()
            if mine:
                self._read(accept)
        finally:
            if self._reader == me:
                self._leave()

    def _wait_for_news(self) -> None:
        self._others += 1
        try:
            self._news.wait()
        finally:
            self._others -= 1

    def _leave(self) -> None:
        with self._lock:
            self._reader = None
            if self._ended:
                self._release()
            if self._others:
                self._news.notify_all()

    def _read(self, accept: Accept) -> None:
        channel = self._channel
        if not channel.read(accept):
            channel.wait()
            if not channel.read(accept) and channel.closed:
                accept(ring.GONE, 0, 0, memoryview(b""))

    def end(self, *, reading: bool = False) -> int | None:
        """End the producer, and return its exit code; again is harmless.

        `reading` says that this is called by what `advance` gives frames to.
        """
        with self._ending:
            if not self._ended:
                self._channel.shut()
                self._child.join(GRACE)
                self._child.end()
                self.exitcode = self._child.exitcode
            with self._lock:
                self._ended = True
                # Else the reader will, when it leaves. If it is this thread, it was interrupted.
                if not reading and self._reader in {None, threading.get_ident()}:
                    self._release()
                self._news.notify_all()
            return self.exitcode

    def _release(self) -> None:
        """Close what a reading thread would wait on: not before there is none."""
        if not self._released:
            self._released = True
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
