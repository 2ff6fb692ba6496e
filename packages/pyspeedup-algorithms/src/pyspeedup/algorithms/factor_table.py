"""Least prime factors of all numbers up to N, in memory or in a file that all processes share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms._integers import shown, to_int

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from pyspeedup.algorithms._sieving.table_memory import TableMemory

    Integers = NDArray[np.int64]

__all__ = ["FactorTable", "Factorizations"]

TOO_LARGE: Final = 1 << 32


@dataclass(frozen=True, slots=True, eq=False)
class Factorizations:
    """The prime factors of many numbers, as two arrays.

    ``primes[offsets[i]:offsets[i + 1]]`` are those of the i-th number, ascending, each as often as
    it divides. ``self[i]`` is that as a list, and ``len(self)`` says how many numbers there are.
    """

    primes: Integers
    offsets: Integers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> list[int]:
        i = range(len(self))[i]
        found: list[int] = self.primes[self.offsets[i] : self.offsets[i + 1]].tolist()
        return found


class FactorTable:
    """The least prime factor of every number from 1 to `N`, for numbers that are factored in masses.

    Two bytes for each odd number: 10 MB for 10**7. Built in 1 ns a number, in memory; with a
    `path` in a file, which is opened in under a millisecond the next time, is mapped, so that
    all processes share it, and is extended, not built again, for a larger `N`. It can hold more
    than is asked for here. Where it may only be read, what it lacks is built in memory.

    For one number `factorint` is as quick without a table; a table pays for arrays (`many`) and for functions
    of all numbers (`totients`, `moebius`, `sigma`).

    Raises `ValueError` for an `N` less than 1 or from 2**32 on, and for a file of another format, and
    `DamagedFile`, here or at the first use, for a file that is not what was written.
    A number that is looked up: `ValueError` if it is less than 1, and `IndexError` beyond `N`.

    >>> table = FactorTable(1_000_000)
    >>> table[91], table[97], table[64]
    (7, 97, 2)
    >>> table.factorint(360), table.factor(999_999)
    ({2: 3, 3: 2, 5: 1}, [3, 3, 3, 7, 11, 13, 37])
    >>> found = table.many([10, 97, 1, 12])
    >>> found.primes, found.offsets
    (array([ 2,  5, 97,  2,  2,  3]), array([0, 2, 3, 3, 6]))
    >>> table.totients()[:11]
    array([0, 1, 1, 2, 2, 4, 2, 6, 4, 6, 4])
    """

    def __init__(self, N: int, path: str | os.PathLike[str] | None = None) -> None:  # noqa: N803 -- as it is written in mathematics
        limit = to_int(N, "N")
        if not 1 <= limit < TOO_LARGE:
            raise ValueError(f"N must be at least 1 and less than 2**32, not {shown(limit)}")
        self.limit = limit
        self.path = None if path is None else str(Path(os.fspath(path)).absolute())
        self._memory: TableMemory | None = None
        self._here()

    def __getitem__(self, n: int) -> int:
        """Return the least prime factor of `n`, which is 1 for 1. About 0.5 us.

        >>> FactorTable(100)[77]
        7
        """
        return self._least(self._checked(n))

    def __contains__(self, n: object) -> bool:
        """Tell whether the table has `n`.

        >>> 77 in FactorTable(100), 101 in FactorTable(100), 0 in FactorTable(100)
        (True, False, False)
        """
        return 1 <= to_int(n, "n") <= self.limit

    def __iter__(self) -> Iterator[int]:
        """Iterate over the least prime factors of 1, 2, 3, ... up to the limit.

        >>> list(FactorTable(6))
        [1, 2, 3, 2, 5, 2]
        """
        return map(self._least, range(1, self.limit + 1))

    def factor(self, n: int) -> list[int]:
        """Return the primes whose product is `n`, ascending, each as often as it divides.

        >>> FactorTable(100).factor(84)
        [2, 2, 3, 7]
        """
        n = self._checked(n)
        found = []
        while n > 1:
            p = self._least(n)
            found.append(p)
            n //= p
        return found

    def factorint(self, n: int) -> dict[int, int]:
        """Return the primes that divide `n`, ascending, and how often each does.

        >>> FactorTable(100).factorint(84)
        {2: 2, 3: 1, 7: 1}
        """
        powers: dict[int, int] = {}
        for p in self.factor(n):
            powers[p] = powers.get(p, 0) + 1
        return powers

    def many(self, numbers: ArrayLike) -> Factorizations:
        """Return the prime factors of all `numbers`, a sequence or an array of one dimension.

        About 30 ns a number below 10**7. An error names the first number that is wrong.

        >>> found = FactorTable(100).many([84, 97])
        >>> found[0], found[1], len(found)
        ([2, 2, 3, 7], [97], 2)
        """
        from pyspeedup.algorithms._sieving.least_factors import factored

        array = _integers(numbers)
        self._check_all(array)
        return Factorizations(*factored(self._all(), array))

    def totients(self) -> Integers:
        """Return Euler's totient of every n up to N, at the index n: 20 ns a number.

        >>> int(FactorTable(10**4).totients().sum())  # of the fractions between 0 and 1
        30397486
        """
        return self._function(lambda p, f: f * (p - 1), lambda p, f, _: f * p)

    def moebius(self) -> Integers:
        """Return Moebius's function of every n up to N, at the index n; 0 for 0, likewise.

        >>> FactorTable(10).moebius().tolist()
        [0, 1, -1, -1, 0, -1, 1, -1, 0, 0, 1]
        """
        return self._function(lambda _, f: -f, lambda _, f, __: f * 0)

    def sigma(self) -> Integers:
        """Return the sum of the divisors of every n up to N, at the index n; 0 for 0, likewise.

        >>> FactorTable(10).sigma().tolist()
        [0, 1, 3, 4, 7, 6, 12, 8, 15, 13, 18]
        """
        return self._function(
            lambda p, f: f * (p + 1), lambda p, f, before: f * (p + 1) - before * p
        )

    def close(self) -> None:
        """Let go of the table; again is harmless, and the next use takes it up again."""
        if self._memory is not None:
            memory, self._memory = self._memory, None
            memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[FactorTable], tuple[int, str | None]]:
        """Travel by the limit and the path: the table is mapped, or built, where it arrives."""
        return type(self), (self.limit, self.path)

    def __repr__(self) -> str:
        return f"FactorTable({self.limit}{'' if self.path is None else f', {self.path!r}'})"

    def _here(self) -> TableMemory:
        memory = self._memory
        if memory is None:
            from pyspeedup.algorithms._sieving.table_memory import TableMemory

            memory = self._memory = TableMemory(self.limit, self.path)
        return memory

    def _all(self) -> Any:
        memory = self._here()
        memory.check_all()
        return memory.entries

    def _least(self, n: int) -> int:
        return (self._here().at(n >> 1) or n) if n % 2 else 2

    def _checked(self, n: int) -> int:
        n = to_int(n, "n")
        if n < 1:
            raise ValueError(f"the table has the numbers from 1 on, not {shown(n)}")
        if n > self.limit:
            raise IndexError(f"the table ends at {self.limit}, before {shown(n)}")
        return n

    def _check_all(self, numbers: NDArray[Any]) -> None:
        if len(numbers) and (numbers.min() < 1 or numbers.max() > self.limit):
            wrong = (numbers < 1) | (numbers > self.limit)
            self._checked(int(numbers[wrong.argmax()]))

    def _function(self, once: Any, again: Any) -> Integers:
        from pyspeedup.algorithms._sieving.least_factors import multiplicative

        return multiplicative(self._all(), self.limit, once, again)


def _integers(numbers: ArrayLike) -> NDArray[Any]:
    """Return an array of integers, of numpy's or Python's; `TypeError` for anything else."""
    import numpy as np

    array = np.asarray(numbers)
    if array.ndim != 1:
        raise ValueError(f"numbers must have one dimension, not {array.ndim}")
    if array.dtype.kind in "iub":
        return array
    return np.array([to_int(n, "each of numbers") for n in array.tolist()], object)
