"""The calls of the threads engine: one process knows them all, so they travel as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.concurrent._caching.calls import Key, Normalizer
    from pyspeedup.concurrent._caching.local import Memory
    from pyspeedup.core import LocalFunction

__all__ = ["Answer", "Function", "ThreadCall", "call_of"]

Answer: TypeAlias = "Callable[[], Any]"
"""What a call came to: returns the value, or raises the error."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Function:
    """A function, and what all threads know of it."""

    number: int
    function: Callable[..., Any]
    name: str
    normalize: Normalizer
    values: dict[Key, Any] = field(default_factory=dict)
    generation: int = 0
    seconds: float = 0.0
    """What its calls have taken that were submitted, with all that they called."""
    meanings: dict[Any, tuple[int, LocalFunction, Memory]] = field(default_factory=dict)
    """What its name means in each thread, in which generation; here, so that nothing else holds the function."""


@dataclass(frozen=True, slots=True)
class ThreadCall:
    """Calls with equal keys are one; a call that has no key is like no other."""

    number: int
    generation: int
    key: object
    function: Function = field(compare=False)
    args: tuple[Any, ...] = field(compare=False)
    kwargs: dict[str, Any] = field(compare=False)
    remembered: bool = field(compare=False, default=True)
    batch: Sequence[tuple[Any, ...]] | None = field(compare=False, default=None)
    """If it is not one call but several, these."""


def call_of(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ThreadCall:
    """Return a call by the form that all its spellings share."""
    number, generation = function.number, function.generation
    try:
        key = function.normalize(args, kwargs)
    except TypeError:  # not hashable, or not its arguments: the function itself will tell
        return ThreadCall(number, generation, object(), function, args, kwargs, remembered=False)
    return ThreadCall(number, generation, key, function, args, kwargs)
