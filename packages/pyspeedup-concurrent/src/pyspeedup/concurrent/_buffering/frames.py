"""The messages between a Buffer and its producer, and how the Buffer's end takes them in.

To the Buffer go *frames*: a header and a payload. To the producer go *requests*, nine bytes each.

A frame is applied at most once and never in part, wherever Ctrl-C strikes: bytes go from the
socket into `Inbox` without Python code in between that an interrupt could fall into, a frame
stays there until it has been applied, and it says where its items belong, so that applying it
again changes nothing.
"""

from __future__ import annotations

import pickle
import selectors
import struct
from collections import deque
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import socket

__all__ = [
    "ASKED",
    "END",
    "ERROR",
    "ITEMS",
    "REQUEST",
    "WANTED",
    "Frame",
    "Inbox",
    "decode",
    "encode",
    "items_frame",
]

ITEMS, END, ERROR = b"I", b"E", b"X"
"""To the Buffer: values; the generator returned; it raised (the payload is the boxed exception)."""

ASKED, WANTED = b"A", b"W"
"""To the producer: an index was asked for; it was, and somebody waits for it."""

REQUEST = struct.Struct("<cQ")
HEADER = struct.Struct("<cQIQ")
RECEIVE_BYTES = 1 << 16


class Frame(NamedTuple):
    """One message to the Buffer: what it is, where it begins, how many items, and what it carries."""

    kind: bytes
    start: int
    items: int
    payload: bytes


def encode(kind: bytes, index: int, payload: bytes = b"", count: int = 0) -> bytes:
    """Return a frame as it travels."""
    return HEADER.pack(kind, index, count, len(payload)) + payload


def items_frame(index: int, pieces: list[bytes]) -> bytes:
    """Return the frame of the items from `index` on, each of which `pieces` holds pickled."""
    lengths = struct.pack(f"<{len(pieces)}Q", *map(len, pieces))
    size = len(lengths) + sum(map(len, pieces))
    return b"".join((HEADER.pack(ITEMS, index, len(pieces), size), lengths, *pieces))


def decode(frame: Frame, skip: int) -> tuple[list[Any], Exception | None]:
    """Return the items of `frame` after the first `skip`, and what stopped it if one can't be read."""
    lengths = struct.unpack_from(f"<{frame.items}Q", frame.payload)
    start = 8 * frame.items + sum(lengths[:skip])
    values: list[Any] = []
    view = memoryview(frame.payload)
    for length in lengths[skip:]:
        try:
            values.append(pickle.loads(view[start : start + length]))
        except Exception as error:  # noqa: BLE001 -- a class's own code runs; it is raised at the item's place
            return values, error
        start += length
    return values, None


class Inbox:
    """The Buffer's end of the socket: takes bytes in, hands whole frames out."""

    def __init__(self, channel: socket.socket, sentinel: int) -> None:
        """Read from `channel`, until it is closed or `sentinel` says that the producer is dead."""
        channel.setblocking(False)
        self._channel = channel
        self._sentinel = sentinel
        self._bytes = bytearray()
        self.closed = False

    def first(self) -> Frame | None:
        """Return the frame that is to be applied next, and leave it in; None if none is whole."""
        if len(self._bytes) < HEADER.size:
            return None
        kind, index, count, size = HEADER.unpack_from(self._bytes)
        if len(self._bytes) < HEADER.size + size:
            return None
        with memoryview(self._bytes) as view:
            return Frame(kind, index, count, bytes(view[HEADER.size : HEADER.size + size]))

    def drop(self, frame: Frame) -> None:
        """Take the first frame out, now that it has been applied."""
        del self._bytes[: HEADER.size + len(frame.payload)]

    def take(self) -> bool:
        """Take in what has arrived, without waiting; False if nothing has, not even the end."""
        before = len(self._bytes)
        arriving = map(self._channel.recv, (RECEIVE_BYTES,))
        try:
            # One call of C code: had recv returned to Python, an interrupt could lose the bytes.
            deque(map(self._bytes.extend, arriving), maxlen=0)
        except BlockingIOError:
            return False
        except ConnectionError:  # the producer was killed with requests unread
            self.closed = True
        else:
            self.closed = self.closed or len(self._bytes) == before
        return True

    def wait(self) -> None:
        """Wait until something arrives or the producer ends, and take it in."""
        ready = connection.wait([self._channel, self._sentinel])
        if not self.take() and self._sentinel in ready:
            self.closed = True  # whoever holds the other end still, it isn't the producer

    def send(self, kind: bytes, index: int) -> None:
        """Send a request; a producer that is gone is found out by reading."""
        request = REQUEST.pack(kind, index)
        while request and not self.closed:
            try:
                request = request[self._channel.send(request) :]
            except BlockingIOError:
                self._wait_until_writable()
            except ConnectionError:
                return

    def _wait_until_writable(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_WRITE)
            selector.select()
