"""D1 and D2: discrete logarithms modulo a prime p where p - 1 has a large prime factor, and where it has none."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer, Workload, require, scaled
from number_theory import inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.workload import Figures

    Logarithm = Callable[[int, int, int], Any]
    """Takes p, a, g and returns x with g**x = a modulo p."""

BITS = 60
STACK = 1 << 28
"""Bytes that PARI may use; what it takes by itself is too little."""


def safe(peer: Peer, scale: float) -> Figures:
    """Take logarithms modulo safe primes, each another one; the first starts what there is to start."""
    took = _seconds(peer.use(), inputs.safe_primes(BITS, scaled(7, scale)))
    return {"s": statistics.median(took), "worst_s": max(took)}


def smooth(peer: Peer, scale: float) -> Figures:
    """Take logarithms modulo primes p for which all primes of p - 1 are below 1,000."""
    primes = inputs.smooth_primes(BITS, scaled(50, scale, 3))
    logarithm = peer.use()
    _seconds(logarithm, primes[:1])
    return {"us": statistics.median(_seconds(logarithm, primes)) * 1e6}


def _seconds(logarithm: Logarithm, primes: list[int]) -> list[float]:
    """Return what each takes; whether it is one is seen by the power."""
    took = []
    for p, a in zip(primes, inputs.integers(BITS - 1, len(primes)), strict=True):
        g = inputs.primitive_root(p)
        start = time.perf_counter()
        x = logarithm(p, a, g)
        took.append(time.perf_counter() - start)
        require(f"{g} to the power {x} modulo {p}", pow(g, int(x), p), a)
    return took


def _ours() -> Logarithm:
    from pyspeedup.algorithms import discrete_log

    return discrete_log


def _sympy() -> Logarithm:
    from sympy.ntheory import discrete_log

    found: Logarithm = discrete_log
    return found


def _flint() -> Logarithm:
    from flint import fmpz_mod_ctx

    def logarithm(p: int, a: int, g: int) -> Any:
        modulo = fmpz_mod_ctx(p)
        return modulo(g).discrete_log(modulo(a))

    return logarithm


def _pari() -> Logarithm:
    from cypari import pari

    pari.allocatemem(STACK, silent=True)
    found: Logarithm = pari("(p,a,g)->znlog(Mod(a,p),Mod(g,p))")
    return found


PARI = Peer(_pari, "cypari")
WORKLOADS = {
    "D1": Workload(
        "a logarithm modulo a safe prime of 60 bits",
        safe,
        {"cypari": PARI, OURS: Peer(_ours)},
        {"s": "s", "worst_s": "s, the longest"},
    ),
    "D2": Workload(
        "a logarithm modulo a prime of 60 bits, p - 1 smooth",
        smooth,
        {
            "flint": Peer(_flint, "flint"),
            "cypari": PARI,
            "sympy": Peer(_sympy, "sympy"),
            OURS: Peer(_ours),
        },
        {"us": "us a call"},
    ),
}
