"""What pyspeedup.algorithms has to reach: limits, and how many times as fast as a peer of the same run it is."""

from __future__ import annotations

from contests.bars import BEST, Bar

SINGLE = [
    ("N1", "mod_inverse", 0.9),
    ("N2", "jacobi_symbol", 0.9),
    ("N3", "is_prime, any", 1),
    ("N3p", "is_prime, primes", 1),
    ("N3l", "is_prime, 1,024 bits", 1),
    ("N4", "sqrt_mod, many primes", 1),
    ("N4o", "sqrt_mod, one prime", 1),
    ("N4t", "sqrt_mod, 2^192", 1),
    ("N5", "fibonacci(10^6)", 1),
]
FLINT, SYMPY = "flint", "sympy"
BARS = [
    *(Bar(name, "us", says, 0.6, aim, BEST, speed=True) for name, says, aim in SINGLE),
    *(Bar(name, "us", says, 1, None, SYMPY, speed=True) for name, says, _ in SINGLE),
    Bar("F1", "rate", "factor_many, 64 bits", 0.8, 0.95, FLINT),
    Bar("F2", "rate", "factor_many, 100 bits", 1.7, 1.9, FLINT),
    Bar("F3", "rate", "factor_many, 40 digits", 1.5, 1.8, FLINT),
    Bar("F4", "rate", "factor_many, 50 digits", 1.5, 1.8, FLINT),
    Bar("F5", "ns", "FactorTable.many, up to 10^7", 10, 50, FLINT, speed=True),
    Bar("D1", "s", "discrete_log, safe prime", 0.5, 0.25, unit=" s", less_is_better=True),
    Bar("D2", "us", "discrete_log, smooth p - 1", 4, None, SYMPY, speed=True),
    Bar("D2", "us", "discrete_log, smooth p - 1", None, 0.8, FLINT, speed=True),
    Bar("P1", "ms", "primes.below(10^8)", 2, None, "numpy", speed=True),
    Bar("P2", "us", "primes[10^6], known", 2, 1, unit=" us", less_is_better=True),
    Bar("P3", "ms", "open and take one", 10, 5, unit=" ms", less_is_better=True),
    Bar("R1", "s", "rref_mod, 1,000 x 1,001", None, 0.9, FLINT, speed=True),
    Bar("I1", "ms", "import", 60, 20, unit=" ms", less_is_better=True),
    Bar("I1", "processes", "import", 0, 0, unit=" processes", less_is_better=True),
]
