"""Which rows of resident pages have objects that somebody outside all pages still holds, and may change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._pages import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspeedup.memory._list.page import ListPage
    from pyspeedup.memory._pages.bodies import Codec

__all__ = ["held_rows"]


def held_rows(
    pages: Sequence[ListPage], witnesses: Sequence[ListPage], codec: Codec
) -> list[set[int]]:
    """Return the rows of each of `pages` with objects that are held outside, in O(what may change).

    References that values of `pages` and of `witnesses` explain count for none. Judging may run code of
    the values: where that changed a page, all of its rows that may change count as held.
    """
    rows = [page.changeable() for page in [*pages, *witnesses]]
    values: list[Any] = []
    lengths: list[int] = []
    for page, of_page in zip([*pages, *witnesses], rows, strict=True):
        values += [page.live[row] for row in of_page]
        lengths += page.lengths(of_page)
    if not values:
        return [set() for _ in pages]
    layouts = [page.layout for page in pages]
    held = iter(changes.held_outside(values, 1, lengths, partial(_is_kept_by_name, codec)))
    of_pages = [{row for row in of_page if next(held)} for of_page in rows[: len(pages)]]
    return [
        of_page if page.layout == layout else set(page.changeable())
        for page, layout, of_page in zip(pages, layouts, of_pages, strict=True)
    ]


def _is_kept_by_name(codec: Codec, value: Any) -> bool:
    """Return whether a value loads to itself, as a member of an enumeration does: nobody holds that."""
    try:
        return codec.decode(codec.encode(value)) is value
    except SerializationError:
        return False
