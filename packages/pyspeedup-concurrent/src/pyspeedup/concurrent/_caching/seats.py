"""The seats of an engine's workers: what they share, and how they wake each other.

A word of shared memory says whether somebody is idle. Each seat has a word by which anybody makes
its worker look around, one in which the worker counts the messages that it has read, a pipe by which others wake it
while it waits, and one by which the engine sends it ticks. Who comes to a seat after a death finds all that as it was.
"""

from __future__ import annotations

import contextlib
import os
from multiprocessing import connection, heap
from typing import TYPE_CHECKING, Final, TypeAlias

from pyspeedup.concurrent._caching.board_memory import BoardMemory

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["HUNGER", "Seat", "Seats"]

LINE: Final = 16
"""Words for each seat, and for what belongs to none: a line of the processor's cache."""
HUNGER: Final = 0
_NEWS: Final = 1
_READ, _ATTENTION = 0, 1
"""Where in a seat's line these stand."""
WAKE_BYTES: Final = 4096

_Pipe: TypeAlias = "tuple[Connection, Connection]"
"""What is read from, what is written to."""


class Seat:
    """What a worker is given; it travels with the worker's process."""

    def __init__(self, seats: _Shared, place: int, life: int) -> None:
        """Take a place in what all share."""
        self._seats = seats
        self.place = place
        self.life = life
        self.board_memory = seats.board_memory
        self.wake = seats.wakes[place][0]
        self.tick = seats.ticks[place][0]
        self.is_alone = len(seats.wakes) == 1
        self.shared = memoryview(seats.memory.buffer).cast("I")
        self._line = LINE * (place + 1)
        self.attention = self.shared[self._line + _ATTENTION : self._line + _ATTENTION + 1]

    def __reduce__(self) -> tuple[type[Seat], tuple[_Shared, int, int]]:
        """Arrive in a process that is being started."""
        return Seat, (self._seats, self.place, self.life)

    @property
    def other_places(self) -> list[int]:
        """Where the other workers are."""
        return [place for place in range(len(self._seats.wakes)) if place != self.place]

    @property
    def news(self) -> int:
        """A number that each worker that has something to tell to all changes."""
        return self.shared[_NEWS]

    @news.setter
    def news(self, number: int) -> None:
        self.shared[_NEWS] = number

    def count(self, read: int) -> None:
        """Let the engine know how many messages have been read."""
        self.shared[self._line + _READ] = read

    def clear_wake(self) -> None:
        """Take note of having been woken."""
        with contextlib.suppress(BlockingIOError):  # it was somebody else's
            os.read(self.wake.fileno(), WAKE_BYTES)

    def wake_others(self, places: frozenset[int]) -> None:
        """Wake the workers at `places`, without waiting; the own one is awake."""
        for place in places:
            if place != self.place:
                _send_byte(self._seats.wakes[place][1])


class _Shared:
    """What the engine and all workers share."""

    def __init__(self, memory: heap.Arena, board_memory: BoardMemory, pipes: list[_Pipe]) -> None:
        """Take the first half of the pipes to wake workers by, the other for ticks."""
        self.memory = memory
        self.board_memory = board_memory
        self.wakes = pipes[: len(pipes) // 2]
        self.ticks = pipes[len(pipes) // 2 :]


class Seats:
    """All of it, in the process of the engine."""

    def __init__(self, size: int) -> None:
        """Make `size` seats; `OSError` where the system does not grant what they need."""
        pipes: list[_Pipe] = []
        board_memory = BoardMemory(size)
        try:
            pipes.extend(connection.Pipe(duplex=False) for _ in range(2 * size))
            memory = heap.Arena(4 * LINE * (size + 1))
        except BaseException:
            _close(pipes)
            board_memory.close()
            raise
        self._pipes = pipes
        self._shared = _Shared(memory, board_memory, pipes)
        self._words = memoryview(memory.buffer).cast("I")
        self._size = size
        self._lives = 0
        for reader, writer in pipes:
            os.set_blocking(writer.fileno(), False)
            os.set_blocking(reader.fileno(), reader in self._tick_readers())

    def _tick_readers(self) -> list[Connection]:
        return [reader for reader, _ in self._shared.ticks]

    def take(self, occupied: set[int]) -> Seat:
        """Return a free seat for a new worker."""
        place = min({*range(self._size)} - occupied)
        self._lives += 1
        self._words[LINE * (place + 1) + _READ] = 0
        return Seat(self._shared, place, self._lives)

    def leave(self, seat: Seat) -> None:
        """Free the seat of a worker that is dead, and wake those who may have waited for it."""
        self._shared.board_memory.bury(seat.life)
        for _, writer in self._shared.wakes:
            _send_byte(writer)

    def read_by(self, seat: Seat) -> int:
        """Return how many messages the worker has read."""
        return self._words[LINE * (seat.place + 1) + _READ]

    def tick(self, seat: Seat) -> None:
        """Have a worker look after what takes long."""
        _send_byte(self._shared.ticks[seat.place][1])

    def show_hunger(self, places: list[int]) -> None:
        """Let all know that somebody is idle, and have those at `places` look around."""
        self._words[HUNGER] = 1
        for place in places:
            self._words[LINE * (place + 1) + _ATTENTION] = 1

    def hide_hunger(self) -> None:
        """Let all know that nobody is idle."""
        self._words[HUNGER] = 0

    def close(self) -> None:
        """Let go of it all; workers have it until they end."""
        self._words.release()
        _close(self._pipes)
        self._shared.board_memory.close()


def _send_byte(writer: Connection) -> None:
    with contextlib.suppress(BlockingIOError):  # full of bytes that say the same
        os.write(writer.fileno(), b"!")


def _close(pipes: list[_Pipe]) -> None:
    for reader, writer in pipes:
        reader.close()
        writer.close()
