"""A halt condition for words that come shortest first, and in order of the alphabet within a length."""

from typing import Any


def shortlex(buffer: Any, item: str, attempts: int) -> bool:  # noqa: ARG001 -- part of the protocol
    """Stop once a word has come that stands behind `item`. Cost: one comparison.

    >>> from types import SimpleNamespace
    >>> buffer = SimpleNamespace(cached=["a", "b", "aa"])
    >>> shortlex(buffer, "c", 0), shortlex(buffer, "ab", 0)
    (True, False)
    """
    last = buffer.cached[-1]
    return bool((len(last), last) > (len(item), item))
