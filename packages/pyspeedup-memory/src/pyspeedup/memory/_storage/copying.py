"""Copying an open volume page by page into a new one, as it was committed last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from pyspeedup.memory._storage.volume import Volume

    Progress: TypeAlias = Callable[[Sequence[int]], Iterable[int]]

__all__ = ["copy_volume"]


def copy_volume(source: Volume, target: Volume, progress: Progress | None = None) -> None:
    """Make `target`, which must be new, hold what `source` held at the last commit, in O(bytes).

    Every page keeps its number, as the state refers to pages by number. `progress` is called with the
    numbers, and yields them again as pages are copied. Raises `StoreCorruptedError` where a page of
    `source` is damaged; `ValueError` where that has changes, `target` is not new, or `progress` leaves
    pages out; `RuntimeError` where `progress` changes `source`.

    >>> from pyspeedup.memory._storage.volume import Volume
    >>> source, target = (Volume({}, kind="list", page_size=4) for _ in range(2))
    >>> page = source.append(b"four values")
    >>> source.commit(b"one page")
    >>> copy_volume(source, target)
    >>> bytes(target.read(page)), target.state
    (b'four values', b'one page')
    """
    state, pages = source.state, source.pages()
    if state is None or target.page_count or _is_beyond(source, state):
        raise ValueError(f"{source.name} can be copied after a commit only, and to a new store")
    target.adopt_origin(source)
    _reserve(target, pages)
    for page in pages if progress is None else progress(pages):
        target.write(page, source.read(page))
    if _is_beyond(source, state):
        raise RuntimeError(f"{source.name} was changed by progress, while it was copied")
    if target.page_count != len(pages):
        raise ValueError(
            f"progress must yield all {len(pages)} page numbers that it is called with, "
            f"not {target.page_count} of them"
        )
    target.commit(state, durable=True)


def _is_beyond(volume: Volume, state: bytes) -> bool:
    """Tell whether anything was changed, or committed, since `state` was."""
    return volume.changed_pages > 0 or volume.state is not state


def _reserve(target: Volume, pages: Sequence[int]) -> None:
    """Reserve the numbers `pages`, which are sorted, and no others: all up to the last, as they come."""
    numbers = range(pages[-1] + 1 if pages else 0)
    for _ in numbers:
        target.reserve()
    for number in set(numbers).difference(pages):
        target.delete(number)
