"""A worker process as its engine sees it: what was sent to it, what it has heard, and what it knows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching import messages
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from pyspeedup.concurrent._caching.messages import Call, Shipment
    from pyspeedup.concurrent._processes import children

__all__ = ["Hand"]


@dataclass(eq=False, slots=True)
class Hand:
    """A worker; `shared[place]` is where it counts the messages that it has read."""

    child: children.Child
    connection: Connection
    shared: Any
    place: int
    ready: bool = False
    _sent: int = 0
    _known: dict[int, int] = field(default_factory=dict)
    """The generation in which it knows each function."""
    _told: Mapping[int, int] | None = None
    """The generations that it has been told of last."""

    def begin(
        self, stack: int, call: Call, shipment: Shipment | None, generations: Mapping[int, int]
    ) -> None:
        """Have it compute `call`; `shipment` and `generations` go along only where it lacks them."""
        if self._known.get(call.number) == call.generation:
            shipment = None
        self._known[call.number] = call.generation
        news = None if self._told is generations else generations
        is_current = generations.get(call.number, 0) == call.generation
        self._told = generations if is_current else None  # else: what it leaves is to be forgotten
        self.send(messages.Begin(stack, call, shipment, news))

    def send(self, message: Any) -> None:
        """Send what it is to read next."""
        self._sent = (self._sent + 1) % messages.COUNTS
        with contextlib.suppress(OSError):  # it has died meanwhile, which is seen by its sentinel
            messages.send(self.connection, message)

    def has_heard(self) -> bool:
        """Tell whether it has read, or had when it died, all that was sent to it."""
        return bool(self.shared[self.place] == self._sent)

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
