"""What the frame is told of pyspeedup.algorithms."""

from __future__ import annotations

from contests.subject import Subject
from number_theory import batches, calls, imports, logarithms, matrices, ranges
from number_theory.bars import BARS

SUBJECT = Subject(
    "algorithms",
    {
        **calls.WORKLOADS,
        **batches.WORKLOADS,
        **logarithms.WORKLOADS,
        **ranges.WORKLOADS,
        **matrices.WORKLOADS,
        **imports.WORKLOADS,
    },
    BARS,
    packages=(
        "cypari",
        "gmpy2",
        "numpy",
        "primesieve",
        "pyspeedup-algorithms",
        "python-flint",
        "sympy",
    ),
    parts={
        "calls": ",".join(calls.WORKLOADS),
        "many": "F1,F2,F3",
        "dear": "F4",
        "table": "F5",
        "logarithms": "D1,D2",
        "primes": "P1,P2,P3",
        "rest": "R1,I1",
    },
)
