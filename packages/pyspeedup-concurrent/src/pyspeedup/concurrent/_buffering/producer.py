"""What runs in the process of a Buffer: the generator, and the accounting of what it may compute.

The main thread runs the generator, in *strides* of as many items as it makes in some microseconds,
and sends what a stride has made. A second thread hears when the consumer waits for what is finished
while the generator computes the next item, and sends that.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pyspeedup.concurrent._buffering import items, ring
from pyspeedup.concurrent._processes import children, remote_error, shipping

if TYPE_CHECKING:
    from pyspeedup.concurrent._buffering.channel import ProducerEnd

__all__ = ["Inside", "Job", "iterate", "produce"]

STRIDE: Final = 50e-6
"""Seconds that a stride is to take: long beside what sending costs, short beside a sleep."""
MOST: Final = 4096
"""Items in a stride."""

DEMANDS_THREAD = f"{children.POOL_PREFIX}-demands"
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


def produce(channel: ProducerEnd, job: Job) -> None:
    """Run the generator of `job` for the consumer at the other end of `channel`."""
    channel.open()
    outbox = Outbox(channel, job)
    threading.Thread(target=outbox.hear_demands, name=DEMANDS_THREAD, daemon=True).start()
    iterator: Iterator[Any] | None = None
    try:
        produced: list[Any] = []
        job.kind._inside(job, produced)  # noqa: SLF001 -- the half of the agreement that is ours to call
        if channel.wait_until_asked(1):
            iterator = iterate(shipping.loads(job.generator))
            outbox.run(iterator, produced if job.keeps else None)
    except BaseException as error:  # noqa: BLE001 -- whatever the generator raises is the consumer's
        outbox.finish(ring.ERROR, remote_error.box(error))
    else:
        outbox.finish(ring.END)
    channel.wait_until_asked(ring.NEVER)  # until the consumer has no more use for us
    close = getattr(iterator, "close", None)
    if close is not None:
        close()  # a generator that is left half way runs its own cleaning up


def iterate(generator: Any) -> Iterator[Any]:
    """Return an iterator over what a Buffer is made of: an iterable, or what makes one."""
    return iter(generator if isinstance(generator, Iterable) else generator())


class Outbox:
    """Items on their way out, and how many there may be."""

    def __init__(self, channel: ProducerEnd, job: Job) -> None:
        """Have sent nothing."""
        self._channel = channel
        self._job = job
        self._most = max(1, min(MOST, job.buffersize // 2))
        self._stride = 1
        self._sending = threading.Lock()
        self._pending: list[Any] = []
        """What this stride has made: atoms as they are, anything else as its body."""
        self._end = 0
        """A stride ends when so many items are pending."""
        self._all_atoms = True
        self._sent = 0
        self._large: set[type] = set()
        """Types of which an item was large."""

    def run(self, iterator: Iterator[Any], produced: list[Any] | None) -> None:
        """Send what `iterator` gives, never more than is allowed, until it ends or nobody needs it."""
        self._sent = self._skip(iterator, produced)
        ended = self._sent < self._job.skip
        while not ended and (room := self._room()):
            size = min(room, self._stride)
            began = perf_counter()
            self._begin(size)
            ended = self._take(iterator) if produced is None else self._keep(iterator, produced)
            self._send()
            self._adapt(size, perf_counter() - began)

    def _skip(self, iterator: Iterator[Any], produced: list[Any] | None) -> int:
        skipped = 0
        for item in islice(iterator, self._job.skip):
            skipped += 1
            if produced is not None:
                produced.append(item)
            if self._channel.closed:
                break
        return skipped

    def _room(self) -> int:
        """Return how many more items there may be, waiting for the consumer to ask; 0 if it is gone."""
        channel, buffersize = self._channel, self._job.buffersize
        room = channel.asked() + buffersize - self._sent
        if room < self._stride:
            # Rather not before half of what is allowed is free: small strides and sleeps cost most.
            half = max(1, self._sent - buffersize // 2)
            if room > 0:
                channel.look_for_asked(half)
            else:
                _flush_prints()
                channel.wait_until_asked(half)
            room = channel.asked() + buffersize - self._sent
        return 0 if channel.closed else room

    def _begin(self, size: int) -> None:
        self._all_atoms = True
        self._end = size
        self._channel.hold(back=size > 1)

    def _take(self, iterator: Iterator[Any]) -> bool:
        """Make a stride's items; True if there will be no more."""
        pending = self._pending
        append, put, atomic = pending.append, self._put, items.ATOMIC
        for item in iterator:
            if type(item) in atomic:
                append(item)
            else:
                put(item)
            if len(pending) >= self._end:
                return False
        return True

    def _keep(self, iterator: Iterator[Any], produced: list[Any]) -> bool:
        """Make a stride's items, and keep them before the generator goes on; True at the end."""
        for item in iterator:
            produced.append(item)
            if type(item) in items.ATOMIC:
                self._pending.append(item)
            else:
                self._put(item)
            if len(self._pending) >= self._end:
                return False
        return True

    def _put(self, item: Any) -> None:
        """Serialise an item that may change when the generator goes on."""
        if type(item) not in self._large:
            try:
                body = items.body(item)
            except Exception:  # noqa: BLE001, S110 -- any class's code may fail here; `alone` tries more, or says why not
                pass
            else:
                if len(body) < items.LARGE:
                    self._all_atoms = False
                    self._pending.append(body)
                    return
                self._large.add(type(item))
        self._send_alone(item)

    def _send_alone(self, item: Any) -> None:
        load = items.alone(item, self._by_value)
        with self._sending:
            self._send_pending()
            self._channel.write(self._sent, 1, load)
            self._sent += 1
            self._end = 0

    def _by_value(self, item: Any) -> bytes:
        position = self._sent + len(self._pending)
        return shipping.dumps(item, f"item {position} of {self._job.name}")

    def _adapt(self, size: int, took: float) -> None:
        """Choose the next stride's length by how long this one took, were it only for being interrupted."""
        self._stride = max(1, min(2 * size, self._most) if took < STRIDE else size // 2)

    def _send(self) -> None:
        self._channel.alert()
        if self._stride == 1:
            _flush_prints()
        with self._sending:
            self._send_pending()

    def _send_pending(self, *, wait: bool = True) -> None:
        pending = self._pending[:]
        if pending:
            load = (items.atoms if self._all_atoms else items.run)(pending)
            if self._channel.write(self._sent, len(pending), load, wait=wait):
                del self._pending[: len(pending)]
                self._sent += len(pending)

    def finish(self, kind: int, payload: bytes = b"") -> None:
        """Send what there is, and how the sequence ends."""
        _flush_prints()  # the process will be ended as soon as the consumer has this
        with self._sending:
            self._send_pending()
            self._channel.write(self._sent, 0, (kind, [payload], len(payload)))

    def hear_demands(self) -> None:
        """Send what is finished whenever it is demanded, until nobody needs it."""
        while self._channel.hear():
            self._end = 0
            with self._sending:
                self._send_pending(wait=False)
        self._end = 0


def _flush_prints() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
