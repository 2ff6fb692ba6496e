"""What the processes engine and its workers say to each other.

::

    engine -> worker    Begin   compute a call, or a batch of them, on a fresh stack
    worker -> engine    Ready   I listen, for the first time
                        Give    whoever is idle may begin those calls
                        Parked  all that I have begun waits for others; I listen
                        Busy    I found what I waited for, and listen no longer
                        Done    what a call came to

A worker is written to only while it listens. It counts what it has read in memory shared with the
engine, which so knows, once it is dead, whether the last message had reached it; and it says how much it had read, for a
message may be on its way to a worker that has just gone on.
"""

# Annotations are no strings here, nor in other modules that each start of a program makes a NamedTuple of:
# it compiles those, which doubles its cost, and makes the compiler get ready, for 0.8 ms.
import pickle
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from pyspeedup.concurrent._caching.binding import Binding
from pyspeedup.concurrent._caching.tally import Tally
from pyspeedup.concurrent._processes import remote_error, shipping
from pyspeedup.core import Batch

__all__ = [
    "COUNTS",
    "Alive",
    "BatchCall",
    "Begin",
    "Busy",
    "Call",
    "Done",
    "Give",
    "Outcome",
    "Parked",
    "Ready",
    "Shipment",
    "batch_outcome",
    "error_outcome",
    "pack",
    "pack_all",
    "receive",
    "send",
    "value_outcome",
]

COUNTS: Final = 1 << 32
"""The count of messages read begins again here."""
PROTOCOL: Final = 5
MOST_ENTRIES: Final = 16
"""A dict of no more, as named arguments are, is looked through for what is no plain value."""
_PLAIN_TYPES: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})


class Call(NamedTuple):
    """Names a call. Equal bytes are one call; others are taken to be different ones."""

    number: int
    generation: int
    arguments: bytes


class Outcome(NamedTuple):
    """What a call came to: a ``value``, an ``error``, or ``stuck``: a value that cannot travel.

    A ``batch`` is the values up to its first error, and that error boxed, or None; its ``values``
    are read one by one where one of them may be what cannot be read.
    """

    kind: str
    data: bytes
    seconds: float

    def fetch(self) -> Any:
        """Return the value, or raise the error."""
        if self.kind == "value":
            return shipping.loads(self.data)
        if self.kind == "batch":
            values, boxed = shipping.loads(self.data)
            return Batch(values, None if boxed is None else remote_error.unbox(boxed), self.seconds)
        if self.kind == "values":
            return self._fetch_values()
        raise remote_error.unbox(self.data)

    def _fetch_values(self) -> Batch:
        count, data, boxed = pickle.loads(self.data)
        values, failure = shipping.loads_each(data, count)
        if failure is None and boxed is not None:
            failure = remote_error.unbox(boxed)
        return Batch(values, failure, self.seconds)


class Shipment(NamedTuple):
    """A function on its way to a worker, and the identity of the structure that stands for it.

    Without `data` it only says that there is a form of this generation, which cannot travel.
    """

    number: int
    generation: int
    name: str
    kind: Any
    identity: str
    binding: Binding
    data: bytes


class BatchCall(NamedTuple):
    """Names several calls of one function, that are begun and answered as one.

    `arguments` is a list of keys; `serial` keeps two batches of the same calls apart.
    """

    number: int
    generation: int
    arguments: bytes
    serial: int


class Alive(NamedTuple):
    """All functions up to the newest one that anybody can still call."""

    numbers: frozenset[int]
    newest: int

    def has(self, number: int) -> bool:
        """Tell whether a function may be called; those that came later may."""
        return number > self.newest or number in self.numbers


class Begin(NamedTuple):
    """Compute this, of this function where the worker does not know it; say what it came to if it is wanted.

    Before that, drop what is not `alive`, unless that is None, and take in the `news`: functions that were
    told to forget, as they are now.
    """

    call: Call | BatchCall
    wanted: bool
    shipment: Shipment | None
    news: Sequence[Shipment]
    alive: Alive | None


class Ready:
    """I listen."""

    __slots__ = ()


class Give(NamedTuple):
    """Somebody may begin these, one after the other."""

    calls: BatchCall


class Parked(NamedTuple):
    """I wait, and listen. I have read so many messages."""

    read: int


class Busy:
    """I go on."""

    __slots__ = ()


class Done(NamedTuple):
    """This call came to that, None if it was not wanted; `listening` if I have nothing left to go on with.

    It began and ended then, by `time.perf_counter`; `tallies` are by number of function.
    """

    call: Call | BatchCall
    outcome: Outcome | None
    listening: bool
    read: int
    begun: float
    ended: float
    tallies: dict[int, Tally]
    waits: list[tuple[float, float]]


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


def pack_all(values: list[Any], what: str) -> bytes:
    """Return a list of argument tuples as bytes, as `pack` does; costs less for each than by itself."""
    if all(map(_is_plain, values)):
        return pickle.dumps(values, PROTOCOL)
    return shipping.dumps(values, what)


def _is_plain(value: Any, depth: int = 3) -> bool:
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return True
    if kind is dict and len(value) <= MOST_ENTRIES:
        value, kind = (*value, *value.values()), tuple
    if kind is not tuple or not depth:
        return False
    return all(_is_plain(part, depth - 1) for part in value)


def value_outcome(value: Any, name: str, seconds: float) -> Outcome:
    """Return a value as an outcome."""
    try:
        return Outcome("value", pack(value, f"what {name}() returned"), seconds)
    except TypeError as error:
        return Outcome("stuck", remote_error.box(error), seconds)


def batch_outcome(
    values: list[Any], failure: BaseException | None, name: str, seconds: float
) -> Outcome:
    """Return what a batch came to as an outcome; values that cannot travel are its error."""
    boxed = None if failure is None else remote_error.box(failure)
    if all(map(_is_plain, values)):
        return Outcome("batch", pickle.dumps((values, boxed), PROTOCOL), seconds)
    try:
        data = shipping.dumps_each(values, f"what {name}() returned")
        return Outcome("values", pickle.dumps((len(values), data, boxed), PROTOCOL), seconds)
    except TypeError:
        pass
    for place, value in enumerate(values):
        outcome = value_outcome(value, name, seconds)
        if outcome.kind == "stuck":
            before = shipping.dumps_each(values[:place], "values")
            return Outcome("values", pickle.dumps((place, before, outcome.data), PROTOCOL), seconds)
    raise AssertionError("one of the values cannot travel")


def error_outcome(error: BaseException, seconds: float) -> Outcome:
    """Return an error as an outcome."""
    return Outcome("error", remote_error.box(error), seconds)
