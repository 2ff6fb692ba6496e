"""What other threads leave for the one that carries messages, and the bell by which they wake it.

Ctrl-C may interrupt whoever leaves something at any point, so the bell is rung by a single call of the
system, and nobody but the one who reads keeps a note of whether it has to be.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from multiprocessing import connection
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

__all__ = ["Inbox"]

Item = TypeVar("Item")
MOST_RINGS: Final = 4096


class Inbox(Generic[Item]):
    """Written to from any thread, and read by one.

    >>> inbox = Inbox()
    >>> inbox.put("a")
    >>> inbox.bell.poll(), [*inbox.take()], inbox.bell.poll()
    (True, ['a'], False)
    >>> inbox.close()
    """

    def __init__(self) -> None:
        """Be empty; `OSError` where there can be no more pipes."""
        self._items: deque[Item] = deque()
        self.bell: Connection
        """Can be read from once something was left."""
        self.bell, self._ringer = connection.Pipe(duplex=False)
        for end in (self.bell, self._ringer):
            os.set_blocking(end.fileno(), False)
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""
        self._ringing = (
            threading.RLock()
        )  # else the pipe may be closed, and its number be another's

    def put(self, item: Item) -> None:
        """Leave something; again after `close`, where only `take` finds it."""
        self._items.append(item)
        self.ring()

    def ring(self) -> None:
        """Wake who reads."""
        # Nobody reads, which `take` still does; or the pipe is full of bytes that say the same.
        with self._ringing, contextlib.suppress(OSError):
            os.write(self._ringer.fileno(), b"!")

    def take(self) -> Iterator[Item]:
        """Yield what has been left so far; for what is left meanwhile, the bell rings again."""
        with contextlib.suppress(OSError):  # it has not been rung, or is no more
            os.read(self.bell.fileno(), MOST_RINGS)
        last = len(self._items)
        while last and self._items:  # whoever is given one may end all, and take the others
            last -= 1
            yield self._items.popleft()

    def close(self) -> None:
        """Let go of the bell."""
        with self._ringing:
            self.bell.close()
            self._ringer.close()
