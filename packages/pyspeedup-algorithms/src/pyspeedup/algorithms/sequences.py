"""The glue: what joins the arithmetic to the other packages. So far, the primes as a `Buffer`."""

from __future__ import annotations

import os
import sys
import threading
from bisect import bisect_left, bisect_right
from itertools import chain, count
from typing import TYPE_CHECKING, Any, overload

from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.primes import is_prime
from pyspeedup.algorithms.sieve import TYPECODE, sieve_segments

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, MutableSequence
    from types import TracebackType
    from typing import Self

    from pyspeedup.concurrent import Buffer

__all__ = ["Primes", "primes"]

SEGMENTS_AHEAD = 4


class Primes:
    """The primes as an endless sequence, sieved ahead in another process.

    - by place: ``primes[i]`` (from 0), ``primes[i:j:k]`` (a list), ``primes.index(p)``
    - by size: ``n in primes``, ``primes.below(n)``
    - in order: ``for p in primes``
    - the process: started when a prime is first needed, ended by `close`, by leaving a ``with``, at
      exit, and when the object is garbage

    What was sieved stays, 8 bytes a prime, and the process runs at most four segments of 2**20
    numbers ahead. A prime that is there already costs about a microsecond; sieving costs about
    0.2 us a prime.

    `store`, any `MutableSequence` with slices, keeps the segments in place of a list. With a
    `pyspeedup.memory.DiskList` they are out of RAM, and there at once the next time; it stays open
    when the primes are closed.

    There is one for all to use, `pyspeedup.algorithms.primes`. Several threads may use it; a forked
    or a new process sieves for itself.

    >>> with Primes() as ours:
    ...     ours[10_000], ours[:5], ours.index(97), 97 in ours
    (104743, [2, 3, 5, 7, 11], 24, True)
    >>> from pyspeedup.memory import DiskList
    >>> folder = getfixture("tmp_path")
    >>> with DiskList("primes", file_location=folder) as store, Primes(store=store) as ours:
    ...     ours[100_000], len(store) > 4
    (1299721, True)
    >>> with DiskList("primes", file_location=folder) as store, Primes(store=store) as ours:
    ...     ours[99_999]  # read, not sieved
    1299709
    """

    def __init__(self, *, store: MutableSequence[array[int]] | None = None) -> None:
        self._store = store
        self._sieved: _Sieved | None = None

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        """Return the prime at `index`, counted from 0, or the list of those in a slice.

        O(log segments) where it is sieved already; else it waits until it is. `IndexError` for a
        negative index and for a slice with no end: there is no last prime to count from.

        >>> primes[0], primes[1_000], primes[10:20:3]
        (2, 7927, [31, 43, 59, 71])
        >>> primes.close()
        """
        if isinstance(index, slice):
            return self._slice(_positions(index))
        position = to_int(index, "index")
        if position < 0:
            raise IndexError(f"no prime is the last, so index {shown(position)} means none")
        if position >= sys.maxsize:
            raise IndexError(f"index {shown(position)} is out of reach: no list is as long")
        return self._here().at(position)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the primes from 2, without end; each iterator from the start.

        >>> from itertools import takewhile
        >>> sum(takewhile(lambda p: p < 1_000, primes))
        76127
        >>> primes.close()
        """
        here = self._here()
        return chain.from_iterable(here.segment(i).tolist() for i in count())

    def __contains__(self, n: object) -> bool:
        """Tell whether `n` is prime, by `is_prime`: nothing is sieved. `TypeError` for no integer.

        >>> 97 in primes, 2**89 - 1 in primes, 91 in primes, -7 in primes
        (True, True, False, False)
        """
        return is_prime(to_int(n, "n"))

    def index(self, p: int) -> int:
        """Return the place of the prime `p`, so that ``primes[primes.index(p)] == p``.

        All up to `p` are sieved, O(p log log p), if they are not there yet. `ValueError` if `p` is
        not prime.

        >>> primes.index(2), primes.index(7927)
        (0, 1000)
        >>> primes.close()
        """
        p = to_int(p, "p")
        if not is_prime(p):
            raise ValueError(f"{shown(p)} is not prime")
        return self._here().count_below(p)

    def below(self, n: int) -> array[int]:
        """Return the primes less than `n`, as an array of unsigned 64-bit integers.

        All of them are sieved, O(n log log n), if they are not there yet.

        >>> primes.below(30).tolist()
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
        >>> len(primes.below(1_000_000))
        78498
        >>> primes.close()
        """
        here = self._here()
        return here.between(0, here.count_below(to_int(n, "n")))

    def close(self) -> None:
        """End the process and let go of what was sieved; the next use starts anew. O(1).

        >>> primes[3]
        7
        >>> primes.close()
        >>> primes
        <the primes, 0 of them sieved>
        """
        if self._sieved is not None:
            sieved, self._sieved = self._sieved, None
            sieved.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Travel by name: wherever it arrives, the primes are the same."""
        if self._store is not None:
            raise TypeError("primes that are kept in a store cannot be sent: send its name")
        return "primes" if self is primes else (Primes, ())

    def __repr__(self) -> str:
        known = self._sieved.known if self._sieved is not None else 0
        return f"<the primes, {known} of them sieved>"

    def _slice(self, positions: range) -> list[int]:
        if not positions:
            return []
        start, stop = sorted((positions[0], positions[-1]))
        found = self._here().between(start, stop + 1)[:: abs(positions.step)].tolist()
        return found if positions.step > 0 else found[::-1]

    def _here(self) -> _Sieved:
        """Return what this process has sieved."""
        sieved = self._sieved
        # In a forked child the lock may be held for ever by a thread that is not there.
        if sieved is None or sieved.pid != os.getpid():
            sieved = self._sieved = _Sieved(self._store)
        return sieved


class _Sieved:
    """The segments that have arrived in this process, and where each begins in the sequence."""

    def __init__(self, store: MutableSequence[array[int]] | None) -> None:
        # Imported here: the arithmetic alone must not pay for processes.
        from pyspeedup.concurrent import Buffer

        self.pid = os.getpid()
        self._buffer: Buffer[array[int]] = Buffer(sieve_segments, SEGMENTS_AHEAD, store=store)
        self._starts = [0]
        self._largest: list[int] = []
        self._growing = threading.Lock()

    @property
    def known(self) -> int:
        return self._starts[-1]

    def segment(self, i: int) -> array[int]:
        while len(self._largest) <= i:
            self._grow()
        return self._buffer[i]

    def at(self, position: int) -> int:
        self._grow_to_position(position)
        i = bisect_right(self._starts, position) - 1
        return self._buffer[i][position - self._starts[i]]

    def between(self, start: int, stop: int) -> array[int]:
        from array import array

        self._grow_to_position(stop - 1)
        found = array(TYPECODE)
        for i in range(bisect_right(self._starts, start) - 1, len(self._largest)):
            offset = self._starts[i]
            if offset >= stop:
                break
            found += self._buffer[i][max(0, start - offset) : stop - offset]
        return found

    def count_below(self, n: int) -> int:
        while not self._largest or self._largest[-1] < n:
            self._grow()
        i = bisect_left(self._largest, n)
        return self._starts[i] + bisect_left(self._buffer[i], n)

    def close(self) -> None:
        self._buffer.close()

    def _grow_to_position(self, position: int) -> None:
        while self._starts[-1] <= position:
            self._grow()

    def _grow(self) -> None:
        """Take one more segment in."""
        with self._growing:
            segment = self._buffer[len(self._largest)]
            self._largest.append(segment[-1])
            self._starts.append(self._starts[-1] + len(segment))


def _positions(index: slice) -> range:
    """Return the places that a slice of the endless sequence means; `IndexError` if it has no end."""
    step = 1 if index.step is None else to_int(index.step, "slice step")
    if step == 0:
        raise ValueError("slice step must not be 0")
    start = 0 if index.start is None and step > 0 else index.start
    stop = -1 if index.stop is None and step < 0 else index.stop
    if start is None or stop is None:
        raise IndexError("no prime is the last, so a slice must say where it ends: primes[:100]")
    start, stop = to_int(start, "slice start"), to_int(stop, "slice stop")
    if start < 0 or (stop < 0 and index.stop is not None):
        raise IndexError(f"no prime is the last, so the slice {index} has no place to count from")
    return range(start, stop, step)


primes = Primes()
