"""What a `Cache` tells of its memory, in the words of functools."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CacheInfo"]


class CacheInfo(NamedTuple):
    """What `Cache.cache_info` tells, as `functools` does.

    >>> CacheInfo(hits=1, misses=2, maxsize=None, currsize=2)._asdict()["hits"]
    1
    """

    hits: int
    misses: int
    maxsize: int | None
    currsize: int
