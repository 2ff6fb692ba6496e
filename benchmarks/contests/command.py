"""The command line of a benchmark: measures what it is asked for, and prints it."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import contest
from contests import report, results, rounds
from contests.workload import OURS, Peer

if TYPE_CHECKING:
    from contests.figures import Table
    from contests.subject import Subject

QUICK = 0.02


def main(subject: Subject, script: str, what: str | None) -> int:
    """Do what the command line of `script` says; 1 where ours has failed.

    Each contender is measured by `script` in a process of its own.
    """
    arguments = _arguments(subject, what)
    if arguments.task:
        return _do(subject, json.loads(arguments.task))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # by the way that tidies up
    measured = _measure(subject, script, arguments)
    if arguments.bars:
        print("\n" + report.bars_table(subject.verdicts(measured)))
    if arguments.json:
        facts = results.machine_facts(subject.packages)
        results.write(
            arguments.json, results.Part(arguments.rounds, arguments.note, facts, measured)
        )
    return int(any(table[OURS].failures for table in measured.values() if OURS in table))


def _measure(subject: Subject, script: str, arguments: argparse.Namespace) -> dict[str, Table]:
    """Measure the workloads and peers that were asked for, and print each table as it is there."""
    run = rounds.Run(
        script=script,
        rounds=arguments.rounds,
        scale=QUICK if arguments.quick else 1.0,
        slow_once=arguments.slow_once,
        method=arguments.start_method,
    )
    measured: dict[str, Table] = {}
    with contest.alone():
        for name in arguments.only or subject.workloads:
            workload = subject.workloads[name]
            peers = [peer for peer in workload.peers if peer in (arguments.peers or workload.peers)]
            if peers:
                measured[name] = rounds.measure(run, name, workload, peers)
                _print(subject, name, measured[name], arguments.rounds)
    return measured


def _do(subject: Subject, task: dict[str, object]) -> int:
    """Do one workload of one peer in this process, and print its figures."""
    multiprocessing.set_start_method(task["method"])  # type: ignore[arg-type]  # None, too
    workload = subject.workloads[str(task["workload"])]
    peer: Peer = workload.peers[str(task["peer"])]
    figures = workload.measure(peer, float(str(task["scale"])))
    print(json.dumps(figures), flush=True)
    return 0


def _print(subject: Subject, name: str, table: Table, often: int) -> None:
    workload = subject.workloads[name]
    rounds_said = f"{often} round{'s' if often > 1 else ''}"
    print(f"\n{name}: {workload.title}; median of {rounds_said}\n")
    print(report.figures_table(workload, table))
    for line in report.remarks(table):
        print(line)
    sys.stdout.flush()


def _names(text: str) -> list[str]:
    return text.split(",")


def _arguments(subject: Subject, what: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=what)
    some = ",".join(list(subject.workloads)[:2])
    parser.add_argument("--only", type=_names, help=f"workloads, as in {some}")
    parser.add_argument(
        "--peers", type=_names, help=f"contenders, as in {subject.peers()[0]},{OURS}"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument(
        "--quick", action="store_true", help="a fiftieth of the work: shows that it runs"
    )
    parser.add_argument("--slow-once", action="store_true", help="slow peers in one round only")
    parser.add_argument(
        "--start-method",
        choices=multiprocessing.get_all_start_methods(),
        help="how those that go by multiprocessing start processes (default: as Python does)",
    )
    parser.add_argument("--bars", action="store_true", help="say which of the bars hold")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--note", default="", help="what to say in that file about this run")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    _check(parser, "--only", arguments.only, list(subject.workloads))
    _check(parser, "--peers", arguments.peers, subject.peers())
    return arguments


def _check(
    parser: argparse.ArgumentParser, option: str, given: list[str] | None, known: list[str]
) -> None:
    for name in given or []:
        if name not in known:
            parser.error(f"{option}: there is no {name!r}; there are {', '.join(known)}")
