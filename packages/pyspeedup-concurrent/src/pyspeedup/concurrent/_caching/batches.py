"""How several calls are evaluated together, wherever that is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyspeedup.core import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["evaluate_batch", "hashing"]


def hashing(local: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes by `local`, but by `function` what can't be remembered.

    >>> hashing(len, sum)([20, 22])
    42
    """

    def evaluate(*args: Any) -> Any:
        try:
            hash(args)
        except TypeError:
            return function(*args)
        return local(*args)

    return evaluate


def evaluate_batch(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Batch:
    """Evaluate the calls one after the other, up to the first error.

    >>> evaluate_batch(lambda n: 6 // n, [(1,), (2,), (0,), (3,)])[:2]
    ([6, 3], ZeroDivisionError('integer division or modulo by zero'))
    """
    values: list[Any] = []
    error: BaseException | None = None
    begun = time.perf_counter()
    try:
        for call in calls:
            values.append(function(*call))  # noqa: PERF401 -- an error must leave those before it
    except BaseException as raised:  # noqa: BLE001 -- it is the caller's, whatever it is
        error = raised
    return Batch(values, error, time.perf_counter() - begun)
