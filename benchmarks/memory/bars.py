"""What the figures have to reach: ratios to peers of the same run, and limits in ms, bytes and MB."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memory import figures
from memory.figures import NOTHING, OURS
from verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memory.figures import Results, Sized

MEGA = 1_000_000
BEST = "the best peer"
IN_RAM = ("dict", "list")


@dataclass(frozen=True)
class Ratio:
    """A rate of ours has to be so many times that of a peer."""

    workload: str
    peer: str
    at_least: float
    aim: float


DICT_RATIOS = [
    Ratio("insert", "lmdb", 0.7, 1.2),
    Ratio("insert_shuffled", "lmdb", 1.2, 2),
    Ratio("update", "lmdb", 0.7, 1.2),
    Ratio("hot_get", "lmdb", 6, 12),
    Ratio("hot_get", "dict", 0.3, 0.3),
    Ratio("hot_get_new", "lmdb", 6, 12),
    Ratio("hot_get_new", "dict", 0.3, 0.3),
    Ratio("cold_get", "lmdb", 0.45, 1),
    Ratio("cold_get", "diskcache", 2.5, 8),
    Ratio("cold_get", "sqlitedict", 30, 30),
    Ratio("counter", "lmdb", 1.8, 4),
    Ratio("items", "lmdb", 2.5, 4),
    Ratio("overwrite", "lmdb", 0.6, 1.2),
    Ratio("absent", "lmdb", 0.6, 1),
    Ratio("delete_half", "lmdb", 0.7, 1),
]
LIST_RATIOS = [
    *(
        Ratio(name, BEST, 1, 2)
        for name in ("append", "append_tuple", "extend", "iterate", "iterate_tuple")
    ),
    *(
        Ratio(name, BEST, 2, 5)
        for name in ("get_rand", "get_tuple", "set_rand", "set_tuple", "slice100")
    ),
    *(Ratio(name, "list", 2, 10) for name in ("insert_0", "insert_mid", "delete_mid")),
]
OTHERS = [("diskcache", 3.0, 8.0), ("sqlitedict", 10.0, 30.0)]
"""What holds for every row and peer of which nothing else is said."""

LIMITS = {"open": ("ms", 5, 1), "longest": ("ms", 30, 5)}
DISK_LIMIT = ("bytes an item", 75, 60)
MEMORY_LIMIT = ("MB", 25, 12)
GROWTH, FLAT = 1.5, 1.1
"""How much more an operation may cost, and a process take, with ten times the items."""

GROWING = ("insert", "cold_get", "append", "get_rand")
MEMORY_SESSIONS = ("build", "cold", "use", "big")


def verdicts(structure: str, sized: Sized, workloads: list[str], *, cpu: bool) -> Iterator[Verdict]:
    """Yield what each bar says about the results; bars of peers that did not take part are left out."""
    results = sized.results
    named = DICT_RATIOS if structure == "dict" else LIST_RATIOS
    for bar in [*named, *_other_ratios(named, workloads)]:
        peer = _best(results, bar.workload) if bar.peer == BEST else bar.peer
        if peer in results:
            found = figures.ratio(results[OURS], results[peer], bar.workload, cpu=cpu)
            if found is not None:
                yield _ratio_verdict(bar, peer, found)
    yield from _limit_verdicts(structure, sized)


def growth(smaller: Sized, larger: Sized) -> Iterator[Verdict]:
    """Yield how much dearer things became with size, and whether memory stayed flat."""
    for workload in GROWING:
        cost = [_cost(sized, workload) for sized in (smaller, larger)]
        if all(cost):
            grown = cost[1] / cost[0]
            word = "holds" if grown <= GROWTH else "NO"
            name = f"{workload}, {smaller.size:,} to {larger.size:,}"
            yield Verdict(name, f"{grown:.3g}x", f"{GROWTH:g}x", "1x", word)
    for session in MEMORY_SESSIONS:
        if all(session in sized.results[OURS].anonymous for sized in (smaller, larger)):
            small, large = (anonymous(sized, session) for sized in (smaller, larger))
            word = "holds" if large <= small * FLAT else "NO"
            name = f"anonymous RAM, {session}, {smaller.size:,} to {larger.size:,}"
            yield Verdict(name, f"{large / small:.3g}x", f"{FLAT:g}x", "1x", word)


def anonymous(sized: Sized, session: str, peer: str = OURS) -> float:
    """Return the anonymous bytes of a peer, without numpy's."""
    found = figures.net(sized.results, peer, "anonymous", session)
    return found - sized.numpy.anonymous * sized.results[peer].numpy[session]


def _cost(sized: Sized, workload: str) -> float:
    """Return our seconds an operation; 0 where it was not measured."""
    rates = sized.results[OURS].rates(workload)
    return 1 / statistics.median(rates) if rates else 0.0


def _other_ratios(named: list[Ratio], workloads: list[str]) -> Iterator[Ratio]:
    said = {(bar.workload, bar.peer) for bar in named}
    for workload in workloads:
        for peer, at_least, aim in OTHERS:
            if (workload, peer) not in said and workload not in (*LIMITS, "close"):
                yield Ratio(workload, peer, at_least, aim)


def _best(results: Results, workload: str) -> str:
    """Return which of the peers on disk is the fastest."""
    medians = {
        name: statistics.median(found.rates(workload))
        for name, found in results.items()
        if name not in {OURS, NOTHING, *IN_RAM}
        and workload in found.done
        and workload not in found.failures
    }
    return max(medians, key=medians.__getitem__, default="")


def _ratio_verdict(bar: Ratio, peer: str, found: float) -> Verdict:
    word = "aim" if found >= bar.aim else "holds" if found >= bar.at_least else "NO"
    return Verdict(
        bar.workload, f"{found:.3g}x {peer}", f"{bar.at_least:g}x", f"{bar.aim:g}x", word
    )


def _limit_verdicts(structure: str, sized: Sized) -> Iterator[Verdict]:
    ours = sized.results[OURS]
    for name, limit in LIMITS.items():
        if name in ours.done:
            yield _limit_verdict(name, ours.milliseconds(name), limit)
    if "build" in ours.disk and structure == "dict":
        yield _limit_verdict("disk", ours.bytes_an_item("build"), DISK_LIMIT)
    for session in MEMORY_SESSIONS:
        if session in ours.anonymous:
            found = anonymous(sized, session) / MEGA
            yield _limit_verdict(f"anonymous RAM, {session}", found, MEMORY_LIMIT)


def _limit_verdict(name: str, found: float, limit: tuple[str, float, float]) -> Verdict:
    unit, bar, aim = limit
    word = "aim" if found <= aim else "holds" if found <= bar else "NO"
    return Verdict(name, f"{found:.3g} {unit}", f"{bar:g} {unit}", f"{aim:g} {unit}", word)
