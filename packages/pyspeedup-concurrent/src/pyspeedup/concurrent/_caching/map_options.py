"""What `Cache.map` can be told, checked where it is given, and what it is told for the user's eyes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sized
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MapOptions", "calls_of", "make_bar"]


class MapOptions(NamedTuple):
    """What `Cache.map` was told.

    >>> MapOptions(chunksize=0).check()
    Traceback (most recent call last):
    ValueError: chunksize must be None or at least 1, not 0
    """

    ordered: bool = True
    progress: bool = False
    timeout: float | None = None
    chunksize: int | None = None
    buffersize: int | None = None

    def check(self) -> None:
        """Raise `TypeError` or `ValueError`, naming what is wrong."""
        for name in ("chunksize", "buffersize"):
            _check_size(name, getattr(self, name))
        if self.timeout is not None and not isinstance(self.timeout, int | float):
            raise TypeError(f"timeout must be None or a number of seconds, not {self.timeout!r}")
        if self.timeout != self.timeout:  # only nan is not itself
            raise ValueError(f"timeout must be None or a number of seconds, not {self.timeout!r}")

    def deadline(self) -> float | None:
        """Return when to give up, by `time.monotonic`; None for never, or later than can be waited for."""
        if self.timeout is None or self.timeout >= threading.TIMEOUT_MAX:
            return None
        return time.monotonic() + max(0, self.timeout)


def _check_size(name: str, size: Any) -> None:
    if size is None:
        return
    if not isinstance(size, int):
        raise TypeError(f"{name} must be None or an int, not {size!r}")
    if size < 1:
        raise ValueError(f"{name} must be None or at least 1, not {size!r}")


def calls_of(
    iterables: tuple[Iterable[Any], ...], name: str
) -> tuple[Iterator[tuple[Any, ...]], int | None]:
    """Return the calls of a map, and how many there are at most, None if nobody knows.

    `TypeError` if there is no iterable, or something else in its place.

    >>> calls, length = calls_of(([1, 2, 3], "ab"), "f")
    >>> [*calls], length
    ([(1, 'a'), (2, 'b')], 2)
    """
    if not iterables:
        raise TypeError(f"{name}.map needs at least one iterable of arguments")
    calls = zip(*(_iterator(iterable, name) for iterable in iterables), strict=False)
    lengths = [length for each in iterables if (length := _length_of(each)) is not None]
    return calls, min(lengths, default=None)


def _length_of(iterable: Any) -> int | None:
    if not isinstance(iterable, Sized):
        return None
    try:
        return len(iterable)
    except TypeError:  # a Buffer whose end is not known yet, and its like
        return None


def _iterator(iterable: Any, name: str) -> Iterator[Any]:
    try:
        return iter(iterable)
    except TypeError:
        raise TypeError(
            f"{name}.map takes iterables of arguments, which {iterable!r} is not; "
            f"for one call write [{iterable!r}]"
        ) from None


def make_bar(length: int | None, name: str) -> Any:
    """Return a bar with ``update`` and ``close``; `ImportError`, saying what to install, without tqdm."""
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            "progress=True draws its bar with tqdm, which is not installed: "
            "pip install 'pyspeedup-concurrent[progress]'"
        ) from error
    return tqdm(total=length, desc=name, unit=" calls")
