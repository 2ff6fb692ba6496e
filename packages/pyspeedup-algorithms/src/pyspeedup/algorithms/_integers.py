"""Arguments that have to be integers: taken exactly, refused otherwise, shown in messages."""

from __future__ import annotations

import operator

__all__ = ["shown", "to_int"]

LONGEST_SHOWN_BITS = 1024


def to_int(value: object, name: str) -> int:
    """Return `value` as a plain int, exactly; `TypeError` names the argument if it is no integer.

    Whatever has ``__index__`` is an integer: int, bool, and the integers of numpy, gmpy2 and flint.

    >>> to_int(True, "n")
    1
    >>> to_int(7.0, "n")
    Traceback (most recent call last):
    TypeError: n must be an integer, not the float 7.0
    """
    if type(value) is int:  # as nearly always, and this is called for each argument
        return value
    try:
        return int(operator.index(value))  # type: ignore[arg-type]  # what it accepts is the test
    except TypeError:
        message = f"{name} must be an integer, not the {type(value).__name__} {value!r}"
        raise TypeError(message) from None


def shown(n: int) -> str:
    """Return `n` for a message: in full, or by its length where the digits would fill a page.

    Python itself refuses to print integers of more than some thousands of digits.

    >>> shown(-12), shown(1 << 100_000)
    ('-12', '<an integer of 100001 bits>')
    """
    bits = n.bit_length()
    return str(n) if bits <= LONGEST_SHOWN_BITS else f"<an integer of {bits} bits>"
