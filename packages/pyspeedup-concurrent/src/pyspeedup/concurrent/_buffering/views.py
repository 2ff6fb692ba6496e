"""What stands in for a Buffer's own parts: a read-only view, and supplies that have to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CachedValues", "Refusal"]

T_co = TypeVar("T_co", covariant=True)
SHOWN = 5
"""Values that a ``repr`` shows."""


class CachedValues(Sequence[T_co]):
    """A Buffer's values as far as they were asked for: a sequence that only the Buffer adds to.

    >>> from pyspeedup.concurrent.buffer import Buffer
    >>> letters = Buffer("abc")
    >>> letters.cached
    <0 values cached>
    >>> letters[1], letters.cached
    ('b', <2 values cached: 'a', 'b'>)
    >>> letters.close()
    """

    __slots__ = ("_known",)

    def __init__(self, known: Callable[[], Sequence[T_co]]) -> None:
        """Look at what `known` returns at the time."""
        self._known = known

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | Sequence[T_co]:
        """Index and slice as a list, with the last cached value at -1."""
        return self._known()[index]

    def __len__(self) -> int:
        return len(self._known())

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._known())

    def __contains__(self, item: object) -> bool:
        return item in self._known()

    def __repr__(self) -> str:
        values = self._known()
        size = len(values)
        shown = ", ".join(repr(values[position]) for position in range(min(size, SHOWN)))
        more = ", ..." if size > SHOWN else ""
        return f"<{size} value{'' if size == 1 else 's'} cached{': ' if size else ''}{shown}{more}>"


class Refusal:
    """Stands where a Buffer has its supply, in processes that must not have one."""

    def __init__(self, message: str) -> None:
        """Keep why nothing can be had."""
        self._message = message
        self._asked = 0

    def ask(self, count: int, *, urgent: bool = True) -> None:  # noqa: ARG002 -- a supply's arguments
        """Note what is needed: what is there is there."""
        self._asked = count

    def advance(self, satisfied: Callable[[], bool], accept: Any) -> None:  # noqa: ARG002 -- a supply's arguments
        """Raise `RuntimeError`, unless what was wanted has come."""
        if not satisfied():
            raise RuntimeError(self._message.format(index=self._asked - 1))

    def end(self, *, reading: bool = False) -> None:
        """Have nothing to end."""

    def abandon(self) -> None:
        """Have nothing to let go of."""
