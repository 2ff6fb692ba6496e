"""New values of old entries wait here, so that a page is changed once for many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WriteBehind"]


class WriteBehind:
    """Values by entry number; `apply` hands them to `write`, entry by entry in order.

    Only values that cannot change, and that are known to be writable, may wait. All is O(1) but for
    `apply`.

    >>> written = {}
    >>> waiting = WriteBehind(written.__setitem__, most=2, most_bytes=1000)
    >>> waiting.put(7, "a", 60), waiting.put(3, "b", 60)
    (None, None)
    >>> waiting.is_full, waiting.get(7, None), written
    (True, 'a', {})
    >>> waiting.apply()
    >>> written
    {3: 'b', 7: 'a'}
    """

    def __init__(self, write: Callable[[int, Any], None], *, most: int, most_bytes: int) -> None:
        """Be full with `most` values, or with values of `most_bytes`."""
        self._write = write
        self._most = most
        self._most_bytes = most_bytes
        self._values: dict[int, Any] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many values wait."""
        return len(self._values)

    @property
    def is_full(self) -> bool:
        """Whether it is time for `apply`."""
        return len(self._values) >= self._most or self._bytes >= self._most_bytes

    def get(self, entry: int, default: Any) -> Any:
        """Return the value that waits for `entry`, or `default`."""
        return self._values.get(entry, default)

    def put(self, entry: int, value: Any, weight: int) -> None:
        """Let `value`, which takes `weight` bytes, wait for `entry`."""
        self._values[entry] = value
        self._bytes += weight

    def discard(self, entry: int) -> None:
        """Forget what waits for `entry`, if anything does."""
        self._values.pop(entry, None)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._bytes = 0

    def apply(self) -> None:
        """Write everything, in O(n log n) and a load of each page; what fails goes on waiting."""
        for entry in sorted(self._values):
            self._write(entry, self._values[entry])
            del self._values[entry]
        self._bytes = 0
