"""Shows a container in a few lines, however much it holds, and a key in a part of one."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["named", "short_repr"]

T = TypeVar("T")

SHOWN_WHOLE = 100
"""Up to so many items are shown all, as a dict or list would show them."""
SHOWN_OF_MANY = 10
LONGEST = 4_000
"""Characters after which no further item is shown, and an item is cut."""


def short_repr(length: int, items: Iterable[T], show: Callable[[T], str]) -> str:
    """Return the first of `length` items, with commas between, and how many more there are.

    All of them where they are few and short. Costs O(items shown).

    >>> short_repr(3, "abc", repr)
    "'a', 'b', 'c'"
    >>> short_repr(1_000, range(1_000), str)
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... and 990 more'
    """
    shown: list[str] = []
    used = 0
    most = length if length <= SHOWN_WHOLE else SHOWN_OF_MANY
    if most:
        for item in items:
            text = show(item)
            shown.append(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")
            used += len(text)
            if len(shown) >= most or used >= LONGEST:
                break
    if len(shown) < length:
        shown.append(f"... and {length - len(shown)} more")
    return ", ".join(shown)


_naming = reprlib.Repr()
_naming.maxstring = _naming.maxother = _naming.maxlong = 80


def named(key: object) -> str:
    """Return `key` as a message names it: at most about a line, whatever its ``repr`` does.

    >>> named("spam"), len(named("spam" * 1000)) < 100
    ("'spam'", True)
    """
    return _naming.repr(key)
