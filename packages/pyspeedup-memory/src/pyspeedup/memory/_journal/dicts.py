"""Recorded changes of a dict."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._dict.content import DictContent
from pyspeedup.memory._dict.packing import PLAIN_KEYS
from pyspeedup.memory._journal.call import Call
from pyspeedup.memory._journal.content import Journalled
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PLACELESS_IN_DICT", "JournalledDict", "repeated_in_dict"]

SET, REMOVE, POP_LAST, CLEAR = range(1, 5)
PLACELESS_IN_DICT = frozenset({SET, REMOVE, CLEAR})
"""Changes that mean the same where other items are lost."""


class JournalledDict(Journalled, DictContent):
    """The live content of a dict, each change of which is recorded.

    What is found by its own hash or identity only would be another key when it was read again.
    """

    def set(self, key: Any, value: Any) -> None:
        """Give `key` the value."""
        self._do(self._call(SET, {key: value}), super().set, key, value)

    def set_plain(self, items: dict[Any, Any]) -> None:
        """Set plain keys to plain values, many at once."""
        self._do(self._call(SET, items), super().set_plain, items)

    def remove(self, key: Any) -> bool:
        """Take `key` out and return True; False where it is not there."""
        return self._do(self._call(REMOVE, {key: None}), super().remove, key)

    def pop_last(self) -> tuple[Any, Any]:
        """Take the last item out and return it."""
        return self._do(Call(POP_LAST, (), []), super().pop_last)

    def clear(self) -> None:
        """Take all items out."""
        self._do(Call(CLEAR, (), []), super().clear)

    def _call(self, change: int, items: dict[Any, Any]) -> Call | None:
        """Return the record of a change, None where it cannot be repeated from one."""
        if self.journal is None or self._transactions:
            return None
        encode_key, encode = (codec.encode for codec in self.items.codecs)
        bodies: list[bytes] = []
        try:
            for key, value in items.items():
                if type(key) not in PLAIN_KEYS and self.items.finds_itself_only(key):
                    return None
                bodies.append(encode_key(key))
                if change == SET:
                    bodies.append(encode(value))
        except SerializationError:  # the change itself says it better, naming the key
            return None
        return Call(change, (), bodies)


def repeated_in_dict(content: DictContent, call: Call) -> Callable[[], object]:
    """Return what does to `content` what `call` says; keys and values are read already."""
    decode_key, decode = (codec.decode for codec in content.items.codecs)
    if call.change == SET:
        items: list[tuple[Any, Any]] = []
        for key_body, body in zip(call.bodies[::2], call.bodies[1::2], strict=True):
            key = decode_key(key_body)
            try:
                items.append((key, decode(body)))
            except SerializationError as error:
                raise SerializationError(f"the value of key {named(key)}: {error}") from error
        return partial(_set_all, content, items)
    if call.change == REMOVE:
        return partial(content.remove, decode_key(call.bodies[0]))
    return {POP_LAST: content.pop_last, CLEAR: content.clear}[call.change]


def _set_all(content: DictContent, items: list[tuple[Any, Any]]) -> None:
    for key, value in items:
        content.set(key, value)
