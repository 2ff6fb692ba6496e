"""What a `Cache` can be made of: its function and its options, checked where they are given."""

from __future__ import annotations

import sys
import types
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_function", "check_maxsize", "check_store", "check_workers", "name_of"]

_IS_SUSPENDED: Final = 0x20 | 0x80 | 0x100 | 0x200
"""The flags of code that yields or awaits, as in `inspect`."""


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of `function`, that of its class where it has none.

    >>> name_of(len)
    'len'
    """
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def check_function(function: Any) -> None:
    """Raise `TypeError` unless `function` is one that `Cache` can evaluate."""
    if not callable(function):
        raise TypeError(f"Cache needs a function to remember the results of, not {function!r}")
    if not _returns_values(function):
        _refuse_suspended(function)


def _returns_values(function: Any) -> bool:
    """Tell of a plain function, without importing inspect; what has attributes could say otherwise."""
    if type(function) is not types.FunctionType or function.__dict__:
        return False
    return not function.__code__.co_flags & _IS_SUSPENDED


def _refuse_suspended(function: Any) -> None:
    import inspect  # 4 ms, which a plain function need not cost

    if inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{name_of(function)} is a generator, which has no result to remember; use Buffer"
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{name_of(function)} is asynchronous, which Cache cannot evaluate")


def check_workers(engine: Any, workers: int | None) -> None:
    """Raise `ValueError` if `engine` is known to have one worker, whatever it is told."""
    if engine == "serial" and workers is not None:
        raise ValueError(
            f"workers={workers} is not for the engine 'serial', which computes in the caller; leave it out"
        )


def check_store(store: Any) -> None:
    """Raise `TypeError` unless `store` is None or a mapping that can be written to, by keys of any kind."""
    if store is not None and not isinstance(store, MutableMapping):
        raise TypeError(f"store must be a MutableMapping, as a dict is, not {store!r}")
    # Whoever has a Shelf has imported its module; another thread may be about to.
    shelf = getattr(sys.modules.get("shelve"), "Shelf", None)
    if shelf is not None and isinstance(store, shelf):
        raise TypeError(
            "store must take tuples as keys, and a shelve takes text alone; on disk take "
            "a pyspeedup.memory.DiskDict"
        )


def check_maxsize(maxsize: Any, store: Any) -> int | None:
    """Return `maxsize`; `TypeError` or `ValueError` unless it bounds a memory of our own."""
    if maxsize is None:
        return None
    if not isinstance(maxsize, int):
        raise TypeError(f"maxsize must be None (for all) or an int, not {maxsize!r}")
    if maxsize < 0:
        raise ValueError(f"maxsize must be None (for all) or at least 0, not {maxsize!r}")
    if store is not None:
        raise ValueError(
            f"maxsize={maxsize} and store exclude each other: a store has its own size"
        )
    return maxsize
