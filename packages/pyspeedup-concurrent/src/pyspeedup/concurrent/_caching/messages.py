"""What the processes engine and its workers say to each other.

::

    engine -> worker    Begin   compute a call on a fresh stack
                        Response  what a stack asked for: a value, an error, or "compute it yourself"
    worker -> engine    Ready   I listen, for the first time
                        Give    this stack will want that call; whoever is idle may begin it
                        Ask     this stack needs that call now; I listen
                        Done    what a call came to; if it was the first of its stack, I listen

A worker is written to only while it listens. It counts what it has read in memory shared with the
engine, which so knows, once it is dead, whether the last message had reached it.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyspeedup.concurrent._processes import remote_error, shipping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from pyspeedup.concurrent._caching.dispatcher import Verdict

__all__ = [
    "COUNTS",
    "Ask",
    "Begin",
    "Call",
    "Done",
    "Give",
    "Outcome",
    "Ready",
    "Response",
    "Shipment",
    "error_outcome",
    "pack",
    "receive",
    "send",
    "value_outcome",
]

COUNTS: Final = 1 << 32
"""The count of messages read begins again here."""
PROTOCOL: Final = 5
_PLAIN_TYPES: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})


class Call(NamedTuple):
    """Names a call. Equal bytes are one call; others are taken to be different ones."""

    number: int
    generation: int
    arguments: bytes


class Outcome(NamedTuple):
    """What a call came to: a ``value``, an ``error``, or ``stuck``: a value that cannot travel."""

    kind: str
    data: bytes
    seconds: float

    def fetch(self) -> Any:
        """Return the value, or raise the error."""
        if self.kind == "value":
            return shipping.loads(self.data)
        raise remote_error.unbox(self.data)


class Shipment(NamedTuple):
    """A function on its way to a worker, and the identity of the structure that stands for it."""

    number: int
    generation: int
    name: str
    kind: Any
    identity: str
    is_method: bool
    data: bytes


class Begin(NamedTuple):
    """Compute this call, of this function where the worker does not know it.

    Before that, forget what is of another generation than `generations` has, unless it is None.
    """

    stack: int
    call: Call
    shipment: Shipment | None
    generations: Mapping[int, int] | None


class Response(NamedTuple):
    """Go on: what a stack asked for."""

    stack: int
    verdict: Verdict
    outcome: Outcome | None


class Ready(NamedTuple):
    """I listen."""


class Give(NamedTuple):
    """Somebody may begin this."""

    stack: int
    call: Call


class Ask(NamedTuple):
    """I need this, and listen."""

    stack: int
    call: Call


class Done(NamedTuple):
    """This call came to that."""

    stack: int
    call: Call
    outcome: Outcome


def send(connection: Connection, message: Any) -> None:
    """Send one message; `OSError` if nobody reads at the other end."""
    connection.send_bytes(pickle.dumps(message, PROTOCOL))


def receive(connection: Connection) -> Any:
    """Wait for one message; `EOFError` or `OSError` if the other end is gone."""
    return pickle.loads(connection.recv_bytes())


def pack(value: Any, what: str) -> bytes:
    """Return `value` as bytes; `TypeError`, naming `what`, if it cannot travel.

    Plain values, which are most, take the fast way; what may hold classes of the user's program
    goes by value.

    >>> shipping.loads(pack((1, "a"), "a pair"))
    (1, 'a')
    """
    if _is_plain(value):
        return pickle.dumps(value, PROTOCOL)
    return shipping.dumps(value, what)


def _is_plain(value: Any, depth: int = 3) -> bool:
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return True
    if kind is not tuple or not depth:
        return kind is dict and not value
    return all(_is_plain(part, depth - 1) for part in value)


def value_outcome(value: Any, name: str, seconds: float) -> Outcome:
    """Return a value as an outcome."""
    try:
        return Outcome("value", pack(value, f"what {name}() returned"), seconds)
    except TypeError as error:
        return Outcome("stuck", remote_error.box(error), seconds)


def error_outcome(error: BaseException, seconds: float) -> Outcome:
    """Return an error as an outcome."""
    return Outcome("error", remote_error.box(error), seconds)
