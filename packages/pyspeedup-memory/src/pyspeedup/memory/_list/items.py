"""The items of a live list one by one: got, set, and put in or taken out, and what waits for a page.

A change of one item touches its page. What is appended may wait, as it is, for a page of it.
"""

from __future__ import annotations

import math
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._content import Content
from pyspeedup.memory._list.ordered_pages import OrderedPages
from pyspeedup.memory._list.page_table import PageTable
from pyspeedup.memory._list.pager import Pager
from pyspeedup.memory._list.plain import LARGEST_LATE, is_late
from pyspeedup.memory._list.rows import ABSENT
from pyspeedup.memory._list.walking import Walks
from pyspeedup.memory._pages.bodies import value_codec
from pyspeedup.memory._pages.changes import UNCHANGING, may_change

if TYPE_CHECKING:
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["ListItems"]

CHUNK_BYTES = 1 << 18
"""How many bytes of bodies are decoded in one go."""
MOST_INCOMING = 1024
FEWEST_INCOMING = 256
"""How many values are put into a page at once, where they are appended one by one: a page of them."""
NEVER = -math.inf
IS_ATOMIC = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether other threads run behind calls and loops only, not between any two instructions."""


class ListItems(Content):
    """Items by index. Where nothing else is said, indexes are in range here, and never negative."""

    kind = "list"

    def __init__(
        self, volume: Volume, *, max_pages: int, ram_limit: int, sync_every: float
    ) -> None:
        super().__init__(volume, max_pages=max_pages, ram_limit=ram_limit, sync_every=sync_every)
        codec = value_codec(volume.serializer)
        self.pager = Pager(volume, codec, max_pages, ram_limit, self._describe)
        self.walks = Walks()
        self.incoming: list[Any] = []
        """Plain values that were appended and are in no page yet."""
        self.most_incoming = max(FEWEST_INCOMING, min(volume.page_size, MOST_INCOMING))
        self.open_until = NEVER
        """Until when (`time.monotonic`) late values may be added to `incoming` without `lock`.

        Whoever holds the lock and needs all in pages, or to be alone, closes it for as long.
        """
        self._cold = self.pager.cold
        self._images = self._cold.images
        self._waiting = self._cold.waiting.pages
        self._decode = codec.decode
        self.restart()

    # What `Content` asks for

    def write_back(self, *, leave_out_refused: bool = False) -> bytes:
        """Write every change to the volume, and return the state to commit with it."""
        table = self.pages.table
        self.pager.flush(leave_out_refused=leave_out_refused)
        return table.to_bytes()

    def restart(self) -> None:
        """Begin again from ``volume.state``."""
        self.pager.clear()
        self.incoming.clear()
        try:
            table = PageTable.from_bytes(self.volume.state) if self.volume.state else PageTable()
        except ValueError as error:
            raise StoreCorruptedError(f"{self.volume.name}: its state: {error}") from error
        self._pages = OrderedPages(self.pager, table, self.walks)
        self.walks.moved()

    def require_writable(self) -> None:
        """Raise as `Content` says. Other threads wait with their appending from now on."""
        self.open_until = NEVER
        super().require_writable()

    @property
    def pages(self) -> OrderedPages:
        """The pages, with all items in them; other threads wait with their appending from now on.

        Where that raises, each item is in a page or incoming, in order.
        """
        self.open_until = NEVER
        if self.incoming:
            self._settle(0)
        return self._pages

    def _settle(self, most: int) -> None:
        """Put what is incoming into pages, but for `most` values; where that raises, the rest stays.

        Others may add to it meanwhile, but at its end.
        """
        while len(self.incoming) > most:
            self._pages.take_late(self.incoming)

    def flush(self, *, durable: bool = False) -> None:
        """Commit as `Content` says. Iterations under way ask anew, also whether the list is closed."""
        self.walks.interrupt()
        super().flush(durable=durable)

    def _describe(self, number: int, row: int) -> str:
        start = 0
        for other, rows in self.pages.table:
            if other == number:
                return self._name(start + row)
            start += rows
        return f"{self.volume.name}: a value"

    def _name(self, index: int) -> str:
        return f"{self.volume.name}: the value at index {index}"

    # Reading

    def __len__(self) -> int:
        """Return the number of items, in O(1)."""
        return self._pages.table.length + len(self.incoming)

    @property
    def length(self) -> int:
        """The number of items, without `lock`: what moves into pages is never counted twice."""
        if not IS_ATOMIC:
            with self.lock:
                return len(self)
        return self._pages.table.length + len(self.incoming)

    def item(self, index: int) -> Any:
        """Return the item at an index that may be negative, or out of range: `IndexError`."""
        pages = self._pages
        table, page = pages.table, pages.near
        if index < 0:
            index += table.length + len(self.incoming)
        row, is_near = index - pages.begin, False
        if page is not None and page is self.pager.front and 0 <= row < len(page.live):
            value, is_near = page.live[row], True
            if value is not ABSENT and not page.is_touched:
                return value
        if not 0 <= index < table.length:
            return self._incoming_item(index - table.length)
        try:
            value = page.value(row) if is_near else self._far_item(index)  # type: ignore[union-attr]  # near
        except SerializationError as error:
            raise SerializationError(f"{self._name(index)} cannot be read: {error}") from error
        front = self.pager.front
        if front is not None and front.is_touched:
            self._handed_out()
        return value

    def _far_item(self, index: int) -> Any:
        """Return an item of a page that was not looked at last; its page is near then, or it was read alone."""
        number, count, row = self._pages.table.find(index)
        records, cold = self._images.get(number), self._cold
        if records is not None and number != cold.last and number not in self._waiting:
            cold.last = number
            ends = records.ends
            if ends is not None:
                value = self._decode(records.together[ends[row] : ends[row + 1]])
                if type(value) in UNCHANGING or not may_change(value):
                    return value
        value = self.pager.cold_value(number, count, row)
        if value is ABSENT:
            page, row = self._pages.page_of(index)
            value = page.value(row)
        return value

    def _incoming_item(self, place: int) -> Any:
        if not 0 <= place < len(self.incoming):
            raise IndexError("list index out of range")
        return self.incoming[place]

    def chunk(self, index: int, limit: int) -> list[Any]:
        """Return items from `index` on, at least one and at most `limit`, decoded in one go."""
        if limit == 1:
            return [self.item(index)]
        values = self.run(index, limit)
        self._handed_out()
        return values

    def run(self, index: int, limit: int) -> list[Any]:
        """Return what `chunk` does; whoever asks notes afterwards that something may have changed."""
        number, count, row = self.pages.table.find(index)
        try:
            return self.pager.values(number, count, row, limit, CHUNK_BYTES)
        except SerializationError:
            return [self.item(index)]  # one by one, all before the broken one can be had

    def chunk_before(self, index: int, limit: int) -> list[Any]:
        """Return the items before `index`, the last one first, at least one and at most `limit`."""
        row = self.pages.table.locate(index - 1)[2]
        first = max(index - 1 - row, index - limit)
        values = self.chunk(first, index - first)
        if first + len(values) < index:  # too many bytes, or one of them is broken
            return [self.item(index - 1)]
        return values[::-1]

    def _handed_out(self) -> None:
        """Note that values may be changed in place now, if some of the page in front can."""
        page = self.pager.front
        if page is not None and page.is_touched and not self.volume.readonly:
            self.changed()

    # Changing one item

    def set(self, index: int, value: Any) -> None:
        """Replace an item, in O(log pages), and its share of writing a page that has many such.

        The index may be negative, or out of range: `IndexError`.
        """
        if self._dirty_since is None:
            self.require_writable()
        table = self._pages.table
        if index < 0:
            index += table.length + len(self.incoming)
        if 0 <= index < table.length:
            if self._set_waiting(index, value):
                return
        elif not 0 <= index < len(self):
            raise IndexError("list assignment index out of range")
        elif self._set_incoming(index - table.length, value):
            return
        try:
            self._pages.set(index, value)
        except SerializationError as error:
            raise self._refused(index, error) from error
        self.changed()

    def _set_waiting(self, index: int, value: Any) -> bool:
        """Let a late value wait, for a page for which some do; false, and nothing done, if none does."""
        number, _, row = self._pages.table.find(index)
        rows, cold, walks = self._waiting.get(number), self._cold, self.walks
        waiting = cold.waiting
        if (
            rows is None
            or number == cold.last
            or waiting.room <= 0
            or waiting.has_encoded
            or not (-LARGEST_LATE < value < LARGEST_LATE if type(value) is int else is_late(value))
        ):
            return False
        cold.last = number
        waiting.room -= row not in rows
        rows[row] = value
        walks.version += 1
        if walks.under_way:
            walks.set(index, value)
        since = self._dirty_since
        if since is None or monotonic() - since >= self.sync_every:
            self.changed()
        return True

    def _set_incoming(self, place: int, value: Any) -> bool:
        """Replace an item that is in no page yet; false if it is in one now instead, unchanged."""
        if self.pager.encodes_late and is_late(value):
            self.incoming[place] = value
            self.walks.version += 1
            self.changed()
            return True
        self._settle(0)
        return False

    def append(self, value: Any) -> None:
        """Add an item at the end, in O(1), and O(page) once a page."""
        self.require_writable()
        if not (self.pager.encodes_late and is_late(value)):
            self._append(value)
            self.changed()
            return
        if len(self.incoming) >= self.most_incoming:
            self._settle(self.most_incoming - 1)
        self.incoming.append(value)
        self.changed()
        is_alone = (
            IS_ATOMIC and sys.gettrace() is None
        )  # a trace function may let others run anywhere
        if is_alone and self._dirty_since is not None and not self._transactions:
            self.open_until = self._dirty_since + self.sync_every

    def _append(self, value: Any) -> None:
        try:
            if self.pages.append(value):
                return
            with self.pages.building() as built:
                built.add_value(value)
                self.pages.tail = None
                built.hand_over(self.pages.table, self.pages.table.end(), 0)
        except SerializationError as error:
            raise self._refused(len(self), error) from error
        self.pages.moved()

    def insert(self, index: int, value: Any) -> None:
        """Put an item before `index`, or at the end, in O(page + log pages)."""
        if index == len(self):
            self.append(value)
            return
        try:
            self.pages.insert(index, value)
        except SerializationError as error:
            raise self._refused(index, error) from error
        self.changed()

    def delete(self, index: int) -> None:
        """Remove an item, in O(page + log pages)."""
        self.pages.delete(index)
        self.changed()

    def pop(self, index: int) -> Any:
        """Remove an item and return it, in O(page + log pages); where a commit is due, before that."""
        if self.incoming and index == len(self) - 1:
            self.commit_if_due()  # which leaves nothing incoming
            if self.incoming:
                self.walks.moved()
                return self.incoming.pop()
        value = self.item(index)
        self.commit_if_due()
        self.pages.delete(index)
        self.changed()
        return value

    def _refused(self, index: int, error: SerializationError) -> SerializationError:
        return SerializationError(f"{self._name(index)} cannot be kept: {error}")
