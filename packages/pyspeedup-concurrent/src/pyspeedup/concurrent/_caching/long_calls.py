"""What takes long though its function is cheap: those who compute it tell, and others wait for it then.

Calls of cheap functions are not looked for on the board, for that would cost more than most of them. So who finds,
at a tick, that one of its own takes long, puts its name on a list on the board, and the others mark it, to
be looked for when they need it.
"""

from __future__ import annotations

import pickle
import random
from typing import TYPE_CHECKING, Final

from pyspeedup.concurrent._caching.board import Done
from pyspeedup.concurrent._caching.desk import GIVEN

if TYPE_CHECKING:
    from pyspeedup.concurrent._caching.local import Memory
    from pyspeedup.concurrent._caching.meanings import Meanings
    from pyspeedup.concurrent._caching.office import Board
    from pyspeedup.concurrent._caching.seats import Seat

__all__ = ["LongCalls"]

MOST: Final = 16
"""So many are told of at a time: a deep recursion has many, and all change."""


class LongCalls:
    """The lists of all workers, as one of them writes its own and reads the others'."""

    def __init__(self, board: Board, seat: Seat, meanings: Meanings) -> None:
        """Begin with what there is."""
        self._board = board
        self._seat = seat
        self._meanings = meanings
        self._told: list[bytes] = []
        self._heard: dict[int, bytes] = {}
        self._unknown: list[bytes] = []
        """Of functions that have not come here yet."""
        self._at_news = -1  # others may have told before this worker came

    def tell(self, names: list[bytes]) -> None:
        """Let others know the names of the calls that take long here, the youngest last."""
        if names[-MOST:] == self._told:
            return
        self._told = names[-MOST:]
        self._board.publish(_list_of(self._seat.place), pickle.dumps(self._told), 0.0)
        self._seat.news = self._at_news = random.getrandbits(32)  # to differ from the last

    def hear(self) -> None:
        """Mark what others have told of since this was asked last; costs 0.1 us if they have not."""
        news = self._seat.news
        if news == self._at_news and not self._unknown:
            return
        self._at_news = news
        names, self._unknown = self._unknown, []
        for place in self._seat.other_places:
            found = self._board.look(_list_of(place))
            if isinstance(found, Done) and self._heard.get(place) != found.data:
                self._heard[place] = found.data
                names += pickle.loads(found.data)
        for name in names[-MOST * len(self._seat.other_places) :]:
            self._mark(name)

    def _mark(self, name: bytes) -> None:
        try:
            number, generation, key = pickle.loads(name)
            memory = self._memory_of(number)
            if memory is None:
                self._unknown.append(name)
            elif memory.generation == generation and not (
                key in memory.values or key in memory.late
            ):
                memory.marks[key] = GIVEN
        except Exception:  # noqa: BLE001 -- a class's own code; what cannot arrive is not waited for
            return

    def _memory_of(self, number: int) -> Memory | None:
        return self._meanings[number].memory if number in self._meanings else None


def _list_of(place: int) -> bytes:
    return b"calls that take long at %d" % place
