"""Draws the figures that bench_concurrent.py wrote with --json: a panel for each workload."""

from __future__ import annotations

from concurrency.subject import SUBJECT
from contests.picture import Picture

PICTURE = Picture(
    SUBJECT,
    plain=("generator", "list", "lru_cache", "memcpy"),
    panels={
        "B1": ["rate_16", "rate_1024", "rate_16384"],
        "B3": ["GBps_8MB", "GBps_100kB"],
        "B7": ["index_times", "iteration_times"],
    },
    left_out=("C9", "C9m"),  # where it is only told who gets that far
)

if __name__ == "__main__":
    PICTURE.main(__doc__)
