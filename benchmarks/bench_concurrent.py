"""Buffer and Cache beside what one would take instead, and beside plain Python."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import contest
from concurrency import bars, registry, report, results, rounds
from concurrency.workload import OURS, Peer

if TYPE_CHECKING:
    from concurrency.figures import Table

QUICK = 0.02


def main() -> int:
    """Do what the command line says; 1 where ours has failed."""
    arguments = _arguments()
    if arguments.task:
        return _do(json.loads(arguments.task))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # by the way that tidies up
    run = rounds.Run(
        script=__file__,
        rounds=arguments.rounds,
        scale=QUICK if arguments.quick else 1.0,
        slow_once=arguments.slow_once,
        method=arguments.start_method,
    )
    measured: dict[str, Table] = {}
    with contest.alone():
        for name in arguments.only or registry.EVERY:
            workload = registry.EVERY[name]
            peers = [peer for peer in workload.peers if peer in (arguments.peers or workload.peers)]
            if peers:
                measured[name] = rounds.measure(run, name, workload, peers)
                _print(name, measured[name], arguments)
    if arguments.bars:
        print("\n" + report.bars_table(bars.verdicts(measured)))
    if arguments.json:
        part = results.Part(arguments.rounds, arguments.note, results.machine_facts(), measured)
        results.write(arguments.json, part)
    return int(any(table[OURS].failures for table in measured.values() if OURS in table))


def _do(task: dict[str, object]) -> int:
    """Do one workload of one peer in this process, and print its figures."""
    multiprocessing.set_start_method(task["method"])  # type: ignore[arg-type]  # None, too
    workload = registry.EVERY[str(task["workload"])]
    peer: Peer = workload.peers[str(task["peer"])]
    figures = workload.measure(peer, float(str(task["scale"])))
    print(json.dumps(figures), flush=True)
    return 0


def _print(name: str, table: Table, arguments: argparse.Namespace) -> None:
    workload = registry.EVERY[name]
    rounds_said = f"{arguments.rounds} round{'s' if arguments.rounds > 1 else ''}"
    print(f"\n{name}: {workload.title}; median of {rounds_said}\n")
    print(report.figures_table(workload, table))
    for line in report.remarks(table):
        print(line)
    sys.stdout.flush()


def _names(text: str) -> list[str]:
    return text.split(",")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=_names, help="workloads, as in B1,C4")
    parser.add_argument("--peers", type=_names, help="contenders, as in mp.Queue,pyspeedup")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument(
        "--quick", action="store_true", help="a fiftieth of the work: shows that it runs"
    )
    parser.add_argument("--slow-once", action="store_true", help="slow peers in one round only")
    parser.add_argument(
        "--start-method",
        choices=multiprocessing.get_all_start_methods(),
        help="how peers that go by multiprocessing start processes (default: as Python does)",
    )
    parser.add_argument("--bars", action="store_true", help="say which of the bars hold")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--note", default="", help="what to say in that file about this run")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    _check(parser, "--only", arguments.only, list(registry.EVERY))
    _check(parser, "--peers", arguments.peers, registry.peers())
    return arguments


def _check(
    parser: argparse.ArgumentParser, option: str, given: list[str] | None, known: list[str]
) -> None:
    for name in given or []:
        if name not in known:
            parser.error(f"{option}: there is no {name!r}; there are {', '.join(known)}")


if __name__ == "__main__":
    sys.exit(main())
