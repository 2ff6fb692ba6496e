"""How many workers an engine has: what the user says, what the environment says, the cores."""

from __future__ import annotations

import os

__all__ = ["VARIABLE", "number_of_workers"]

VARIABLE = "PYSPEEDUP_WORKERS"


def number_of_workers(given: int | None, default: int) -> int:
    """Return `given`, else the number in the environment variable, else `default`.

    `TypeError` or `ValueError` if it is not a whole number of at least 1.

    >>> number_of_workers(3, 8)
    3
    >>> number_of_workers(0, 8)
    Traceback (most recent call last):
    ValueError: workers must be at least 1, not 0
    """
    if given is not None:
        if not isinstance(given, int):
            raise TypeError(f"workers must be an int, not {given!r}")
        return _at_least_one(given, "workers")
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return default
    try:
        return _at_least_one(int(text), VARIABLE)
    except ValueError:
        raise ValueError(
            f"the environment variable {VARIABLE} must be a whole number of at least 1, not {text!r}"
        ) from None


def _at_least_one(number: int, name: str) -> int:
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number!r}")
    return number
