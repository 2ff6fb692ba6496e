"""A plain bounded memo, for functions that are too small for another process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

from pyspeedup.algorithms._integers import shown, to_int

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import _lru_cache_wrapper

__all__ = ["cached"]

T = TypeVar("T")

UNBOUNDED = -1


def cached(maxsize: int | None) -> Callable[[Callable[..., T]], _lru_cache_wrapper[T]]:
    """Return a decorator that remembers the results of the last `maxsize` different calls.

    -1 and None remember all. 0 remembers nothing and only counts the calls. What was used least
    recently is forgotten first. It is `functools.lru_cache`, with its cost (about 0.1 us a hit), its
    ``cache_info()``, ``cache_clear()`` and ``__wrapped__``, and its condition: arguments are hashable.
    The memo lives in this process and in RAM; for one shared between processes there is
    `pyspeedup.concurrent.Cache`.

    Raises `TypeError` if `maxsize` is no integer (``@cached`` without parentheses, for one), and
    `ValueError` if it is below -1.

    >>> @cached(100)
    ... def collatz(n):
    ...     return 1 if n == 1 else 1 + collatz(n // 2 if n % 2 == 0 else 3 * n + 1)
    >>> collatz(27)
    112
    >>> collatz.cache_info().currsize
    100
    """
    if maxsize is not None:
        maxsize = _checked(maxsize)
    return functools.lru_cache(maxsize=maxsize)


def _checked(maxsize: int) -> int | None:
    if callable(maxsize):
        raise TypeError(f"maxsize must be an integer or None: write @cached(128), not {maxsize!r}")
    maxsize = to_int(maxsize, "maxsize")
    if maxsize < UNBOUNDED:
        raise ValueError(
            f"maxsize must be at least 0, or -1 or None for no bound, not {shown(maxsize)}"
        )
    return None if maxsize == UNBOUNDED else maxsize
