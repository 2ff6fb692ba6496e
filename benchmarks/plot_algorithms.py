"""Draws the figures that bench_algorithms.py wrote with --json: a panel for each workload."""

from __future__ import annotations

from contests.picture import Picture
from number_theory.subject import SUBJECT

PICTURE = Picture(SUBJECT, plain=("pow", "list", "numpy"))

if __name__ == "__main__":
    PICTURE.main(__doc__)
