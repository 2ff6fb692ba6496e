"""Values that a machine puts into model and subject alike: compared strictly, changed in place."""

from __future__ import annotations

import datetime as dt
import enum
from collections import deque
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "Box",
    "Colour",
    "Number",
    "Point",
    "Text",
    "change",
    "fresh",
    "has_mutable",
    "innermost",
    "make_mutable",
    "same",
]


@dataclass
class Box:
    """A small mutable object that pickles: stands for the classes of users.

    >>> box = Box([1])
    >>> box.content.append(2)
    >>> box == Box([1, 2])
    True
    """

    content: Any


class Text(str):
    """A str that is more than one, as a format of text alone cannot tell."""

    __slots__ = ()


class Number(int):
    """An int that is more than one."""

    __slots__ = ()


class Point(NamedTuple):
    """A tuple that is more than one."""

    x: Any
    y: Any


class Colour(enum.IntEnum):
    """Ints that are members."""

    RED = 1
    GREEN = 2


TOLD_BY_REPR = (float, complex, Decimal, dt.date, dt.time)
"""Types of which values are equal that are not the same: 0.0 and -0.0, one time in two zones."""


fresh: Callable[[Any], Any] = deepcopy
"""A copy that shares nothing mutable, so that model and subject never hold the same object."""


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal and of the same types throughout, in O(size).

    Unlike ``==``, it tells 1 from 1.0 and True, and 0.0 from -0.0, and finds a NaN like itself.

    >>> same([1, (0.0,)], [1, (0.0,)]), same([1], [True]), same(0.0, -0.0)
    (True, False, False)
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, TOLD_BY_REPR):
        return repr(left) == repr(right)
    if isinstance(left, slice):
        return same((left.start, left.stop, left.step), (right.start, right.stop, right.step))
    if isinstance(left, (set, frozenset)):
        left, right = sorted(left, key=repr), sorted(right, key=repr)
    if isinstance(left, (list, tuple, deque, dict, Box)):
        mine, theirs = list(_parts(left)), list(_parts(right))
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    return bool(left == right)


def innermost(value: Any) -> Any:
    """Return the mutable object deepest inside `value`, or None where there is none.

    >>> innermost(({"a": [[1]]},)), innermost((1, "two"))
    ([1], None)
    """
    for child in _children(value):
        found = innermost(child)
        if found is not None:
            return found
    return value if isinstance(value, (list, dict, set, bytearray, Box)) else None


def has_mutable(values: Iterable[Any]) -> bool:
    """Tell whether any of `values` is mutable or holds something mutable.

    >>> has_mutable([1, ("a", [])]), has_mutable([1, ("a", ())])
    (True, False)
    """
    return any(innermost(value) is not None for value in values)


def make_mutable(value: Any) -> Any:
    """Return `value`, or a list of it if it could not change in place.

    >>> make_mutable(5), make_mutable((1, []))
    ([5], (1, []))
    """
    return [value] if innermost(value) is None else value


def change(value: Any, item: Any) -> None:
    """Change a list, dict, set, bytearray or `Box` in place so that it differs from before.

    >>> value = ["a"]
    >>> change(value, 7)
    >>> value
    ['a', 7]
    """
    if isinstance(value, list):
        value.append(item)
    elif isinstance(value, dict):
        value[f"changed {len(value)}"] = item
    elif isinstance(value, set):
        value.add(f"changed {len(value)}")
    elif isinstance(value, bytearray):
        value.append(len(value) % 256)
    else:
        value.content = (value.content, item)


def _parts(value: Any) -> Iterable[Any]:
    return value.items() if isinstance(value, dict) else _children(value)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple, deque)):
        return value
    if isinstance(value, dict):
        return value.values()
    return (value.content,) if isinstance(value, Box) else ()
