"""Many numbers at once: over all cores where they are dear, in this process where they are cheap."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import closing
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast, overload

from pyspeedup.algorithms._integers import to_int
from pyspeedup.algorithms._progress import make_bar
from pyspeedup.algorithms.factoring import factor
from pyspeedup.algorithms.primes import is_prime

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, MutableMapping

    from pyspeedup.concurrent import Cache

__all__ = ["factor_many", "is_prime_many"]

DEAR: Final = 0.0004
"""Seconds that an item takes on the average, from which on other processes are worth their while."""
ENOUGH: Final = 0.004
"""Seconds of work that are measured before the average is believed."""
LONGEST_BLOCK: Final = 1024
BLOCK_SECONDS: Final = 0.001
"""What is computed before the first of it is given, so that measuring costs nothing."""
LIBRARIES_LOADED_BY: Final = 2
"""A number that is done once before any is measured: loading a library takes longer than thousands of numbers."""
REMEMBERED: Final = 1 << 16
"""Results after which the workers forget them: nobody will ask for them again."""


class Work(NamedTuple):
    """What is done to each number."""

    name: str
    function: Callable[[int], Any]
    check: Callable[[int, int], None]
    """Takes a number and its place, and raises what is wrong with it."""
    most_bits: int
    """Numbers of more bits are dear, without measuring."""


@overload
def factor_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: Literal[True] = True,
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[list[int]]: ...
@overload
def factor_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: Literal[False],
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[tuple[int, list[int]]]: ...
def factor_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: bool = True,
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[Any]:
    """Return an iterator over the factors of each of `ns`, as `factor` gives them.

    It begins in this process. Once numbers turn out to take 0.4 ms or more on the average, or one of more than
    80 bits comes, they go to `workers` processes (all cores unless given), which are kept for the next time.
    So 64-bit numbers cost what `factor` costs, and those of 100 bits and more are spread over the cores. `ns` may be
    without end: only some are read ahead.

    If not `ordered`, pairs of a number and its factors come as they are there. What is wrong with one of
    `ns` is raised at its place, and names its index. Leaving the iterator, or its ``close()``, drops
    what has not begun. `progress` shows a bar (``pyspeedup-algorithms[progress]``). `store`, any
    `MutableMapping`, keeps the results: a `pyspeedup.memory.DiskDict` for the next program.

    For very many numbers up to some 10**8 a `FactorTable` is far quicker.

    >>> list(factor_many([2**32 + 1, 91, 2**67 - 1]))
    [[641, 6700417], [7, 13], [193707721, 761838257287]]
    >>> dict(factor_many(range(4, 7), ordered=False))
    {4: [2, 2], 5: [5], 6: [2, 3]}
    """
    return _Many(FACTOR, ns, workers, store).results(ordered=ordered, progress=progress)


@overload
def is_prime_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: Literal[True] = True,
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[bool]: ...
@overload
def is_prime_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: Literal[False],
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[tuple[int, bool]]: ...
def is_prime_many(
    ns: Iterable[int],
    *,
    workers: int | None = None,
    ordered: bool = True,
    progress: bool = False,
    store: MutableMapping[Any, Any] | None = None,
) -> Iterator[Any]:
    """Return an iterator over whether each of `ns` is prime, as `is_prime` tells.

    All as for `factor_many`. Numbers below some 2,000 bits take less than a message to another process, so
    they are tested in this one.

    >>> list(is_prime_many([2**61 - 1, 2**67 - 1, 561]))
    [True, False, False]
    """
    return _Many(IS_PRIME, ns, workers, store).results(ordered=ordered, progress=progress)


def _check_factorable(n: int, place: int) -> None:
    if n == 0:
        raise ValueError(f"ns[{place}] must not be 0: it is divisible by every prime")


def _check_nothing(n: int, place: int) -> None:
    """Let every number pass."""


def _factor_elsewhere(n: int) -> tuple[int, list[int]]:
    return n, factor(n)


def _is_prime_elsewhere(n: int) -> tuple[int, bool]:
    return n, is_prime(n)


FACTOR = Work("factor_many", _factor_elsewhere, _check_factorable, 80)
IS_PRIME = Work("is_prime_many", _is_prime_elsewhere, _check_nothing, 1 << 13)


class _Many:
    """One iteration over many numbers."""

    def __init__(
        self,
        work: Work,
        ns: Iterable[int],
        workers: int | None,
        store: MutableMapping[Any, Any] | None,
    ) -> None:
        self._work = work
        self._length = len(ns) if isinstance(ns, Sized) else None
        self._numbers = _checked(ns, work)
        self._workers = workers
        self._store = store
        self._evaluate = work.function if store is None else _remembering(work, store)
        self._seconds = 0.0
        self._count = 0
        work.function(LIBRARIES_LOADED_BY)
        if workers is not None:  # what is wrong with it is said at once
            self._cache()

    def results(self, *, ordered: bool, progress: bool) -> Iterator[Any]:
        pairs = self._pairs(ordered=ordered)
        if progress:
            pairs = _shown(pairs, make_bar(self._length, self._work.name, " numbers"))
        return (result for _, result in pairs) if ordered else pairs

    def _pairs(self, *, ordered: bool) -> Iterator[tuple[int, Any]]:
        """Yield numbers with their results, computed here until that is found to be dear."""
        size = 1
        while True:
            block, dear, failure = self._next_block(size)
            found, failed = self._compute(block)
            yield from found
            if failed or failure:
                raise failed or failure  # type: ignore[misc]  # one of them is there
            if dear is not None or self._is_dear():
                yield from self._elsewhere(
                    chain(() if dear is None else (dear,), self._numbers), ordered=ordered
                )
                return
            if not block:
                return
            size = self._next_size(size)

    def _next_block(self, size: int) -> tuple[list[int], int | None, Exception | None]:
        """Return up to `size` numbers, the first that is surely dear, and what is wrong with the next."""
        block: list[int] = []
        most_bits = self._work.most_bits
        try:
            for n in self._numbers:
                if n.bit_length() > most_bits:
                    return block, n, None
                block.append(n)
                if len(block) >= size:
                    break
        except Exception as failure:  # noqa: BLE001 -- whatever the iterable raises comes after what it gave
            return block, None, failure
        return block, None, None

    def _compute(self, block: list[int]) -> tuple[list[tuple[int, Any]], Exception | None]:
        found: list[tuple[int, Any]] = []
        begun = perf_counter()
        try:
            found.extend(map(self._evaluate, block))
        except Exception as failure:  # noqa: BLE001 -- it is raised at its place
            return found, failure
        self._seconds += perf_counter() - begun
        self._count += len(block)
        return found, None

    def _is_dear(self) -> bool:
        return self._seconds > max(ENOUGH, DEAR * self._count)

    def _next_size(self, size: int) -> int:
        expected = self._seconds / self._count * 2 * size
        return min(2 * size, LONGEST_BLOCK) if expected < BLOCK_SECONDS else max(1, size // 2)

    def _elsewhere(self, numbers: Iterator[int], *, ordered: bool) -> Iterator[tuple[int, Any]]:
        cache = self._cache()
        results = cast("Generator[tuple[int, Any]]", cache.map(numbers, ordered=ordered))
        with closing(results):
            for count, result in enumerate(results, 1):
                yield result
                if count % REMEMBERED == 0 and self._store is None:
                    cache.cache_clear()

    def _cache(self) -> Cache[[int], tuple[int, Any]]:
        from pyspeedup.concurrent import Cache

        if self._store is not None:
            return Cache(self._work.function, store=self._store, workers=self._workers)
        key = self._work.name, self._workers
        if key not in _caches:
            _caches[key] = Cache(self._work.function, workers=self._workers)
        return _caches[key]


_caches: dict[tuple[str, int | None], Cache[[int], tuple[int, Any]]] = {}
"""One for each kind of work and number of workers, so that these are started once."""


def _checked(ns: Iterable[int], work: Work) -> Iterator[int]:
    try:
        numbers = iter(ns)
    except TypeError:
        raise TypeError(f"ns must be an iterable of integers, not {ns!r}") from None
    return _each_checked(numbers, work)


def _each_checked(numbers: Iterator[int], work: Work) -> Iterator[int]:
    for place, n in enumerate(numbers):
        number = to_int(n, f"ns[{place}]")
        work.check(number, place)
        yield number


def _remembering(work: Work, store: MutableMapping[Any, Any]) -> Callable[[int], Any]:
    from pyspeedup.concurrent import Cache

    return Cache(work.function, store=store, engine="serial")


def _shown(pairs: Iterator[tuple[int, Any]], bar: Any) -> Iterator[tuple[int, Any]]:
    try:
        for pair in pairs:
            bar.update()
            yield pair
    finally:
        bar.close()
