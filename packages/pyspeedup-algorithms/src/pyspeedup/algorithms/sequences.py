"""The glue: what joins the arithmetic to the other packages. So far, the primes, sieved ahead elsewhere."""

from __future__ import annotations

import os
import sys
import weakref
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms.primes import is_prime
from pyspeedup.algorithms.sieve import primes_between, sieve_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSequence
    from types import TracebackType
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from pyspeedup.algorithms._sieving.kept import Kept
    from pyspeedup.algorithms._sieving.known import Known
    from pyspeedup.concurrent import Buffer

__all__ = ["Primes", "primes"]

BLOCKS_AHEAD: Final = 64
SIEVED_UP_TO: Final = 2 * 10**8
"""Primes below this are counted by sieving them, 0.1 s; those further out, unless known, by a formula."""
MOST_NUMBERS: Final = 1 << 40
MOST_PLACES: Final = 1 << 35
"""The primes among so many numbers, and so many primes, are some hundred GiB."""
PLACES_SIEVED: Final = 10**7
LAST_PLACE: Final = min(sys.maxsize, (1 << 57) - 1)


class Primes:
    """The primes as an endless sequence, sieved ahead in another process.

    - by place: ``primes[i]`` (from 0), ``primes[i:j:k]`` (a list), ``primes.index(p)``
    - by size: ``n in primes``, ``primes.below(n)``, ``primes.between(a, b)``, ``primes.count(n)``
    - in order: ``for p in primes``
    - kept for the next time: ``primes.open(path)``
    - the process: started for who takes the primes in turn, beyond the first 200,000 or so; ended by
      `close`, by leaving a ``with``, at exit, and when the object is garbage

    What was sieved stays, a byte for 30 numbers (3.3 MB for 10**8), and what was used last stays as
    integers, at most 80 MB. A prime that is there costs 0.5 us, or 0.3 ms where its
    neighbours have to be read first; a new one in turn 10 ns, many at once 3 ns each.

    `store`, any `MutableSequence` with slices, keeps the bitmaps in place of a list, as bytes of
    983,040 numbers each. With a `pyspeedup.memory.DiskList` they are on disk; it stays open when the
    primes are closed. `open` does the same with a file of its own, without reading all of it first.

    There is one for all to use, `pyspeedup.algorithms.primes`. Several threads may use it; a forked
    or a new process sieves for itself.

    >>> with Primes() as ours:
    ...     ours[10_000], ours[:5], ours.index(97), 97 in ours
    (104743, [2, 3, 5, 7, 11], 24, True)
    >>> from pyspeedup.memory import DiskList
    >>> folder = getfixture("tmp_path")
    >>> with DiskList("primes", file_location=folder) as store, Primes(store=store) as ours:
    ...     ours[100_000], len(store)
    (1299721, 2)
    >>> with DiskList("primes", file_location=folder) as store, Primes(store=store) as ours:
    ...     ours[99_999]  # read, not sieved
    1299709
    """

    def __init__(self, *, store: MutableSequence[bytes] | None = None) -> None:
        self._store = store
        self._path: str | None = None
        self._known: Known | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return primes that are kept in the file at `path`, and read from there the next time.

        The file is made if it isn't there, and extended by what is sieved, at once where that is
        much, else by `close`. Two processes may use it at the same time, and add to it. If a
        program is killed, the file is as it was before what it was about to add. Where it may only be
        read, what is sieved stays in memory. It takes 3.4 MB for each 10**8, and holds up to 6 * 10**10.

        Opening costs 0.1 ms and 1 us for each 983,040 numbers in it; each of these is checked against its
        checksum when it is first used.

        Raises `ValueError` for a file of another format, which is left as it is, `DamagedFile`, here or
        at the first use, for one that is not what was written, and `OSError` as the system does.

        >>> path = getfixture("tmp_path") / "primes.bin"
        >>> with primes.open(path) as ours:
        ...     ours[1_000_000]
        15485867
        >>> with primes.open(path) as ours:
        ...     ours
        <the primes, 1014733 of them sieved>
        """
        opened = cls()
        opened._path = str(Path(path).absolute())
        opened._here()
        return opened

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        """Return the prime at `index`, counted from 0, or the list of those in a slice.

        0.5 us where it is there already; else all up to it are sieved, 10 ns each. Places from
        10**7 on that are not there yet are found by `nth_prime`, and only what lies between them is sieved.

        `IndexError` for a negative index and for a slice with no end: there is no last prime to count from.

        >>> primes[0], primes[1_000], primes[10:20:3]
        (2, 7927, [31, 43, 59, 71])
        >>> primes.close()
        """
        if isinstance(index, slice):
            return self._slice(_positions(index))
        position = to_int(index, "index")
        if position < 0:
            raise IndexError(f"no prime is the last, so index {shown(position)} means none")
        if position >= LAST_PLACE:
            raise IndexError(f"index {shown(position)} is out of reach: no list is as long")
        here = self._here()
        if position >= PLACES_SIEVED and position >= here.known:
            from pyspeedup.algorithms.counting import nth_prime

            return nth_prime(position + 1)
        return here.at(position)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the primes from 2, without end; each iterator from the start. At a list's speed.

        >>> from itertools import takewhile
        >>> sum(takewhile(lambda p: p < 1_000, primes))
        76127
        >>> primes.close()
        """
        here = self._here()
        return chain.from_iterable(map(here.numbers, count()))

    def __contains__(self, n: object) -> bool:
        """Tell whether `n` is prime, by `is_prime`: nothing is sieved. `TypeError` for no integer.

        >>> 97 in primes, 2**89 - 1 in primes, 91 in primes, -7 in primes
        (True, True, False, False)
        """
        return is_prime(to_int(n, "n"))

    def index(self, p: int) -> int:
        """Return the place of the prime `p`, so that ``primes[primes.index(p)] == p``.

        Costs what `count` does. `ValueError` if `p` is not prime.

        >>> primes.index(2), primes.index(7927)
        (0, 1000)
        >>> primes.close()
        """
        p = to_int(p, "p")
        if not is_prime(p):
            raise ValueError(f"{shown(p)} is not prime")
        return self.count(p)

    def count(self, n: int) -> int:
        """Return how many primes are less than `n`: the length of ``primes.below(n)``.

        They are sieved if they are few, up to 2 * 10**8, and not there yet; beyond that
        `pyspeedup.algorithms.prime_pi` counts them without.

        >>> primes.count(10**6), primes.count(97), primes.count(98)
        (78498, 24, 25)
        >>> primes.close()
        """
        n = to_int(n, "n")
        here = self._here()
        if n > max(SIEVED_UP_TO, here.limit):
            from pyspeedup.algorithms.counting import prime_pi

            return prime_pi(n - 1)
        return here.count_below(n)

    def below(self, n: int) -> NDArray[np.int64]:
        """Return the primes less than `n`, as a numpy array of int64 that is the caller's own.

        All of them are sieved if they are not there yet, 0.2 ns a number, and read, 3.5 ns a prime:
        40 ms for 10**8. `ValueError` for 2**40 and above: no memory holds so many.

        >>> primes.below(30)
        array([ 2,  3,  5,  7, 11, 13, 17, 19, 23, 29])
        >>> len(primes.below(1_000_000))
        78498
        >>> primes.close()
        """
        n = to_int(n, "n")
        _check_size(n)
        return self._here().between(0, n)

    def between(self, a: int, b: int) -> NDArray[Any]:
        """Return the primes p with ``a <= p < b``, as a numpy array of int64.

        Read where they are there already; else only these are sieved, and not kept, see
        `pyspeedup.algorithms.sieve.primes_between`: 0.1 s for the million numbers from 10**15 on.
        From 2**63 on the array is one of Python ints. `ValueError` for 2**40 numbers and more.

        >>> primes.between(90, 110).tolist()
        [97, 101, 103, 107, 109]
        >>> len(primes.between(10**12, 10**12 + 10**4))
        335
        """
        a, b = max(to_int(a, "a"), 0), max(to_int(b, "b"), 0)
        _check_size(b - a)
        here = self._here()
        return here.between(a, b) if b <= here.limit else primes_between(a, b)

    def close(self) -> None:
        """End the process and let go of what was sieved; the next use starts anew.

        What is new is written to the file, if they have one; the next use opens it again.

        >>> primes[3]
        7
        >>> primes.close()
        >>> primes
        <the primes, 0 of them sieved>
        """
        if self._known is not None:
            known, self._known = self._known, None
            known.close()

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
        if self._path is not None:
            return type(self).open, (self._path,)
        return "primes" if self is primes else (type(self), ())

    def __repr__(self) -> str:
        return f"<the primes, {self._known.known if self._known is not None else 0} of them sieved>"

    def _slice(self, positions: range) -> list[int]:
        if not positions:
            return []
        first, last = sorted((positions[0], positions[-1]))
        found: list[int] = self._places(first, last)[:: abs(positions.step)].tolist()
        return found if positions.step > 0 else found[::-1]

    def _places(self, first: int, last: int) -> NDArray[Any]:
        """Return the primes from one place to another, with both."""
        if last - first >= MOST_PLACES:
            raise ValueError(
                f"no memory holds {shown(last - first)} primes: take fewer, or iterate"
            )
        here = self._here()
        if first < PLACES_SIEVED or last < here.known:
            return here.slice(first, last + 1)
        from pyspeedup.algorithms.counting import nth_prime

        return primes_between(nth_prime(first + 1), nth_prime(last + 1) + 1)

    def _here(self) -> Known:
        """Return what this process knows."""
        known = self._known
        # In a forked child the lock may be held for ever by a thread that is not there.
        if known is None or known.pid != os.getpid():
            # Imported here, with numpy: the package must not pay for it.
            from pyspeedup.algorithms._sieving.known import Known

            kept = self._kept()
            known = self._known = Known(kept, _ahead_from)
            weakref.finalize(known, kept.close)
        return known

    def _kept(self) -> Kept:
        from pyspeedup.algorithms._sieving.kept import InFile, InSequence

        if self._path is not None:
            return InFile(self._path)
        return InSequence([] if self._store is None else self._store)


def _ahead_from(first: int) -> Buffer[bytes]:
    """Have another process sieve, from a block on."""
    from pyspeedup.concurrent import Buffer

    return Buffer(partial(sieve_blocks, first), BLOCKS_AHEAD)


def _check_size(numbers: int) -> None:
    """Raise `ValueError` for more numbers than have their primes in memory."""
    if numbers >= MOST_NUMBERS:
        raise ValueError(
            f"no memory holds the primes among {shown(numbers)} numbers: take a part by between, or iterate"
        )


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
