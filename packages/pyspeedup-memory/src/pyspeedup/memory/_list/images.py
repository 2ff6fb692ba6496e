"""Pages of a list as they are on disk, kept in RAM undecoded: an item of one costs no peek."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.memory._list.records import Records

__all__ = ["Images"]

ROW_OVERHEAD = 12


class Images:
    """Rows of pages, of about `limit` bytes together. What is there stays until it is forgotten.

    So no access pays for another's page to come and go where all are asked for alike.
    """

    def __init__(self, read: Callable[[int], Records], limit: int) -> None:
        """Get pages by `read`, whose exceptions reach whoever asks."""
        self.pages: dict[int, Records] = {}
        """Rows by page number; to be read only."""
        self._read = read
        self._limit = self._room = limit

    def admit(self, number: int) -> Records | None:
        """Return the rows of a page, and keep them; None, and nothing read, where there is no room."""
        if self._room <= 0:
            return None
        records = self._read(number)
        weight = _weight(records)
        if weight > self._limit // 8:
            return None
        self._room -= weight
        self.pages[number] = records
        return records

    def put(self, number: int, records: Records) -> None:
        """Keep the rows of a page that were kept until they changed."""
        self._room -= _weight(records)
        self.pages[number] = records

    def forget(self, number: int) -> Records | None:
        """Return what is kept of a page, and do not keep it: it is changed, or live from now on."""
        records = self.pages.pop(number, None)
        if records is not None:
            self._room += _weight(records)
        return records

    def clear(self) -> None:
        """Forget all."""
        self.pages.clear()
        self._room = self._limit


def _weight(records: Records) -> int:
    return records.size + ROW_OVERHEAD * len(records)
