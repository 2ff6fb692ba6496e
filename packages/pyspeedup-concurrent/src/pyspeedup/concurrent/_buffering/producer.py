"""What runs in the process of a Buffer: the generator, and the accounting of what it may compute.

The main thread runs the generator, in *strides* of as many items as it makes in some microseconds,
and sends what a stride has made. A second thread hears when the consumer waits for what is finished
while the generator computes the next item, and sends that.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pyspeedup.concurrent._buffering import items, ring
from pyspeedup.concurrent._processes import children, prints, remote_error, shipping

if TYPE_CHECKING:
    from pyspeedup.concurrent._buffering.channel import ProducerEnd

__all__ = ["Inside", "Job", "iterate", "produce"]

STRIDE: Final = 50e-6
"""Seconds that a stride is to take: long beside what sending costs, short beside a sleep."""
MOST: Final = 4096
"""Items in a stride."""
RETRY: Final = 32
"""Strides after which it is tried again whether items can be kept instead of being pickled one by one."""

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


def _recorded(iterator: Iterator[Any], produced: list[Any]) -> Iterator[Any]:
    """Note each item before the generator goes on, which may read it."""
    for item in iterator:
        produced.append(item)
        yield item


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
        """What this stride has made: `items.kept` things, or else all of them as bodies."""
        self._bodies = False
        self._strides = 0
        self._end = 0
        """A stride ends when so many items are pending."""
        self._sent = 0
        self._large: set[type] = set()
        """Types of which an item was large."""

    def run(self, iterator: Iterator[Any], produced: list[Any] | None) -> None:
        """Send what `iterator` gives, never more than is allowed, until it ends or nobody needs it."""
        if produced is not None:
            iterator = _recorded(iterator, produced)
        self._sent = self._skip(iterator)
        ended = self._sent < self._job.skip
        while not ended and (room := self._room()):
            size = self._end = min(room, self._stride)
            self._channel.hold(back=size > 1)
            if self._strides % RETRY == 0:
                self._bodies = False
            self._strides += 1
            began = perf_counter()
            ended = self._take_bodies(iterator) if self._bodies else self._take(iterator)
            if size == 1:
                self._channel.alert()
            self._send()
            short = perf_counter() - began < STRIDE
            if size == 1 or not short:  # else there will be more before the consumer is awake
                self._channel.alert()
            # One that was long only for being interrupted is not to be forgotten at once.
            self._stride = min(2 * size, self._most) if short else size // 2 or 1

    def _skip(self, iterator: Iterator[Any]) -> int:
        skipped = 0
        for _ in islice(iterator, self._job.skip):
            skipped += 1
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
                prints.flush()
                channel.wait_until_asked(half)
            room = channel.asked() + buffersize - self._sent
        return 0 if channel.closed else room

    def _take(self, iterator: Iterator[Any]) -> bool:
        """Make a stride's items, as long as they can be kept; True if there will be no more."""
        pending = self._pending
        append, atomic, kept = pending.append, items.ATOMIC, items.kept
        for item in iterator:
            if type(item) in atomic:
                append(item)
            elif (as_it_is_now := kept(item)) is not None:
                append(as_it_is_now)
            else:
                self._turn_to_bodies()
                self._put(item)
                return False
            if len(pending) >= self._end:
                return False
        return True

    def _turn_to_bodies(self) -> None:
        with self._sending:
            self._pending[:] = map(items.body, self._pending)
            self._bodies = True

    def _take_bodies(self, iterator: Iterator[Any]) -> bool:
        """Make a stride's items, and pickle each before the generator may change it; True at the end."""
        pending = self._pending
        for item in iterator:
            self._put(item)
            if len(pending) >= self._end:
                return False
        return True

    def _put(self, item: Any) -> None:
        if type(item) in self._large:
            return self._send_alone(item)
        try:
            body = items.body(item)
        except Exception:  # noqa: BLE001 -- any class's code may fail here; the other way tries more, or says why not
            return self._send_alone(item)
        if len(body) >= items.LARGE:
            self._large.add(type(item))
        return self._pending.append(body)

    def _send_alone(self, item: Any) -> None:
        load = items.alone(item, self._by_value)
        with self._sending:
            self._send_pending()
            self._channel.write(self._sent, 1, load)
            self._channel.alert()
            self._sent += 1
            self._end = 0

    def _by_value(self, item: Any) -> bytes:
        position = self._sent + len(self._pending)
        return shipping.dumps(item, f"item {position} of {self._job.name}")

    def _send(self) -> None:
        if self._stride == 1:
            prints.flush()
        with self._sending:
            self._send_pending()

    def _send_pending(self) -> None:
        try:
            self._send_first(len(self._pending))
        except OSError:  # no memory: what fits one by one goes, up to the item that does not
            try:
                while self._send_first(1):
                    continue
            finally:
                self._pending.clear()

    def _send_first(self, count: int, *, wait: bool = True) -> bool:
        """Send up to `count` of what is pending; False if there is nothing, or it cannot be sent."""
        first = self._pending[:count]
        if not first:
            return False
        load = items.run(first) if self._bodies else items.together(first)
        sent = self._channel.write(self._sent, len(first), load, wait=wait)
        if sent:
            del self._pending[: len(first)]
            self._sent += len(first)
        return sent

    def finish(self, kind: int, payload: bytes = b"") -> None:
        """Send what there is, and how the sequence ends."""
        prints.flush()  # the process will be ended as soon as the consumer has this
        with self._sending:
            self._send_pending()
            self._channel.write(self._sent, 0, (kind, [payload], len(payload)))
            self._channel.alert()

    def hear_demands(self) -> None:
        """Send what is finished whenever it is demanded, until nobody needs it."""
        while self._channel.hear():
            self._end = 0
            # If there is no memory, the main thread finds that too, and says it at the item's place.
            with self._sending, contextlib.suppress(OSError):
                self._send_first(len(self._pending), wait=False)
            self._channel.alert()
        self._end = 0
