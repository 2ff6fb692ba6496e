"""Every kernel answers the same wherever it comes from, and comes from plain Python if nothing else is there."""

import importlib
import math
import random
import subprocess
import sys

import pytest
from pyspeedup.algorithms import _kernels

PROGRAM = """
from pyspeedup.algorithms import _kernels
import sys
for name in _kernels.SOURCES:
    print(_kernels.source_of(name).__name__.rsplit(".")[-1])
print(*{"flint", "gmpy2"} & sys.modules.keys(), "nothing")
"""


def test_without_libraries_every_kernel_is_plain(monkeypatch):
    monkeypatch.setenv("PYSPEEDUP_PURE", "1")
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert found.pop() == "nothing"
    assert found
    assert all(name.startswith("plain_") for name in found)


def test_an_unknown_kernel_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        _kernels.guess  # noqa: B018 -- the attribute is the test


def test_a_library_that_is_there_and_broken_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "gmpy2.py").write_text("import something_that_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gmpy2", raising=False)
    monkeypatch.delenv("PYSPEEDUP_PURE", raising=False)
    with pytest.raises(ModuleNotFoundError, match="something_that_it_needs"):
        _kernels.is_there("gmpy2")


WORD = 2**64
PROVEN = 3_317_044_064_679_887_385_961_981
STRONG_PSEUDOPRIMES = [2047, 3_215_031_751, 3_825_123_056_546_413_051, PROVEN]
PRIMES = [3, 5, 7, 13, 17, 97, 65_537, 2**61 - 1, 2**63 + 29, WORD - 59, 2**127 - 1, 2**521 - 1]
DEEP_PRIMES = [13, 17, 97, 65_537, 15 * 2**27 + 1, 0xFFFFFFFF00000001, 2**224 - 2**96 + 1]
drawn = random.Random(2014)
SMALL = range(-40, 41)
LONG = [
    drawn.getrandbits(bits) for bits in (31, 62, 63, 64, 65, 80, 128, 300, 2000) for _ in "abcd"
]
NATURAL = [*range(2_000), *LONG, *PRIMES, *STRONG_PSEUDOPRIMES, WORD - 1, WORD, WORD + 13]
ODD = [n | 1 for n in NATURAL if n.bit_length() < 200]
LONG_PAIRS = [(a, b) for a in LONG for b in LONG[::5]]
SMALL_PAIRS = [(a, b) for a in SMALL for b in SMALL]
POWERS = [b**k + d for b in (-7, -2, 2, 3, 10, 10**9 + 7) for k in range(2, 12) for d in (-1, 0, 1)]
ROOTS = [(a, p) for p in PRIMES for a in [*range(20), *LONG]]
INPUTS = {
    "invert": SMALL_PAIRS + LONG_PAIRS + [(1.0, 3), (3, "7"), (None, 5)],
    "power": [(a, e, m) for a in LONG for e, m in [(0, 7), (5, 1), (10**9, WORD + 13), (WORD, 91)]],
    "gcdext": SMALL_PAIRS + LONG_PAIRS,
    "jacobi": [(a, n) for a, n in SMALL_PAIRS + LONG_PAIRS if n > 0] + [(1.0, 3), (3, "7")],
    "kronecker": SMALL_PAIRS + LONG_PAIRS + [(-a, -b) for a, b in LONG_PAIRS],
    "sqrt_mod_prime": [(a % p, p) for a, p in ROOTS] + [(0, 2), (1, 2)],
    "sqrt_by_mueller": [
        (a * a % p, p) for p in DEEP_PRIMES for a in [*range(1, 13), *LONG] if a % p
    ],
    "is_square": [(n,) for n in [*SMALL, *NATURAL, *(n * n for n in LONG)]] + [(1.0,), (-1.0,)],
    "is_perfect_power": [(n,) for n in [*SMALL, *NATURAL, *POWERS]],
    "isqrt": [(n,) for n in [*NATURAL, *(n * n - 1 for n in NATURAL[1:])]],
    "is_prime": [(n,) for n in NATURAL],
    "is_proven_prime": [(n,) for n in NATURAL if n.bit_length() < 500],
    "is_strong_prp": [
        (n, a) for n in ODD for a in (2, 3, 100, n - 2) if 1 < a < n and math.gcd(n, a) == 1
    ],
    "is_lucas_prp": [(n,) for n in [1, 2, 4, *ODD]],
    "is_strong_lucas_prp": [(n,) for n in [1, 2, 4, *ODD]],
    "fibonacci": [(n,) for n in [*range(200), 10_000]],
    "lucas": [(n,) for n in [*range(200), 10_000]],
    "factor": [(n,) for n in [*range(1, 2_000), 2**67 - 1, 3**40, 1009**3 * 10_007]],
    "rref": [([[2, 1, 3], [1, 1, 5], [3, 2, 8]], p) for p in (2, 3, 7, WORD - 59, 2**127 - 1)],
}
PLAIN = {name: sources[-1] for name, sources in _kernels.SOURCES.items()}


SHORT_CUTS = {"smooth_log"}
"""In plain Python they find nothing; what they find elsewhere has a test of its own."""


def test_every_kernel_is_compared():
    assert set(INPUTS) | SHORT_CUTS == set(_kernels.SOURCES)


def outcome(source, name, arguments):
    """What a kernel gives, or which error, so that sources can be compared."""
    kernel = getattr(importlib.import_module(f"{_kernels.__name__}.{source}"), name)
    try:
        found = kernel(*arguments)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        return type(error)
    if name in {"sqrt_mod_prime", "sqrt_by_mueller"} and found is not None:
        assert type(found) is int
        return min(found, -found % arguments[1])  # which of the two is left open
    return found


COMPARED = [(name, source) for name in INPUTS for source in _kernels.SOURCES[name][:-1]]


@pytest.mark.parametrize(("name", "source"), COMPARED)
def test_a_library_answers_as_plain_python_does(name, source):
    pytest.importorskip(_kernels.LIBRARIES[source])
    for arguments in INPUTS[name]:
        expected = outcome(PLAIN[name], name, arguments)
        found = outcome(source, name, arguments)
        assert found == expected, (name, arguments)
        assert isinstance(found, bool) == isinstance(expected, bool), (name, arguments)


def test_roots_modulo_primes_are_roots():
    for a, p in ROOTS:
        root = outcome("plain_residues", "sqrt_mod_prime", (a % p, p))
        if root is None:
            assert pow(a, (p - 1) // 2, p) == p - 1
        else:
            assert (root * root - a) % p == 0


def test_muellers_method_finds_roots_modulo_every_small_prime_that_it_is_for():
    for p in (p for p in range(5, 600, 4) if all(p % d for d in range(3, p, 2))):
        for x in range(1, p):
            root = outcome("plain_residues", "sqrt_by_mueller", (x * x % p, p))
            assert root in {x, p - x}


def test_a_smooth_logarithm_is_the_one_that_a_search_finds_or_none():
    pytest.importorskip("flint")
    for p in (2, 3, 5, 7, 13, 31):
        for a in range(1, p):
            for b in range(1, p):
                found = outcome("flint", "smooth_log", (p, a, b))
                assert found == next((x for x in range(p) if pow(b, x, p) == a), None)
                assert outcome("plain_residues", "smooth_log", (p, a, b)) is None
