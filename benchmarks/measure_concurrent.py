"""Measures what docs/benchmarks-concurrent.md shows, part by part, and puts it there: some 20 minutes.

Each part is kept as soon as it is there, so that one which was interrupted, or during which the
machine had other work, can be repeated by its name. With --rounds 3 none takes much over two minutes.
"""

from __future__ import annotations

import sys

from concurrency.subject import SUBJECT
from contests import measuring

if __name__ == "__main__":
    sys.exit(measuring.main(SUBJECT, __doc__))
