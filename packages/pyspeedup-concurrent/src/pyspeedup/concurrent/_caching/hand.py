"""A worker process as its engine sees it: what was sent to it, what it has heard, and what it knows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching import messages
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from pyspeedup.concurrent._caching.messages import Alive, BatchCall, Call, Shipment
    from pyspeedup.concurrent._caching.seats import Seat
    from pyspeedup.concurrent._processes import children

__all__ = ["Hand", "Luggage", "Tidings"]

LIGHT: Final = 1 << 15
"""Bytes that fit into a pipe, whoever reads at its other end."""
BYTES_OF_A_NUMBER: Final = 5


class Tidings:
    """What every worker is to be told of: the functions that were told to forget, as they are now, and who lives.

    Never changed, but replaced.
    """

    __slots__ = ("alive", "renewed")

    def __init__(self, renewed: Mapping[int, Shipment], alive: Alive) -> None:
        """Hold both."""
        self.renewed = renewed
        self.alive = alive


class Hand:
    """A worker, and the seat that it has."""

    __slots__ = ("_alive", "_known", "_sent", "_told", "child", "connection", "ready", "seat")

    def __init__(self, child: children.Child, connection: Connection, seat: Seat) -> None:
        """Take charge of a worker that has been started, and is not ready yet."""
        self.child = child
        self.connection = connection
        self.seat = seat
        self.ready = False
        self._sent = 0
        self._known: dict[int, int] = {}
        """The generation in which it has been sent each function."""
        self._told: Mapping[int, Shipment] = {}
        """The functions that were told to forget, as it has been told of them last."""
        self._alive: Alive | None = None
        """Those that were alive when it was told of that last; None if it knows none at all."""

    def begin(
        self,
        call: Call | BatchCall,
        shipment: Shipment | None,
        tidings: Tidings,
        *,
        wanted: bool,
    ) -> None:
        """Have it compute `call`; `shipment` and `tidings` go along only where it lacks them."""
        news = self._news_of(tidings)
        self._told = tidings.renewed
        alive = self._news_of_the_living(tidings)
        self._alive = tidings.alive
        if alive is not None:
            self._known = {number: g for number, g in self._known.items() if alive.has(number)}
        for each in news:
            if each.data:
                self._known[each.number] = each.generation
        if self._known.get(call.number, -1) >= call.generation:
            shipment = None
        if shipment is not None:
            self._known[call.number] = shipment.generation
        self._sent = (self._sent + 1) % messages.COUNTS
        with contextlib.suppress(OSError):  # it has died meanwhile, which is seen by its sentinel
            messages.send(self.connection, messages.Begin(call, wanted, shipment, news, alive))

    def _news_of(self, tidings: Tidings) -> list[Shipment]:
        if tidings.renewed is self._told:
            return []
        news = tidings.renewed.items()
        return [each for number, each in news if self._told.get(number) is not each]

    def _news_of_the_living(self, tidings: Tidings) -> Alive | None:
        return None if self._alive is None or self._alive is tidings.alive else tidings.alive

    def weight_of(self, tidings: Tidings) -> int:
        """Return how many bytes go along for the tidings, nearly."""
        alive = self._news_of_the_living(tidings)
        numbers = 0 if alive is None else BYTES_OF_A_NUMBER * len(alive.numbers)
        return numbers + sum(len(each.data) for each in self._news_of(tidings))

    def has_heard(self, read: int) -> bool:
        """Tell whether one that has read so many messages has read all that was sent to it."""
        return read == self._sent

    def dismiss(self) -> None:
        """End it, if it has not ended."""
        self.child.end()
        self.connection.close()

    def obituary(self) -> WorkerError:
        """Return how it ended, as an error for those who wait."""
        pid, exitcode = self.child.pid, self.child.exitcode
        how = f"signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"code {exitcode}"
        return WorkerError(
            f"worker {pid} ended by {how} before it had answered", pid=pid, exitcode=exitcode
        )


class Luggage:
    """What goes along with the next call beside it.

    As of the last `look`, so that nothing changes between the question who can be sent it and the sending.
    """

    def __init__(self, hands: list[Hand], find: Callable[[], Tidings]) -> None:
        """Look for the first time; `find` returns what there is to tell of."""
        self._hands = hands
        self._find = find
        self.tidings = find()

    def look(self) -> None:
        """Take up what has happened meanwhile."""
        self.tidings = self._find()

    def is_light(self, task: Any) -> bool:
        """Tell whether a call and all that goes along fit into a pipe unread, whoever is sent them."""
        shipped = 0 if task.shipment is None else len(task.shipment.data)
        news = max((hand.weight_of(self.tidings) for hand in self._hands), default=0)
        return len(task.call.arguments) + shipped + news < LIGHT
