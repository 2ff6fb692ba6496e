"""What a content adds whose changes are recorded: each is in the journal before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyspeedup.memory._content import Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.memory._journal.call import Call
    from pyspeedup.memory._storage.journal_file import Journal, Place

__all__ = ["Journalled"]

MOST_BYTES = 16 << 20
"""Beyond so many bytes of journal, what they say is committed: opening again must not take long."""

R = TypeVar("R")


class Journalled(Content):
    """Base of the contents whose changes are recorded: a subclass overrides what changes with `_do`.

    A change that cannot be recorded, because only this process can repeat it, is committed at once.
    So is one that code of a key or value makes while another is under way. What a transaction does
    needs no record: none of it is to be there before its end, which commits.
    """

    journal: Journal | None = None
    _is_changing = False
    _owes_commit = False

    def _do(self, call: Call | None, operation: Callable[..., R], *arguments: Any) -> R:
        """Record `call`, or None where it cannot be, then do what it says."""
        journal = self.journal
        if journal is None or self._transactions:
            return operation(*arguments)
        if self._is_changing:
            self._owes_commit = True
            return operation(*arguments)
        self._make_ready(journal)
        result = self._record_and_do(journal, call, operation, *arguments)
        if call is None or self._owes_commit:
            self._owes_commit = True
            self.flush()
        return result

    def _record_and_do(
        self, journal: Journal, call: Call | None, operation: Callable[..., R], *arguments: Any
    ) -> R:
        place = journal.place
        self._is_changing = True
        try:
            if call is not None:
                journal.append(call.encode())
            return operation(*arguments)
        except BaseException:
            others_changed, self._owes_commit = self._owes_commit, True
            self._is_changing = False
            self._take_back(journal, call, place, others_changed=others_changed)
            raise
        finally:
            self._is_changing = False

    def _make_ready(self, journal: Journal) -> None:
        """Commit where that is due: while a change is under way nothing may be committed."""
        self.require_writable()
        if self._owes_commit or not journal.is_current or journal.place.end > MOST_BYTES:
            self.flush()
        else:
            self.commit_if_due()

    def _take_back(
        self, journal: Journal, call: Call | None, place: Place, *, others_changed: bool
    ) -> None:
        """Forget the record of a change that raised.

        A commit stays owed, since no exception tells that nothing was changed: code of a key may raise
        any when the key is already there. Only where the record itself could not be written was
        the change not begun.
        """
        was_begun = call is None or journal.place is not place
        journal.cut(place)
        self._owes_commit = others_changed or was_begun
        if others_changed:
            self.flush()

    def commit_if_due(self) -> None:
        """Commit as `Content` says, but not while a change is under way, after which it is due again."""
        if not self._is_changing:
            super().commit_if_due()

    def _commit(self, *, durable: bool, leave_out_refused: bool = False) -> None:
        super()._commit(durable=durable, leave_out_refused=leave_out_refused)
        if self.journal is not None:
            self.journal.restart()
            self._owes_commit = self._is_changing
