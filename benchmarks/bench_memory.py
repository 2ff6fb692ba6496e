"""DiskDict and DiskList beside the dicts and lists on disk that there are, and beside dict and list."""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from memory import bars, child, machine, report, rounds
from memory.figures import NOTHING, OURS, Sized
from memory.sessions import BUILD, CLOSE, OPEN, Session, Task

HUGE = 10_000_000
HUGE_WORKLOADS = ["insert", "append", "cold_get", "get_rand", OPEN]


def main() -> int:
    """Do what the command line says; 1 where our own structures failed."""
    arguments = _arguments()
    if arguments.task:
        print(json.dumps(asdict(child.run(Task.from_json(arguments.task)))))
        return 0
    if arguments.numpy_share:
        print(json.dumps(child.import_numpy()))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # by the way that tidies up
    measured: dict[str, list[Sized]] = {}
    for structure in arguments.structures or child.STRUCTURES:
        sizes = [*arguments.size, *([HUGE] if arguments.huge else [])]
        measured[structure] = [_measure(arguments, structure, size) for size in sizes]
        if arguments.bars and OURS in measured[structure][0].results:
            _print_growth(measured[structure])
    if arguments.json:
        about = {"note": arguments.note, "machine": machine.facts(), "rounds": arguments.rounds}
        found = {structure: list(map(asdict, sized)) for structure, sized in measured.items()}
        text = json.dumps(about | {"measured": found}, indent=1)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    every = itertools.chain.from_iterable(measured.values())
    return int(any(one.results[OURS].failures for one in every if OURS in one.results))


def _measure(arguments: argparse.Namespace, structure: str, size: int) -> Sized:
    """Measure one structure at one size, and print what came out."""
    peers, workloads = child.STRUCTURES[structure]
    selected = arguments.only or [*workloads.WORKLOADS, OPEN]
    wanted = arguments.peers or list(peers.PEERS)
    if size >= HUGE:
        selected = [name for name in selected if name in HUGE_WORKLOADS]
        wanted = [NOTHING, OURS]
    taking_part = _taking_part(peers.PEERS, wanted, size)
    run = rounds.Run(
        script=__file__,
        structure=structure,
        sessions=_sessions(workloads.SESSIONS, selected),
        peers=taking_part,
        size=size,
        rounds=arguments.rounds,
        once=[name for name in taking_part if arguments.slow_once and peers.PEERS[name].slow],
        cap=arguments.cap,
        folder=arguments.folder,
        numpy=not arguments.without_numpy,
        numpy_apart=arguments.numpy_apart,
    )
    one = Sized(size, rounds.measure(run), rounds.numpy_share(run))
    _print(structure, one, [*selected, CLOSE], arguments)
    return one


def _print_growth(sizes: list[Sized]) -> None:
    verdicts = [bar for pair in itertools.pairwise(sizes) for bar in bars.growth(*pair)]
    if verdicts:
        print("\n" + report.bars_table(verdicts))


def _print(structure: str, one: Sized, workloads: list[str], arguments: argparse.Namespace) -> None:
    clock = "CPU second" if arguments.cpu else "second"
    print(f"\n{structure}, {one.size:,} items: operations a {clock}, median of {arguments.rounds}")
    if one.numpy.seconds:
        cost = (
            f"{one.numpy.seconds * 1000:.0f} ms, {one.numpy.anonymous / bars.MEGA:.1f} MB anonymous"
        )
        print(f"importing numpy, where it happens, costs {cost}")
    print("\n" + report.rates_table(one.results, workloads, cpu=arguments.cpu))
    print("\n" + report.memory_table(one.results))
    if arguments.bars and OURS in one.results:
        verdicts = bars.verdicts(structure, one, workloads, cpu=arguments.cpu)
        print("\n" + report.bars_table(verdicts))
    for line in report.failures(one.results):
        print(line)


def _taking_part(peers: dict[str, Any], wanted: list[str], size: int) -> list[str]:
    """Return those that are wanted, installed, and not too slow for `size`."""
    for name in wanted:
        if name not in peers and name not in _all_peers():
            sys.exit(f"--peers: there is no {name!r}; there are {', '.join(_all_peers())}")
    return [
        name
        for name in wanted
        if name in peers and peers[name].installed() and size <= peers[name].most
    ]


def _all_peers() -> list[str]:
    """Return the names of the peers of all structures."""
    return list(
        dict.fromkeys(name for peers, _ in child.STRUCTURES.values() for name in peers.PEERS)
    )


def _sessions(sessions: list[Session], only: list[str]) -> list[Session]:
    """Return what of `sessions` has a workload of `only`, and what that needs."""
    kept = []
    for session in sessions:
        chosen = [name for name in session.workloads if name in only]
        if chosen:
            kept.append(replace(session, workloads=chosen))
    if any(session.built for session in kept) and kept[0].name != BUILD:
        kept.insert(0, next(session for session in sessions if session.name == BUILD))
    return kept


def _names(text: str) -> list[str]:
    return text.split(",")


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("structures", nargs="*", metavar="dict|list", help="default: both")
    parser.add_argument(
        "-n", "--size", type=_sizes, default=[20_000], help="items, as in 200000,1000000"
    )
    parser.add_argument("--only", type=_names, help="workloads, as in insert,cold_get")
    parser.add_argument("--peers", type=_names, help="contenders, as in lmdb,pyspeedup")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--cap", type=float, default=1.0, help="seconds a workload (default: 1)")
    parser.add_argument("--slow-once", action="store_true", help="slow peers in one round only")
    parser.add_argument("--huge", action="store_true", help="ours with 10,000,000 items, too")
    parser.add_argument("--bars", action="store_true", help="say which of the bars hold")
    parser.add_argument("--cpu", action="store_true", help="rates by processor time, not wall time")
    parser.add_argument("--without-numpy", action="store_true", help="as if it were not installed")
    parser.add_argument("--numpy-apart", action="store_true", help="import it off the watch")
    parser.add_argument("--folder", type=Path, help="where stores are made")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--note", default="", help="what to say in that file about this run")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--numpy-share", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for structure in arguments.structures:
        if structure not in child.STRUCTURES:
            parser.error(f"there is no {structure!r}; there are {', '.join(child.STRUCTURES)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
