"""What a killed process left in a journal: commands tell of it, or take it up where they write a store anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.memory._journal.opening import repeat_all, repeat_what_can_be
from pyspeedup.memory._storage.journal_file import find_records
from pyspeedup.memory._storage.marker import JOURNAL_FILE
from pyspeedup.memory._storage.salvaging import Damage

if TYPE_CHECKING:
    from pathlib import Path

    from pyspeedup.core import StoreError
    from pyspeedup.memory._storage.inspecting import Inspection
    from pyspeedup.memory.commands.reading import Structure

__all__ = ["Waiting", "waiting_changes"]


class Waiting(NamedTuple):
    """Changes after the last commit, each as its record, and what keeps more of them from being read."""

    path: Path
    records: list[bytes]
    error: StoreError | None

    @property
    def reason(self) -> str | None:
        """What is to be told of the journal; None where it holds nothing."""
        if self.error is not None:
            return str(self.error)
        if not self.records:
            return None
        return f"changes after the last commit ({len(self.records)}) wait in it for an opening for writing"

    @property
    def damage(self) -> list[Damage]:
        """The damage in it, if there is any."""
        return [] if self.error is None else [Damage(JOURNAL_FILE, str(self.error), None)]

    def take_up(self, copy: Structure) -> None:
        """Make all changes in `copy`, which holds what was committed; raises where one cannot be read."""
        if self.error is not None:
            raise self.error
        repeat_all(copy._content, self.records, self.path)  # noqa: SLF001 -- they are its calls

    def take_up_what_can_be(self, copy: Structure, *, is_whole: bool) -> tuple[int, list[Damage]]:
        """Make the changes in `copy` up to the first that cannot be; return how many, and what is lost.

        `is_whole` tells whether `copy` holds all that was committed.
        """
        made, reason = repeat_what_can_be(copy._content, self.records, is_whole=is_whole)  # noqa: SLF001 -- as above
        if reason is None:
            return made, self.damage
        left_out = f"the changes from number {made + 1} on are left out: {reason}"
        return made, [Damage(JOURNAL_FILE, left_out, None), *self.damage]


def waiting_changes(store: Inspection) -> Waiting:
    """Return what waits in the journal of `store`, mostly nothing, in O(bytes)."""
    path = store.folder / JOURNAL_FILE
    if not path.exists():
        return Waiting(path, [], None)
    return Waiting(path, *find_records(path, store.header.identity, store.commit_mark))
