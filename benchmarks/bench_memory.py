"""DiskDict and DiskList beside the dicts and lists on disk that there are, and beside dict and list."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from memory import child, report, rounds
from memory.sessions import BUILD, CLOSE, Session, Task

FAST = ["dict", "pyspeedup", "lmdb"]


def main() -> None:
    """Do what the command line says."""
    arguments = _arguments()
    if arguments.task:
        print(json.dumps(asdict(child.run(Task.from_json(arguments.task)))))
        return
    peers, workloads = child.STRUCTURES["dict"]
    selected = arguments.only or [*workloads.WORKLOADS, "open"]
    run = rounds.Run(
        __file__,
        "dict",
        _sessions(workloads.SESSIONS, selected),
        [name for name in arguments.peers or FAST if peers.PEERS[name].installed()],
        arguments.size,
        arguments.rounds,
        arguments.cap,
        arguments.folder,
        not arguments.without_numpy,
    )
    results = rounds.measure(run)
    print(f"{run.size:,} items; operations a second, median of {run.rounds}\n")
    print(report.rates_table(results, [*selected, CLOSE]))
    if arguments.bars:
        print("\n" + report.bars_table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(rounds.as_json(results)) + "\n", encoding="utf-8")


def _sessions(sessions: list[Session], only: list[str]) -> list[Session]:
    """Return what of `sessions` has a workload of `only`, and what that needs."""
    kept = [
        replace(session, workloads=[name for name in session.workloads if name in only])
        for session in sessions
    ]
    needs_store = any(session.built and session.workloads for session in kept)
    return [
        original if original.name == BUILD and needs_store else session
        for original, session in zip(sessions, kept, strict=True)
        if session.workloads or (original.name == BUILD and needs_store)
    ]


def _names(text: str) -> list[str]:
    return text.split(",")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--size", type=int, default=20_000, help="items (default: 20,000)")
    parser.add_argument("--only", type=_names, help="workloads, as in insert,cold_get")
    parser.add_argument("--peers", type=_names, help="contenders, as in lmdb,pyspeedup")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cap", type=float, default=3.0, help="seconds a workload (default: 3)")
    parser.add_argument("--bars", action="store_true", help="say which of the bars hold")
    parser.add_argument("--without-numpy", action="store_true", help="as if it were not installed")
    parser.add_argument("--folder", type=Path, help="where stores are made")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
