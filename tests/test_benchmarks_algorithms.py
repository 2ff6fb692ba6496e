"""The benchmarks of pyspeedup.algorithms measure work that was really done, and say so where it was not."""

import json

import pytest
from benchmark_runs import BENCHMARKS, assert_old_figures_are_noticed, run

SCRIPT = BENCHMARKS / "bench_algorithms.py"

LYING = """
import contextlib, json, math, sys
from contests.workload import Peer, WrongAnswerError
from number_theory import inputs, ranges
from number_theory.subject import SUBJECT
from pyspeedup import algorithms as honest

def primes(change):
    def find(limit):
        found = honest.primes.below(limit)
        if limit > 1000:
            change(found)
        return found
    return find

def swap(found):
    found[0], found[1] = 4, 1

def shift(found):
    found[1] += 2

def short(limit):
    return honest.primes.below(limit)[:-1]

@contextlib.contextmanager
def misplaced():
    with honest.Primes() as known:
        yield ranges.Known(known, 1)

@contextlib.contextmanager
def placed():
    with honest.Primes() as known:
        yield ranges.Known(known)

def listed(factors):
    return lambda: (lambda numbers: [factors(n) for n in numbers], iter)

def unit(size, last):
    return [[*(int(i == j) for j in range(size)), last] for i in range(size)]

def tried(workload, peer):
    try:
        return sorted(SUBJECT.workloads[workload].measure(Peer(peer), 0.001))
    except WrongAnswerError as error:
        return str(error)

LIES = json.loads(sys.argv[1])
print(json.dumps([tried(workload, eval(lie)) for workload, lie, _ in LIES]))
"""
HONEST = [
    ("N1", "lambda: honest.mod_inverse", ["us"]),
    ("N2", "lambda: honest.jacobi_symbol", ["us"]),
    ("N3", "lambda: honest.is_prime", ["us"]),
    ("N3l", "lambda: honest.is_prime", ["us"]),
    ("N4t", "lambda: honest.sqrt_mod", ["us"]),
    ("N4", "lambda: lambda a, p: p - honest.sqrt_mod(a, p)", ["us"]),
    ("N5", "lambda: honest.fibonacci", ["us"]),
    ("F1", "lambda numbers: map(honest.factor, numbers)", ["ms", "rate"]),
    ("F5", "listed(honest.factor)", ["ns"]),
    ("D2", "lambda: honest.discrete_log", ["us"]),
    ("P1", "lambda: honest.primes.below", ["ms"]),
    ("P2", "placed", ["us"]),
    ("P3", "lambda path: honest.Primes", ["MB", "ms", "worst_ms"]),
    ("R1", "lambda: lambda rows: honest.rref_mod(rows, 2**31 - 1)[0]", ["s"]),
]
LIES = [
    ("N1", "lambda: lambda a, m: 1", "an inverse times the number is"),
    ("N2", "lambda: lambda a, n: 1", "a symbol is"),
    ("N3", "lambda: lambda n: n % 2", "is prime is"),
    ("N3p", "lambda: lambda n: False", "is prime is False, not True"),
    ("N3l", "lambda: lambda n: True", "is prime is True, not False"),
    ("N4", "lambda: lambda a, p: a", "the square of a root is"),
    ("N4t", "lambda: lambda a, p: a", "the square of a root is"),
    ("N5", "lambda: honest.lucas", "Cassini's identity is -5, not 1"),
    ("N5", "lambda: lambda n: honest.fibonacci(n - 998)", "the number of bits is 1, not"),
    ("F1", "lambda numbers: [[n] for n in numbers]", "are prime is False"),
    ("F1", "lambda numbers: [honest.factor(n)[1:] for n in numbers]", "the product of"),
    ("F3", "lambda numbers: [[n] for n in numbers]", "are prime is False"),
    ("F5", "listed(lambda n: [n])", "are prime is False"),
    ("F5", "listed(lambda n: honest.factor(n)[1:])", "the product of"),
    ("D2", "lambda: lambda p, a, g: 1", "to the power 1 modulo"),
    ("P1", "lambda: short", "how many there are is"),
    ("P1", "lambda: primes(shift)", "their sum is"),
    ("P1", "lambda: primes(swap)", "whether they are prime is"),
    ("P2", "misplaced", "the prime there is"),
    ("P3", "lambda path: lambda: contextlib.nullcontext({10**6: 4})", "the prime there is 4"),
    ("R1", "lambda: lambda rows: rows", "a row of units is"),
    ("R1", "lambda: lambda rows: unit(len(rows), 0)", "the right side is 0"),
]
INPUTS = """
from number_theory import inputs
flags = [n for n, flag in enumerate(inputs.sieved(2000)) if flag]
assert flags == [n for n in range(2, 2000) if all(n % k for k in range(2, n))]
assert flags == [n for n in range(-9, 2000) if inputs.is_prime(n)]
for wrong in (561, 3215031751, 3825123056546413051, 2**67 - 1):
    assert not inputs.is_prime(wrong), wrong
for right in (2**31 - 1, 2**61 - 1, 2**127 - 1):
    assert inputs.is_prime(right), right
for n in inputs.primes(64, 5) + inputs.safe_primes(60, 2) + inputs.smooth_primes(60, 5):
    assert pow(3, n - 1, n) == 1
    assert n.bit_length() in (60, 64)
for p in inputs.safe_primes(60, 2):
    assert pow(2, p // 2 - 1, p // 2) == 1
for p in inputs.smooth_primes(60, 5):
    rest = p - 1
    for q in range(2, 1000):
        while rest % q == 0:
            rest //= q
    assert rest == 1
assert [len(str(n)) for n in inputs.semiprimes(40, 3)] == [40, 40, 40]
assert not any(map(inputs.is_prime, inputs.semiprimes(40, 3)))
assert inputs.integers(64, 50) == inputs.integers(64, 60)[:50]
assert inputs.primitive_root(41) == 6
print("good")
"""
WHOLE = """
from collections import Counter
from concurrency.subject import SUBJECT as concurrent
from number_theory.subject import SUBJECT as algorithms
from contests.bars import BEST
for subject in (concurrent, algorithms):
    parts = Counter(name for part in subject.parts.values() for name in part.split(","))
    assert parts == Counter(list(subject.workloads)), parts
    for bar in subject.bars:
        workload = subject.workloads[bar.workload]
        assert bar.figure in {*workload.figures, "times_aim"}, bar
        assert bar.peer in {"", BEST, *workload.peers}, bar
        assert bar.at_least is not None or bar.aim is not None, bar
    for workload in subject.workloads.values():
        assert workload.limit in {"", *workload.peers}
        assert "pyspeedup" in workload.peers
print("good")
"""
BARS = """
import json, sys
from contests.figures import Row
from number_theory.subject import SUBJECT
measured = {workload: {peer: Row(**row) for peer, row in table.items()}
            for workload, table in json.loads(sys.argv[1]).items()}
for verdict in SUBJECT.verdicts(measured):
    print(verdict.figure, verdict.found, verdict.word, sep=" | ")
"""
STARTS_A_PROCESS = """
import subprocess, sys
ends_with_us = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
"""
IMPORTING = """
from contests.workload import Peer
from number_theory import imports
print(imports.importing(Peer("starts_a_process"), 0.001)["processes"])
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each workload says of each answer, honest ones first; in one process, for it takes its time."""
    result = run(["-c", LYING, json.dumps(HONEST + LIES)], tmp_path_factory.mktemp("lies"))
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout.splitlines()[-1])
    return {(name, lie): said for (name, lie, _), said in zip(HONEST + LIES, answers, strict=True)}


@pytest.mark.parametrize(("workload", "answer", "figures"), HONEST)
def test_right_answers_get_figures(told, workload, answer, figures):
    assert told[workload, answer] == figures


@pytest.mark.parametrize(("workload", "lie", "said"), LIES)
def test_wrong_answers_are_found_out(told, workload, lie, said):
    assert said in str(told[workload, lie])
    assert not isinstance(told[workload, lie], list)


def test_the_numbers_are_what_they_are_called(tmp_path):
    result = run(["-c", INPUTS], tmp_path)
    assert result.stdout == "good\n", result.stderr


def test_every_workload_is_in_one_part_and_every_bar_is_of_something(tmp_path):
    result = run(["-c", WHOLE], tmp_path)
    assert result.stdout == "good\n", result.stderr


def test_a_process_that_an_import_leaves_running_is_counted(tmp_path):
    (tmp_path / "starts_a_process.py").write_text(STARTS_A_PROCESS)
    result = run(["-c", IMPORTING], tmp_path)  # and each interpreter that this starts is there, too
    assert result.stdout == "1.0\n", result.stderr


def test_figures_of_all_who_take_part_are_printed_and_kept(tmp_path):
    path = tmp_path / "figures.json"
    only, peers = "N1,F1,P3,I1", "pow,pyspeedup"
    asked = ["--quick", "--rounds", "1", "--only", only, "--peers", peers]
    result = run([SCRIPT, *asked, "--bars", "--json", path], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(found["measured"]) == only.split(",")
    for workload, table in found["measured"].items():
        assert table["pyspeedup"]["failures"] == [], workload
        assert all(figures[0] >= 0 for figures in table["pyspeedup"]["figures"].values())
    assert len(found["measured"]["N1"]["pow"]["figures"]["us"]) == 1
    assert "P3 open and take one" in result.stdout


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (
            {
                "N3": {
                    "pyspeedup": {"figures": {"us": [0.5, 0.5, 4.0]}},
                    "gmpy2": {"figures": {"us": [0.4, 0.3, 2.0]}},
                    "flint": {"figures": {"us": [1.0, 1.0, 1.0]}},
                    "sympy": {"figures": {"us": [0.4, 0.45, 2.0]}},
                }
            },
            ["N3 is_prime, any | 0.6x gmpy2 | holds", "N3 is_prime, any | 0.8x sympy | NO"],
        ),
        (
            {
                "N3": {
                    "pyspeedup": {"figures": {"us": [0.5]}},
                    "flint": {"figures": {"us": [0.6]}},
                    "gmpy2": {"missing": "gmpy2"},
                    "sympy": {"missing": "sympy"},
                }
            },
            ["N3 is_prime, any | 1.2x flint | aim"],
        ),
        ({"D1": {"pyspeedup": {"figures": {"s": [0.6]}}}}, ["0.6 s | NO"]),
        ({"I1": {"pyspeedup": {"figures": {"ms": [30], "processes": [1]}}}}, ["1 processes | NO"]),
        (
            {
                "F2": {
                    "pyspeedup": {"figures": {"rate": [180.0]}},
                    "flint": {"figures": {"rate": [100.0]}},
                }
            },
            ["1.8x flint | holds"],
        ),
    ],
)
def test_a_bar_says_how_many_times_as_fast_ours_is(tmp_path, measured, said):
    result = run(["-c", BARS, json.dumps(measured)], tmp_path)
    for each in said:
        assert each in result.stdout, result.stderr


def test_the_documentation_shows_the_committed_figures(tmp_path):
    result = run([BENCHMARKS / "document_algorithms.py", "--check"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_tables_and_pictures_of_other_figures_are_noticed(tmp_path):
    def change(found):
        found["rest"]["measured"]["R1"]["pyspeedup"]["figures"]["s"] = [9.0]

    pictures = ("_static/benchmarks-arithmetic.svg", "_static/benchmarks-algorithms.svg")
    documents = ("benchmarks-algorithms.md", *pictures)
    assert_old_figures_are_noticed(
        tmp_path, "document_algorithms.py", "algorithms.json", change, documents
    )
