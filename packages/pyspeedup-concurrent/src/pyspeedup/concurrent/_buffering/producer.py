"""What runs in the process of a Buffer: the generator, and the accounting of what it may compute.

The main thread runs the generator. A second thread reads requests, so that finished items are
sent as soon as somebody waits for them, however long the next one takes.
"""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pyspeedup.concurrent._buffering import frames
from pyspeedup.concurrent._processes import children, remote_error, shipping

if TYPE_CHECKING:
    import socket

__all__ = ["Inside", "Job", "iterate", "produce"]

PROTOCOL = 5
MOST_ITEMS = 1024
MOST_BYTES = 1 << 16
"""A chunk is sent when it has this many items or bytes, if not sooner."""

REQUESTS_THREAD = f"{children.POOL_PREFIX}-requests"
"""So named, it does not stop the generator from forking: it holds nothing that a child needs."""


class Inside(Protocol):
    """The class of the structure that is produced: `Buffer`."""

    @classmethod
    def _inside(cls, job: Job, produced: list[Any], /) -> None:
        """Make the structure's name mean, in this process, what has been produced so far."""


class Job(NamedTuple):
    """All that a producer needs to know."""

    kind: type[Inside]
    identity: str
    name: str
    generator: bytes
    buffersize: int
    skip: int
    """How many items the consumer has already: they are computed again, and not sent."""
    own: frozenset[str]
    """What this Buffer is known by: its identity, and where it was defined."""
    origins: frozenset[str]
    """What the Buffers are known by that the processes around this one produce."""
    keeps: bool
    """Whether the generator may read what it has produced."""


def produce(channel: socket.socket, job: Job) -> None:
    """Run the generator of `job` for the consumer at the other end of `channel`."""
    outbox = Outbox(channel, job)
    threading.Thread(target=outbox.read_requests, name=REQUESTS_THREAD, daemon=True).start()
    iterator: Iterator[Any] | None = None
    try:
        produced: list[Any] = []
        job.kind._inside(job, produced)  # noqa: SLF001 -- the half of the agreement that is ours to call
        iterator = iterate(shipping.loads(job.generator))
        _run(iterator, outbox, produced if job.keeps else None)
    except BaseException as error:  # noqa: BLE001 -- whatever the generator raises is the consumer's
        outbox.finish(frames.ERROR, remote_error.box(error))
    else:
        outbox.finish(frames.END)
    outbox.wait_until_closed()
    close = getattr(iterator, "close", None)
    if close is not None:
        close()  # a generator that is left half way runs its own cleaning up


def iterate(generator: Any) -> Iterator[Any]:
    """Return an iterator over what a Buffer is made of: an iterable, or what makes one."""
    return iter(generator if isinstance(generator, Iterable) else generator())


def _run(iterator: Iterator[Any], outbox: Outbox, produced: list[Any] | None) -> None:
    while outbox.may_produce():
        try:
            item = next(iterator)
        except StopIteration:
            return
        if produced is not None:
            produced.append(item)
        outbox.put(item)


class Outbox:
    """Items on their way out, and how many there may be."""

    def __init__(self, channel: socket.socket, job: Job) -> None:
        """Allow nothing before the first request."""
        self._channel = channel
        self._job = job
        self._chunk = max(1, min(MOST_ITEMS, job.buffersize // 4))
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._limit = 0
        self._produced = 0
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._wanted: int | None = None
        self._closed = False

    def may_produce(self) -> bool:
        """Wait until one more item is allowed; False when the consumer is gone."""
        if self._produced < self._limit and not self._closed:
            return True  # without the lock: only this thread produces, and the limit only grows
        with self._changed:
            if self._produced >= self._limit:
                _flush_prints()
                self._send()
            while self._produced >= self._limit and not self._closed:
                self._changed.wait()
            return not self._closed

    def put(self, item: Any) -> None:
        """Take the next item, and send the chunk if it is full or somebody waits for this item."""
        if self._produced < self._job.skip:
            with self._lock:
                self._produced += 1
            return
        piece = self._pickled(item)
        with self._lock:
            self._unsent.append(piece)
            self._unsent_bytes += len(piece)
            self._produced += 1
            full = len(self._unsent) >= self._chunk or self._unsent_bytes >= MOST_BYTES
            if full or (self._wanted is not None and self._wanted < self._produced):
                _flush_prints()
                self._send()

    def finish(self, kind: bytes, payload: bytes = b"") -> None:
        """Send what there is, and how the sequence ends."""
        _flush_prints()  # the process will be ended as soon as the consumer has this
        with self._changed:
            self._send()
            self._send_bytes(frames.encode(kind, self._produced, payload))

    def wait_until_closed(self) -> None:
        """Wait until the consumer has no more use for this process."""
        with self._changed:
            while not self._closed:
                self._changed.wait()

    def read_requests(self) -> None:
        """Follow what the consumer asks for, until it closes its end."""
        while request := self._receive():
            kind, index = frames.REQUEST.unpack(request)
            with self._changed:
                self._limit = max(self._limit, index + 1 + self._job.buffersize)
                if kind == frames.WANTED:
                    self._want(index)
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _want(self, index: int) -> None:
        first_unsent = self._produced - len(self._unsent)
        if index >= self._produced:
            self._wanted = index if self._wanted is None else min(self._wanted, index)
        elif index >= first_unsent:
            self._send()

    def _receive(self) -> bytes:
        """Return the next request, b"" when there will be none."""
        request = b""
        while len(request) < frames.REQUEST.size:
            try:
                part = self._channel.recv(frames.REQUEST.size - len(request))
            except ConnectionError:
                return b""
            if not part:
                return b""
            request += part
        return request

    def _pickled(self, item: Any) -> bytes:
        try:
            return pickle.dumps(item, PROTOCOL)
        except Exception:  # noqa: BLE001 -- any class's code may fail here; then it goes by value, or the error says why not
            return shipping.dumps(item, f"item {self._produced} of {self._job.name}")

    def _send(self) -> None:
        if not self._unsent:
            return
        frame = frames.items_frame(self._produced - len(self._unsent), self._unsent)
        self._unsent, self._unsent_bytes = [], 0
        if self._wanted is not None and self._wanted < self._produced:
            self._wanted = None
        self._send_bytes(frame)

    def _send_bytes(self, frame: bytes) -> None:
        try:
            self._channel.sendall(frame)
        except ConnectionError:
            self._closed = True


def _flush_prints() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
