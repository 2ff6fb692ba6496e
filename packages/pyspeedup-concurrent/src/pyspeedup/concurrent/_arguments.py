"""What a Buffer can be made of, and what to say of anything else."""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable, Iterable, MutableSequence
from typing import Any, TypeAlias, TypeVar

__all__ = [
    "Generator",
    "check_generator",
    "checked_bound",
    "checked_size",
    "checked_store",
    "origin_of",
]

T = TypeVar("T")
Generator: TypeAlias = Callable[[], Iterable[T]] | Iterable[T]


def checked_size(buffersize: int) -> int:
    try:
        size = operator.index(buffersize)
    except TypeError:
        raise TypeError(f"buffersize must be a whole number, not {buffersize!r}") from None
    if size < 1:
        raise ValueError(f"buffersize must be 1 or more, not {buffersize!r}")
    return size


def checked_store(store: MutableSequence[T]) -> MutableSequence[T]:
    if not isinstance(store, MutableSequence):
        raise TypeError(f"store must be a MutableSequence, as a list is, not {store!r}")
    try:
        store[0:0]
    except TypeError:
        raise TypeError(f"store must have slices, which {type(store).__name__} has not") from None
    return store


def checked_bound(bound: Any, what: str) -> int:
    """Return a bound of a slice or a search as an int; `what` names it in the `TypeError`.

    One beyond all that there can be is drawn in to that, as a list's slices do.
    """
    try:
        return max(-sys.maxsize, min(sys.maxsize, operator.index(bound)))
    except TypeError:
        raise TypeError(f"{what} must be a whole number, not {bound!r}") from None


def check_generator(generator: Any) -> None:
    if inspect.isgenerator(generator):
        raise TypeError(
            f"generator must be a generator function, not the running {generator!r}, which cannot "
            "be sent to another process; leave out the parentheses"
        )
    if inspect.isasyncgenfunction(generator) or inspect.iscoroutinefunction(generator):
        raise TypeError(f"generator must not be asynchronous, as {generator!r} is")
    if isinstance(generator, Iterable):
        return
    if not callable(generator):
        raise TypeError(f"generator must be a generator function or an iterable, not {generator!r}")
    _check_takes_no_arguments(generator)


def _check_takes_no_arguments(generator: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(generator)
    except ValueError:  # some builtins do not tell
        return
    try:
        signature.bind()
    except TypeError as error:
        raise TypeError(
            f"generator must be callable without arguments, not {generator!r} ({error}); "
            "functools.partial or a lambda can supply them"
        ) from None


def origin_of(generator: Any) -> str | None:
    """Return where an importable module defines `generator`; None for what is found nowhere else.

    A module that is imported again, in a child, makes its Buffers again, under new identities.
    """
    module = getattr(generator, "__module__", None)
    name = getattr(generator, "__qualname__", None)
    if not inspect.isfunction(generator) or module in {None, "__main__"} or "<" in str(name):
        return None
    return f"{module}:{name}"
