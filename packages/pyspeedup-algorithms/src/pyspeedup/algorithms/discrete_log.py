"""Discrete logarithms: the x with b**x equal to a modulo n."""

from __future__ import annotations

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import shown, to_int
from pyspeedup.algorithms._logarithms import moduli
from pyspeedup.algorithms._logarithms.subgroups import METHODS, Way
from pyspeedup.algorithms.errors import NoDiscreteLog

__all__ = ["baby_step_giant_step", "discrete_log", "index_calculus", "pollard_rho_log"]


def discrete_log(  # noqa: PLR0917 -- the order of sympy, then what is our own
    n: int,
    a: int,
    b: int,
    order: int | None = None,
    method: str = "auto",
    workers: int | None = None,
) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`.

    >>> discrete_log(383, 228, 2)
    110
    """
    n, a, b = to_int(n, "n"), to_int(a, "a"), to_int(b, "b")
    if n < 1:
        raise ValueError(f"n must be at least 1, not {shown(n)}: pass a modulus")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    known = None if order is None else _checked_order(n, b, to_int(order, "order"))
    way = Way(method, _checked_workers(workers), known)
    x = moduli.least_log(n, a % n, b % n, way)
    if x is None:
        raise NoDiscreteLog(n, a, b)
    if _kernels.power(b, x, n) != a % n:
        raise ArithmeticError(f"{x} was found, and is not the logarithm of {a} to {b} modulo {n}")
    return x


def _checked_workers(workers: int | None) -> int | None:
    if workers is None:
        return None
    workers = to_int(workers, "workers")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {shown(workers)}")
    return workers


def _checked_order(n: int, b: int, order: int) -> dict[int, int]:
    """Return the order of `b` in primes; `ValueError` if it is not the least that gives 1."""
    if order >= 1 and _kernels.power(b, order, n) == 1 % n:
        primes = dict(_kernels.factor(order))
        if all(_kernels.power(b, order // q, n) != 1 % n for q in primes):
            return primes
    raise ValueError(
        f"order must be that of b, the least k from 1 with b**k equal to 1 modulo n: "
        f"{shown(order)} is not, for {shown(b)} modulo {shown(n)}"
    )


def baby_step_giant_step(n: int, a: int, b: int, order: int | None = None) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by baby and giant steps."""
    return discrete_log(n, a, b, order, "baby_step_giant_step")


def pollard_rho_log(
    n: int, a: int, b: int, order: int | None = None, workers: int | None = None
) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by Pollard's rho method."""
    return discrete_log(n, a, b, order, "pollard_rho_log", workers)


def index_calculus(
    n: int, a: int, b: int, order: int | None = None, workers: int | None = None
) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by index calculus."""
    return discrete_log(n, a, b, order, "index_calculus", workers)
