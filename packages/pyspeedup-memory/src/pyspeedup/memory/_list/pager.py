"""Keeps pages of a list resident within bounds, and brings what was changed in them to the volume.

Evicting a page drops its live objects. One that somebody outside still holds, and may change, must
stay what the structure answers with: its page is *pinned*, resident beyond the bounds, until it
is let go of. Bodies of live objects that could change are made anew, and compared, before their page
is evicted and at each flush.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import ref

from pyspeedup.core import SerializationError
from pyspeedup.memory._list.cold import ColdRows
from pyspeedup.memory._list.held_rows import held_rows
from pyspeedup.memory._list.own_pages import OwnPages
from pyspeedup.memory._list.page import ListPage
from pyspeedup.memory._list.plain import is_late
from pyspeedup.memory._list.records import encoded
from pyspeedup.memory._list.rows import ABSENT, LATE
from pyspeedup.memory._pages import changes
from pyspeedup.memory._pages.packing import pack_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.memory._list.records import Body, OwnPage
    from pyspeedup.memory._list.rows import Row
    from pyspeedup.memory._pages.bodies import Codec
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Pager"]

LONGEST_AMONG_OTHERS = 16 * 1024
"""A longer body gets a page of its own: one may be replaced without the others being written."""
LARGEST_PAGE = 2**31 - 1
WANTED = 128
"""So many accesses to a page, one right after another counting for many, bring it into RAM."""
WANTED_IF_ROOM = 16
MOST_ROWS = 1 << 20
"""More a page would make one of them too large to be written."""


class Pager:
    """The resident pages of one list: the least recently used leave first.

    At most `max_pages` are resident, and their bodies and live objects take about `ram_limit` bytes
    at most; the page last asked for is always resident, and pinned pages are beyond the bounds.
    Hold a `ListPage` for as long as you like: used after its eviction, it becomes resident again.
    `describe(page number, row)` names a row in messages.
    """

    def __init__(
        self,
        volume: Volume,
        codec: Codec,
        max_pages: int,
        ram_limit: int,
        describe: Callable[[int, int], str] = "row {1} of page {0}".format,
    ) -> None:
        self.volume = volume
        self.codec = codec
        self.max_pages = max_pages
        self.ram_limit = ram_limit
        self._describe = describe
        self.page_size = min(volume.page_size, MOST_ROWS)
        longest = min(
            LONGEST_AMONG_OTHERS,
            max(256, ram_limit // (4 * self.page_size)),
            LARGEST_PAGE // (2 * self.page_size),
        )
        self.own = OwnPages(volume, longest)
        self.cold = ColdRows(
            volume,
            codec,
            self.own,
            most=max_pages * self.page_size,
            limit=ram_limit // 4,
        )
        self.encodes_late = codec.concatenates
        """Whether what `is_late` may be put into a page without a body."""
        self.cold.wanted = WANTED_IF_ROOM
        self.front: ListPage | None = None
        """The page that was asked for last, while it may be used without asking again."""
        self._resident: OrderedDict[int, ListPage] = OrderedDict()
        self._pinned: OrderedDict[int, ListPage] = OrderedDict()
        self._known: dict[int, ref[ListPage]] = {}
        """Every page that is there, resident or held by somebody: there must be no second one."""
        self.weight = 0  # of the resident pages that are not pinned
        self._too_heavy = ram_limit
        self._too_many_pinned = max_pages
        self.evictions = self.loads = self.written = 0

    @property
    def resident(self) -> int:
        """How many pages are resident, pinned ones included."""
        return len(self._resident) + len(self._pinned)

    @property
    def pinned(self) -> int:
        """How many pages are resident only because somebody may still change a value of theirs."""
        return len(self._pinned)

    @property
    def is_heavy(self) -> bool:
        """Whether the next `page` will have to evict something to keep within `ram_limit`."""
        return self.weight > self._too_heavy

    def page(self, number: int) -> ListPage:
        """Return a page, which is resident then; others may leave. O(1), or the page's size."""
        page = self._resident.get(number)
        if page is None:
            return self._bring(number)
        self._resident.move_to_end(number)
        if self.is_heavy or len(self._resident) > self.max_pages:
            self._make_room(page)
        self.front = page
        return page

    def cold_value(self, number: int, rows: int, row: int) -> Any:
        """Return the value of a row of a page that has `rows`, reading it alone; or `ABSENT`.

        That is where the page is resident or should be: it is often asked for, or the value could
        change, and so has to be watched.
        """
        if number in self._resident or number in self._pinned:
            return ABSENT
        return self.cold.value(number, rows, row)

    def set_value(self, number: int, row: int, value: Any) -> None:
        """Replace a row, whose page is in front then, or the new body waits for being written."""
        if number in self._known or not self.cold.set(number, row, value):
            self.page(number).set(row, value)

    def values(self, number: int, rows: int, start: int, limit: int, size: int) -> list[Any]:
        """Return the values of rows from `start` on, at most `limit` of them and `size` bytes, decoded in one go."""
        stop = min(rows, start + limit)
        if number not in self._resident and number not in self._pinned:
            values = self.cold.values(number, rows, range(start, stop), size)
            if values is not None:
                return values
        page = self.page(number)
        return page.values(start, min(stop, page.reach(start, size)))

    def new_page(self) -> ListPage:
        """Return an empty page with a number that was not in use."""
        self._make_room()
        number = self.volume.reserve()
        page = ListPage(self, number, self.cold.seed(number), None)
        self._enter(page)
        return page

    def write_late(self, values: list[Any]) -> int:
        """Write a page of values that are late, which does not become resident; return its number."""
        return self.write_new(pack_plain(values))

    def write_new(self, bodies: Sequence[Body]) -> int:
        """Write a page of rows that is not in RAM then, and return its number."""
        number = self.volume.reserve()
        try:
            self.volume.write(number, encoded(bodies, self.cold.seed(number)))
        except BaseException:
            self.volume.delete(number)
            raise
        self.written += 1
        return number

    def drop(self, number: int) -> None:
        """Delete a page, with what its rows keep elsewhere. Nothing becomes resident, or leaves."""
        page = self._find(number)
        own_pages = (self.cold.records(number) if page is None else page).own_pages()
        if page is not None:
            self._leave(page)
        self._known.pop(number, None)
        self.volume.delete(number)
        self.cold.forget(number)
        self.own.release(own_pages)

    def flush(self, *, leave_out_refused: bool = False) -> None:
        """Write every changed page to the volume, and let go of pins that nobody holds any more.

        Raises `SerializationError` if a value was changed so that it cannot be written. What can be
        is written nevertheless, and that value stays, for a flush after it was mended; with
        `leave_out_refused` it is not told, and the volume keeps that value as it was written last.
        """
        failed: list[tuple[ListPage, int]] = []
        for page in [*self._resident.values(), *self._pinned.values()]:
            failed += [(page, row) for row in sorted(self._update(page))]
            self._write(page)
        self.cold.write_all()
        self._review_pinned(is_flush=True)
        for page, row in () if leave_out_refused else failed:
            try:
                page.encode(row)
            except SerializationError as error:
                name = self._describe(page.number, row)
                raise SerializationError(
                    f"{name} was changed in place and cannot be written now: {error}; "
                    "mend or replace it, nothing else is lost"
                ) from error

    def clear(self) -> None:
        """Forget every page, changed ones too, as after a rollback of the volume."""
        self._resident.clear()
        self._pinned.clear()
        self._known.clear()
        self.own.shared.clear()
        self.cold.clear()
        self.front = None
        self.weight = 0
        self._too_heavy = self.ram_limit

    def check(self) -> None:
        """Assert that what is counted is so, in O(what is resident); for tests."""
        pages = [*self._resident.values(), *self._pinned.values()]
        assert all(page.weight == page.weigh() for page in pages)  # noqa: S101 -- what it is for
        assert self.weight == sum(page.weight for page in self._resident.values())  # noqa: S101
        assert self._resident.keys().isdisjoint(self._pinned)  # noqa: S101
        assert not self.cold.images.keys() & {page.number for page in pages}  # noqa: S101
        assert not self.own.shared, "rows of an operation that is over"  # noqa: S101

    # What pages ask for

    def body_of(self, value: Any) -> Row:
        """Return what a page is to keep of `value`: `LATE`, its body, or where that was written."""
        if self.encodes_late and is_late(value):
            return LATE
        return self.own.put_away(self.codec.encode(value))

    def keep(self, page: ListPage) -> bool:
        """Let `page`, which is about to change, be resident; return whether `weight` counts it."""
        if page is self.front or page.number in self._resident:
            return True
        if page.number in self._pinned:
            return False
        self._enter(page)
        return True

    def grew(self) -> None:
        """Note that `weight` has grown."""
        if self.weight > self._too_heavy:
            self.front = None

    # Coming and going

    def _bring(self, number: int) -> ListPage:
        self._make_room()
        page = self._pinned.get(number) or self._find(number)
        if page is not None:
            self._enter(page)
            return page
        page, replaced = self._load(number)
        self._enter(page)
        self.own.release(
            replaced
        )  # last: it may fail, and what replaced it is where it belongs now
        return page

    def _mark(self, page: ListPage) -> ref[ListPage]:
        """Return what tells that `page` is there, as long as it is."""
        number, known = page.number, self._known
        found = known.get(number)
        if found is not None and found() is page:
            return found

        def forget(gone: ref[ListPage]) -> None:
            if known.get(number) is gone:
                del known[number]

        return ref(page, forget)

    def _find(self, number: int) -> ListPage | None:
        known = self._known.get(number)
        return None if known is None else known()

    def _load(self, number: int) -> tuple[ListPage, list[OwnPage]]:
        """Return a page with what waits for it, and the long bodies that this replaces."""
        records, replaced = self.cold.load(number)
        page = ListPage(self, number, self.cold.seed(number), records)
        page.is_changed = number in self.cold.waiting.pages
        self.loads += 1
        return page, replaced

    def _enter(self, page: ListPage) -> None:
        """Make a page resident that is not; what waits for it is in it already."""
        number, waiting = page.number, self.cold.waiting
        self.cold.forget_image(number)
        mark = self._mark(page)
        left, most = waiting.room_without(number), waiting.most
        self.front = page  # without a call up to where nothing waits for the page any more
        self._resident[number] = page
        self._known[number] = mark
        self.weight += page.weight
        if number in self._pinned:
            del self._pinned[number]
        if number in waiting.pages:
            del waiting.pages[number]
            waiting.room = left
            waiting.has_encoded = waiting.has_encoded and left < most
        has_room = len(self._resident) < self.max_pages and 2 * self.weight < self.ram_limit
        self.cold.wanted = WANTED_IF_ROOM if has_room else WANTED

    def _leave(self, page: ListPage, *, is_pinned: bool = False) -> None:
        """Let a page be resident no longer, or only among the pinned ones."""
        number = page.number
        if page is self.front:  # without a call from here on
            self.front = None
        if number in self._resident:
            del self._resident[number]
            self.weight -= page.weight
        if is_pinned:
            self._pinned[number] = page
        elif number in self._pinned:
            del self._pinned[number]

    def _make_room(self, page: ListPage | None = None) -> None:
        """Evict until all fits, with room for one more page, or with `page`, the last one used."""
        most = self.max_pages - (page is None)
        limit = self.ram_limit if self.is_heavy else self._too_heavy
        if len(self._resident) <= most and self.weight <= limit:
            return
        try:
            while len(self._resident) > most or (self._resident and self.weight > limit):
                oldest = next(iter(self._resident.values()))
                if oldest is page:
                    self._let_go([page])
                    break
                self._evict(oldest)
        finally:
            # What cannot be made lighter now is not tried again before it has doubled.
            is_light = self.weight <= self.ram_limit
            self._too_heavy = self.ram_limit if is_light else 2 * self.weight
        self._look_at_pinned()

    def _look_at_pinned(self) -> None:
        """Let go of one page that may be held no longer, or of all such once they are many."""
        if len(self._pinned) > self._too_many_pinned:
            self._review_pinned()
        elif self._pinned:
            number, page = self._pinned.popitem(last=False)
            self._pinned[number] = page
            self._let_go([page])

    def _evict(self, page: ListPage) -> None:
        is_pinned = self._let_go([page]) > 0
        self._leave(page, is_pinned=is_pinned)
        self.evictions += not is_pinned

    def _review_pinned(self, *, is_flush: bool = False) -> None:
        """Let go of all pinned pages but those with a value that is held outside all pages.

        Judged together: a part that values of several pages share is not held by any of them.
        """
        if is_flush and not changes.COUNTS_TELL:
            self._let_go(list(self._pinned.values()), is_held=False)
        else:
            self._let_go(list(self._pinned.values()), witnesses=list(self._resident.values()))
        self._too_many_pinned = max(self.max_pages, 2 * len(self._pinned))

    def _let_go(
        self,
        pages: list[ListPage],
        *,
        witnesses: Sequence[ListPage] = (),
        is_held: bool | None = None,
    ) -> int:
        """Write `pages` and drop their live objects; return how many pages still have some.

        Pinned ones that have none any more cease to be resident. Values are held where `is_held`,
        or where references to them tell so, which pages of `witnesses` explain as well.
        """
        if self.volume.readonly:
            is_held = False
        kept = [self._update(page) for page in pages]
        for page in pages:
            self._write(page)
        if is_held is None:
            held = held_rows(pages, witnesses, self.codec)
            kept = [one | other for one, other in zip(kept, held, strict=True)]
            for page in pages:
                self._write(page)  # once more, as code of the values may have changed it
        for page, of_page in zip(pages, kept, strict=True):
            page.shed(of_page)
            if not of_page and self._pinned.pop(page.number, None) is not None:
                self.evictions += 1
        return sum(map(bool, kept))

    def _update(self, page: ListPage) -> set[int]:
        return set() if self.volume.readonly else page.update()

    def _write(self, page: ListPage) -> None:
        if page.is_changed:
            self.cold.forget_image(page.number)
            self.volume.write(page.number, page.image())
            page.is_changed = False
            self.written += 1
