"""Holds the locks of two lists, in the same order in all threads: neither waits for the other for ever."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspeedup.memory._list.content import ListContent

__all__ = ["both_locked"]


@contextmanager
def both_locked(one: ListContent, other: ListContent) -> Iterator[None]:
    """Hold both locks, which may be one and the same; who holds one of them already may wait for ever."""
    first, second = sorted((one.lock, other.lock), key=id)
    with first, second:
        yield
