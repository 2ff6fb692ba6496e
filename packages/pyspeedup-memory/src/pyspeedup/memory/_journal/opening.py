"""What opening a store does about journals: takes one up that was left, and begins a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreError
from pyspeedup.memory._journal.call import Call
from pyspeedup.memory._journal.dicts import PLACELESS_IN_DICT, JournalledDict, repeated_in_dict
from pyspeedup.memory._journal.lists import PLACELESS_IN_LIST, JournalledList, repeated_in_list
from pyspeedup.memory._storage.journal_file import Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspeedup.memory._content import Content
    from pyspeedup.memory._journal.content import Journalled

__all__ = [
    "begin_journal",
    "journalled_class",
    "repeat_all",
    "repeat_what_can_be",
    "take_up_journal",
]

JOURNALLED: dict[str, type[Journalled]] = {"dict": JournalledDict, "list": JournalledList}
REPEATED: dict[str, Callable[[Any, Call], Callable[[], object]]] = {
    "dict": repeated_in_dict,
    "list": repeated_in_list,
}
PLACELESS = {"dict": PLACELESS_IN_DICT, "list": PLACELESS_IN_LIST}


def journalled_class(kind: str) -> type[Journalled]:
    """Return the class of content that records changes; `ValueError` for a kind that has none."""
    if kind not in JOURNALLED:
        raise ValueError(f"journal=True is for a dict or a list, and not for a {kind}")
    return JOURNALLED[kind]


def take_up_journal(content: Content, path: Path) -> None:
    """Make the changes again that a killed process recorded in `path`, commit them, remove the file.

    Costs what the changes did. `StoreCorruptedError` for damage in it, `SerializationError` for a
    value that cannot be read here; `StoreError` where it
    holds changes and the store was opened for reading. Where this raises, the journal is as it was.
    """
    volume = content.volume
    records = read_journal(path, volume.identity, volume.commit_mark)
    if volume.readonly:
        if records:
            raise StoreError(
                f"{volume.name}: its writer ended without a commit, and left {len(records)} changes in "
                f"its journal; open it once for writing, which commits them"
            )
        return
    if records:
        repeat_all(content, records, path)
        content.flush()
    path.unlink()


def repeat_all(content: Content, records: list[bytes], path: Path) -> None:
    """Make all changes again, committing none before the last.

    `SerializationError` names the journal at `path` and a change whose keys or values cannot be read.
    """
    with content.held_back():
        for number, record in enumerate(records, 1):
            try:
                change = REPEATED[content.kind](content, Call.decode(record))
            except SerializationError as error:
                raise SerializationError(
                    f"{path}: change {number} of {len(records)} cannot be read: {error}; nothing is lost: "
                    "open the store once, for writing, where what it names can be imported, "
                    "which commits all changes"
                ) from error
            _repeat(change, is_last=number == len(records))


def _repeat(change: Callable[[], object], *, is_last: bool) -> None:
    """Make a change; the last one alone may have been refused, and its process killed just then."""
    try:
        change()
    except LookupError:
        if not is_last:
            raise


def repeat_what_can_be(
    content: Content, records: list[bytes], *, is_whole: bool
) -> tuple[int, str | None]:
    """Make changes again up to the first that cannot be; return how many were made, and why no more.

    Where `content` is not whole, a change that names a place among its items means another now.
    """
    for made, record in enumerate(records):
        call = Call.decode(record)
        if not is_whole and call.change not in PLACELESS[content.kind]:
            return made, "it depends on the places of items, and some of them are lost"
        try:
            change = REPEATED[content.kind](content, call)
        except SerializationError as error:
            return made, f"it cannot be read: {error}"
        _repeat(change, is_last=made + 1 == len(records))
    return len(records), None


def begin_journal(content: Content, path: Path) -> Journal:
    """Let all changes of `content`, of a `journalled_class`, be recorded in `path` from now on."""
    content.journal = Journal(path, content.volume)  # type: ignore[attr-defined]  # see above
    return content.journal  # type: ignore[attr-defined,no-any-return]  # as above
