"""Rows of pages that are not in RAM: read alone, and set by letting their values wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._list.images import Images
from pyspeedup.memory._list.plain import is_late
from pyspeedup.memory._list.records import (
    INVERTED,
    SPREAD,
    OwnPage,
    Records,
    peek_bodies,
    peek_body,
    seed_of,
)
from pyspeedup.memory._list.rows import ABSENT
from pyspeedup.memory._list.waiting import Encoded, Waiting
from pyspeedup.memory._pages.changes import UNCHANGING, may_change, may_change_any

if TYPE_CHECKING:
    from pyspeedup.memory._list.own_pages import OwnPages
    from pyspeedup.memory._pages.bodies import Codec
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["ColdRows"]

IN_A_ROW = 16
"""For how many an access counts that comes right after one to the same page."""
REMEMBERED = 4096
"""Of how many pages it is known how often they were asked for since a page was loaded."""


class ColdRows:
    """What is done to rows without bringing their page into RAM.

    At most `most` values of about `limit` bytes wait for being written, and of pages that are asked
    for again three quarters of as many bytes are kept: what a list of 200,000 numbers fills, so that
    longer ones take no more RAM.
    """

    def __init__(
        self, volume: Volume, codec: Codec, own: OwnPages, *, most: int, limit: int
    ) -> None:
        self._volume = volume
        self._codec = codec
        self._encodes_late = codec.concatenates
        self._peek = volume.peek
        self._seed = volume.seed
        self._own = own
        self.waiting = Waiting(most, limit)
        self._images = Images(self.records, limit * 3 // 4)
        self.images = self._images.pages
        """Rows of pages that are kept undecoded, none of which is resident; to be read only."""
        self._accesses: dict[int, int] = {}
        self.last = -1
        """The page that was asked for last, while none was resident that was."""
        self.wanted = 0
        """From how many accesses on a page is wanted in RAM; whoever brings it there says so."""

    def seed(self, number: int) -> int:
        """Return what the checks of a page's rows begin with."""
        return seed_of(self._seed, number)

    # Reading

    def value(self, number: int, rows: int, row: int) -> Any:
        """Return the value of a row; or `ABSENT` if the page should be in RAM.

        That is where it is often asked for, or the value could change, and so has to be watched.
        """
        records = self.images.get(number)
        if records is None or number == self.last:
            count = self._accesses.get(number, 0)
            if self._is_wanted(number):
                return ABSENT
            if records is None and count:  # asked for before
                records = self._images.admit(number)
        self.last = number
        if number in self.waiting.pages:
            value = self.waiting.get(number, row, self._codec)
            if value is not ABSENT:
                return value
        if records is None:
            seed = (self._seed + number * SPREAD) & INVERTED  # as `seed`, without two calls
            try:
                body = peek_body(self._peek, number, rows, row, seed)
            except ValueError as error:
                raise self._damaged(number, error) from error
        else:
            body = records.body(row)
        if type(body) is OwnPage:
            body = self._own.fetch(body)
        value = self._codec.decode(body)  # type: ignore[arg-type]  # bytes now
        return ABSENT if type(value) not in UNCHANGING and may_change(value) else value

    def _is_wanted(self, number: int) -> bool:
        """Count an access to a page; return whether it had so many that it should be in RAM."""
        count = self._accesses.get(number, 0) + (IN_A_ROW if number == self.last else 1)
        if count == 1 and len(self._accesses) > REMEMBERED:
            self._accesses.clear()
        self._accesses[number] = count
        self.last = number
        return count >= self.wanted

    def values(self, number: int, rows: int, places: range, limit: int) -> list[Any] | None:
        """Return the values of several rows, as far as their bodies have at most `limit` bytes.

        None if one of them could change, and so has to be watched, or if bodies wait.
        """
        if number in self.waiting.pages:
            return None
        records = self.images.get(number)
        if records is None and len(places) < rows // 4:
            count = self._accesses.get(number, 0)
            self._is_wanted(number)
            records = self._images.admit(number) if count else None
            if records is None:
                values = self._peeked(number, rows, places, limit)
                return None if may_change_any(values) else values
        records = records or self.records(number)
        stop = min(places.stop, records.reach(places.start, limit))
        values = records.decoded(places.start, stop, self._codec, self._own.fetch)
        return None if may_change_any(values) else values

    def _peeked(self, number: int, rows: int, places: range, limit: int) -> list[Any]:
        seed = self.seed(number)
        try:
            bodies = peek_bodies(self._volume.peek, number, rows, places, seed)
        except ValueError as error:
            raise self._damaged(number, error) from error
        kept: list[bytes] = []
        for body in bodies:
            limit -= body.length if type(body) is OwnPage else len(body)
            if limit < 0 and kept:
                break
            kept.append(self._own.fetch(body))
        return self._codec.decode_many(kept)

    def records(self, number: int) -> Records:
        """Return the rows of a page as they were written last, all of it checked."""
        try:
            return Records(bytes(self._volume.read(number)))
        except ValueError as error:
            raise self._damaged(number, error) from error

    def _damaged(self, number: int, error: ValueError) -> StoreCorruptedError:
        return StoreCorruptedError(f"{self._volume.name}, page {number}: {error}")

    # Setting

    def set(self, number: int, row: int, value: Any) -> bool:
        """Let `value` wait; false, and nothing done, if the page should be in RAM.

        That is where it is often asked for, or the value could change or is long.
        """
        if (number == self.last or number not in self.images) and self._is_wanted(number):
            return False
        self.last = number
        waiting = self.waiting
        if not (self._encodes_late and is_late(value)):
            if type(value) not in UNCHANGING and may_change(value):
                return False
            body = self._codec.encode(value)
            if len(body) > self._own.longest:
                return False
            value = Encoded(body)
        while waiting.room <= 0:
            self.write(waiting.first())
        waiting.put(number, row, value)
        return True

    def write(self, number: int) -> None:
        """Put what waits for a page into it."""
        records, replaced = self._patched(number)
        is_kept = self._images.forget(number) is not None
        self._volume.write(number, records.image)
        self.waiting.take(number)
        self._own.release(replaced)
        if is_kept:
            self._images.put(number, records)

    def write_all(self) -> None:
        """Put all that waits into its pages."""
        while self.waiting:
            self.write(self.waiting.first())

    def load(self, number: int) -> tuple[Records, list[OwnPage]]:
        """Return the rows of a page with what waits for it, and what is replaced in pages of its own.

        It waits still: whoever makes the page resident takes it in the same step.
        """
        self._accesses.clear()  # so that only what is asked for more than others is loaded next
        return self._patched(number)

    def _patched(self, number: int) -> tuple[Records, list[OwnPage]]:
        """Return the rows of a page with what waits for it, and what is replaced in pages of its own."""
        records = self.images.get(number) or self.records(number)
        changes = self.waiting.bodies(number)
        if not changes:
            return records, []
        replaced = records.own_pages_of(changes)
        return Records(records.patched(changes, self.seed(number))), replaced

    def forget(self, number: int) -> bool:
        """Forget what is kept of a page and what waits for it; return whether anything did."""
        self._images.forget(number)
        return bool(self.waiting.take(number))

    def forget_image(self, number: int) -> None:
        """Forget what is kept of a page, which is about to be written."""
        self._images.forget(number)

    def clear(self) -> None:
        """Forget all."""
        self.waiting.clear()
        self._images.clear()
        self._accesses.clear()
