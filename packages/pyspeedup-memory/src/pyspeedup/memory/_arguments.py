"""Checks of what constructors are given: each error names the argument and the value."""

from __future__ import annotations

import math
import operator
from typing import Any

__all__ = ["bytes_or_none", "positive_int", "seconds"]


def positive_int(name: str, value: Any) -> int:
    """Return `value` as an int of 1 or more.

    `TypeError` where it is no integer (a bool is none here), `ValueError` where it is below 1.

    >>> positive_int("size_limit", 4)
    4
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, not {value!r}")
    number = operator.index(value)
    if number < 1:
        raise ValueError(f"{name} must be 1 or more, not {value!r}")
    return number


def bytes_or_none(name: str, value: Any) -> int | None:
    """Return `value` as a number of bytes of 0 or more, or None as it is.

    `TypeError` where it is no integer (a bool is none here), `ValueError` where it is negative.

    >>> bytes_or_none("map_limit", 0), bytes_or_none("map_limit", None)
    (0, None)
    """
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int of bytes or None, not {value!r}")
    number = operator.index(value)
    if number < 0:
        raise ValueError(f"{name} must be 0 bytes or more, not {value!r}")
    return number


def seconds(name: str, value: Any) -> float:
    """Return `value` as a float of 0 or more; `math.inf` is allowed.

    `TypeError` where it is no number, `ValueError` where it is negative or not a number.

    >>> seconds("sync_every", 30)
    30.0
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if math.isnan(value) or value < 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {value!r}")
    return float(value)
