"""Long bodies in pages of their own, counted while rows that refer to them move."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pyspeedup.memory._list.records import OwnPage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspeedup.memory._list.records import Body
    from pyspeedup.memory._list.rows import Row
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["OwnPages"]


class OwnPages:
    """Bodies that are longer than `longest`. Each is deleted with the last row that has it."""

    def __init__(self, volume: Volume, longest: int) -> None:
        self._volume = volume
        self.longest = longest
        self.shared: Counter[OwnPage] = Counter()
        """In how many pages more than one they are, while rows move."""

    def put_away(self, body: bytes) -> Body:
        """Return `body`, or where it was written if it is long."""
        if len(body) <= self.longest:
            return body
        return OwnPage(self._volume.append(body), len(body))

    def put_away_all(self, bodies: Iterable[bytes]) -> list[Row]:
        """Return what a page is to keep of each of `bodies`; all or none."""
        put: list[Row] = []
        try:
            for body in bodies:
                put.append(self.put_away(body))  # noqa: PERF401 -- those before an error count
        except BaseException:
            self.release(put)
            raise
        return put

    def copies(self, bodies: Iterable[Row]) -> list[Row]:
        """Return copies of `bodies`: shared, one row's change would be the other's. All or none."""
        put: list[Row] = []
        try:
            for body in bodies:
                if isinstance(body, OwnPage):
                    put.append(self.put_away(self.fetch(body)))
                else:
                    put.append(body)
        except BaseException:
            self.release(put)
            raise
        return put

    def fetch(self, body: Body) -> bytes:
        """Return the bytes of a body, wherever they are."""
        if isinstance(body, OwnPage):
            return bytes(self._volume.read(body.page))
        return body

    def share(self, bodies: Iterable[Row]) -> None:
        """Note that rows with these bodies are in one page more."""
        for body in bodies:
            if isinstance(body, OwnPage):
                self.shared[body] += 1

    def release(self, bodies: Iterable[Row]) -> None:
        """Note that rows with these bodies are in one page less; delete what is in none."""
        for body in bodies:
            if not isinstance(body, OwnPage):
                continue
            if self.shared[body] > 0:
                self.shared[body] -= 1
            else:
                self._volume.delete(body.page)
            if not self.shared[body]:
                del self.shared[body]
