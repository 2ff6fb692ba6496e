"""Number theory: exact integers of any size, and the primes as a sequence sieved ahead elsewhere.

- `is_prime`, `is_strong_prp`, `is_strong_lucas_prp`: which integers are prime.
- `primes`, `Primes`: all of them, an endless sequence sieved ahead in another process.
- `factor`, `factorint`: integers taken apart.
- `gcd`, `lcm`, `mod_inverse`, `jacobi_symbol`: divisors and residues.
- `fibonacci`: by doubling.
- `cached`: a plain bounded memo.

An integer is whatever has ``__index__``; a float, str or Fraction is a `TypeError`, never rounded.
Importing this starts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.algorithms.errors import NotInvertible
from pyspeedup.algorithms.factoring import factor, factorint
from pyspeedup.algorithms.memo import cached
from pyspeedup.algorithms.modular import gcd, jacobi_symbol, lcm, mod_inverse
from pyspeedup.algorithms.primes import is_prime
from pyspeedup.algorithms.probable_primes import is_strong_lucas_prp, is_strong_prp
from pyspeedup.algorithms.recurrences import fibonacci
from pyspeedup.algorithms.sequences import Primes, primes

if TYPE_CHECKING:
    __version__: str

__all__ = [
    "NotInvertible",
    "Primes",
    "__version__",
    "cached",
    "factor",
    "factorint",
    "fibonacci",
    "gcd",
    "is_prime",
    "is_strong_lucas_prp",
    "is_strong_prp",
    "jacobi_symbol",
    "lcm",
    "mod_inverse",
    "primes",
]


def __getattr__(name: str) -> Any:
    """Read the version from the installed metadata only when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-algorithms")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
