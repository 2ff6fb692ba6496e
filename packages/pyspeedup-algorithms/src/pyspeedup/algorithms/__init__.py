"""Number theory: exact integers of any size, and the primes as a sequence sieved ahead elsewhere.

- `is_prime`, `next_prime`, `prev_prime`: which integers are prime.
- `is_fermat_prp`, `is_strong_prp`, `is_lucas_prp`, `is_strong_lucas_prp`, `is_bpsw_prp`: one test each.
- `primes`, `Primes`: all of them, an endless sequence sieved ahead in another process.
- `prime_pi`, `nth_prime`: counted without being found.
- `factor`, `factorint`: integers taken apart.
- `FactorTable`, `FactoredInteger`: factors of all numbers up to N, and of one that keeps them.
- `gcd`, `lcm`, `gcdext`, `mod_inverse`, `mod_divide`, `crt`: divisors and residues.
- `jacobi_symbol`, `legendre_symbol`, `kronecker_symbol`: which residues are squares.
- `multiplicative_order`, `primitive_root`: the group of what is invertible modulo n.
- `sqrt_mod`, `is_square`, `isqrt`, `is_perfect_power`: squares and their roots.
- `discrete_log`, and `baby_step_giant_step`, `pollard_rho_log`, `index_calculus`: logarithms modulo n.
- `fibonacci`, `lucas`, `fibonacci_mod`: by doubling.
- `cached`: a plain bounded memo.

An integer is whatever has ``__index__``; a float, str or Fraction is a `TypeError`, never rounded.
Importing this starts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.algorithms.certificates import prime_certificate, verify_certificate
from pyspeedup.algorithms.counting import nth_prime, prime_pi
from pyspeedup.algorithms.discrete_log import (
    baby_step_giant_step,
    discrete_log,
    index_calculus,
    pollard_rho_log,
)
from pyspeedup.algorithms.errors import (
    DamagedFile,
    FactorTimeout,
    NoDiscreteLog,
    NoSolution,
    NoSquareRoot,
    NotFactored,
    NotInvertible,
    NotPrime,
)
from pyspeedup.algorithms.factor_table import FactorTable
from pyspeedup.algorithms.factored import FactoredInteger
from pyspeedup.algorithms.factoring import factor, factorint, prime_factors
from pyspeedup.algorithms.linear import nullspace_mod, rank_mod, rref_mod, solve_mod
from pyspeedup.algorithms.many import factor_many, is_prime_many
from pyspeedup.algorithms.memo import cached
from pyspeedup.algorithms.modular import (
    crt,
    gcd,
    gcdext,
    jacobi_symbol,
    kronecker_symbol,
    lcm,
    legendre_symbol,
    mod_divide,
    mod_inverse,
)
from pyspeedup.algorithms.orders import multiplicative_order, primitive_root
from pyspeedup.algorithms.polynomials import Polynomial
from pyspeedup.algorithms.primes import is_prime, next_prime, prev_prime
from pyspeedup.algorithms.probable_primes import (
    is_bpsw_prp,
    is_fermat_prp,
    is_lucas_prp,
    is_strong_lucas_prp,
    is_strong_prp,
)
from pyspeedup.algorithms.recurrences import fibonacci, fibonacci_mod, lucas
from pyspeedup.algorithms.sequences import Primes, primes
from pyspeedup.algorithms.splitting import ecm, fermat_factor, pollard_pm1, pollard_rho, siqs
from pyspeedup.algorithms.squares import is_perfect_power, is_square, isqrt, sqrt_mod

if TYPE_CHECKING:
    __version__: str

__all__ = [
    "DamagedFile",
    "FactorTable",
    "FactorTimeout",
    "FactoredInteger",
    "NoDiscreteLog",
    "NoSolution",
    "NoSquareRoot",
    "NotFactored",
    "NotInvertible",
    "NotPrime",
    "Polynomial",
    "Primes",
    "__version__",
    "baby_step_giant_step",
    "cached",
    "crt",
    "discrete_log",
    "ecm",
    "factor",
    "factor_many",
    "factorint",
    "fermat_factor",
    "fibonacci",
    "fibonacci_mod",
    "gcd",
    "gcdext",
    "index_calculus",
    "is_bpsw_prp",
    "is_fermat_prp",
    "is_lucas_prp",
    "is_perfect_power",
    "is_prime",
    "is_prime_many",
    "is_square",
    "is_strong_lucas_prp",
    "is_strong_prp",
    "isqrt",
    "jacobi_symbol",
    "kronecker_symbol",
    "lcm",
    "legendre_symbol",
    "lucas",
    "mod_divide",
    "mod_inverse",
    "multiplicative_order",
    "next_prime",
    "nth_prime",
    "nullspace_mod",
    "pollard_pm1",
    "pollard_rho",
    "pollard_rho_log",
    "prev_prime",
    "prime_certificate",
    "prime_factors",
    "prime_pi",
    "primes",
    "primitive_root",
    "rank_mod",
    "rref_mod",
    "siqs",
    "solve_mod",
    "sqrt_mod",
    "verify_certificate",
]


def __getattr__(name: str) -> Any:
    """Read the version from the installed metadata only when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-algorithms")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
