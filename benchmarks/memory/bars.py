"""What the figures have to reach: ratios to peers of the same run, and limits in ms, bytes and MB."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memory.rounds import Figures

OURS = "pyspeedup"
MIB = 1 << 20


@dataclass(frozen=True)
class Ratio:
    """A rate of ours has to be so many times that of a peer."""

    workload: str
    peer: str
    at_least: float
    aim: float


@dataclass(frozen=True)
class Limit:
    """A figure of ours has to stay below."""

    figure: str
    unit: str
    at_most: float
    aim: float


DICT_RATIOS = [
    Ratio("insert", "lmdb", 0.7, 1.2),
    Ratio("insert_shuffled", "lmdb", 1.2, 2),
    Ratio("update", "lmdb", 0.7, 1.2),
    Ratio("hot_get", "lmdb", 6, 12),
    Ratio("hot_get", "dict", 0.3, 0.3),
    Ratio("cold_get", "lmdb", 0.45, 1),
    Ratio("cold_get", "diskcache", 2.5, 8),
    Ratio("cold_get", "sqlitedict", 30, 30),
    Ratio("counter", "lmdb", 1.8, 4),
    Ratio("items", "lmdb", 2.5, 4),
    Ratio("overwrite", "lmdb", 0.6, 1.2),
    Ratio("absent", "lmdb", 0.6, 1),
    Ratio("delete_half", "lmdb", 0.7, 1),
]
OTHERS = [("diskcache", 3, 8), ("sqlitedict", 10, 30)]
"""What holds for every row of which nothing else is said."""

LIMITS = [
    Limit("open", "ms", 5, 1),
    Limit("longest", "ms", 30, 5),
    Limit("disk", "bytes an item", 75, 60),
    Limit("anonymous", "MB", 25, 12),
]


def rates(figures: Figures, workload: str) -> list[float]:
    """Return the operations a second of each round."""
    done, seconds = figures.done.get(workload, []), figures.seconds.get(workload, [])
    return [n / took for n, took in zip(done, seconds, strict=True)]


def ratio(ours: Figures, peer: Figures, workload: str) -> float | None:
    """Return the median of the rounds' ratios, which drift of the machine leaves alone."""
    pairs = list(zip(rates(ours, workload), rates(peer, workload), strict=False))
    return statistics.median(mine / other for mine, other in pairs) if pairs else None
