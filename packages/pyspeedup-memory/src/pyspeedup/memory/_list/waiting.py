"""Values set in pages that are not in RAM: they wait, so that a page is rewritten once for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.memory._list.rows import ABSENT
from pyspeedup.memory._pages.packing import pack_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspeedup.memory._pages.bodies import Codec

__all__ = ["Encoded", "Waiting"]

OVERHEAD = 256
"""RAM that a waiting value takes: itself, if it is not encoded, its number and its place in a dict.

The dict of a page takes as much. Where a list is so long that nearly each value has one, it counts.
"""
NOTHING: dict[int, Any] = {}


class Encoded:
    """A value of which there is only the body."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body: bytes = body


class Waiting:
    r"""Values by page and row, of which with their pages there are at most `most`, and about `limit` bytes.

    They are late, and so are encoded together when their page is written, or `Encoded`.

    >>> waiting = Waiting(most=4, limit=1 << 20)
    >>> waiting.put(7, 0, "a")
    >>> waiting.put(5, 3, 1)
    >>> waiting.room, waiting.first(), waiting.bodies(5), waiting.take(7)
    (0, 7, {3: b'K\x01'}, {0: 'a'})
    """

    def __init__(self, most: int, limit: int) -> None:
        self.pages: dict[int, dict[int, Any]] = {}
        """Values by row, by page. A late one may be added to those of a page, if it is counted in `room`."""
        self.most = max(1, min(most, limit // OVERHEAD))
        self.room = self.most
        """For how many late values there is room; an encoded one takes the room of several."""
        self.has_encoded = False
        """Whether one of them may be encoded."""

    def __bool__(self) -> bool:
        return bool(self.pages)

    def get(self, page: int, row: int, codec: Codec) -> Any:
        """Return the value that waits for a row, or `ABSENT`."""
        value = self.pages.get(page, NOTHING).get(row, ABSENT)
        return codec.decode(value.body) if type(value) is Encoded else value

    def put(self, page: int, row: int, value: Any) -> None:
        """Let a value wait, in place of the one that waited for that row."""
        rows = self.pages.get(page)
        grown = _size(value)
        if rows is None:
            rows = {}
            grown += 1
        elif row in rows:
            grown -= _size(rows[row])
        is_encoded = type(value) is Encoded
        self.has_encoded = self.has_encoded or is_encoded  # without a call from here on
        rows[row] = value
        self.pages[page] = rows
        self.room -= grown

    def bodies(self, page: int) -> Mapping[int, bytes]:
        """Return the bodies of what waits for a page, by row."""
        rows = self.pages.get(page, NOTHING)
        late = {row: value for row, value in rows.items() if type(value) is not Encoded}
        bodies = dict(zip(late, pack_plain([*late.values()]), strict=True))
        if len(late) < len(rows):
            bodies |= {row: rows[row].body for row in rows.keys() - late.keys()}
        return bodies

    def take(self, page: int) -> Mapping[int, Any]:
        """Return what waits for a page, which does not wait any more."""
        rows, room = self.pages.get(page, NOTHING), self.room_without(page)
        if page in self.pages:  # without a call from here on
            del self.pages[page]
            self.room = room
        if not self.pages:
            self.has_encoded = False
        return rows

    def room_without(self, page: int) -> int:
        """Return for how many values there is room once none waits for a page any more."""
        rows = self.pages.get(page)
        if rows is None:
            return self.room
        if len(self.pages) == 1:
            return self.most
        return self.room + 1 + (sum(map(_size, rows.values())) if self.has_encoded else len(rows))

    def first(self) -> int:
        """Return the page for which values have waited longest."""
        first: int = next(iter(self.pages))
        return first

    def clear(self) -> None:
        """Forget them all."""
        self.pages.clear()
        self.room = self.most
        self.has_encoded = False


def _size(value: object) -> int:
    return 1 + len(value.body) // OVERHEAD if isinstance(value, Encoded) else 1
