"""The two ends of a Buffer's channel: frames one way, demands the other, and how each end waits.

Both ends read and write words in shared memory, and ring for the other only if that has said that it
waits: no system call is made while neither does. Who waits looks for some microseconds first (if
there is a core to spare, and as long as looking pays), since going to sleep costs more; then it says so,
looks again, and sleeps on a socket, to which the other end writes a byte.

The *demands* socket is apart: a thread beside the generator sleeps on it, so that the consumer is
heard while the generator computes.
"""

from __future__ import annotations

import contextlib
import socket
from itertools import repeat
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent import _platform
from pyspeedup.concurrent._buffering import ring
from pyspeedup.concurrent._buffering.ring import Reader, Writer, fence
from pyspeedup.concurrent._caching.board_region import Region

if TYPE_CHECKING:
    from pyspeedup.concurrent._buffering.items import Load
    from pyspeedup.concurrent._buffering.ring import Accept

__all__ = ["ConsumerEnd", "ProducerEnd", "connect"]

BYTES_UNDER_WAY: Final = 256 << 20
"""Shared memory at most; only what is used is taken."""
LOOKS: Final = 3000
"""How often to look before sleeping: about 0.1 ms, in which who sleeps is woken and answers."""
BRIEFLY: Final = 300
"""How often to look when the bell has rung."""
HEARD: Final = 0.001
"""Seconds after which a consumer that waits asks for what may be held back."""
NET: Final = 0.1
"""Seconds after which a consumer that waits still rings again: the net under a lost byte."""

AT_ONCE: Final = 1 << 16
"""Bytes after which the Buffer shall use what has come."""

BELL = b"\0"
DRAIN: Final = 4096


def connect() -> tuple[ConsumerEnd, ProducerEnd]:
    """Return both ends of a new channel, the second to be given to a process of its own.

    `OSError` if there is no memory or no descriptor for it.
    """
    with contextlib.ExitStack() as undo:
        shared = Region(ring.WORDS + BYTES_UNDER_WAY)
        undo.callback(shared.close)
        ring.prepare(shared)
        bell, theirs = socket.socketpair()
        undo.callback(bell.close)
        undo.callback(theirs.close)
        demands, their_demands = socket.socketpair()
        undo.pop_all()
    return ConsumerEnd(shared, bell, demands), ProducerEnd(shared, theirs, their_demands)


class _Patience:
    """Looks for a while before its owner sleeps, as long as that sufficed lately."""

    MOST, PAUSE = 8, 64

    def __init__(self) -> None:
        self._credit = 4 if _platform.available_cores() > 1 else -1 << 62

    def finds(self, words: memoryview, word: int, enough: int) -> bool:
        """Tell whether a word reaches `enough` before it is better to sleep."""
        if self._credit <= 0:
            self._credit += 1
            return bool(words[word] >= enough)
        if _finds(words, word, enough, LOOKS):
            self._credit = self.MOST
            return True
        self._credit = self._credit - 1 or -self.PAUSE
        return False


class ConsumerEnd:
    """The Buffer's end. `ask` and `demand` for any thread; the rest for one at a time."""

    def __init__(self, shared: Region, bell: socket.socket, demands: socket.socket) -> None:
        """Take this end; `watch` comes before the first `wait`."""
        bell.settimeout(NET)
        demands.setblocking(False)
        self._shared, self._bell, self._demands = shared, bell, demands
        self._reader = Reader(shared)
        self._patience = _Patience()
        self.closed = False
        """Whether no more frames will come: the producer is dead, or nobody needs it."""

    def watch(self, sentinel: int) -> None:
        """Believe `sentinel` that the producer is dead, whoever holds its end of the sockets still."""
        self._sentinel = sentinel

    def ask(self, count: int) -> None:
        """Let there be `count` items, and those that may run ahead of them; `urge` wakes who sleeps."""
        self._reader.words[ring.ASKED] = count

    def urge(self) -> None:
        """Wake the producer if it sleeps, and may go on."""
        words = self._reader.words
        if words[ring.RING_AT_ASKED] <= words[ring.ASKED]:
            self._ring_for(ring.RING_AT_ASKED)
        if words[ring.RING_AT_RELEASED] <= words[ring.RELEASED]:
            self._ring_for(ring.RING_AT_RELEASED)

    def read(self, accept: Accept) -> int:
        """Give frames that have come to `accept`, some KiB of them or one; 0 if there is none."""
        size = self._reader.read(accept, AT_ONCE)
        if self._reader.words[ring.RING_AT_RELEASED] <= self._reader.released:
            self._ring_for(ring.RING_AT_RELEASED)
        return size

    def _ring_for(self, waits: int) -> None:
        self._reader.words[waits] = ring.NEVER
        _ring(self._bell)

    def wait(self) -> None:
        """Wait until there is a frame, or none will come: then this end is closed."""
        words, enough = self._reader.words, self._reader.released + 1
        self.urge()
        if self._patience.finds(words, ring.WRITTEN, enough):
            return
        soon = bool(words[ring.HOLDS])
        while not self.closed:
            words[ring.WAITS] = 1
            fence()
            if words[ring.WRITTEN] >= enough:
                break
            self.urge()  # for before the fence the producer's word may have been missed
            self._sleep(HEARD if soon else NET)
            if _finds(words, ring.WRITTEN, enough, BRIEFLY):  # it may be about to be written
                break
            soon = False
        words[ring.WAITS] = 0

    def _sleep(self, seconds: float) -> None:
        bell = self._bell
        if bell.gettimeout() != seconds:
            bell.settimeout(seconds)
        try:
            self.closed = not bell.recv(DRAIN)
        except TimeoutError:
            self._rouse()
        except ConnectionError:  # the producer was killed with bytes unread
            self.closed = True

    def _rouse(self) -> None:
        if connection.wait([self._sentinel], 0):
            self.closed = True
        self.demand()
        _ring(self._bell)

    def demand(self) -> None:
        """Have everything that is finished sent, even while the generator computes."""
        _ring(self._demands)

    def shut(self) -> None:
        """Tell the producer, and a thread of ours that waits, that nothing more is needed."""
        self.closed = True
        for each in (self._bell, self._demands):
            with contextlib.suppress(OSError):  # the other end may be gone already
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of sockets and memory; nobody may be waiting."""
        self._bell.close()
        self._demands.close()
        self._reader.close()
        self._shared.close()


class ProducerEnd:
    """The generator's end, made in one process and opened in another."""

    def __init__(self, shared: Region, bell: socket.socket, demands: socket.socket) -> None:
        """Take this end."""
        self._shared, self._bell, self._demands = shared, bell, demands
        self.closed = False
        """Whether the consumer needs no more."""

    def __getstate__(self) -> tuple[Any, ...]:
        """Travel to a process that is being started."""
        return self._shared, self._bell, self._demands

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Arrive there."""
        ProducerEnd.__init__(self, *state)

    def let_go(self) -> None:
        """Close what the other process has copies of: the memory is the consumer's end's to close."""
        self._bell.close()
        self._demands.close()

    def open(self) -> None:
        """Begin to use it, in the process that it is for."""
        self._writer = Writer(self._shared)
        self._words = self._writer.words
        self._patience = _Patience()

    def asked(self) -> int:
        """Return how many items were asked for."""
        return int(self._words[ring.ASKED])

    def wait_until_asked(self, count: int) -> bool:
        """Wait until `count` items were asked for; False if that will never be."""
        return self._wait(ring.ASKED, ring.RING_AT_ASKED, count)

    def look_for_asked(self, count: int) -> None:
        """Look for a moment, if that paid lately, whether `count` items are asked for."""
        self.alert()
        self._patience.finds(self._words, ring.ASKED, count)

    def hold(self, *, back: bool) -> None:
        """Say whether finished items may be held back, so that they must be demanded."""
        self._words[ring.HOLDS] = back

    def write(self, start: int, count: int, load: Load, *, wait: bool = True) -> bool:
        """Send a frame, of which `alert` tells the consumer. False if it cannot be: there is no room, unless it may `wait`, or nobody needs it.

        `OSError` if there is no memory for it, though nothing is under way.
        """
        kind, parts, size = load
        if size > self._writer.largest:
            return wait and self._write_in_parts(start, count, load)
        while not self._writer.write(kind, start, count, parts, size):
            enough = self._writer.room_after
            if not (wait and self._wait(ring.RELEASED, ring.RING_AT_RELEASED, enough)):
                return False
        return not self.closed

    def alert(self) -> None:
        """Wake the consumer if it sleeps; to be called before any wait, and soon after a frame was written.

        Just before that, too, if it sleeps for long: it takes longer to wake up than a frame to be written.
        """
        fence()
        if self._words[ring.WAITS]:
            self._words[ring.WAITS] = 0
            _ring(self._bell)

    def _write_in_parts(self, start: int, count: int, load: Load) -> bool:
        kind, parts, size = load
        header = bytearray(ring.LINE)
        ring.HEADER.pack_into(header, 0, kind, start, count, size)
        whole = memoryview(b"".join((header, *parts)))
        most = self._writer.largest
        pieces = ((at, whole[at : at + most]) for at in range(0, len(whole), most))
        return all(
            self.write(at, len(whole), (ring.PART, [piece], len(piece))) for at, piece in pieces
        )

    def _wait(self, word: int, ring_at: int, enough: int) -> bool:
        words = self._words
        self.alert()
        if self._patience.finds(words, word, enough):
            return True
        while not self.closed:
            words[ring_at] = enough
            fence()
            if words[word] >= enough:
                break
            self.closed = not _received(self._bell)
        words[ring_at] = ring.NEVER
        return not self.closed

    def hear(self) -> bool:
        """Wait until finished items are demanded; False once nobody needs them."""
        if not _received(self._demands):
            self.closed = True
        return not self.closed


def _finds(words: memoryview, word: int, enough: int, looks: int) -> bool:
    for _ in repeat(None, looks):  # noqa: SIM110 -- a generator would look half as often
        if words[word] >= enough:
            return True
    return False


def _ring(bell: socket.socket) -> None:
    # A bell that is full rings already; one that is broken is found out by whoever reads.
    with contextlib.suppress(BlockingIOError, TimeoutError, ConnectionError):
        bell.send(BELL)


def _received(bell: socket.socket) -> bytes:
    try:
        return bell.recv(DRAIN)
    except ConnectionError:
        return b""
