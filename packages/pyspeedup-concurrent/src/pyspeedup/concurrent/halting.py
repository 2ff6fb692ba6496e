"""When searching a Buffer for an item is to stop: what can be known of an endless sequence.

``item in buffer`` looks through what has arrived, then asks the Buffer's halt condition, takes one
new value, compares, and asks again. A condition is called as ``condition(buffer, item, attempts)``;
`buffer.cached` is what has arrived, never empty, and `attempts` counts the questions of this
search, from 0. True stops the search, and the item is not in the Buffer.

A condition is right for a sequence that keeps its *law*. For one that breaks it, `in` may answer
False for an item that comes later, or never answer.

Any function of three arguments is a condition too:

>>> def passedTwice(buffer, item, attempts):
...     return len(buffer.cached) > 1 and buffer.cached[-2] > item
"""

from __future__ import annotations

import operator
import threading
import time
from typing import TYPE_CHECKING, Any

from pyspeedup.core import halt_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspeedup.core import HaltCondition

__all__ = [
    "absolutelyNonDecreasing",
    "afterAttempts",
    "afterSeconds",
    "allOf",
    "anyOf",
    "resolve",
    "uniformlyNonDecreasing",
    "uniformlyNonIncreasing",
]


def uniformlyNonDecreasing(buffer: Any, item: Any, attempts: int) -> bool:  # noqa: ARG001, N802 -- the contract's name and arguments
    """Stop once the last value is greater than or equal to `item`; costs one comparison.

    Law: no value is less than the one before it. Raises `TypeError` if the two have no order.

    >>> from types import SimpleNamespace
    >>> squares = SimpleNamespace(cached=[0, 1, 4, 9])
    >>> uniformlyNonDecreasing(squares, 7, 0), uniformlyNonDecreasing(squares, 10, 0)
    (True, False)
    """
    return bool(buffer.cached[-1] >= item)


def uniformlyNonIncreasing(buffer: Any, item: Any, attempts: int) -> bool:  # noqa: ARG001, N802 -- as above
    """Stop once the last value is less than or equal to `item`; costs one comparison.

    Law: no value is greater than the one before it. Raises `TypeError` if the two have no order.

    >>> from types import SimpleNamespace
    >>> halves = SimpleNamespace(cached=[1.0, 0.5, 0.25])
    >>> uniformlyNonIncreasing(halves, 0.3, 0), uniformlyNonIncreasing(halves, 0.1, 0)
    (True, False)
    """
    return bool(buffer.cached[-1] <= item)


def absolutelyNonDecreasing(buffer: Any, item: Any, attempts: int) -> bool:  # noqa: ARG001, N802 -- as above
    """Stop once the last value is greater than `item` in absolute value; costs two calls of `abs`.

    Law: no value is smaller in absolute value than the one before it. Raises `TypeError` if one
    has no absolute value.

    >>> from types import SimpleNamespace
    >>> spiral = SimpleNamespace(cached=[1, 2j, -4])
    >>> absolutelyNonDecreasing(spiral, -3, 0), absolutelyNonDecreasing(spiral, 4j, 0)
    (True, False)
    """
    return bool(abs(buffer.cached[-1]) > abs(item))


class afterAttempts:  # noqa: N801 -- it stands beside the functions above and is called as they are named
    """Stop after `count` new values were taken in this search; 0 looks only through what is there.

    Where nothing is there yet, the first value of all is taken unasked, and not counted; so are
    those before the `start` of `Buffer.index`. Law: none; it bounds the cost of a search instead. Raises `TypeError` if `count` is no whole
    number and `ValueError` if it is negative.

    >>> patience = afterAttempts(2)
    >>> [patience(None, "item", attempts) for attempts in range(4)]
    [False, False, True, True]
    """

    def __init__(self, count: int) -> None:
        """Keep the number of new values."""
        try:
            self.count = operator.index(count)
        except TypeError:
            raise TypeError(f"count must be a whole number, not {count!r}") from None
        if self.count < 0:
            raise ValueError(f"count must be 0 or more, not {count!r}")

    def __call__(self, buffer: Any, item: Any, attempts: int, /) -> bool:  # noqa: ARG002 -- the contract's arguments
        """Compare `attempts` with the count."""
        return attempts >= self.count

    def __repr__(self) -> str:
        return f"afterAttempts({self.count})"


class afterSeconds:  # noqa: N801 -- as above
    """Stop once a search has gone on for `seconds` of wall time.

    Law: none; it bounds the time of a search, to within the time that one value takes. The clock
    starts where a search asks for the first time (`attempts` is 0), for each thread its own; so a
    condition that asks this one has to ask it then, as `allOf` and `anyOf` do. Raises `TypeError` if `seconds` is no number and `ValueError` if it is negative or not a number.

    >>> afterSeconds(0)(None, "item", 0), afterSeconds(3600)(None, "item", 0)
    (True, False)
    """

    def __init__(self, seconds: float) -> None:
        """Keep the time that a search may take."""
        try:
            self.seconds = 0.0 + seconds
        except TypeError:
            raise TypeError(f"seconds must be a number, not {seconds!r}") from None
        if not self.seconds >= 0:
            raise ValueError(f"seconds must be 0 or more, not {seconds!r}")
        self._search = threading.local()

    def __call__(self, buffer: Any, item: Any, attempts: int, /) -> bool:  # noqa: ARG002 -- the contract's arguments
        """Start the clock at the first question of a search, and compare it with the limit."""
        now = time.monotonic()
        if attempts == 0 or not hasattr(self._search, "began"):
            self._search.began = now
        return bool(now - self._search.began >= self.seconds)

    def __reduce__(self) -> tuple[type[afterSeconds], tuple[float]]:
        """Travel without the clocks that are running."""
        return afterSeconds, (self.seconds,)

    def __repr__(self) -> str:
        return f"afterSeconds({self.seconds:g})"


class anyOf:  # noqa: N801 -- as above
    """Stop as soon as one of `conditions`, each a callable or a registered name, says so.

    Law: that of each condition which has one. They are asked in order, up to the first that stops;
    all of them where a search asks for the first time, for some begin to count then. Raises `TypeError` for what is neither callable nor a name or if there is none at all, and
    `pyspeedup.core.UnknownNameError` for an unknown name.

    >>> from types import SimpleNamespace
    >>> either = anyOf("uniformlyNonDecreasing", afterAttempts(1000))
    >>> squares = SimpleNamespace(cached=[0, 1, 4, 9])
    >>> either(squares, 7, 0), either(squares, 10, 0), either(squares, 10, 1000)
    (True, False, True)
    """

    def __init__(self, *conditions: HaltCondition | str) -> None:
        """Look the names up."""
        self.conditions = _resolved("anyOf", conditions)

    def __call__(self, buffer: Any, item: Any, attempts: int, /) -> bool:
        """Ask each in turn."""
        return any(_answers(self.conditions, buffer, item, attempts))

    def __repr__(self) -> str:
        return f"anyOf({_names(self.conditions)})"


class allOf:  # noqa: N801 -- as above
    """Stop once all of `conditions`, each a callable or a registered name, say so of the same value.

    Law: that of one of them suffices, if each of the others stops in the end. They are asked in
    order, up to the first that does not stop; all of them where a search asks for the first time,
    for some begin to count then. Raises as `anyOf` does.

    >>> from types import SimpleNamespace
    >>> both = allOf("uniformlyNonDecreasing", afterAttempts(10))
    >>> squares = SimpleNamespace(cached=[0, 1, 4, 9])
    >>> both(squares, 7, 0), both(squares, 7, 10), both(squares, 10, 10)
    (False, True, False)
    """

    def __init__(self, *conditions: HaltCondition | str) -> None:
        """Look the names up."""
        self.conditions = _resolved("allOf", conditions)

    def __call__(self, buffer: Any, item: Any, attempts: int, /) -> bool:
        """Ask each in turn."""
        return all(_answers(self.conditions, buffer, item, attempts))

    def __repr__(self) -> str:
        return f"allOf({_names(self.conditions)})"


def _resolved(
    combinator: str, conditions: tuple[HaltCondition | str, ...]
) -> tuple[HaltCondition, ...]:
    if not conditions:
        raise TypeError(f"{combinator} needs at least one condition")
    return tuple(resolve(condition, "a condition") for condition in conditions)


def _answers(
    conditions: tuple[HaltCondition, ...], buffer: Any, item: Any, attempts: int
) -> Iterable[bool]:
    """Return what the conditions say, of which those are asked that one looks at; at first, all."""
    answers = (condition(buffer, item, attempts) for condition in conditions)
    return answers if attempts else [*answers]


def _names(conditions: tuple[HaltCondition, ...]) -> str:
    return ", ".join(getattr(each, "__name__", None) or repr(each) for each in conditions)


def resolve(condition: HaltCondition | str, argument: str = "haltCondition") -> HaltCondition:
    """Return the condition that `condition` is, or is the registered name of, in O(1).

    `argument` is what the `TypeError` for anything else calls it; an unknown name raises
    `pyspeedup.core.UnknownNameError`.

    >>> resolve(uniformlyNonDecreasing) is uniformlyNonDecreasing
    True
    """
    if isinstance(condition, str):
        return halt_conditions.get(condition)
    if not callable(condition):
        raise TypeError(
            f"{argument} must be callable as condition(buffer, item, attempts), or the name of "
            f"a registered one, not {condition!r}"
        )
    return condition
