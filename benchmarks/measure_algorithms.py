"""Measures what docs/benchmarks-algorithms.md shows, part by part, and puts it there: some five minutes.

Each part is kept as soon as it is there, so that one which was interrupted, or during which the
machine had other work, can be repeated by its name.
"""

from __future__ import annotations

import sys

from contests import measuring
from number_theory.subject import SUBJECT

if __name__ == "__main__":
    sys.exit(measuring.main(SUBJECT, __doc__))
