"""F1 to F5: many numbers, factored one by one in a loop, over all cores, or by a table."""

from __future__ import annotations

import functools
import math
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer, Workload, require, scaled
from number_theory import inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contests.workload import Figures

    FactorAll = Callable[[list[int]], Iterable[list[int]]]

LIMIT = 10**7
PASSES = 3


def random_numbers(bits: int, count: int, peer: Peer, scale: float) -> Figures:
    """Factor random numbers of so many bits."""
    return _factored(peer.use, inputs.integers(bits, scaled(count, scale * peer.part, 20)))


def semiprimes(digits: int, count: int, peer: Peer, scale: float) -> Figures:
    """Factor products of two primes of half the digits each."""
    return _factored(peer.use, inputs.semiprimes(digits, scaled(count, scale * peer.part, 2)))


def _factored(factor_all: FactorAll, numbers: list[int]) -> Figures:
    """Return numbers a second, libraries loaded and workers there."""
    few = inputs.semiprimes(26, 8)
    _check(few, list(factor_all(few)))
    start = time.perf_counter()
    found = list(factor_all(numbers))
    took = time.perf_counter() - start
    _check(numbers, found)
    return {"rate": len(numbers) / took, "ms": took / len(numbers) * 1e3}


def _check(numbers: list[int], found: list[list[int]]) -> None:
    for n, factors in zip(numbers, found, strict=True):
        require(f"the product of the factors of {n}", math.prod(factors), n)
        require(f"whether those of {n} are prime", all(map(inputs.is_prime, factors)), True)


def small_numbers(peer: Peer, scale: float) -> Figures:
    """Factor random numbers up to ten millions; a table is made before."""
    count = scaled(200_000, scale * peer.part, 1000)
    numbers = [1 + n % LIMIT for n in inputs.integers(64, count)]
    factor_all, listed = peer.use()
    took = []
    for _ in range(PASSES):
        start = time.perf_counter()
        found = factor_all(numbers)
        took.append(time.perf_counter() - start)
    is_prime = inputs.sieved(LIMIT + 1)
    for n, factors in zip(numbers, listed(found), strict=True):
        require(f"the product of the factors of {n}", math.prod(factors), n)
        require(f"whether those of {n} are prime", all(is_prime[p] for p in factors), True)
    return {"ns": min(took) / count * 1e9}


def _flint(numbers: Iterable[int]) -> Iterator[list[int]]:
    from flint import fmpz

    for n in numbers:
        yield [int(p) for p, power in fmpz(n).factor() for _ in range(power)]


def _sympy(numbers: Iterable[int]) -> Iterator[list[int]]:
    from sympy import factorint

    for n in numbers:
        yield [p for p, power in factorint(n).items() for _ in range(power)]


def _pari(numbers: Iterable[int]) -> Iterator[list[int]]:
    from cypari import pari

    for n in numbers:
        primes, powers = pari.factor(n)
        yield [int(p) for p, power in zip(primes, powers, strict=True) for _ in range(int(power))]


def _ours(numbers: Iterable[int]) -> Iterator[list[int]]:
    from pyspeedup.algorithms import factor_many

    return factor_many(numbers)


def _flint_loop() -> tuple[Any, Any]:
    from flint import fmpz

    return (lambda numbers: [fmpz(n).factor() for n in numbers]), _listed


def _sympy_loop() -> tuple[Any, Any]:
    from sympy import factorint

    return (lambda numbers: [factorint(n) for n in numbers]), _listed_dicts


def _our_table() -> tuple[Any, Any]:
    from pyspeedup.algorithms import FactorTable

    table = FactorTable(LIMIT)
    table.many([1, LIMIT])
    return table.many, _listed_slices


def _listed(found: Any) -> Iterator[list[int]]:
    for pairs in found:
        yield [int(p) for p, power in pairs for _ in range(power)]


def _listed_dicts(found: Any) -> Iterator[list[int]]:
    return _listed(factors.items() for factors in found)


def _listed_slices(found: Any) -> Iterator[list[int]]:
    primes = found.primes.tolist()
    return (primes[start:stop] for start, stop in pairwise(found.offsets.tolist()))


C_LIBRARIES = {"flint": Peer(_flint, "flint"), "cypari": Peer(_pari, "cypari")}
FIGURES = {"rate": "numbers/s", "ms": "ms a number"}


def _workload(title: str, measure: Callable[[Peer, float], Figures], **more: Peer) -> Workload:
    peers = {**C_LIBRARIES, **more, OURS: Peer(_ours)}
    return Workload(title, measure, peers, FIGURES, limit="flint", more_is_better=True)


WORKLOADS = {
    "F1": _workload(
        "factor 2,000 random numbers of 64 bits",
        functools.partial(random_numbers, 64, 2000),
        sympy=Peer(_sympy, "sympy", part=0.1, slow=True),
    ),
    "F2": _workload(
        "factor 400 random numbers of 100 bits", functools.partial(random_numbers, 100, 400)
    ),
    "F3": _workload(
        "factor 20 products of two primes, 40 digits", functools.partial(semiprimes, 40, 20)
    ),
    "F4": _workload(
        "factor 10 products of two primes, 50 digits", functools.partial(semiprimes, 50, 10)
    ),
    "F5": Workload(
        "factor 200,000 numbers up to 10^7",
        small_numbers,
        {
            "flint": Peer(_flint_loop, "flint"),
            "sympy": Peer(_sympy_loop, "sympy", part=0.1, slow=True),
            OURS: Peer(_our_table, "numpy"),
        },
        {"ns": "ns a number"},
        limit="flint",
    ),
}
