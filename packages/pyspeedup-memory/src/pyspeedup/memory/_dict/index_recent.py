"""The slots of an index that wait in RAM until there are enough of them to be worth a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Recent"]

Entries: TypeAlias = int | tuple[int, ...]
"""Of one hash: nearly all have one entry."""


class Recent:
    """Entries by hash. Its two attributes change together, so that no interruption comes between.

    >>> recent = Recent([7, 9, 7], [1, 2, 3])
    >>> recent.entries(7), recent.entries(8), len(recent)
    ((1, 3), (), 3)
    >>> recent.drop_below(8)
    >>> recent.pairs()
    ([9], [2])
    """

    def __init__(self, codes: Sequence[int] = (), entries: Sequence[int] = ()) -> None:
        self.found: dict[int, Entries] = dict(zip(codes, entries, strict=True))
        self._more = 0  # slots above one a hash
        if len(self.found) < len(codes):
            self.found = {}
            self._put_each(zip(codes, entries, strict=True))

    def __len__(self) -> int:
        """Return the number of slots, in O(1)."""
        return len(self.found) + self._more

    def entries(self, code: int) -> tuple[int, ...]:
        """Return the entries of `code`, in O(1)."""
        found = self.found.get(code)
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)

    def put(self, code: int, entry: int) -> None:
        """Let `code` lead to `entry`, too, in O(1)."""
        others = self.entries(code)
        self.found[code], self._more = (
            (*others, entry) if others else entry,
            self._more + bool(others),
        )

    def put_many(self, codes: Sequence[int], first_entry: int) -> None:
        """Let `codes` lead to the entries from `first_entry` on, one each."""
        entries = range(first_entry, first_entry + len(codes))
        new = dict(zip(codes, entries, strict=True))
        if len(new) == len(codes) and self.found.keys().isdisjoint(new):
            self.found.update(new)
        else:
            self._put_each(zip(codes, entries, strict=True))

    def _put_each(self, pairs: Iterable[tuple[int, int]]) -> None:
        for code, entry in pairs:
            self.put(code, entry)

    def pairs(self) -> tuple[list[int], list[int]]:
        """Return the hashes and the entries, in O(slots)."""
        if not self._more:
            return list(self.found), list(self.found.values())  # type: ignore[arg-type]  # one each
        both = [(code, entry) for code in self.found for entry in self.entries(code)]
        codes, entries = zip(*both, strict=True)
        return list(codes), list(entries)

    def drop_below(self, bound: int) -> None:
        """Forget the slots of hashes below `bound`, in O(slots)."""
        left = {code: found for code, found in self.found.items() if code >= bound}
        more = sum(len(found) - 1 for found in left.values() if isinstance(found, tuple))
        self.found, self._more = left, more

    def clear(self) -> None:
        """Forget all slots."""
        self.found, self._more = {}, 0
