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

    For any modulus and base. Where `b` and `n` have a common divisor, the powers of `b` that come
    before they are periodic are tried, at most log2(n). The rest is done modulo the prime powers of `n`
    and joined by the Chinese remainder theorem; in each by the method of Pohlig and Hellman (1978), for
    each prime q of the order by itself:

    - baby steps and giant steps (Shanks 1971): sqrt(q) steps and numbers in memory
    - walks that meet (Pollard 1978, van Oorschot and Wiener 1999): sqrt(q) steps in `workers`
      processes (unless given one for each core, if q has 42 bits or more), hardly any memory
    - index calculus by the linear sieve (Coppersmith, Odlyzko and Schroeppel 1986), where `n` has a
      prime with more than some 38 bits: by the bits of that, whatever q is, on one core

    `method` says which, by the names of `baby_step_giant_step`, `pollard_rho_log` and
    `index_calculus`; "auto" goes by what was measured. `order`, the order of `b` modulo `n`, saves
    factoring p - 1 for the primes p of `n`. Each answer is checked by the power, and the same always.

    Cost: for smooth p - 1 some 0.05 ms at 60 bits. For a prime p with (p - 1) / 2 prime too, 10 ms at 40
    bits, 0.05 s at 60, 0.7 s at 80, 6 s at 100; two to five times that without python-flint.

    Raises `NoDiscreteLog`, a `ValueError` with the numbers, if no power of `b` is `a` modulo `n`;
    `ValueError` for ``n < 1``, an unknown method, ``workers < 1``, or an `order` that is not that of `b`.

    >>> discrete_log(383, 228, 2)  # Menezes, van Oorschot and Vanstone, Handbook, example 3.61
    110
    >>> discrete_log(10**30, 0, 10**7)
    5
    >>> p = 2**60 + 2731  # and (p - 1) / 2 is prime too
    >>> discrete_log(p, 3, 2)
    99681973464596556
    >>> pow(2, 99681973464596556, p)
    3
    >>> discrete_log(7, 3, 2)
    Traceback (most recent call last):
    pyspeedup.algorithms.errors.NoDiscreteLog: 3 is no power of 2 modulo 7
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
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by baby and giant steps.

    As `discrete_log`, with this one method for each prime q of the order. D. Shanks, "Class number, a
    theory of factorization, and genera", Proc. Symp. Pure Math. 20 (1971): i and j with
    ``a * b**(-i*m) == b**j`` are looked for, m being about sqrt(q).

    Cost: O(sqrt(q)) steps of 20 ns modulo a prime below 2**51, else of 0.2 us, and 25 bytes each, but no
    more than 2**23 numbers are kept. Errors as for `discrete_log`.

    >>> baby_step_giant_step(809, 525, 3)  # Stinson, Cryptography: theory and practice
    309
    """
    return discrete_log(n, a, b, order, "baby_step_giant_step")


def pollard_rho_log(
    n: int, a: int, b: int, order: int | None = None, workers: int | None = None
) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by walks that meet.

    As `discrete_log`, with this one method for each prime q of the order from 2**14 on. J. M. Pollard,
    "Monte Carlo methods for index computation (mod p)", Math. Comp. 32 (1978), with distinguished points:
    P. C. van Oorschot and M. J. Wiener, J. Cryptology 12 (1999). The walks are the same in each run.

    Cost: about 1.3 sqrt(q) steps of 0.2 us, divided by `workers` (unless given, the cores) from 42 bits on.
    Errors as for `discrete_log`.

    >>> pollard_rho_log(809, 618, 89)
    49
    """
    return discrete_log(n, a, b, order, "pollard_rho_log", workers)


def index_calculus(n: int, a: int, b: int, order: int | None = None) -> int:
    """Return the least x from 0 with ``b**x`` equal to `a` modulo `n`, by index calculus.

    As `discrete_log`, with this one method for each prime q of the order from 2**20 on, unless q**2
    divides p - 1. The linear sieve of D. Coppersmith, A. M. Odlyzko and R. Schroeppel, "Discrete
    logarithms in GF(p)", Algorithmica 1 (1986), structured elimination modulo q, and fractions of products
    of small primes for the numbers themselves.

    Cost: L(p)**(1 + o(1)) with ``L(p) = exp(sqrt(log p * log log p))``: from 60 bits on some ten times as long
    for 20 bits more. Errors as for `discrete_log`.

    >>> index_calculus(10007, 9451, 5)  # Stinson, Cryptography: theory and practice
    6057
    """
    return discrete_log(n, a, b, order, "index_calculus")
