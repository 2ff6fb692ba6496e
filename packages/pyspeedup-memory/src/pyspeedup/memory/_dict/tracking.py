"""Values in front that may change in place: which of them did, and which somebody outside holds.

Such a value must stay the object that the dict answers with while anybody refers to it, or to something
inside it; and what was changed in it must be written. So its bytes are made anew, and compared with
those that were written, before it is let go of and at each flush.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._dict.front import ABSENT
from pyspeedup.memory._pages.changes import held_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspeedup.memory._pages.bodies import Codec

__all__ = ["Tracked"]

LIVE_FACTOR = 8
"""RAM of a live object: about so many times its body. Lists of floats take 4 times, of ints 7."""


class Tracked:
    """The keys of such values, with how many bytes each has in a record.

    The values themselves are not in here: each is referred to by one generation of the front only,
    so that references from outside can be told from ours.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.lengths: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    def __contains__(self, key: Any) -> bool:
        return key in self.lengths

    def keys(self) -> list[Any]:
        """Return the keys, in O(keys)."""
        return list(self.lengths)

    def add(self, key: Any, length: int) -> None:
        """Track the value of `key`, whose body has `length` bytes."""
        self.lengths[key] = length

    def discard(self, key: Any) -> None:
        """Track the value of `key` no longer."""
        if self.lengths:
            self.lengths.pop(key, None)

    def weight(self, key: Any) -> int:
        """Return about how many bytes of RAM the value of `key` takes."""
        return LIVE_FACTOR * self.lengths[key]

    def clear(self) -> None:
        """Forget everything."""
        self.lengths.clear()

    def held(self, values: dict[Any, Any], witnesses: Iterable[dict[Any, Any]]) -> set[Any]:
        """Return the keys of those `values` that are held outside, in O(their parts).

        Each value must be referred to by `values`, and each of the tracked ones in the `witnesses`
        by one of these, and by nothing else of ours. `values` must not be changed meanwhile.
        """
        keys = [key for key in values if key in self.lengths]
        others = [(own, key) for own in witnesses for key in own if key in self.lengths]
        everything = [values[key] for key in keys]
        everything += [own[key] for own, key in others]
        lengths = [self.lengths[key] for key in (*keys, *(key for _, key in others))]
        flags = held_outside(everything, 1, lengths, self._is_kept_by_name)
        return {key for key, is_held in zip(keys, flags, strict=False) if is_held}

    def _is_kept_by_name(self, value: Any) -> bool:
        try:
            return self._codec.decode(self._codec.encode(value)) is value
        except SerializationError:
            return False

    def changed(
        self,
        keys: Iterable[Any],
        value_of: Callable[[Any], Any],
        is_written: Callable[[Any, bytes], bool],
    ) -> tuple[dict[Any, bytes], set[Any]]:
        """Return the bodies of those values that are not written so, and the keys of those without.

        Errors are not returned: their frames would refer to the values, which would count as held.
        """
        bodies: dict[Any, bytes] = {}
        refused: set[Any] = set()
        for key in keys:
            value = value_of(key)
            if value is ABSENT:  # an interruption came before it was in front
                self.discard(key)
                continue
            try:
                body = self._codec.encode(value)
            except SerializationError:
                refused.add(key)
                continue
            if not is_written(key, body):
                bodies[key] = body
                self.lengths[key] = len(body)
        return bodies, refused
