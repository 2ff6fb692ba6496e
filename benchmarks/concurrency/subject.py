"""What the frame is told of pyspeedup.concurrent."""

from __future__ import annotations

from concurrency.bars import BARS, IN_PROCESS
from concurrency.registry import EVERY
from contests.subject import Subject

SUBJECT = Subject(
    "concurrent",
    EVERY,
    BARS,
    packages=(
        "cachebox",
        "cachetools",
        "cloudpickle",
        "diskcache",
        "distributed",
        "joblib",
        "loky",
        "mpire",
        "numpy",
        "pebble",
        "pyspeedup-concurrent",
    ),
    parts={
        "ints": "B1",
        "items": "B2,B3",
        "waiting": "B4,B5,B6",
        "memory": "B7,C1,C2",
        "fine": "C3",
        "graph": "C4",
        "tree": "C4t",
        "fine-graph": "C5",
        "fine-tree": "C5t",
        "map": "C6",
        "fine-map": "C7",
        "start": "C8,C9,C9m",
    },
    no_rivals=IN_PROCESS,
)
