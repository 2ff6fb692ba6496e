"""Integers taken apart into primes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import to_int

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["factor", "factorint", "prime_factors"]


def factor(
    n: int,
    *,
    timeout: float | None = None,
    workers: int | None = None,
    methods: Sequence[str] | None = None,
    progress: bool = False,
) -> list[int]:
    """Return the primes whose product is `n`, in ascending order, each as often as it divides.

    A negative `n` has -1 in front; 1 has no factors. Options, method, cost and errors as for `factorint`.

    >>> factor(360)
    [2, 2, 2, 3, 3, 5]
    >>> factor(-12), factor(1)
    ([-1, 2, 2, 3], [])
    """
    powers = factorint(n, timeout=timeout, workers=workers, methods=methods, progress=progress)
    return list(chain.from_iterable([p] * power for p, power in powers.items()))


def factorint(
    n: int,
    *,
    timeout: float | None = None,
    workers: int | None = None,
    methods: Sequence[str] | None = None,
    progress: bool = False,
) -> dict[int, int]:
    """Return the primes that divide `n`, in ascending order, and how often each does.

    A negative `n` has ``-1: 1`` too, so that the product is `n` always; 1 gives an empty dict.

    By itself it computes in this process: by FLINT where python-flint is installed (trial division,
    SQUFOF, elliptic curves, and the self-initialising quadratic sieve: 20 us for 64 bits, 10 ms for 30 digits, half a
    second for 50), else in plain Python by trial division, Pollard's rho as Brent improved it (BIT 20,
    1980), and `siqs`.

    With any of the options the methods race in processes of their own, `workers` of them at a time (as many
    as there are cores, unless given): the first that finds a divisor wins, the others are ended, and what
    is left is raced for again. `methods` are names out of ``flint``, ``fermat_factor``, ``pollard_rho``,
    ``pollard_pm1``, ``ecm`` and ``siqs``. Starting processes costs some 10 ms a race. `progress` shows a
    bar of the bits factored (``pyspeedup-algorithms[progress]``).

    Raises `ValueError` for 0, which every prime divides, and for an unknown method; `FactorTimeout` after
    `timeout` seconds and `NotFactored` where every method named has given up: both carry what was found.

    >>> factorint(360)
    {2: 3, 3: 2, 5: 1}
    >>> factorint(2**67 - 1)  # "three years of Sundays": F. N. Cole, 1903
    {193707721: 1, 761838257287: 1}
    >>> factorint(-12), factorint(1)
    ({-1: 1, 2: 2, 3: 1}, {})
    >>> factorint(10**40 + 1, timeout=60)
    {17: 1, 5070721: 1, 5882353: 1, 19721061166646717498359681: 1}
    """
    n = to_int(n, "n")
    if n == 0:
        raise ValueError("n must not be 0: it is divisible by every prime")
    positive = _positive_factors(
        abs(n), timeout=timeout, workers=workers, methods=methods, progress=progress
    )
    return {-1: 1, **positive} if n < 0 else positive


def _positive_factors(n: int, **options: Any) -> dict[int, int]:
    if not any(option is not None and option is not False for option in options.values()):
        return dict(_kernels.factor(n))
    from pyspeedup.algorithms.racing import race  # it starts processes

    return race(n, **options)


def prime_factors(n: int) -> list[int]:
    """Return the primes that divide `n`, in ascending order, each once; cost and errors as `factorint`.

    >>> prime_factors(360), prime_factors(-7), prime_factors(1)
    ([2, 3, 5], [7], [])
    """
    return [p for p in factorint(n) if p > 0]
