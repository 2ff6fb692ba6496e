"""How far a long command has come: a line on a terminal, and nothing anywhere else."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["shown"]

T = TypeVar("T")

INTERVAL = 0.1
"""Seconds between two changes of the line."""
ERASE = "\r\x1b[K"


def shown(
    items: Iterable[T], title: str, total: int | None = None, unit: str = "items"
) -> Iterable[T]:
    """Return `items`, and show on stderr how many have been taken, of `total` if that is known.

    tqdm draws it where that is installed. Where stderr is no terminal, `items` is returned as it is.

    >>> list(shown("abc", "letters"))
    ['a', 'b', 'c']
    """
    if not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm
    except ImportError:
        return _counted(items, title, total, unit)
    return tqdm(items, title, total, leave=False, unit=f" {unit}")


def _counted(items: Iterable[T], title: str, total: int | None, unit: str) -> Iterator[T]:
    of_all = "" if total is None else f" of {total:,}"
    due = time.monotonic()
    try:
        for count, item in enumerate(items):
            if time.monotonic() >= due:
                sys.stderr.write(f"{ERASE}{title}: {count:,}{of_all} {unit}")
                sys.stderr.flush()
                due = time.monotonic() + INTERVAL
            yield item
    finally:
        sys.stderr.write(ERASE)
        sys.stderr.flush()
