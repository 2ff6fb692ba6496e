"""Holds a value to what a format of plain data gives back equal and of the same type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEEPEST", "PlainData"]

DEEPEST = 200
"""Lists and dicts in each other. A bound of our own: how deep a parser gets depends on how much of the
stack is in use when a value is read, and then it would be too late to refuse it."""


class PlainData:
    """Which types the format `name` takes: exactly these, in lists and dicts of each other.

    `atoms` maps a type to a test that its values must pass, or to None where all of them do.

    >>> rule = PlainData("text", {str: None, int: lambda number: number >= 0}, keys={str})
    >>> rule.require({"a": ["b", 1]})
    >>> rule.require({"a": -1})
    Traceback (most recent call last):
    pyspeedup.core.errors.SerializationError: text would not give this int back: -1
    """

    def __init__(
        self, name: str, atoms: dict[type, Callable[[Any], bool] | None], keys: set[type]
    ) -> None:
        """Keep the rule."""
        self._name = name
        self._free = frozenset(kind for kind, test in atoms.items() if test is None)
        self._tests = {kind: test for kind, test in atoms.items() if test is not None}
        self._keys = frozenset(keys)

    def require(self, value: Any, levels: int = DEEPEST) -> None:
        """Raise `SerializationError` unless the format gives `value` back, in O(size)."""
        kind = type(value)
        if kind in self._free:
            return
        if kind is list:
            self._require_level(levels)
            for item in value:
                self.require(item, levels - 1)
        elif kind is dict:
            self._require_level(levels)
            for key, item in value.items():
                if type(key) not in self._keys:
                    raise self._refusal(f"a {type(key).__name__} key", key)
                self.require(item, levels - 1)
        elif kind not in self._tests:
            raise self._refusal(f"a {kind.__name__}", value)
        elif not self._tests[kind](value):
            raise self._refusal(f"this {kind.__name__}", value)

    def _require_level(self, levels: int) -> None:
        if not levels:
            raise SerializationError(
                f"{self._name} takes at most {DEEPEST} lists and dicts in each other; "
                "this one is deeper, or holds itself"
            )

    def _refusal(self, what: str, value: Any) -> SerializationError:
        import reprlib  # only a refusal needs it; a value may be too long to be shown whole

        return SerializationError(f"{self._name} would not give {what} back: {reprlib.repr(value)}")
