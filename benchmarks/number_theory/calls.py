"""N1 to N5: single calls, most of which take about a microsecond."""

from __future__ import annotations

import functools
import importlib
import math
import time
from collections import deque
from itertools import count, starmap
from typing import TYPE_CHECKING, Any

from contests.workload import OURS, Peer, Workload, require, scaled
from number_theory import inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from contests.workload import Figures

REPEATS = 9
MODULUS = 2**64 - 59
TWOS = 192
INDEX = 10**6
WORD = 64
CHECKED = 200
"""Of so many numbers it is looked at whether they are prime."""

Arguments = list[tuple[Any, ...]]


def _microseconds(call: Callable[..., Any], arguments: Arguments) -> Figures:
    """Return microseconds a call: the least disturbed of some passes over all arguments, loop in C."""
    took = min(_seconds(call, arguments) for _ in range(REPEATS))
    return {"us": took / len(arguments) * 1e6}


def _seconds(call: Callable[..., Any], arguments: Arguments) -> float:
    forget = deque[Any](maxlen=0).extend
    start = time.perf_counter()
    forget(starmap(call, arguments))
    return time.perf_counter() - start


def inverses(peer: Peer, scale: float) -> Figures:
    """Invert random numbers modulo a prime of 64 bits."""
    call = peer.use()
    pairs = [(n % MODULUS or 1, MODULUS) for n in inputs.integers(64, scaled(2000, scale, 20))]
    for a, m in pairs:
        require("an inverse times the number", int(call(a, m)) * a % m, 1)
    return _microseconds(call, pairs)


def symbols(peer: Peer, scale: float) -> Figures:
    """Compute Jacobi symbols of numbers of 256 bits: more of them than sympy remembers."""
    call = peer.use()
    count = scaled(2000, scale, 1100)
    above, below = inputs.integers(256, count), inputs.integers(255, count, odd=True)
    for a, p, q in zip(above, *_two_lists(inputs.primes(128, 40)), strict=False):
        require("a symbol", int(call(a, p * q)), _euler(a, p) * _euler(a, q))
    return _microseconds(call, list(zip(above, below, strict=True)))


def _two_lists(numbers: list[int]) -> tuple[list[int], list[int]]:
    return numbers[::2], numbers[1::2]


def _euler(a: int, p: int) -> int:
    """Return the symbol for a prime, by Euler's criterion."""
    power = pow(a, (p - 1) // 2, p)
    return -1 if power == p - 1 else power


def any_numbers(peer: Peer, scale: float) -> Figures:
    """Test random numbers of 64 bits."""
    return _tests(peer, inputs.integers(64, scaled(3000, scale, 30)))


def only_primes(peer: Peer, scale: float) -> Figures:
    """Test primes of 64 bits."""
    return _tests(peer, inputs.primes(64, scaled(1000, scale, 10)))


def large_numbers(peer: Peer, scale: float) -> Figures:
    """Test random odd numbers of 1,024 bits."""
    return _tests(peer, inputs.integers(1024, scaled(200, scale, 5), odd=True))


def _tests(peer: Peer, numbers: list[int]) -> Figures:
    call = peer.use()
    for n in numbers[:CHECKED]:
        require(f"whether {n} is prime", bool(call(n)), inputs.is_prime(n))
    return _microseconds(call, [(n,) for n in numbers])


def roots(peer: Peer, scale: float) -> Figures:
    """Take square roots, each modulo another prime of 62 bits."""
    primes = inputs.primes(62, scaled(500, scale, 10))
    return _roots(peer, list(zip(inputs.integers(61, len(primes)), primes, strict=True)))


def roots_modulo_one(peer: Peer, scale: float) -> Figures:
    """Take square roots modulo one prime of 62 bits."""
    (p,) = inputs.primes(62, 1)
    return _roots(peer, [(n, p) for n in inputs.integers(61, scaled(500, scale, 10))])


def roots_of_twos(peer: Peer, scale: float) -> Figures:
    """Take square roots modulo a prime p with 2**192 in p - 1."""
    candidates = (k << TWOS | 1 for k in count(3, 2))
    p = next(n for n in candidates if inputs.is_prime(n))
    return _roots(peer, [(n, p) for n in inputs.integers(190, scaled(20, scale, 3))])


def _roots(peer: Peer, numbers: list[tuple[int, int]]) -> Figures:
    call = peer.use()
    squares = [(n * n % p, p) for n, p in numbers]
    for a, p in squares:
        require("the square of a root", int(call(a, p)) ** 2 % p, a)
    return _microseconds(call, squares)


def fibonacci(peer: Peer, scale: float) -> Figures:
    """Compute Fibonacci numbers from the millionth on, each once: sympy remembers them."""
    call = peer.use()
    first = scaled(INDEX, scale, 1000)
    before, number, after = (int(call(n)) for n in (first - 1, first, first + 1))
    require("Cassini's identity", before * after - number**2, (-1) ** first)
    golden = first * math.log2((1 + math.sqrt(5)) / 2) - math.log2(5) / 2
    require("the number of bits", number.bit_length(), math.floor(golden) + 1)
    indices = [(first + 2 + n,) for n in range(5 * REPEATS)]
    took = min(_seconds(call, indices[n::REPEATS]) for n in range(REPEATS))
    return {"us": took / 5 * 1e6}


def _function_of(module: str, name: str) -> Callable[[], Any]:
    """Have it imported by whoever takes part, and by nobody else."""

    def use() -> Any:
        return getattr(importlib.import_module(module), name)

    return use


_ours = functools.partial(_function_of, "pyspeedup.algorithms")
_gmpy2 = functools.partial(_function_of, "gmpy2")
_sympy = functools.partial(_function_of, "sympy")


def _pari(expression: str) -> Callable[[], Any]:
    """Have PARI evaluate a function that its own language describes."""

    def use() -> Any:
        from cypari import pari

        return pari(expression)

    return use


def _flint_is_prime() -> Any:
    from flint import fmpz

    return lambda n: fmpz(n).is_prime() if n.bit_length() <= WORD else fmpz(n).is_probable_prime()


def _flint_sqrt() -> Any:
    from flint import fmpz, nmod

    return lambda a, p: nmod(a, p).sqrt() if p.bit_length() < WORD else fmpz(a).sqrtmod(p)


def _flint_jacobi() -> Any:
    from flint import fmpz

    return lambda a, n: fmpz(a).jacobi(n)


def _flint_fibonacci() -> Any:
    from flint import fmpz

    return fmpz.fib_ui


def _power() -> Any:
    return lambda a, m: pow(a, -1, m)


TESTS = {
    "flint": Peer(_flint_is_prime, "flint"),
    "gmpy2": Peer(_gmpy2("is_prime"), "gmpy2"),
    "cypari": Peer(_pari("n->ispseudoprime(n)"), "cypari"),
    "sympy": Peer(_sympy("isprime"), "sympy"),
    OURS: Peer(_ours("is_prime")),
}
ROOTS = {
    "flint": Peer(_flint_sqrt, "flint"),
    "cypari": Peer(_pari("(a,p)->lift(sqrt(Mod(a,p)))"), "cypari"),
    "sympy": Peer(_sympy("sqrt_mod"), "sympy"),
    OURS: Peer(_ours("sqrt_mod")),
}
FIGURES = {"us": "us a call"}
WORKLOADS = {
    "N1": Workload(
        "an inverse modulo a prime of 64 bits",
        inverses,
        {
            "pow": Peer(_power),
            "gmpy2": Peer(_gmpy2("invert"), "gmpy2"),
            "cypari": Peer(_pari("(a,m)->lift(1/Mod(a,m))"), "cypari"),
            "sympy": Peer(_sympy("mod_inverse"), "sympy"),
            OURS: Peer(_ours("mod_inverse")),
        },
        FIGURES,
    ),
    "N2": Workload(
        "a Jacobi symbol of 256 bits",
        symbols,
        {
            "flint": Peer(_flint_jacobi, "flint"),
            "gmpy2": Peer(_gmpy2("jacobi"), "gmpy2"),
            "cypari": Peer(_pari("(a,n)->kronecker(a,n)"), "cypari"),
            "sympy": Peer(_sympy("jacobi_symbol"), "sympy"),
            OURS: Peer(_ours("jacobi_symbol")),
        },
        FIGURES,
    ),
    "N3": Workload("whether any number of 64 bits is prime", any_numbers, TESTS, FIGURES),
    "N3p": Workload("that a prime of 64 bits is prime", only_primes, TESTS, FIGURES),
    "N3l": Workload("whether an odd number of 1,024 bits is prime", large_numbers, TESTS, FIGURES),
    "N4": Workload("square roots, each modulo another prime of 62 bits", roots, ROOTS, FIGURES),
    "N4o": Workload("square roots modulo one prime of 62 bits", roots_modulo_one, ROOTS, FIGURES),
    "N4t": Workload("square roots modulo one prime, 2^192 in p - 1", roots_of_twos, ROOTS, FIGURES),
    "N5": Workload(
        "the millionth Fibonacci number",
        fibonacci,
        {
            "flint": Peer(_flint_fibonacci, "flint"),
            "gmpy2": Peer(_gmpy2("fib"), "gmpy2"),
            "cypari": Peer(_pari("n->fibonacci(n)"), "cypari"),
            "sympy": Peer(_sympy("fibonacci"), "sympy"),
            OURS: Peer(_ours("fibonacci")),
        },
        FIGURES,
    ),
}
