"""The arithmetic that C libraries do faster, and which of them does each part of it here.

Public functions check their arguments and say no; a kernel trusts what it is given: integers, in the
range that its own docstring names. Each exists in plain Python. Where python-flint or gmpy2 is
installed, what is faster there comes from there, behind guards; the answers are the same.

::

    modular, squares, primes, factoring, ...      arguments, errors, composition
      _kernels                                    who does it: the first of `SOURCES` that is there
        gmp, flint, plain_*                       how it is done

The libraries are imported when a first kernel is asked for, 30 ms each: not by importing the package.
With ``PYSPEEDUP_PURE=1`` in the environment neither is, ever.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

PURE_VARIABLE: Final = "PYSPEEDUP_PURE"

SOURCES: Final = {
    "invert": ("gmp", "plain_residues"),
    "power": ("gmp", "plain_residues"),
    "gcdext": ("gmp", "plain_residues"),
    "smooth_log": ("flint", "plain_residues"),
    "jacobi": ("gmp", "plain_residues"),
    "kronecker": ("gmp", "plain_residues"),
    "sqrt_mod_prime": ("flint", "plain_residues"),
    "sqrt_by_mueller": ("gmp", "plain_residues"),
    "is_square": ("gmp", "plain_squares"),
    "is_perfect_power": ("gmp", "plain_squares"),
    "isqrt": ("gmp", "plain_squares"),
    "is_prime": ("flint", "gmp", "plain_primality"),
    "is_proven_prime": ("flint", "plain_proofs"),
    "is_strong_prp": ("gmp", "plain_primality"),
    "is_lucas_prp": ("gmp", "plain_primality"),
    "is_strong_lucas_prp": ("gmp", "plain_primality"),
    "fibonacci": ("gmp", "flint", "plain_recurrences"),
    "lucas": ("gmp", "plain_recurrences"),
    "factor": ("flint", "plain_factoring"),
    "rref": ("flint", "plain_elimination"),
}
"""Where each kernel may come from, the best first."""
LIBRARIES: Final = {"gmp": "gmpy2", "flint": "flint"}
"""What a source needs that may not be installed."""

invert: Callable[[Any, Any], Any]
power: Callable[[int, int, int], int]
gcdext: Callable[[int, int], tuple[int, int, int]]
smooth_log: Callable[[int, int, int], int | None]
jacobi: Callable[[int, int], int]
kronecker: Callable[[int, int], int]
sqrt_mod_prime: Callable[[int, int], int | None]
sqrt_by_mueller: Callable[[int, int], int]
is_square: Callable[[Any], bool]
is_perfect_power: Callable[[int], bool]
isqrt: Callable[[int], int]
is_prime: Callable[[int], bool]
is_proven_prime: Callable[[int], bool]
is_strong_prp: Callable[[int, int], bool]
is_lucas_prp: Callable[[int], bool]
is_strong_lucas_prp: Callable[[int], bool]
fibonacci: Callable[[int], int]
lucas: Callable[[int], int]
factor: Callable[[int], list[tuple[int, int]]]
rref: Callable[[list[list[int]], int], list[list[int]]]


def __getattr__(name: str) -> Any:
    """Find all kernels when a first one is asked for; from then on each is an attribute as any other."""
    if name not in SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update({kernel: getattr(source_of(kernel), kernel) for kernel in SOURCES})
    # While a module has this function, CPython looks up each of its attributes the slow way: 40 ns.
    globals().pop("__getattr__", None)
    return globals()[name]


def source_of(name: str) -> ModuleType:
    """Return the module that a kernel comes from."""
    modules = (_module(source) for source in SOURCES[name])
    return next(module for module in modules if module is not None)


def _module(source: str) -> ModuleType | None:
    library = LIBRARIES.get(source)
    if library is not None and not is_there(library):
        return None
    return importlib.import_module(f"{__name__}.{source}")


def is_there(library: str) -> bool:
    """Tell whether a library is to be used: it is installed, and plain Python is not insisted on."""
    if os.environ.get(PURE_VARIABLE, "") not in {"", "0"}:
        return False
    try:
        importlib.import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:  # it is there, and broken: that is not to be passed over
            raise
        return False
    return True
