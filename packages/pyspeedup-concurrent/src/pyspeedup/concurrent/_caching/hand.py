"""A worker process as its engine sees it: what was sent to it, what it has heard, and what it knows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspeedup.concurrent._caching import messages
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from pyspeedup.concurrent._caching.messages import BatchCall, Call, Shipment
    from pyspeedup.concurrent._caching.seats import Seat
    from pyspeedup.concurrent._processes import children

__all__ = ["Hand"]


@dataclass(eq=False, slots=True)
class Hand:
    """A worker, and the seat that it has."""

    child: children.Child
    connection: Connection
    seat: Seat
    ready: bool = False
    _sent: int = 0
    _known: dict[int, int] = field(default_factory=dict)
    """The generation in which it knows each function."""
    _told: Mapping[int, int] | None = None
    """The generations that it has been told of last."""

    def begin(
        self,
        call: Call | BatchCall,
        shipment: Shipment | None,
        generations: Mapping[int, int],
        *,
        wanted: bool,
    ) -> None:
        """Have it compute `call`; `shipment` and `generations` go along only where it lacks them."""
        if self._known.get(call.number) == call.generation:
            shipment = None
        self._known[call.number] = call.generation
        news = None if self._told is generations else generations
        is_current = generations.get(call.number, 0) == call.generation
        self._told = generations if is_current else None  # else: what it leaves is to be forgotten
        self._sent = (self._sent + 1) % messages.COUNTS
        with contextlib.suppress(OSError):  # it has died meanwhile, which is seen by its sentinel
            messages.send(self.connection, messages.Begin(call, wanted, shipment, news))

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
