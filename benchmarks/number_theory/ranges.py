"""P1 to P3: the primes below a number, one by its place, and those that are kept in a file."""

from __future__ import annotations

import contextlib
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer, Workload, require, scaled
from number_theory import inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contests.workload import Figures

    Below = Callable[[int], Any]
    """Returns the primes less than a number as an array."""

COUNTS_AND_SUMS = {
    10**6: (78498, 37550402023),
    10**7: (664579, 3203324994356),
    10**8: (5761455, 279209790387276),
}
"""How many primes are less than the number, A006880, and what they add up to, A046731."""

FULL = 0.1
"""From what scale on it is all of them."""

PLACE, PRIME = 10**6, 15485867
"""The first is at place 0; the one before this is the 10**6th in A006988."""

PASSES, LOOK_UPS = 3, 100_000


def below(peer: Peer, scale: float) -> Figures:
    """Find all primes less than a number, from nothing."""
    limit = 10**8 if scale > FULL else 10**6
    find = peer.use()
    find(1000)
    took = []
    for _ in range(PASSES):
        start = time.perf_counter()
        found = find(limit)
        took.append(time.perf_counter() - start)
    count, total = COUNTS_AND_SUMS[limit]
    require("how many there are", len(found), count)
    require("their sum", int(found.sum()), total)
    chosen = [int(p) for p in found[:: count // 100]]
    require("whether they are prime", all(map(inputs.is_prime, chosen)), True)
    return {"ms": statistics.median(took) * 1e3}


def known(peer: Peer, scale: float) -> Figures:
    """Ask for the prime at a place that has been asked for before."""
    often = range(scaled(LOOK_UPS, scale, 1000))
    with peer.use() as primes:
        place = PLACE + primes.first
        numbers = primes.numbers
        require("the prime there", int(numbers[place]), PRIME)
        took = []
        for _ in range(PASSES * 3):
            start = time.perf_counter()
            for _ in often:
                numbers[place]
            took.append(time.perf_counter() - start)
    return {"us": min(took) / len(often) * 1e6}


def opening(peer: Peer, scale: float) -> Figures:
    """Open a file of the primes below 10**8, and take one by its place; close it again."""
    took = []
    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        opened = peer.use(Path(folder, "primes"))
        for _ in range(scaled(15, scale, 3)):
            start = time.perf_counter()
            with opened() as primes:
                found = int(primes[PLACE])
                took.append(time.perf_counter() - start)
            require("the prime there", found, PRIME)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {"ms": statistics.median(took) * 1e3, "worst_ms": max(took) * 1e3, "MB": size / 1e6}


class Known:
    """Primes by their place; the first is at place `first`."""

    def __init__(self, numbers: Any, first: int = 0) -> None:
        self.numbers, self.first = numbers, first


def _ours() -> Below:
    from pyspeedup.algorithms import Primes

    def find(limit: int) -> Any:
        with Primes() as primes:
            return primes.below(limit)

    return find


def _numpy() -> Below:
    """Return the recipe that everybody uses: a flag for each number that is 1 or 5 modulo 6.

    Flag i stands for 3 * i + 1, or for one more where that is even.
    """
    import numpy as np

    def find(limit: int) -> Any:
        flags = np.ones(limit // 3 + (limit % 6 == 2), bool)  # noqa: PLR2004 -- then 3 * i + 1 is too large
        flags[0] = False
        for i in range(1, math.isqrt(limit) // 3 + 1):
            if flags[i]:
                p = 3 * i + 1 | 1
                following = p + (4 if i % 2 == 0 else 2)
                flags[p * p // 3 :: 2 * p] = False
                flags[p * following // 3 :: 2 * p] = False
        return np.concatenate(([2, 3], 3 * np.flatnonzero(flags) + 1 | 1))

    return find


def _primesieve() -> Below:
    import numpy as np
    from primesieve import primes

    return lambda limit: np.asarray(primes(limit - 1))  # which copies nothing


@contextlib.contextmanager
def _our_primes() -> Iterator[Known]:
    from pyspeedup.algorithms import Primes

    with Primes() as primes:
        yield Known(primes)


@contextlib.contextmanager
def _sympy_sieve() -> Iterator[Known]:
    from sympy import sieve

    yield Known(sieve, 1)


@contextlib.contextmanager
def _list() -> Iterator[Known]:
    from pyspeedup.algorithms import primes

    yield Known(primes.below(PRIME + 1).tolist())


def _our_file(path: Path) -> Callable[[], Any]:
    from pyspeedup.algorithms import Primes

    with Primes.open(path) as primes:
        primes.below(10**8)
    return lambda: Primes.open(path)


def _mapped(path: Path) -> Callable[[], Any]:
    import numpy as np

    file = path.with_suffix(".npy")
    np.save(file, _numpy()(10**8))
    return lambda: contextlib.nullcontext(np.load(file, mmap_mode="r"))


WORKLOADS = {
    "P1": Workload(
        "all primes less than 10^8",
        below,
        {
            "numpy": Peer(_numpy, "numpy"),
            "primesieve": Peer(_primesieve, "primesieve"),
            OURS: Peer(_ours, "numpy"),
        },
        {"ms": "ms"},
        limit="numpy",
    ),
    "P2": Workload(
        "primes[10^6] again",
        known,
        {
            "list": Peer(_list, "numpy"),
            "sympy": Peer(_sympy_sieve, "sympy"),
            OURS: Peer(_our_primes, "numpy"),
        },
        {"us": "us"},
        limit="list",
    ),
    "P3": Workload(
        "open a file of primes, take the one at 10^6",
        opening,
        {"numpy": Peer(_mapped, "numpy"), OURS: Peer(_our_file, "numpy")},
        {"ms": "ms", "worst_ms": "ms, the longest", "MB": "MB of the file"},
        limit="numpy",
    ),
}
