"""A Buffer's end of its producer: starts it, asks, waits, and ends it.

Several threads may wait at once. One of them reads from the producer; the others wait for news
from that one, and whoever still misses something reads on.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._buffering import producer as _producer
from pyspeedup.concurrent._buffering.channel import connect
from pyspeedup.concurrent._processes import children

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._buffering.ring import Frame

__all__ = ["Supply"]

GRACE = 0.2
"""Seconds that a producer has, when nobody needs it any longer, to run its generator's cleaning up."""
AT_ONCE: Final = 1 << 16
"""Bytes of frames after which a reading thread lets its Buffer use what has come."""


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
        self._news = threading.Condition()
        self._ending = threading.Lock()
        self._reader: int | None = None
        self._ended = False

    def ask(self, count: int) -> None:
        """Say that `count` items were asked for, so that the producer may go on; doesn't wait."""
        if count > self._asked:
            with self._news:
                self._asked = count
                if not self._ended:
                    self._channel.ask(count)

    def advance(
        self, satisfied: Callable[[], bool], accept: Callable[[Frame | None], None]
    ) -> None:
        """Give what has arrived to `accept`; if nothing has, wait for it, or for another thread's news.

        `accept` gets None if the producer is dead. Nothing is done once `satisfied`.
        """
        me = threading.get_ident()
        try:  # already here: an interrupt could come as soon as we are the reader
            with self._news:
                if satisfied():
                    return
                if self._reader not in {None, me}:
                    self._news.wait()
                    return
                self._reader = me
            self._read(accept)
        finally:
            if self._reader == me:
                self._leave()

    def _leave(self) -> None:
        with self._news:
            self._reader = None
            if self._ended:
                self._release()
            self._news.notify_all()

    def _read(self, accept: Callable[[Frame | None], None]) -> None:
        channel = self._channel
        if channel.first() is None:
            channel.wait()
        size = 0
        while size < AT_ONCE and (frame := channel.first()) is not None:
            size += 1 + len(frame.payload)
            accept(frame)
            channel.release(frame)
        if size == 0 and channel.closed:
            accept(None)

    def end(self) -> int | None:
        """End the producer, and return its exit code; again is harmless."""
        with self._ending:
            if not self._ended:
                self._channel.shut()
                self._child.join(GRACE)
                self._child.end()
                self.exitcode = self._child.exitcode
                self._after_end()
            return self.exitcode

    def _after_end(self) -> None:
        with self._news:
            self._ended = True
            if self._reader is None:
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
