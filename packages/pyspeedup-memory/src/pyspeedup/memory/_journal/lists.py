"""Recorded changes of a list."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._journal.call import Call
from pyspeedup.memory._journal.content import Journalled
from pyspeedup.memory._list.content import ListContent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["PLACELESS_IN_LIST", "JournalledList", "repeated_in_list"]

SET, APPEND, INSERT, DELETE, REPLACE, REPLACE_EACH, DELETE_EACH = range(1, 8)
PLACELESS_IN_LIST = frozenset({APPEND})
"""Changes that mean the same where other items are lost."""
MOST_VALUES = 4_096
MOST_BYTES = 4 << 20
"""So many values of one change, and bytes, are recorded; more are committed at once, for little more."""
FARTHEST = 2**63
"""Numbers of a record are less, either way."""


class JournalledList(Journalled, ListContent):
    """The live content of a list, each change of which is recorded, or committed where it moves all."""

    @property
    def open_until(self) -> float:
        """Until when values may be added past `append`: never, as no record would tell of them."""
        return -math.inf

    @open_until.setter
    def open_until(self, _: float) -> None:
        """Leave it so."""

    def set(self, index: int, value: Any) -> None:
        """Replace an item."""
        self._do(self._call(SET, (index,), [value]), super().set, index, value)

    def append(self, value: Any) -> None:
        """Add an item at the end."""
        self._do(self._call(APPEND, (), [value]), super().append, value)

    def insert(self, index: int, value: Any) -> None:
        """Put an item before `index`, or at the end."""
        if index == len(self):
            self.append(value)
        else:
            self._do(self._call(INSERT, (index,), [value]), super().insert, index, value)

    def delete(self, index: int) -> None:
        """Remove an item."""
        self._do(self._call(DELETE, (index,)), super().delete, index)

    def pop(self, index: int) -> Any:
        """Remove an item and return it."""
        return self._do(self._call(DELETE, (index,)), super().pop, index)

    def replace(self, start: int, stop: int, values: Iterable[Any]) -> None:
        """Put `values` in place of the items from `start` to `stop`; all or nothing."""
        iterator = iter(values)
        first: list[Any] = []
        call = self._call(REPLACE, (start, stop), _noted(iterator, first))
        self._do(call, super().replace, start, stop, chain(first, iterator))

    def replace_each(self, indexes: range, values: list[Any]) -> None:
        """Put `values` in place of the items at `indexes`; all or nothing."""
        call = self._call(REPLACE_EACH, _numbers(indexes), values)
        self._do(call, super().replace_each, indexes, values)

    def delete_each(self, indexes: range) -> None:
        """Remove the items at `indexes`."""
        self._do(self._call(DELETE_EACH, _numbers(indexes)), super().delete_each, indexes)

    def clear(self) -> None:
        """Remove all items."""
        self.replace(0, len(self), ())

    def repeat(self, times: int) -> None:
        """Add `times` copies of all items at the end."""
        self._do(None, super().repeat, times)

    def reverse(self) -> None:
        """Turn the order round."""
        self._do(None, super().reverse)

    def sort(self, key: Callable[[Any], Any] | None, *, reverse: bool) -> None:
        """Sort stably."""
        self._do(None, lambda: super(JournalledList, self).sort(key, reverse=reverse))

    def _call(
        self, change: int, numbers: tuple[int, ...], values: Iterable[Any] = ()
    ) -> Call | None:
        """Return the record of a change, None where that cannot be, or is not worth it.

        Of `values` no more are taken then than would have been recorded.
        """
        if self.journal is None or self._transactions:
            return None
        if not all(-FARTHEST <= number < FARTHEST for number in numbers):
            return None  # it is refused
        bodies = self._bodies(values)
        return None if bodies is None else Call(change, numbers, bodies)

    def _bodies(self, values: Iterable[Any]) -> list[bytes] | None:
        """Return the bytes of each value; None where one has none, or of several there are too many."""
        bodies: list[bytes] = []
        size = 0
        try:
            for body in map(self.pager.codec.encode, values):
                bodies.append(body)
                size += len(body)
                if len(bodies) > MOST_VALUES or (size > MOST_BYTES and len(bodies) > 1):
                    return None
        except SerializationError:  # the change itself says it better, naming the index
            return None
        return bodies


def _noted(values: Iterator[Any], noted: list[Any]) -> Iterator[Any]:
    """Yield `values`, each of which is in `noted` by then."""
    for value in values:
        noted.append(value)
        yield value


def _numbers(indexes: range) -> tuple[int, int, int]:
    """Return what makes an equal range; that of one index may have been made with any step."""
    if len(indexes) == 1:
        return indexes[0], indexes[0] + 1, 1
    return indexes.start, indexes.stop, indexes.step


def repeated_in_list(content: ListContent, call: Call) -> Callable[[], object]:
    """Return what does to `content` what `call` says; its values are read already."""
    decode = content.pager.codec.decode
    numbers, values = call.numbers, [decode(body) for body in call.bodies]
    changes: dict[int, Callable[[], object]] = {
        SET: lambda: content.set(numbers[0], values[0]),
        APPEND: lambda: content.append(values[0]),
        INSERT: lambda: content.insert(numbers[0], values[0]),
        DELETE: lambda: content.delete(numbers[0]),
        REPLACE: lambda: content.replace(numbers[0], numbers[1], values),
        REPLACE_EACH: lambda: content.replace_each(range(*numbers), values),
        DELETE_EACH: lambda: content.delete_each(range(*numbers)),
    }
    return changes[call.change]
