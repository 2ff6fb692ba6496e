"""Finds calls that wait for each other in a ring, which no order of evaluation can answer.

A function whose call needs itself is a mistake, and by itself ends in a RecursionError. On a cluster its
calls would wait for ever. So each process knows which of its calls wait for which, and a call
that has waited for long asks all processes once. Each is known before it asks, so that the last of
a ring to ask sees all of it. Calls that do not need themselves never stand in a ring,
not even in pictures taken at different times, for such a ring would be one of needs.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["closes_ring", "waiting", "waits_in_this_process"]

_waits: dict[str, str] = {}


@contextlib.contextmanager
def waiting(waiter: str, awaited: str) -> Iterator[None]:
    """Let it be known, for the length of the block, that one call waits for another."""
    _waits[waiter] = awaited
    try:
        yield
    finally:
        _waits.pop(waiter, None)


def waits_in_this_process() -> dict[str, str]:
    """Return who waits for whom, by the names that the cluster knows the calls by.

    >>> with waiting("a", "b"):
    ...     waits_in_this_process()
    {'a': 'b'}
    """
    return dict(_waits)


def closes_ring(waiter: str, answers: Mapping[str, Any]) -> bool:
    """Tell whether `waiter` waits for itself in the end; `answers` are those of all processes.

    >>> closes_ring("a", {"one": {"a": "b"}, "other": {"b": "a", "c": "a"}})
    True
    >>> closes_ring("c", {"one": {"a": "b"}, "other": {"b": "a", "c": "a"}})
    False
    """
    waits: dict[str, str] = {}
    for answer in answers.values():
        if isinstance(answer, dict):  # else a worker that ended while it was asked
            waits.update(answer)
    met: set[str] = set()
    awaited = waits.get(waiter)
    while awaited is not None and awaited not in met:
        if awaited == waiter:
            return True
        met.add(awaited)
        awaited = waits.get(awaited)
    return False
